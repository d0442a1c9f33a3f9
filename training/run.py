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
from lookahead_training.config import CONFIGS, VERSION, Config
from lookahead_training.data import read_split
from lookahead_training.export import export_perceiver
from lookahead_training.looks import Looks, read_looks
from lookahead_training.loop import keep_memory, note
from lookahead_training.reasoning import Reasoning
from lookahead_training.train_backbone import backbone_quality, train_backbone
from lookahead_training.train_heads import train_event_head, train_object_head
from lookahead_training.train_segmenter import train_segmenter

ROOT = Path(__file__).resolve().parent.parent
STEPS = [
    "perception",
    "segmenter",
    "masks",
    "features",
    "object-head",
    "event-head",
    "perceiver",
]
# The reasoner, on what that perceiver sees: lookahead_training/reasoning.py.
REASONING_STEPS = ["language", "watch", "encoder", "alignment", "instruction", "reasoner"]
STEPS += REASONING_STEPS
# The mean loss of each stage's last tenth in the smoke run, and how far a healthy run may lie above it.
SMOKE_EXPECTED = {
    "perception": 9.75,
    "segmenter": 4.98,
    "language": 1.60,
    "encoder": 6.52,
    "alignment": 1.67,
    "instruction": 5.49,
}
SMOKE_SLACK = 1.25


class Run:
    """One run's folder, data and networks; every step is a method, here or of `reasoning`."""

    def __init__(
        self, config: Config, data: Path, tracks: Path, world: Path, folder: Path, bundle: Path
    ):
        self.config, self.folder, self.log = config, folder, folder / "log.jsonl"
        self.tracks, self._looks = tracks, dict[str, Looks]()
        self.bundle = bundle
        self.reasoning = Reasoning(config, data, world, folder, bundle)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config.as_json(), indent=2) + "\n")
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        cache = folder / "cache"
        self.splits = {n: read_split(data / n, cache) for n in ("train", "validation", "test")}
        self.train = self.splits["train"]
        self.networks = Networks(
            *(len(self.train.classes), len(self.train.labels)),
            *(self.train.attributes, config.backbone),
        )

    def looks(self, name: str) -> Looks:
        if name not in self._looks:
            self._looks[name] = read_looks(self.tracks / name, self.splits[name])
        return self._looks[name]

    def perception(self) -> float:
        keep_memory()
        held, looks = self.splits["validation"], self.looks("validation")
        clips = np.random.default_rng(0).permutation(len(held.clips))[:512]
        loss = train_backbone(
            *(self.networks.backbone, self.train, self.looks("train")),
            *(self.config.perception, self.config, self.log, self.folder / "perception.pt"),
            check=lambda trained: backbone_quality(trained, held, looks, clips),
        )
        round_to_fp16(self.networks.backbone)
        # The reader that learned with the backbone begins the event head.
        trained = torch.load(self.folder / "perception.pt")["module"]
        reader = {
            k.removeprefix("events."): v for k, v in trained.items() if k.startswith("events.")
        }
        self.networks.event_head.pair.load_state_dict(reader)
        self.networks.save(self.folder, "backbone")
        torch.save(self.networks.event_head.state_dict(), self.folder / "event_head_start.pt")
        return loss

    def segmenter(self) -> float:
        keep_memory()
        networks, held = self.networks, self.splits["validation"]
        clips = np.random.default_rng(0).permutation(len(held.clips))[:200]

        def check() -> dict[str, float]:
            run = automatic.AutomaticMasks(networks, held, self.folder / "segmenter")
            return automatic.mask_quality(held, clips, [run.of(clip) for clip in clips])

        loss = train_segmenter(
            *(networks.segmenter_encoder, networks.segmenter_decoder, self.train),
            *(self.config.segmenter, self.config, self.log, self.folder / "segmenter.pt"),
            check=check,
        )
        networks.save(self.folder, "segmenter_encoder", "segmenter_decoder")
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
                quality = automatic.mask_quality(split, range(len(found)), found)
                note(self.log, "masks", quality)
                mean = quality["iou"]
        return mean

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
        return self.pooled(name, automatic.load_masks(self.folder / f"masks-{name}.npz"))

    def pooled(self, name: str, masks: list[automatic.ClipMasks]) -> list[windows.ClipTokens]:
        return windows.pool_split(self.splits[name], masks, self.tokens(name)[1], self.looks(name))

    def chosen(self, name: str) -> list[windows.ClipTokens]:
        """What the event head gets: no background, at most OBJECTS_MAX a clip, with velocity and age."""
        clips = windows.choose(self.found(name), self.networks.object_head)
        windows.follow(self.splits[name], clips)
        return clips

    def object_head(self) -> float:
        empty = automatic.empty_masks(self.train, self.config.seed)
        clips = [*self.found("train"), *self.pooled("train", empty)]
        loss = train_object_head(self.networks, clips, self.config, self.log)
        round_to_fp16(self.networks.object_head)
        self.networks.save(self.folder, "object_head")
        return loss

    def event_head(self) -> float:
        self.networks.load(self.folder, "object_head")
        start = torch.load(self.folder / "event_head_start.pt")
        self.networks.event_head.load_state_dict(start)
        cls, patches = self.tokens("train")
        tracks = windows.track_lists(self.train, self.chosen("train"))
        loss = train_event_head(
            self.networks, self.train, cls, patches, tracks, self.config, self.log
        )
        self.networks.save(self.folder, "event_head")
        return loss

    def perceiver(self) -> float:
        """A bundle that sees; its reasoner has learned nothing yet."""
        networks, folder = self.networks, self.folder
        networks.load(
            folder,
            *("backbone", "segmenter_encoder", "segmenter_decoder", "object_head", "event_head"),
        )
        networks.eval()
        round_to_fp16(networks)
        held, test = self.splits["validation"], self.splits["test"]
        features = {n: calibrate.scene_features(*self.tokens(n)) for n in ("train", "validation")}
        tracks = windows.track_lists(held, self.chosen("validation"))
        thresholds = calibrate.fit_thresholds(
            calibrate.event_scores(networks, held, *self.tokens("validation"), tracks),
            calibrate.event_truth(held),
        )
        familiarity = calibrate.fit_familiarity(features["train"], features["validation"])
        calibration = {"temperature": 1.0, "familiarity": familiarity}
        base = np.mean([w.futures for w in self.train.windows], axis=0)
        labels = [
            {**{k: label[k] for k in ("type", "actor", "target", "text")}, "baseRate": float(rate)}
            for label, rate in zip(self.train.labels, base, strict=True)
        ]

        tracks = windows.track_lists(test, self.chosen("test"))
        quality = evaluate.event_quality(networks, test, *self.tokens("test"), tracks, thresholds)
        quality |= evaluate.class_quality(networks, self.found("test"), test.scene_of)
        masks = automatic.load_masks(folder / "masks-test.npz")
        for key, value in automatic.mask_quality(test, range(len(masks)), masks).items():
            words = key.split(" ")
            name = "mask" + "".join(w.capitalize() for w in words)
            quality[name] = {"value": round(value, 4), "interval": None}
        note(self.log, "quality", quality)

        clip = held.windows[20].clip
        export_perceiver(
            self.bundle,
            networks,
            torch.from_numpy(np.array(held.frames[[held.previous(clip), clip]])),
            calibration,
            self.manifest(labels, thresholds, quality),
            self.train.attributes,
        )
        self.reasoning.add_untrained()
        return quality["eventF1"]["value"]

    def manifest(self, labels: list[dict], thresholds: list[float], quality: dict) -> dict:
        scenes = {n: s.meta["scenes"] for n, s in self.splits.items()}
        return {
            "name": "yard",
            "version": VERSION,
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
            },
            "quality": quality,
        }


def record(data: Path, tracks: Path) -> None:
    """A handful of scenes for the smoke run, drawn by the yard itself, and where their things were."""
    for seed, (split, scenes) in enumerate({"train": 6, "validation": 2, "test": 2}.items(), 1):
        command = [str(ROOT / "lookahead"), "yard", "record", "--split", split]
        command += ["--scenes", str(scenes), "--seconds", "24", "--seed", str(seed)]
        command += ["--bayes-count", "0" if split == "train" else "64", "--causes-pairs", "0"]
        if not (data / split / "dataset.json").exists():
            subprocess.run([*command, "--out", str(data / split)], check=True)
        if not (tracks / split / "tracks.json").exists():
            subprocess.run([*command, "--tracks", "--out", str(tracks / split)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=sorted(CONFIGS), default="smoke")
    parser.add_argument(
        "--data", type=Path, help="holds train, validation, test; smoke draws its own"
    )
    parser.add_argument(
        "--tracks", type=Path, help="the same scenes' track files; by default beside --data"
    )
    parser.add_argument(
        "--world",
        type=Path,
        help="track files that the object encoder learns the world from; by default --tracks",
    )
    parser.add_argument(
        "--from", dest="first", choices=STEPS, help="do this step and all later ones again"
    )
    parser.add_argument(
        "--only",
        nargs="*",
        choices=STEPS,
        help="these steps alone, such as perception and segmenter in a process each",
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
        record(data, data.with_name("tracks"))
    tracks = arguments.tracks or data.with_name("tracks")

    done_file = folder / "done.json"
    done: dict[str, float] = json.loads(done_file.read_text()) if done_file.exists() else {}
    if arguments.first:
        later = STEPS[STEPS.index(arguments.first) :]
        done = {step: loss for step, loss in done.items() if step not in later}
        if "perception" in later:
            (folder / "perception.pt").unlink(missing_ok=True)
        if "segmenter" in later:
            (folder / "segmenter.pt").unlink(missing_ok=True)
    bundle = arguments.bundle or folder / "bundle"
    run = Run(config, data, tracks, arguments.world or tracks, folder, bundle)
    done_file.write_text(json.dumps(done, indent=2) + "\n")
    for step in arguments.only or STEPS:
        if step in done:
            continue
        started = time.process_time()
        half = run.reasoning if step in REASONING_STEPS else run
        loss = round(getattr(half, step.replace("-", "_"))(), 4)
        # Read anew: steps that hang on nothing of each other may run beside each other (`--only`).
        done = json.loads(done_file.read_text()) | {step: loss}
        done_file.write_text(json.dumps(done, indent=2) + "\n")
        print(f"{step}: {loss} after {time.process_time() - started:.0f} CPU-seconds", flush=True)
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
