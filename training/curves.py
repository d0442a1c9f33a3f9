"""Learning curves of small runs, which choose the backbone's geometry and size: `uv run python curves.py --data ../data/yard --tracks ../data/tracks`.

Every variant gets the same CPU time on the same scenes, with its rate decayed within it. What is found is kept in
results/perception-curves.json; `--report` prints it as Markdown.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # a waiting thread must not burn a shared core

import numpy as np
import torch

from lookahead_training.config import DIM, Config, Stage
from lookahead_training.data import read_split
from lookahead_training.looks import read_looks
from lookahead_training.loop import keep_memory
from lookahead_training.models.backbone import Backbone, BackboneShape
from lookahead_training.models.layers import count_parameters
from lookahead_training.symbolic.report import keep, table
from lookahead_training.train_backbone import BackboneTrainer, backbone_quality, train_backbone

RESULTS = Path(__file__).resolve().parent / "results" / "perception-curves.json"
SHAPES = {
    "base": BackboneShape(),
    "fine pictures": BackboneShape(scale=2, stem=(48, 64, 192)),
    "wide stem": BackboneShape(stem=(48, 96, 256)),
    "wide": BackboneShape(width=256, heads=8, layers=6),
    "wide, wide stem": BackboneShape(width=256, heads=8, layers=4, stem=(48, 96, 256)),
    "mean pooling": BackboneShape(pooling="mean"),
}
PAIRS = 8


def cpu_of_step(shape: BackboneShape, split, looks, config: Config) -> float:
    """Seconds, the least of a few: what other work takes away does not count."""
    trainer = BackboneTrainer(Backbone(DIM, shape), split, looks)
    random = np.random.default_rng(0)
    times = []
    for _ in range(6):
        started = time.process_time()
        sum(trainer.losses(trainer.draw(PAIRS, random), mirror=False).values()).backward()
        times.append(time.process_time() - started)
    return min(times)


def measure(name: str, data: Path, tracks: Path, runs: Path, minutes: float, scenes: int) -> dict:
    shape, config = SHAPES[name], Config(name="curve")
    torch.manual_seed(config.seed)
    cache = runs / f"cache-{shape.scale}"
    splits = [read_split(data / n, cache, shape.scale, scenes) for n in ("train", "validation")]
    looks = [
        read_looks(tracks / n, s) for n, s in zip(("train", "validation"), splits, strict=True)
    ]
    held = np.random.default_rng(0).permutation(len(splits[1].clips))[:512]
    seconds = cpu_of_step(shape, splits[0], looks[0], config)
    stage = Stage(steps=int(minutes * 60 / seconds), batch=PAIRS, learning_rate=1.0e-3)
    log = runs / f"{name.replace(' ', '-').replace(',', '')}.jsonl"
    log.unlink(missing_ok=True)
    backbone = Backbone(DIM, shape)
    train_backbone(
        *(backbone, splits[0], looks[0], stage, config, log, log.with_suffix(".pt")),
        check=lambda trained: backbone_quality(trained, splits[1], looks[1], held),
    )
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    curve = [{"cpuS": r["cpuS"], "step": r["step"], **r["check"]} for r in rows if "check" in r]
    return {
        "parameters": count_parameters(backbone),
        "cpuMsOfStep": round(seconds * 1000, 1),
        "steps": stage.steps,
        "curve": curve,
    }


def report(figures: dict) -> str:
    names = ["classRight", "falseThing", "placePx", "pastPx", "attribute", "eventNats", "nextNats"]
    rows = []
    for name, found in figures["variants"].items():
        last = found["curve"][-1]
        rows.append(
            [name, found["parameters"], found["steps"], found["cpuMsOfStep"]]
            + [f"{last[key]:.3f}" for key in names]
        )
    return table(["backbone", "parameters", "steps", "CPU ms a step", *names], rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--tracks", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/curves"))
    parser.add_argument("--only", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--scenes", type=int, default=120, help="of the training scenes")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    if not arguments.report:
        keep_memory()
        torch.set_num_threads(1)
        arguments.runs.mkdir(parents=True, exist_ok=True)
        for variant in arguments.only:
            found = measure(
                *(variant, arguments.data, arguments.tracks, arguments.runs),
                *(arguments.minutes, arguments.scenes),
            )
            before = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
            variants = before.get("variants", {}) | {variant: found}
            keep(
                arguments.out, minutes=arguments.minutes, scenes=arguments.scenes, variants=variants
            )
    print(report(json.loads(arguments.out.read_text())))
