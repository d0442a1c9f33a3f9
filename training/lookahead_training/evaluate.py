"""Held-out scenes: what the bundle's numbers are, beside the templates' frequencies and Bayes, with intervals by bootstrap over scenes."""

import numpy as np
import torch

from .calibrate import event_scores, event_truth, f1
from .data import Split

DRAWS = 1000


def bootstrap(values: np.ndarray, scenes: np.ndarray, statistic, seed: int = 0) -> dict:
    """values [n,...] by scene; the statistic of the whole and its 95 % interval over resampled scenes."""
    random = np.random.default_rng(seed)
    unique = np.unique(scenes)
    sums = np.stack([values[scenes == s].sum(0) for s in unique])
    counts = np.array([(scenes == s).sum() for s in unique])
    draws = []
    for _ in range(DRAWS):
        pick = random.integers(len(unique), size=len(unique))
        draws.append(statistic(sums[pick].sum(0) / counts[pick].sum()))
    low, high = np.quantile(draws, [0.025, 0.975])
    value = statistic(values.mean(0))
    return {
        "value": round(float(value), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
    }


def event_quality(
    networks,
    split: Split,
    cls: np.ndarray,
    patches: np.ndarray,
    tracks: list[dict],
    thresholds: list[float],
) -> dict:
    """Micro and macro F1 of recognised events, exact clip."""
    found = event_scores(networks, split, cls, patches, tracks) >= np.array(thresholds)
    truth = event_truth(split)
    per_clip = np.stack([(found & truth).sum(1), found.sum(1), truth.sum(1)], 1).astype(float)
    micro = bootstrap(per_clip, split.scene_of, lambda m: 2 * m[0] / max(1e-9, m[1] + m[2]))
    each = [f1(found[:, k], truth[:, k]) for k in range(1, truth.shape[1]) if truth[:, k].any()]
    return {
        "eventF1": micro,
        "eventF1Macro": {"value": round(float(np.mean(each)), 4), "interval": None},
    }


def class_quality(networks, clips: list, scene_of: np.ndarray) -> dict:
    """Accuracy of the object head on found masks, background included."""
    right, scenes = [], []
    for clip, scene in zip(clips, scene_of, strict=True):
        if not len(clip.tokens):
            continue
        with torch.no_grad():
            logits, *_ = networks.object_head(*map(torch.from_numpy, (clip.tokens, clip.boxes)))
        hits = logits.argmax(1).numpy() == clip.kinds
        right += hits.astype(float).tolist()
        scenes += [scene] * len(hits)
    if not right:  # a segmenter that has hardly learned finds nothing
        return {"classAccuracy": {"value": 0.0, "interval": None}}
    table = np.array(right)[:, None]
    return {"classAccuracy": bootstrap(table, np.array(scenes), lambda m: m[0])}
