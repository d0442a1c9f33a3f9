"""The symbolic forecaster from track files to figures: `uv run python symbolic.py --config smoke --data ../data/tracks`.

What is trained is kept in runs/symbolic/<config>/; a stopped run goes on where it was. `--report` prints the figures of the last run as
Markdown and trains nothing.
"""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # a waiting thread must not burn a shared core

import torch

from lookahead_training.loop import keep_memory
from lookahead_training.symbolic.config import CONFIGS, PERCEIVED, Config
from lookahead_training.symbolic.export import add_forecaster
from lookahead_training.symbolic.measure import error_curves, headline, memory
from lookahead_training.symbolic.model import Forecaster
from lookahead_training.symbolic.report import keep, report
from lookahead_training.symbolic.score import template_prior
from lookahead_training.symbolic.tracks import CLIPS_BEFORE, Tracks, read_tracks
from lookahead_training.symbolic.train import (
    adaptation,
    adaptation_to_perceived,
    new_model,
    train_model,
)

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "training" / "results" / "symbolic.json"
STEPS = ["main", "adapted", "memory", "perceived"]


class Splits:
    """The three splits, as windows of so many clips. Every folder that begins with `train` is training data."""

    def __init__(self, data: Path, clips: int = CLIPS_BEFORE):
        train = sorted(folder.parent for folder in data.glob("train*/tracks.json"))
        if not train:
            raise SystemExit(
                f"{data}: no train*/tracks.json; write tracks first (docs/yard-data.md)."
            )
        self.train = read_tracks(train, clips)
        self.validation = read_tracks([data / "validation"], clips)
        self.test = read_tracks([data / "test"], clips)
        self.prior = template_prior(self.train)


def learn(
    name: str,
    splits: Splits,
    config: Config,
    runs: Path,
    start: Forecaster | None = None,
    errors: bool = True,
) -> tuple[Forecaster, list[dict[str, float]]]:
    """@param start: whose weights to begin with, to adapt them to errors: such as are put in, or those that the tracks have"""
    model = new_model(splits.train, config)
    if start:
        model.load_state_dict(start.state_dict())
        if not errors:
            model.untold.copy_(torch.tensor(PERCEIVED.as_list()))
    curve = train_model(
        model,
        splits.train,
        splits.validation,
        splits.prior,
        config,
        runs / name,
        with_errors=start is not None and errors,
    )
    return model, curve


def data_of(tracks: Tracks) -> dict[str, int]:
    return {"windows": len(tracks), "scenes": int(tracks.scene.max()) + 1}


def perceived(
    config: Config, folder: Path, start: Forecaster, runs: Path, bundle: Path, out: Path
) -> None:
    """The adapted model goes on with tracks as our perception gives them (`yard perceive`), and into the bundle."""
    splits = Splits(folder)
    model, curve = learn(
        "perceived", splits, adaptation_to_perceived(config), runs, start, errors=False
    )
    figures = {
        "data": {name: data_of(getattr(splits, name)) for name in ("train", "validation", "test")},
        "curve": curve,
        **headline(model, splits.test, splits.prior),
    }
    keep(out, perceived=figures)
    add_forecaster(bundle, model, splits.test)


def run(
    config: Config, data: Path, runs: Path, steps: list[str], out: Path, ours: Path, bundle: Path
) -> None:
    splits = Splits(data)

    if {"main", "adapted", "perceived"} & set(steps):
        model, curve = learn("main", splits, config, runs)
        names = ("train", "validation", "test")
        keep(
            out,
            config=config.as_json(),
            data={name: data_of(getattr(splits, name)) for name in names},
            curve=curve,
            parameters=sum(p.numel() for p in model.parameters()),
            **headline(model, splits.test, splits.prior),
        )
    if {"adapted", "perceived"} & set(steps):
        adapted, _ = learn("adapted", splits, adaptation(config), runs, model)
    if "adapted" in steps:
        keep(out, errors=error_curves(model, adapted, splits.test, splits.prior))
    if "memory" in steps:
        forecasts = {}
        for clips in config.memory_clips:
            short = Splits(data, clips)
            equal = replace(config, clips=clips, steps=config.memory_steps)
            forecasts[clips] = (learn(f"memory-{clips}", short, equal, runs)[0], short.test)
        keep(out, memory=memory(forecasts, splits.prior))
    if "perceived" in steps:
        perceived(config, ours, adapted, runs, bundle, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=CONFIGS, default="full")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "tracks")
    parser.add_argument("--ours", type=Path, default=ROOT / "data" / "perceived")
    parser.add_argument("--bundle", type=Path, default=ROOT / "bundles" / "yard")
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--only", choices=STEPS, nargs="*", default=STEPS[:-1])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    chosen = CONFIGS[arguments.config]
    folder = arguments.runs or ROOT / "training" / "runs" / "symbolic" / chosen.name
    # Only the full run's figures are kept with the code.
    figures = arguments.out or (RESULTS if chosen.name == "full" else folder / "symbolic.json")
    if arguments.report:
        print(report(json.loads(figures.read_text())))
    else:
        keep_memory()
        torch.set_num_threads(chosen.threads)
        run(
            *(chosen, arguments.data, folder, arguments.only, figures),
            *(arguments.ours, arguments.bundle),
        )
        print(report(json.loads(figures.read_text())))
