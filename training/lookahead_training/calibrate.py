"""What is fitted after training, on validation scenes: temperature, familiarity, event thresholds."""

import numpy as np
import torch
from torch import Tensor

from .data import Split
from .windows import collate_tracks

PRINCIPAL = 24  # directions whose variance is taken as it is
FAMILIARITY_MIN = 0.02
POOL = {"reasoner": 0.333, "outlook": 0.333, "tracks": 0.333}
"""Alike: on validation windows the best weights in steps of 0.1 (0.2, 0.5, 0.3) score 1.2774 nats, equal ones 1.278."""
UNFAMILIAR = {"below": 0.5, "slope": 1.0}
"""98 of 100 validation windows are more familiar than that. The slope is the round number that helps validation scenes under each of five
other looks, two hues, dusk and two poses, of which each alone would take 0.5 to 3."""
STRANGE = 3.0  # times the distance of the farthest hundredth of held-out clips: nothing that was trained on


def fit_chances(scores: Tensor, futures: Tensor) -> tuple[float, float]:
    """What is added to the log-likelihood of `nothing`, and the divisor of all, that give the best score against the futures' shares.

    @returns temperature, bias
    """
    best = (float("inf"), 1.0, 0.0)
    for bias in np.linspace(-0.5, 0.5, 21):
        moved = scores.clone()
        moved[:, 0] += bias
        for t in np.geomspace(0.5, 3.0, 61):
            loss = float(-(futures * (moved / t).log_softmax(-1)).sum(-1).mean())
            best = min(best, (loss, float(t), float(bias)))
    return best[1], best[2]


def scene_features(cls: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """[C,D], [C,240,D] -> CLS, mean and deviation of the patches [C,3D] (docs/bundle.md)."""
    grid = patches.astype(np.float32)
    return np.concatenate([cls.astype(np.float32), grid.mean(1), grid.std(1)], axis=1)


def fit_familiarity(train: np.ndarray, held_out: np.ndarray) -> dict[str, list]:
    """Mahalanobis distance, with the small variances raised: a strange picture differs mostly where the yard's own pictures hardly vary,
    but what hardly varies in some thousand clips may in others. (A random sketch of the small directions is shorter, and lets single
    clips of other weather lie as far as another place.)"""
    mean = train.mean(0)
    values, vectors = np.linalg.eigh(np.cov((train - mean).T))  # ascending
    order = np.argsort(-values)
    values, vectors = values[order].clip(1e-8), vectors[:, order]
    values[PRINCIPAL:] += values[PRINCIPAL:].mean()
    whitening = (vectors / np.sqrt(values)).T  # [3D,3D]
    distance = np.square((held_out - mean) @ whitening.T).sum(1)
    return {
        "mean": [round(float(v), 6) for v in mean],
        "whitening": [[float(f"{v:.4g}") for v in row] for row in whitening],
        "quantiles": [round(float(v), 4) for v in familiar_distances(distance)],
    }


def familiar_distances(distance: np.ndarray) -> np.ndarray:
    """Distances at which familiarity is 1, 0.99, ... 0: its upper half ranks held-out scenes, its lower half reaches as far as known
    things under another sun may lie.

    Scenes of appearances that training never saw lie up to 2.6 times as far as nearly all held-out ones, and the events in them are as
    they were; grey, bars, noise and recordings of other places lie from 3.5 times on.
    """
    known = np.quantile(distance, np.linspace(0, 0.99, 51))
    return np.concatenate([known, np.linspace(known[-1], STRANGE * known[-1], 51)[1:]])


def familiarity(features: np.ndarray, fitted: dict[str, list]) -> np.ndarray:
    """The engine's own formula."""
    whitening, mean = np.array(fitted["whitening"]), np.array(fitted["mean"])
    distance = np.square((features - mean) @ whitening.T).sum(1)
    return 1 - np.interp(distance, fitted["quantiles"], np.linspace(0, 1, 101))


def event_scores(
    networks, split: Split, cls: np.ndarray, patches: np.ndarray, tracks: list[dict]
) -> np.ndarray:
    """Probability of each event in each clip, [C,K]."""
    rows = []
    with torch.no_grad():
        for start in range(0, len(cls), 64):
            later = np.arange(start, min(start + 64, len(cls)))
            earlier = np.array([split.previous(c) for c in later])
            pair = [a[i].astype(np.float32) for i in (earlier, later) for a in (cls, patches)]
            shown = collate_tracks([tracks[c] for c in later])
            began = networks.event_head(*map(torch.from_numpy, pair), *shown)[0]
            rows.append(began.sigmoid().numpy())
    return np.concatenate(rows)


def event_truth(split: Split) -> np.ndarray:
    truth = np.zeros((len(split.clips), len(split.labels)), bool)
    for clip, events in enumerate(split.events):
        for event in events:
            truth[clip, event.label] = True
    return truth


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    both = (found & truth).sum()
    return float(2 * both / max(1, found.sum() + truth.sum()))


def fit_thresholds(scores: np.ndarray, truth: np.ndarray) -> list[float]:
    """For each label the threshold of best F1; one hit a clip late counts as a miss here."""
    out = [1.0]  # «nothing» is no event
    for label in range(1, scores.shape[1]):
        grid = np.linspace(0.1, 0.9, 33)
        out.append(float(max(grid, key=lambda t: f1(scores[:, label] >= t, truth[:, label]))))
    return [round(t, 3) for t in out]
