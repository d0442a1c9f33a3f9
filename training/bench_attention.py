"""Would a cheaper attention serve the symbolic forecaster? `uv run python bench_attention.py --data ../data/tracks`.

First the CPU time of training steps, all variants in turn on the same windows; then short trainings of the variants that change the
function and save over 5 %, for equal steps and for equal CPU. `--report` prints the figures of the last run and measures nothing.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # a waiting thread must not burn a shared core

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from lookahead_training.symbolic.config import CONFIGS, Config
from lookahead_training.symbolic.features import make_batch
from lookahead_training.symbolic.model import Block, Forecaster, Groups
from lookahead_training.symbolic.report import keep, table, with_interval
from lookahead_training.symbolic.score import (
    Scores,
    draw_scenes,
    interval,
    score,
    scored,
    skill_of,
)
from lookahead_training.symbolic.train import (
    descend,
    forecast,
    new_model,
    new_optimiser,
    pick,
    train_model,
)
from symbolic import ROOT, Splits

RESULTS = ROOT / "training" / "results" / "attention.json"
PARTS = ["times", "alone", "trained"]
WARM_UP = 4  # steps of each variant that are not counted
CHEAPER = 0.95  # what saves less than this is not worth a training

# --- Variants. Those called padded put all windows into one call, as long as the longest of them.


@lru_cache(maxsize=4)
def padding(groups: Groups) -> tuple[Tensor, Tensor]:
    """-> where each token stands among B x S, [M], and which slots are taken, [B,1,1,S]"""
    lengths = torch.cat([torch.full((b,), s) for b, s in groups])
    taken = torch.arange(int(lengths.max())) < lengths[:, None]  # [B,S]
    return taken.flatten().nonzero()[:, 0], taken[:, None, None]


class Padded(Block):
    def attend(self, qkv: Tensor, groups: Groups) -> Tensor:
        slot, mask = padding(groups)
        b, _, _, s = mask.shape
        padded = qkv.new_zeros(b * s, qkv.shape[1]).index_copy(0, slot, qkv)
        q, k, v = padded.view(b, s, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return self.padded(q, k, v, mask).transpose(1, 2).reshape(b * s, -1)[slot]

    def padded(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


class PaddedMath(Padded):
    def padded(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        with sdpa_kernel(SDPBackend.MATH):
            return super().padded(q, k, v, mask)


class PaddedMatmul(Padded):
    def padded(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        weights = (q @ k.transpose(2, 3)).mul_(q.shape[-1] ** -0.5)
        return weights.masked_fill_(~mask, -torch.inf).softmax(-1) @ v


class PaddedEinsum(Padded):
    def padded(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        weights = torch.einsum("bhid,bhjd->bhij", q * q.shape[-1] ** -0.5, k)
        return torch.einsum(
            "bhij,bhjd->bhid", weights.masked_fill(~mask, -torch.inf).softmax(-1), v
        )


class PaddedInTwo(Padded):
    """The short windows and the long ones apart."""

    def attend(self, qkv: Tensor, groups: Groups) -> Tensor:
        tokens = np.cumsum([b * s for b, s in groups])
        cut = int(np.searchsorted(tokens, tokens[-1] / 2)) + 1
        halves = [half for half in (groups[:cut], groups[cut:]) if half]
        parts = qkv.split([sum(b * s for b, s in half) for half in halves])
        attend = super().attend
        return torch.cat([attend(part, half) for part, half in zip(parts, halves, strict=True)])


class Matmul(Block):
    def mix(self, qkv: Tensor, b: int, s: int) -> Tensor:
        q, k, v = qkv.view(b, s, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(2, 3)).mul_(q.shape[-1] ** -0.5).softmax(-1)
        return (weights @ v).transpose(1, 2).reshape(b * s, -1)


class MultiQuery(Block):
    """One key and one value for all heads (arXiv:1911.02150), so the heads' queries are but more queries."""

    def __init__(self, dim: int, heads: int, widen: int):
        super().__init__(dim, heads, widen)
        self.qkv = nn.Linear(dim, dim + 2 * dim // heads)

    def mix(self, qkv: Tensor, b: int, s: int) -> Tensor:
        each = qkv.shape[1] // (self.heads + 2)
        q, k, v = (
            part.reshape(b, 1, -1, each) for part in qkv.split([self.heads * each, each, each], 1)
        )
        return F.scaled_dot_product_attention(q, k, v).view(b * s, -1)


class LinearAttention(Block):
    """Feature map elu + 1 in place of the softmax (arXiv:2006.16236)."""

    def mix(self, qkv: Tensor, b: int, s: int) -> Tensor:
        q, k, v = qkv.view(b, s, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        mixed = q @ (k.transpose(2, 3) @ v) / (q @ k.sum(2).unsqueeze(-1))
        return mixed.transpose(1, 2).reshape(b * s, -1)


class FeedForward(Block):
    def __init__(self, dim: int, heads: int, widen: int):
        super().__init__(dim, heads, widen)
        del self.before, self.qkv, self.out

    def forward(self, x: Tensor, groups: Groups) -> Tensor:
        return x + self.down(F.gelu(self.up(self.between(x))))


BEFORE, NOW = "padded, SDPA (before)", "by token count, SDPA (now)"
# Same weights, same outputs.
EXACT: dict[str, list[type[Block]]] = {
    BEFORE: [Padded],
    "padded, SDPA's math backend": [PaddedMath],
    "padded, matmul and softmax": [PaddedMatmul],
    "padded, einsum and softmax": [PaddedEinsum],
    "padded, in two halves by token count": [PaddedInTwo],
    NOW: [Block],
    "by token count, matmul and softmax": [Matmul],
}
# Another function each; all of them by token count. The blocks take turns.
CHANGED: dict[str, list[type[Block]]] = {
    "multi-query": [MultiQuery],
    "attention in blocks 1 and 3 only": [Block, FeedForward],
    "linear attention": [LinearAttention],
}
VARIANTS = EXACT | CHANGED


def build(name: str, splits: Splits, config: Config) -> Forecaster:
    """Begins with the same weights as the product's model wherever it has the same."""
    model, kinds = new_model(splits.train, config), VARIANTS[name]
    own = model.state_dict()
    model.blocks = nn.ModuleList(
        kinds[i % len(kinds)](config.dim, config.heads, config.widen) for i in range(config.layers)
    )
    there = model.state_dict()
    same = {k: v for k, v in own.items() if k in there and there[k].shape == v.shape}
    model.load_state_dict(same, strict=False)
    return model


def parameters_of(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


# --- What a step costs.


def stepper(name: str, splits: Splits, config: Config) -> tuple[Forecaster, Callable[[int], float]]:
    """A function that trains one step and says its CPU seconds."""
    model = build(name, splits, config)
    optimiser = new_optimiser(model, replace(config, learning_rate=1e-4))

    def step(at: int) -> float:
        started = time.process_time()
        picked = pick(len(splits.train), config, at)
        batch = make_batch(splits.train, picked)
        descend(model, optimiser, batch, splits.train.futures[picked], config)
        return time.process_time() - started

    return model, step


def time_steps(names: list[str], splits: Splits, config: Config, pairs: int) -> dict[str, dict]:
    """All of them take turns on the same windows, so that a load on the machine meets all."""
    steppers = {name: stepper(name, splits, config) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    pick(len(splits.train), config, 0)  # the first draws the order of the whole epoch
    for at in range(WARM_UP + pairs):
        turn = at % len(names)
        for name in names[turn:] + names[:turn]:
            took = steppers[name][1](at)
            if at >= WARM_UP:
                seconds[name].append(took)
    return {
        name: {
            "parameters": parameters_of(steppers[name][0]),
            "cpuMs": round(float(np.median(seconds[name])) * 1000, 1),
            "pairs": pairs,
            **ratio(seconds[name], seconds[BEFORE], "ratio"),
            **ratio(seconds[name], seconds[NOW], "ratioNow"),
        }
        for name in names
    }


def ratio(ours: list[float], theirs: list[float], name: str) -> dict[str, object]:
    """Median of the paired ratios, with its 95 % bootstrap interval."""
    each = np.array(ours) / np.array(theirs)
    drawn = np.random.default_rng(0).choice(each, (2000, len(each)))
    bounds = interval(np.median(drawn, 1))
    return {name: round(float(np.median(each)), 4), f"{name}Interval": bounds}


# --- What a short training reaches.


def learn(name: str, splits: Splits, config: Config) -> tuple[Scores, float]:
    """-> scores on the validation split, CPU minutes"""
    model = build(name, splits, config)
    whole = replace(config, check_every=config.steps, save_every=config.steps)
    with tempfile.TemporaryDirectory() as folder:
        curve = train_model(
            model, splits.train, splits.validation, splits.prior, whole, Path(folder)
        )
    windows = scored(splits.validation)
    chances = forecast(model, splits.validation, windows)
    return score(splits.validation, windows, chances, splits.prior), curve[-1]["cpuMin"]


def compare(
    splits: Splits,
    config: Config,
    times: dict[str, dict],
    seeds: list[int],
    note: Callable[[list[dict]], None],
) -> None:
    """Trains every changed variant that is cheaper than what is there now, for equal steps and for equal CPU."""
    cheaper = [name for name in CHANGED if times[name]["ratioNow"] < CHEAPER]

    rows: list[dict] = []
    for seed in seeds:
        base, base_cpu = learn(NOW, splits, replace(config, seed=seed))
        rows.append(row_of(NOW, "", config.steps, seed, base, base_cpu))
        for name in cheaper:
            plan = {"CPU": round(config.steps / times[name]["ratioNow"])}
            if seed == seeds[0]:
                plan["steps"] = config.steps
            for equal, steps in plan.items():
                ours, cpu = learn(name, splits, replace(config, steps=steps, seed=seed))
                gains = skill_of(draw_scenes(ours)) - skill_of(draw_scenes(base))
                row = row_of(name, equal, steps, seed, ours, cpu)
                gain = row["skill"] - float(skill_of(base.columns.mean(0)))
                row |= {"gain": round(gain, 4), "gainInterval": interval(gains)}
                rows.append(row)
                note(rows)


def row_of(name: str, equal: str, steps: int, seed: int, scores: Scores, cpu: float) -> dict:
    return {
        "name": name,
        "equal": equal,
        "steps": steps,
        "seed": seed,
        "cpuMin": cpu,
        "skill": round(float(skill_of(scores.columns.mean(0))), 4),
        "interval": interval(skill_of(draw_scenes(scores))),
    }


# --- The figures as Markdown.


def report(results: dict) -> str:
    times = results["times"]
    rows = [
        [
            name,
            f"{it['parameters']:,}",
            f"{it['cpuMs']:.0f}",
            with_interval(it, "ratio", "ratioInterval"),
            with_interval(it, "ratioNow", "ratioNowInterval"),
        ]
        for name, it in times.items()
    ]
    head = ["attention", "parameters", "CPU ms a step", "ratio to before", "ratio to now"]
    method = (
        f"Medians of {times[NOW]['pairs']} paired steps of {results['config']['batch']} windows, one thread, features and optimiser "
        f"included; 95 % bootstrap intervals. The first {len(EXACT)} are the same function."
    )
    parts = ["# Attention of the symbolic forecaster", method, table(head, rows)]
    if results.get("trained"):
        head = ["trained", "equal", "steps", "seed", "skill, validation", "paired gain on now"]
        rows = [
            [
                it["name"],
                it["equal"],
                it["steps"],
                it["seed"],
                with_interval(it),
                with_interval(it, "gain", "gainInterval") if "gain" in it else "",
            ]
            for it in results["trained"]
        ]
        parts.append(table(head, rows))
    return "\n\n".join([*parts, conclusion(results)])


def conclusion(results: dict) -> str:
    now = results.get("alone", results["times"])[NOW]
    cost = with_interval(now, "ratio", "ratioInterval")
    sentences = [
        f"One call for all windows of a token count, without padding, gives the same outputs for {cost} of the CPU ({now['pairs']} pairs)."
    ]
    for name in CHANGED:
        times = results["times"][name]
        rows = [it for it in results.get("trained", []) if it["name"] == name]
        gains = [it for it in rows if it["equal"] == "CPU"]
        if not gains:
            cost = with_interval(times, "ratioNow", "ratioNowInterval")
            dear = times["ratioNow"] >= CHEAPER
            why = "it is not cheaper" if dear else "not trained yet"
            sentences.append(f"{name.capitalize()}: {why}, {cost} of now.")
            continue
        low = min(it["gainInterval"][0] for it in gains)
        high = max(it["gainInterval"][1] for it in gains)
        verdict = "wins" if low > 0 else "loses" if high < 0 else "is not told apart"
        told = ", ".join(with_interval(it, "gain", "gainInterval") for it in gains)
        sentences.append(f"{name.capitalize()} {verdict} at equal CPU: {told}.")
    return " ".join(sentences)


def run(splits: Splits, config: Config, arguments: argparse.Namespace) -> None:
    out: Path = arguments.out

    keep(out, config=config.as_json(), torch=torch.__version__)
    if "times" in arguments.only:
        keep(out, times=time_steps(list(VARIANTS), splits, config, arguments.pairs))
    if "alone" in arguments.only:
        # Closer in time, and more of them: what the product's choice rests on.
        keep(out, alone=time_steps([BEFORE, NOW], splits, config, 2 * arguments.pairs))
    if "trained" in arguments.only:
        times = json.loads(out.read_text())["times"]
        compare(splits, config, times, arguments.seeds, lambda rows: keep(out, trained=rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=CONFIGS, default="full")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "tracks")
    parser.add_argument("--only", choices=PARTS, nargs="*", default=PARTS)
    parser.add_argument("--steps", type=int, default=600, help="of a short training")
    parser.add_argument("--pairs", type=int, default=32, help="timed steps of each variant")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    if not arguments.report:
        chosen = replace(CONFIGS[arguments.config], steps=arguments.steps)
        torch.set_num_threads(chosen.threads)
        run(Splits(arguments.data), chosen, arguments)
    text = report(json.loads(arguments.out.read_text()))
    arguments.out.with_suffix(".md").write_text(text + "\n")
    print(text)
