"""The paper's ablations and ours, all on one same reduced budget: `uv run python ablations.py --run runs/yard --data ../data/yard`.

Each row trains both stages anew on the kept windows of a run (its tokenizer, object encoder and language model), and is measured on the watched
test windows: skill on the next event, the caption's loss, and how many causes are named rightly. Rows that are there already are kept; a stopped
run goes on with the next one.
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # a waiting thread must not burn a shared core

import numpy as np
import torch
from torch import nn

from lookahead_training.calibrate import fit_chances
from lookahead_training.causes import fit_cause_min, judged_causes, precision_recall
from lookahead_training.config import CONFIGS, LANGUAGE_DIM, Config, Stage
from lookahead_training.loop import keep_memory
from lookahead_training.models.fusion import Fusion, MeanPool
from lookahead_training.models.llama import Llama
from lookahead_training.reasoning import Reasoning
from lookahead_training.symbolic.score import (
    Scores,
    draw_scenes,
    interval,
    score,
    scored,
    skill_of,
    template_prior,
)
from lookahead_training.text import Text, read_prefix
from lookahead_training.train_language import train_language
from lookahead_training.train_reasoner import (
    captions,
    prefix_of,
    score_windows,
    told,
    train_alignment,
    train_instruction,
)
from lookahead_training.watched import Sights, watch
from lookahead_training.words import Words

ALIGNMENT = Stage(steps=100, batch=32, learning_rate=2.0e-3, warm_up=20)
INSTRUCTION = Stage(steps=400, batch=32, learning_rate=2.0e-3, warm_up=50)
ROOT = Path(__file__).resolve().parent
RESULTS = ROOT / "results" / "ablations.json"


@dataclass(frozen=True)
class Row:
    what: str
    seed: int = 1
    fusion: str = "queries"  # or "mean-pool"
    objects: bool = True
    stage2: bool = True
    causal: bool = True
    sampled: bool = False
    layers: int = 4
    pretrained: bool = True


ROWS = {
    "full": Row("everything"),
    "full-seed2": Row("everything, second seed", seed=2),
    "full-seed3": Row("everything, third seed", seed=3),
    "no-fusion-core": Row("mean-pool and one linear layer for the fusion core", fusion="mean-pool"),
    "no-object-tokens": Row("CLS tokens alone", objects=False),
    "no-stage-2": Row("alignment only", stage2=False),
    "no-causal-data": Row("without justifications and causes", causal=False),
    "smaller-llm": Row("half the layers", layers=2),
    "sampled-futures": Row("one future a window for its eight", sampled=True),
    "no-language": Row("a language model that has read nothing before", pretrained=False),
}


class Ablations:
    def __init__(self, run: Reasoning, held: list[str]):
        """@param held: watched splits whose windows are judged: `test` and, if it is there, `text-only`"""
        self.run, self.text = run, run.text()
        self.course = run.course()
        encoder = run.loaded_encoder()
        self.held_words = run.words_of("validation")
        self.held: dict[str, tuple[Sights, Words]] = {}
        self.tracks = {}
        for name in held:
            tracks = run.watched(name)
            judged = scored(tracks)
            self.tracks[name] = tracks, judged
            self.held[name] = watch(encoder, tracks, judged), run.words_of(name)

    def llama(self, row: Row) -> Llama:
        torch.manual_seed(row.seed)
        llama = Llama(self.text.tokenizer.get_vocab_size(), LANGUAGE_DIM, layers=row.layers)
        if not row.pretrained:
            return llama
        own = self.run.folder / f"llama-{row.layers}-layers.pt"
        if row.layers == 4:
            own = self.run.folder / "llama.pt"
        elif not own.exists():
            run = self.run
            train_language(llama, self.text, run.lines(), run.words(), run.config, run.log)
            torch.save(llama.state_dict(), own)
        llama.load_state_dict(torch.load(own))
        return llama

    def train(self, row: Row, folder: Path) -> tuple[nn.Module, Llama, Config]:
        config = replace(self.run.config, seed=row.seed)
        llama = self.llama(row)
        course = replace(self.course, causal=row.causal, sampled=row.sampled)
        if not row.objects:
            course = replace(course, **{n: blind(getattr(course, n)) for n in SIGHTS})
        torch.manual_seed(row.seed)
        width = config.world.dim
        labels = len(self.run.labels())
        fusion: nn.Module = (
            Fusion(labels, language_dim=LANGUAGE_DIM, width=width)
            if row.fusion == "queries"
            else MeanPool(language_dim=LANGUAGE_DIM, width=width)
        )
        log = folder / "log.jsonl"
        train_alignment(fusion, llama, self.text, course, ALIGNMENT, config, log, [])
        if row.stage2:
            train_instruction(fusion, llama, self.text, course, INSTRUCTION, config, log)
        return fusion.eval(), llama.eval(), config

    def measure(self, row: Row, fusion: nn.Module, llama: Llama) -> dict[str, object]:
        see: Callable[[Sights], Sights] = (lambda s: s) if row.objects else blind
        held = see(self.course.validation)
        temperature, bias = fit_chances(score_windows(fusion, llama, self.text, held), held.futures)
        out: dict[str, object] = {"temperature": temperature}
        for name, (sights, words) in self.held.items():
            scores = score_windows(fusion, llama, self.text, see(sights))
            scores[:, 0] += bias
            chances = (scores / temperature).softmax(-1).double().numpy()
            tracks, judged = self.tracks[name]
            # The prior from the judged recording's own futures: held-out templates are in no training data.
            scores_of = score(tracks, judged, chances, template_prior(tracks))
            out[name] = {
                "skill": round(float(skill_of(scores_of.columns.mean(0))), 4),
                "interval": interval(skill_of(draw_scenes(scores_of))),
            }
            if name == "text-only":  # for the paired difference
                out[name] |= {
                    "columns": scores_of.columns.round(5).tolist(),
                    "scene": scores_of.scene.tolist(),
                }
            else:
                cause_min = fit_cause_min(
                    judged_causes(fusion, llama, self.text, held, self.held_words, every=8)
                )
                out |= text_quality(fusion, llama, self.text, see(sights), words, cause_min)
        return out


SIGHTS = ("watched", "simulated", "validation")


def blind(sights: Sights) -> Sights:
    """Without object tokens, and without what they expect."""
    return replace(sights, mask=sights.mask * 0, outlook=sights.outlook * 0)


def text_quality(
    fusion: nn.Module, llama: Llama, text: Text, sights: Sights, words: Words, cause_min: float
) -> dict[str, float]:
    """Nats a token of captions; precision and recall of causes, told on true logs."""
    losses = []
    with torch.no_grad():
        for start in range(0, len(sights), 32):
            rows = slice(start, start + 32)
            past = read_prefix(llama, prefix_of(fusion, sights, rows))
            told_of = captions(text, words, sights.clip[rows], 96)
            losses.append(float(told(llama, past, told_of)))
    pairs = judged_causes(fusion, llama, text, sights, words)
    precision, recall = precision_recall(pairs, cause_min)
    return {
        "captionNats": round(float(np.mean(losses)), 4),
        "causePrecision": round(precision, 4),
        "causeRecall": round(recall, 4),
    }


def table(results: dict) -> str:
    """Markdown, for docs/quality.md."""
    lines = [
        "| row | skill [95 %] | captions, nats a token | causes: precision, recall |",
        "| --- | --- | --- | --- |",
    ]
    for name, row in ROWS.items():
        if name not in results:
            continue
        got = results[name]
        low, high = got["test"]["interval"]
        lines.append(
            f"| {row.what} | {got['test']['skill']:.3f} [{low:.3f}, {high:.3f}] | {got['captionNats']:.3f} "
            f"| {got['causePrecision']:.3f}, {got['causeRecall']:.3f} |"
        )
    gain = text_only_gain(results)
    if gain:
        value, (low, high) = gain
        lines += ["", f"Text-only rules: {value:+.3f} [{low:+.3f}, {high:+.3f}]"]
    return "\n".join(lines)


def text_only_gain(results: dict) -> tuple[float, tuple[float, float]] | None:
    """Skill on rules that training meets in words alone: with the language model's pre-training less without, paired by scene."""
    pair = [results.get(name, {}).get("text-only") for name in ("full", "no-language")]
    if not all(pair):
        return None
    draws, values = [], []
    for one in pair:
        kept = Scores(*np.array(one["columns"]).T, np.array(one["scene"]))
        draws.append(skill_of(draw_scenes(kept)))
        values.append(one["skill"])
    low, high = interval(draws[0] - draws[1])
    return round(values[0] - values[1], 4), (low, high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / "runs" / "yard")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "data" / "yard")
    parser.add_argument("--world", type=Path, default=ROOT.parent / "data" / "tracks-long")
    parser.add_argument("--rows", choices=ROWS, nargs="*", default=list(ROWS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="print the kept figures")
    arguments = parser.parse_args()
    results = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    if not arguments.report:
        keep_memory()
        config = CONFIGS["yard"]
        torch.set_num_threads(config.threads)
        run = Reasoning(
            config, arguments.data, arguments.world, arguments.run, arguments.run / "bundle"
        )
        held = [n for n in ("test", "text-only") if (run.folder / "watched" / n).exists()]
        ablations = Ablations(run, held)
        for name in arguments.rows:
            if name in results:
                continue
            folder = arguments.run / "ablations" / name
            folder.mkdir(parents=True, exist_ok=True)
            fusion, llama, _ = ablations.train(ROWS[name], folder)
            torch.save(
                {"fusion": fusion.state_dict(), "llama": llama.state_dict()}, folder / "weights.pt"
            )
            results = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
            results[name] = ablations.measure(ROWS[name], fusion, llama)
            arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
