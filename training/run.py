"""The whole stage, from the yard's data to a bundle, one step after another: `uv run python run.py --config smoke`.

Steps leave their results in runs/<config>/ and are skipped when they are there; `--from STEP` does one and all later ones again.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # a waiting thread must not burn a shared core

import numpy as np
import torch

from lookahead_training import automatic, calibrate, evaluate, windows
from lookahead_training.bundle import Networks, round_to_fp16
from lookahead_training.config import CONFIGS, Config
from lookahead_training.data import read_split
from lookahead_training.export import GRAPHS, export_bundle
from lookahead_training.text import Text, train_tokenizer
from lookahead_training.train_language import tokenizer_texts, train_language
from lookahead_training.train_perception import (
    train_backbone,
    train_event_head,
    train_object_head,
    train_segmenter,
)
from lookahead_training.train_reasoner import score_windows, train_alignment, train_instruction

ROOT = Path(__file__).resolve().parent.parent
STEPS = [
    "perception",
    "segmenter",
    "masks",
    "language",
    "features",
    "object-head",
    "event-head",
    "alignment",
    "instruction",
    "export",
]
# The mean loss of each stage's last tenth in the smoke run, and how far a healthy run may lie above it.
SMOKE_EXPECTED = {
    "perception": 10.28,
    "segmenter": 3.11,
    "language": 1.53,
    "alignment": 6.26,
    "instruction": 6.01,
}
SMOKE_SLACK = 1.25


class Run:
    """One run's folder, data and networks; every step is a method."""

    def __init__(self, config: Config, data: Path, folder: Path, bundle: Path):
        self.config, self.folder, self.log = config, folder, folder / "log.jsonl"
        self.bundle = bundle
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config.as_json(), indent=2) + "\n")
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        cache = folder / "cache"
        self.splits = {n: read_split(data / n, cache) for n in ("train", "validation", "test")}
        self.train = self.splits["train"]
        self.networks = Networks(len(self.train.classes), len(self.train.labels), config.vocabulary)

    def perception(self) -> float:
        resume = self.folder / "perception.pt"
        loss = train_backbone(self.networks, self.train, self.config, self.log, resume)
        round_to_fp16(self.networks.backbone)
        self.networks.save(self.folder, "backbone", "event_head")
        return loss

    def segmenter(self) -> float:
        loss = train_segmenter(self.networks, self.train, self.config, self.log)
        self.networks.save(self.folder, "segmenter_encoder", "segmenter_decoder")
        return loss

    def masks(self) -> float:
        """Automatic masks of key frames; the mean IoU over all things of the validation scenes is the answer."""
        self.networks.load(self.folder, "segmenter_encoder", "segmenter_decoder")
        mean = 0.0
        for name, split in self.splits.items():
            scenes = self.config.automatic_scenes if name == "train" else None
            found = automatic.segment_split(self.networks, split, self.folder / "segmenter", scenes)
            automatic.save_masks(self.folder / f"masks-{name}.npz", found)
            if name == "validation":
                quality = automatic.mask_quality(split, found, split.classes)
                self.note("masks", quality)
                mean = float(np.mean([v for k, v in quality.items() if k.startswith("iou ")]))
        return mean

    def language(self) -> float:
        tokenizer = train_tokenizer(tokenizer_texts(self.train), self.config.vocabulary)
        tokenizer.save(str(self.folder / "tokenizer.json"))
        loss = train_language(self.networks, self.text(), self.train, self.config, self.log)
        self.networks.save(self.folder, "llama")
        return loss

    def text(self) -> Text:
        return Text.load(self.folder / "tokenizer.json", self.train.labels)

    def features(self) -> float:
        """Every clip through the frozen backbone, once."""
        self.networks.load(self.folder, "backbone")
        for name, split in self.splits.items():
            count = len(split.clips)
            cls = np.zeros((count, 128), np.float32)
            patches = np.lib.format.open_memmap(
                self.folder / f"patches-{name}.npy", "w+", np.float16, (count, 240, 128)
            )
            with torch.no_grad():
                for start in range(0, count, 16):
                    here = slice(start, min(start + 16, count))
                    c, p = self.networks.backbone(torch.from_numpy(np.array(split.frames[here])))
                    cls[here], patches[here] = c.numpy(), p.numpy()
            patches.flush()
            np.save(self.folder / f"cls-{name}.npy", cls)
        return 0.0

    def tokens(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """-> cls [C,D], patches [C,240,D]."""
        patches = np.load(self.folder / f"patches-{name}.npy", mmap_mode="r")
        return np.load(self.folder / f"cls-{name}.npy"), patches

    def found(self, name: str) -> list[windows.ClipTokens]:
        """All automatic masks of a split, pooled, before the object head chooses."""
        masks = automatic.load_masks(self.folder / f"masks-{name}.npz")
        return windows.pool_split(self.splits[name], masks, self.tokens(name)[1])

    def chosen(self, name: str, masks: str = "automatic") -> list[windows.ClipTokens]:
        """What reaches the reasoner: no background, at most OBJECTS_MAX a clip, with velocity and age."""
        split = self.splits[name]
        if masks == "true":
            true = automatic.true_clip_masks(split)
            clips = windows.pool_split(split, true, self.tokens(name)[1])
            keep = [np.arange(len(c.tokens)) for c in clips]
        else:
            clips = self.found(name)
            head = self.networks.object_head
            with torch.no_grad():
                keep = [
                    np.flatnonzero(
                        head(torch.from_numpy(c.tokens), torch.from_numpy(c.boxes))
                        .argmax(1)
                        .numpy()
                    )
                    for c in clips
                ]
        clips = windows.choose(clips, keep)
        windows.follow(split, clips)
        return clips

    def object_head(self) -> float:
        clips = self.found("train")
        empty = automatic.empty_masks(self.train, self.config.seed)
        clips += windows.pool_split(self.train, empty, self.tokens("train")[1])
        fields = ("tokens", "boxes", "kinds")
        arrays = [np.concatenate([getattr(c, f) for c in clips]) for f in fields]
        loss = train_object_head(self.networks, *arrays, self.config, self.log)
        round_to_fp16(self.networks.object_head)
        self.networks.save(self.folder, "object_head")
        return loss

    def event_head(self) -> float:
        self.networks.load(self.folder, "event_head")
        cls, patches = self.tokens("train")
        loss = train_event_head(self.networks, self.train, cls, patches, self.config, self.log)
        self.networks.save(self.folder, "event_head")
        return loss

    def alignment(self) -> float:
        self.networks.load(self.folder, "backbone", "llama", "object_head")
        cls, _ = self.tokens("train")
        clips = self.chosen("train")
        loss = train_alignment(
            self.networks, self.text(), self.train, cls, clips, self.config, self.log
        )
        torch.save(self.networks.fusion.state_dict(), self.folder / "fusion-aligned.pt")
        return loss

    def instruction(self) -> float:
        self.networks.load(self.folder, "llama", "object_head")
        aligned = torch.load(self.folder / "fusion-aligned.pt")
        self.networks.fusion.load_state_dict(aligned)
        cls, _ = self.tokens("train")
        clips = self.chosen("train")
        held = self.splits["validation"]
        check = (held, self.tokens("validation")[0], self.chosen("validation"))
        loss = train_instruction(
            self.networks, self.text(), self.train, cls, clips, self.config, self.log, check
        )
        torch.save(self.networks.llama.state_dict(), self.folder / "llama-instructed.pt")
        self.networks.save(self.folder, "fusion")
        return loss

    def export(self) -> float:
        networks, folder = self.networks, self.folder
        networks.load(
            folder,
            "backbone",
            "segmenter_encoder",
            "segmenter_decoder",
            "object_head",
            "event_head",
        )
        networks.load(folder, "fusion")
        networks.llama.load_state_dict(torch.load(folder / "llama-instructed.pt"))
        networks.eval()
        round_to_fp16(networks)
        text, held, test = self.text(), self.splits["validation"], self.splits["test"]
        held_cls, held_patches = self.tokens("validation")
        held_clips = self.chosen("validation")
        held_scores = score_windows(networks, text, held, held_cls, held_clips)
        temperature = calibrate.fit_temperature(held_scores, held.windows)
        features = {n: calibrate.scene_features(*self.tokens(n)) for n in ("train", "validation")}
        familiarity = calibrate.fit_familiarity(features["train"], features["validation"])
        thresholds = calibrate.fit_thresholds(
            calibrate.event_scores(networks, held, held_cls, held_patches),
            calibrate.event_truth(held),
        )
        calibration = {"temperature": temperature, "familiarity": familiarity}
        base = np.mean([w.futures for w in self.train.windows], axis=0)
        labels = [
            {**{k: label[k] for k in ("type", "actor", "target", "text")}, "baseRate": float(rate)}
            for label, rate in zip(self.train.labels, base, strict=True)
        ]

        cls, patches = self.tokens("test")
        quality: dict[str, dict] = {}
        for masks, suffix in (("automatic", ""), ("true", "TrueMasks")):
            scores = score_windows(networks, text, test, cls, self.chosen("test", masks))
            found = evaluate.forecast_quality(test, scores, temperature)
            keys = found if not suffix else ("score", "skill", "top1")
            quality |= {k + suffix: found[k] for k in keys if k in found}
        quality |= evaluate.event_quality(networks, test, cls, patches, thresholds)
        quality |= evaluate.class_quality(networks, self.found("test"), test.scene_of)
        masks = automatic.load_masks(folder / "masks-test.npz")
        for key, value in automatic.mask_quality(test, masks, test.classes).items():
            words = key.split(" ")
            name = "mask" + "".join(w.capitalize() for w in words)
            quality[name] = {"value": round(value, 4), "interval": None}
        self.note("quality", quality)

        window = held.windows[20]
        batch = windows.collate([window], held_cls, held_clips)
        clips = [held.previous(window.clip), window.clip]
        export_bundle(
            self.bundle,
            networks,
            text,
            torch.from_numpy(np.array(held.frames[clips])),
            {n: batch[n] for n in GRAPHS["fusion"][0]},
            calibration,
            self.manifest(labels, thresholds, quality),
        )
        return quality["score"]["value"]

    def manifest(self, labels: list[dict], thresholds: list[float], quality: dict) -> dict:
        scenes = {n: s.meta["scenes"] for n, s in self.splits.items()}
        return {
            "name": "yard",
            "version": "2.0.0",
            "licence": "Apache-2.0",
            "description": "Forecasts for the simulated yard; trained on a CPU from nothing but the yard.",
            "domain": {
                "description": "Cameras of the simulated yard (src/yard).",
                "familiarityMin": calibrate.FAMILIARITY_MIN,
            },
            "classes": self.train.classes,
            "labels": labels,
            "eventThresholds": thresholds,
            "training": {
                "data": {"schema": self.train.meta["schema"], "scenes": scenes},
                "config": self.config.as_json(),
                "losses": json.loads((self.folder / "done.json").read_text()),
                "evaluate": "uv run python run.py --config yard --data DIR --from export",
            },
            "quality": quality,
        }

    def note(self, what: str, values: dict) -> None:
        line = json.dumps({"stage": what, **values})
        print(line, flush=True)
        with self.log.open("a") as log:
            log.write(line + "\n")


def record(data: Path) -> None:
    """A handful of scenes for the smoke run, drawn by the yard itself."""
    for seed, (split, scenes) in enumerate({"train": 6, "validation": 2, "test": 2}.items(), 1):
        if (data / split / "dataset.json").exists():
            continue
        command = [str(ROOT / "lookahead"), "yard", "record", "--split", split]
        command += ["--scenes", str(scenes), "--seconds", "24", "--seed", str(seed)]
        command += ["--bayes-count", "64" if split == "test" else "0", "--causes-pairs", "0"]
        subprocess.run([*command, "--out", str(data / split)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=sorted(CONFIGS), default="smoke")
    parser.add_argument(
        "--data", type=Path, help="holds train, validation, test; smoke draws its own"
    )
    parser.add_argument(
        "--from", dest="first", choices=STEPS, help="do this step and all later ones again"
    )
    parser.add_argument("--bundle", type=Path, help="where to export to; runs/<config>/bundle")
    arguments = parser.parse_args()
    config = CONFIGS[arguments.config]
    folder = Path(__file__).resolve().parent / "runs" / config.name
    data = arguments.data
    if data is None:
        if config.name != "smoke":
            parser.error(
                "--data DIR is needed: write it with `./lookahead yard record` (see README.md)."
            )
        data = folder / "data"
        record(data)

    done_file = folder / "done.json"
    done: dict[str, float] = json.loads(done_file.read_text()) if done_file.exists() else {}
    if arguments.first:
        later = STEPS[STEPS.index(arguments.first) :]
        done = {step: loss for step, loss in done.items() if step not in later}
        if "perception" in later:
            (folder / "perception.pt").unlink(missing_ok=True)
    run = Run(config, data, folder, arguments.bundle or folder / "bundle")
    for step in STEPS:
        if step in done:
            continue
        started = time.process_time()
        done_file.write_text(json.dumps(done, indent=2) + "\n")
        done[step] = round(getattr(run, step.replace("-", "_"))(), 4)
        done_file.write_text(json.dumps(done, indent=2) + "\n")
        print(
            f"{step}: {done[step]} after {time.process_time() - started:.0f} CPU-seconds",
            flush=True,
        )
    if config.name == "smoke":
        check_smoke(done)


def check_smoke(done: dict[str, float]) -> None:
    for step, expected in SMOKE_EXPECTED.items():
        verdict = "ok" if done[step] <= expected * SMOKE_SLACK else "TOO HIGH"
        print(f"{step}: loss {done[step]:.3f}, expected {expected:.3f} or a little more: {verdict}")
        if verdict != "ok":
            raise SystemExit(1)


if __name__ == "__main__":
    main()
