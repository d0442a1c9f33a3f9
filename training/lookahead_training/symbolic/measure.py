"""What is reported of a trained forecaster, on the test scenes."""

from dataclasses import asdict

import numpy as np

from .config import Errors
from .model import Forecaster
from .score import (
    Scores,
    by_group,
    draw_scenes,
    interval,
    loss_by_label,
    score,
    scored,
    skill_of,
    summary,
)
from .tracks import Tracks
from .train import forecast

Prior = dict[str, np.ndarray]

ERROR_GRID: dict[str, list[Errors]] = {
    "offset": [Errors(offset_px=px) for px in (0.0, 1.0, 2.0, 4.0, 8.0)],
    "jitter": [Errors(jitter_px=px) for px in (0.0, 1.0, 2.0, 4.0, 8.0)],
    "miss": [Errors(miss=share) for share in (0.0, 0.05, 0.1, 0.2)],
    "flip": [Errors(flip=share) for share in (0.0, 0.02, 0.05, 0.1)],
    # All at once, as they come.
    "all": [
        Errors(1.0, 0.5, 0.02, 0.01),
        Errors(2.0, 1.0, 0.05, 0.02),
        Errors(4.0, 2.0, 0.1, 0.05),
    ],
}


def scores_of(
    model: Forecaster, test: Tracks, prior: Prior, errors: Errors | None = None
) -> Scores:
    windows = scored(test)
    return score(test, windows, forecast(model, test, windows, errors), prior)


def headline(model: Forecaster, test: Tracks, prior: Prior) -> dict[str, object]:
    windows = scored(test)
    chances = forecast(model, test, windows)
    scores = score(test, windows, chances, prior)
    top = np.array(test.labels)[test.bayes[windows].argmax(1)]
    return {
        "expected": summary(scores),
        "outcomes": summary(score(test, windows, chances, prior, "outcomes")),
        "byTemplate": by_group(scores, test.template[windows]),
        "byBayesTop": by_group(scores, top),
        "byLabel": loss_by_label(test, windows, chances),
    }


def error_curves(
    trained: Forecaster, adapted: Forecaster, test: Tracks, prior: Prior
) -> dict[str, list[dict[str, object]]]:
    """Skill under each error, of the model that never met one and of the one that was adapted."""
    return {
        name: [
            {
                "errors": asdict(errors),
                "trained": round_skill(scores_of(trained, test, prior, errors)),
                "adapted": round_skill(scores_of(adapted, test, prior, errors)),
            }
            for errors in grid
        ]
        for name, grid in ERROR_GRID.items()
    }


def round_skill(scores: Scores) -> dict[str, object]:
    drawn = skill_of(draw_scenes(scores))
    return {
        "skill": round(float(skill_of(scores.columns.mean(0))), 4),
        "interval": interval(drawn),
    }


def memory(
    models: dict[int, tuple[Forecaster, Tracks]], prior: Prior
) -> dict[str, dict[str, object]]:
    """Skill by how many clips are known, and what the longest window gains on each, over the same scenes drawn."""
    scores = {clips: scores_of(model, test, prior) for clips, (model, test) in models.items()}
    longest = max(scores)
    drawn = {clips: skill_of(draw_scenes(of)) for clips, of in scores.items()}
    value = {clips: float(skill_of(of.columns.mean(0))) for clips, of in scores.items()}
    return {
        str(clips): {
            **round_skill(scores[clips]),
            "gain": round(value[longest] - value[clips], 4),
            "gainInterval": interval(drawn[longest] - drawn[clips]),
        }
        for clips in sorted(scores, reverse=True)
    }
