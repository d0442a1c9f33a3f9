"""Held-out scenes: what the bundle's numbers are, beside base rates and Bayes, with intervals by bootstrap over scenes."""

import numpy as np
import torch
from torch import Tensor

from .calibrate import event_scores, event_truth, f1
from .data import Split

FLOOR = 1e-4
DRAWS = 1000


def floored(q: np.ndarray) -> np.ndarray:
    q = np.maximum(q, FLOOR)
    return q / q.sum(1, keepdims=True)


def top_three(q: np.ndarray, base: np.ndarray) -> np.ndarray:
    """What a forecast message says: three events and nothing; the rest is spread by the base rates."""
    out = np.zeros_like(q)
    for row, chances in enumerate(q):
        events = np.argsort(-chances[1:])[:3] + 1
        named = np.zeros(len(chances), bool)
        named[0] = True
        named[events] = True
        out[row, named] = chances[named]
        rest = base * ~named
        out[row] += chances[~named].sum() * rest / rest.sum()
    return out


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


def forecast_quality(split: Split, scores: Tensor, temperature: float, base: np.ndarray) -> dict:
    """Scores in nats, against what did come next; skill = (S_prior - S) / (S_prior - S_bayes)."""
    windows = split.windows
    scenes = np.array([w.scene for w in windows])
    came = np.array([w.next for w in windows])
    rows = np.arange(len(windows))
    q = floored(top_three((scores / temperature).softmax(-1).double().numpy(), base))
    prior = floored(np.tile(base, (len(windows), 1)))
    columns = [-np.log(q[rows, came]), -np.log(prior[rows, came])]
    hit = (q.argmax(1) == came).astype(float)
    hit_prior = (prior.argmax(1) == came).astype(float)
    onehot = np.eye(len(base))[came]
    columns += [hit, hit_prior, np.square(q - onehot).sum(1), np.square(prior - onehot).sum(1)]
    has_bayes = all(w.bayes is not None for w in windows)
    if has_bayes:
        bayes = floored(top_three(np.stack([w.bayes for w in windows]).astype(float), base))
        columns += [-np.log(bayes[rows, came]), (bayes.argmax(1) == came).astype(float)]
    table = np.stack(columns, 1)

    def measure(statistic) -> dict:
        return bootstrap(table, scenes, statistic)

    out = {
        "score": measure(lambda m: m[0]),
        "scorePrior": measure(lambda m: m[1]),
        "top1": measure(lambda m: m[2]),
        "top1Prior": measure(lambda m: m[3]),
        "brier": measure(lambda m: m[4]),
        "brierPrior": measure(lambda m: m[5]),
        "gainOverPrior": measure(lambda m: m[1] - m[0]),
    }
    if has_bayes:
        out["scoreBayes"] = measure(lambda m: m[6])
        out["top1Bayes"] = measure(lambda m: m[7])
        out["skill"] = measure(lambda m: (m[1] - m[0]) / (m[1] - m[6]))
    return out


def event_quality(
    networks, split: Split, cls: np.ndarray, patches: np.ndarray, thresholds: list[float]
) -> dict:
    """Micro and macro F1 of recognised events, exact clip."""
    found = event_scores(networks, split, cls, patches) >= np.array(thresholds)
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
            logits = networks.object_head(*map(torch.from_numpy, (clip.tokens, clip.boxes)))
        hits = logits.argmax(1).numpy() == clip.kinds
        right += hits.astype(float).tolist()
        scenes += [scene] * len(hits)
    if not right:  # a segmenter that has hardly learned finds nothing
        return {"classAccuracy": {"value": 0.0, "interval": None}}
    table = np.array(right)[:, None]
    return {"classAccuracy": bootstrap(table, np.array(scenes), lambda m: m[0])}
