"""The reasoner's half of a run: it learns from what the bundle's own perceiver saw of scenes that the perceiver never learned from."""

import json
import subprocess
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from .bundle import round_to_fp16
from .calibrate import fit_chances
from .causes import fit_cause_min, judged_causes
from .config import LANGUAGE_DIM, PROMPTS, QUERIES, VERSION, Config
from .data import read_lines
from .loop import keep_memory, note
from .models.fusion import Fusion, ObjectEncoder
from .models.llama import Llama
from .reasoner_export import Fitted, Reasoner, add_reasoner
from .symbolic.model import Forecaster
from .symbolic.score import Scores, score, scored, summary, template_prior
from .symbolic.tracks import Tracks, read_tracks
from .symbolic.train import adaptation, new_model, train_model
from .text import Text, train_tokenizer
from .train_encoder import Worlds, train_encoder
from .train_language import tokenizer_texts, train_language
from .train_reasoner import Course, prefix_of, score_windows, train_alignment, train_instruction
from .watched import NO_ERRORS, Sights, watch
from .words import Words, read_words

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ("train", "validation", "test")


class Reasoning:
    """Steps of run.py; each leaves its result in the run's folder."""

    def __init__(self, config: Config, data: Path, world: Path, folder: Path, bundle: Path):
        """@param world: track files of the simulator, in folders that begin with `train` or `joined`, and `validation`"""
        self.config, self.data, self.world_data = config, data, world
        self.folder, self.bundle = folder, bundle
        self.log = folder / "log.jsonl"
        self._read: dict[str, object] = {}

    # --- what it learns from

    def once(self, key: str, make):
        if key not in self._read:
            self._read[key] = make()
        return self._read[key]

    def scenes(self) -> Path:
        """Scenes of the split train that the perceiver has not learned from; where there are none, its own."""
        apart = self.data / "reasoning"
        return apart if apart.exists() else self.data / "train"

    def labels(self) -> list[dict]:
        return json.loads((self.scenes() / "dataset.json").read_text())["labels"]

    def words(self) -> Words:
        return self.words_of("train")

    def words_of(self, name: str) -> Words:
        """Causes are those by intervention where a recording `<split>-causes` of the same scenes, or of the first of them, tells them."""
        folder = self.scenes() if name == "train" else self.data / name
        causes = self.data / f"{name}-causes"
        return self.once(
            f"words-{name}", lambda: read_words(folder, causes if causes.exists() else None)
        )

    def lines(self) -> list[str]:
        """Sentences of the training scenes that belong to no window."""
        path = self.data / "train" / "texts.jsonl"
        return [line["text"] for line in read_lines(path)] if path.exists() else []

    def watched(self, name: str) -> Tracks:
        """@param name: of a split; several folders of it are parts, in the order of their scenes"""
        parts = sorted(p.parent for p in (self.folder / "watched").glob(f"{name}*/tracks.json"))
        return self.once(name, lambda: read_tracks(parts))

    def simulated(self) -> Tracks:
        parts = sorted(p.parent for p in self.world_data.glob("train*/tracks.json"))
        return self.once("simulated", lambda: read_tracks(parts))

    def joined(self) -> Tracks | None:
        parts = sorted(p.parent for p in self.world_data.glob("joined*/tracks.json"))
        return self.once("joined", lambda: read_tracks(parts) if parts else None)

    def text(self) -> Text:
        return Text(Tokenizer.from_file(str(self.folder / "tokenizer.json")), self.labels())

    # --- steps

    def language(self) -> float:
        torch.manual_seed(self.config.seed)
        lines = self.lines()
        tokenizer = train_tokenizer(
            tokenizer_texts(lines, self.words(), self.labels()), self.config.vocabulary
        )
        tokenizer.save(str(self.folder / "tokenizer.json"))
        llama = Llama(tokenizer.get_vocab_size(), LANGUAGE_DIM)
        loss = train_language(llama, self.text(), lines, self.words(), self.config, self.log)
        torch.save(llama.state_dict(), self.folder / "llama.pt")
        return loss

    def watch(self) -> float:
        """The engine's own perceiver watches all scenes: no second pipeline that could differ. @returns objects seen in a clip"""
        for name in SPLITS:
            if any((self.folder / "watched").glob(f"{name}*/tracks.json")):
                continue
            data = self.scenes() if name == "train" else self.data / name
            command = [str(ROOT / "lookahead"), "yard", "perceive", "--data", str(data)]
            command += ["--bundle", str(self.bundle), "--out", str(self.folder / "watched" / name)]
            subprocess.run(command, check=True)
        watched = self.watched("train")
        return len(watched.kind) / len(watched.cls)

    def true_validation(self) -> Tracks:
        return self.once("true", lambda: read_tracks([self.world_data / "validation"]))

    def new_world(self) -> Forecaster:
        """Its shape is that of any tracks of the yard, so the few of validation do."""
        return new_model(self.true_validation(), self.config.world)

    def encoder(self) -> float:
        """The world from true tracks, then with errors put in, then as it is watched."""
        keep_memory()
        config, simulated = self.config.world, self.simulated()
        held = self.true_validation()
        prior = template_prior(simulated)
        world = self.new_world()
        folder = self.folder / "world"
        train_model(world, simulated, held, prior, config, folder / "main")
        errors = adaptation(config)
        train_model(world, simulated, held, prior, errors, folder / "adapted", with_errors=True)
        encoder = ObjectEncoder(world)
        watched = self.watched("train"), self.watched("validation")
        worlds = Worlds(simulated, self.joined(), *watched, prior)
        loss = train_encoder(
            *(encoder, worlds, self.config.encoder, self.config),
            *(self.log, self.folder / "encoder.ckpt"),
        )
        round_to_fp16(encoder)
        torch.save(encoder.state_dict(), self.folder / "encoder.pt")
        return loss

    def loaded_encoder(self) -> ObjectEncoder:
        encoder = ObjectEncoder(self.new_world())
        encoder.load_state_dict(torch.load(self.folder / "encoder.pt"))
        return encoder.eval()

    def new_fusion(self) -> Fusion:
        torch.manual_seed(self.config.seed)
        return Fusion(len(self.labels()), language_dim=LANGUAGE_DIM, width=self.config.world.dim)

    def new_llama(self, weights: str) -> Llama:
        llama = Llama(self.text().tokenizer.get_vocab_size(), LANGUAGE_DIM)
        llama.load_state_dict(torch.load(self.folder / weights))
        return llama

    def course(self) -> Course:
        encoder, simulated = self.loaded_encoder(), self.simulated()
        watched, held = self.watched("train"), self.watched("validation")
        random = np.random.default_rng(self.config.seed)
        count = min(len(simulated), self.config.simulated_windows)
        some = np.sort(random.choice(len(simulated), count, replace=False))
        return Course(
            watch(encoder, watched, np.arange(len(watched))),
            self.words(),
            watch(encoder, simulated, some, NO_ERRORS),
            watch(encoder, held, np.arange(len(held))),
        )

    def alignment(self) -> float:
        fusion, llama = self.new_fusion(), self.new_llama("llama.pt")
        loss = train_alignment(
            *(fusion, llama, self.text(), self.course(), self.config.alignment, self.config),
            *(self.log, [self.loaded_encoder()]),
        )
        torch.save(fusion.state_dict(), self.folder / "fusion-aligned.pt")
        return loss

    def instruction(self) -> float:
        fusion, llama = self.new_fusion(), self.new_llama("llama.pt")
        fusion.load_state_dict(torch.load(self.folder / "fusion-aligned.pt"))
        loss = train_instruction(
            *(fusion, llama, self.text(), self.course(), self.config.instruction, self.config),
            self.log,
        )
        torch.save(fusion.state_dict(), self.folder / "fusion.pt")
        torch.save(llama.state_dict(), self.folder / "llama-instructed.pt")
        return loss

    def reasoner(self) -> float:
        """Fits what is fitted on validation and exports; @returns the skill on test windows, before it is published"""
        encoder, fusion = self.loaded_encoder(), self.new_fusion()
        fusion.load_state_dict(torch.load(self.folder / "fusion.pt"))
        llama, text = self.new_llama("llama-instructed.pt"), self.text()
        held = watch(
            encoder, self.watched("validation"), np.arange(len(self.watched("validation")))
        )
        temperature, bias = fit_chances(score_windows(fusion, llama, text, held), held.futures)
        with torch.no_grad():
            prefixes = [prefix_of(fusion, held, slice(i, i + 64)) for i in range(0, len(held), 64)]
        pairs = judged_causes(fusion, llama, text, held, self.words_of("validation"), every=4)
        cause_min = fit_cause_min(pairs)
        fitted = Fitted(temperature, bias, torch.cat(prefixes).mean(0), cause_min)
        tracks = self.watched("test")
        judged = scored(tracks)
        test = watch(encoder, tracks, judged)
        scores = score_windows(fusion, llama, text, test)
        found = self.quality(scores, test, tracks, judged, fitted)
        note(self.log, "quality", found)
        add_reasoner(
            *(self.bundle, Reasoner(encoder, fusion, llama, text)),
            *(*self.example(), fitted, self.about()),
        )
        return float(found["skill"])

    def example(self) -> tuple[Tracks, int]:
        """The window with the most tracks, for the trace and the golden files; a true one where nothing was seen at all."""
        seen = self.watched("validation")
        counts = np.diff(seen.starts)
        if counts.max() > 0:
            return seen, int(counts.argmax())
        return self.true_validation(), 0

    def about(self) -> dict:
        """What the manifest says anew; its quality is measured by the engine, not here."""
        training = json.loads((self.bundle / "manifest.json").read_text())["training"]
        watched = {n: int(self.watched(n).scene.max()) + 1 for n in SPLITS}
        training |= {"config": self.config.as_json(), "watchedScenes": watched}
        done = self.folder / "done.json"
        if done.exists():
            training["losses"] = json.loads(done.read_text())
        return {"version": VERSION, "training": training, "quality": {}}

    def quality(
        self,
        scores: torch.Tensor,
        test: Sights,
        tracks: Tracks,
        judged: np.ndarray,
        fitted: Fitted,
    ) -> dict[str, object]:
        scores[:, 0] += fitted.nothing_bias
        prior = template_prior(self.simulated())

        def of(chances: np.ndarray) -> Scores:
            return score(tracks, judged, chances, prior)

        chances = (scores / fitted.temperature).softmax(-1).double().numpy()
        return {
            **summary(of(chances)),
            "temperature": fitted.temperature,
            "nothingBias": fitted.nothing_bias,
            "causeMin": fitted.cause_min,
            "skillOfObjects": summary(of(test.outlook.exp().double().numpy()))["skill"],
        }

    def add_untrained(self) -> None:
        """So that the bundle is whole before the reasoner has learned: the engine opens nothing less."""
        labels = json.loads((self.data / "train" / "dataset.json").read_text())["labels"]
        words = [f" {label['text']}{end}" for label in labels for end in ("", " .", ":")]
        text = Text(train_tokenizer([*words, *PROMPTS.values()], self.config.vocabulary), labels)
        tracks = self.true_validation()
        encoder = ObjectEncoder(self.new_world())
        fusion = Fusion(len(labels), language_dim=LANGUAGE_DIM, width=self.config.world.dim)
        llama = Llama(text.tokenizer.get_vocab_size(), LANGUAGE_DIM)
        fitted = Fitted(1.0, 0.0, torch.zeros(QUERIES, LANGUAGE_DIM), 0.2)
        add_reasoner(self.bundle, Reasoner(encoder, fusion, llama, text), tracks, 0, fitted, {})
