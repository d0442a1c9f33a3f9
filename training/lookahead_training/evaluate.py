"""Held-out scenes: what the bundle's numbers are, beside the templates' frequencies and Bayes, with intervals by bootstrap over scenes."""

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


def top_three(q: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """What a forecast message says, [W,K]: three events and nothing; the rest is spread by the template's frequencies."""
    named = np.zeros(q.shape, bool)
    named[:, 0] = True
    events = np.argsort(-q[:, 1:], axis=1)[:, :3] + 1
    np.put_along_axis(named, events, True, axis=1)
    rest = prior * ~named
    left = (q * ~named).sum(1, keepdims=True)
    return q * named + left * rest / rest.sum(1, keepdims=True)


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


def forecast_quality(split: Split, scores: Tensor, temperature: float) -> dict:
    """Everything in the form of messages; the prior is each template's own.

    Outcomes are judged on all windows. Skill = (S - S_prior) / (S_bayes - S_prior) is judged where pBayes is known, S being the log
    score that pBayes expects: less noisy than the score of one outcome, and with the same mean.
    """
    scenes = np.array([w.scene for w in split.windows])
    came = np.array([w.next for w in split.windows])
    prior = split.prior_of_windows()
    q = floored(top_three((scores / temperature).softmax(-1).double().numpy(), prior))
    prior = floored(prior)
    onehot = np.eye(q.shape[1])[came]
    columns = []
    for says in (q, prior):
        columns += [-np.log((says * onehot).sum(1)), (says.argmax(1) == came).astype(float)]
        columns += [np.square(says - onehot).sum(1)]
    table = np.stack(columns, 1)

    def measure(statistic) -> dict:
        return bootstrap(table, scenes, statistic)

    out = {
        "score": measure(lambda m: m[0]),
        "scorePrior": measure(lambda m: m[3]),
        "top1": measure(lambda m: m[1]),
        "top1Prior": measure(lambda m: m[4]),
        "brier": measure(lambda m: m[2]),
        "brierPrior": measure(lambda m: m[5]),
        "gainOverPrior": measure(lambda m: m[3] - m[0]),
        "calibrationError": {"value": round(calibration_error(q, came), 4), "interval": None},
    }
    judged = np.array([w.bayes is not None for w in split.windows])
    if judged.any():
        bayes = np.stack([w.bayes for w in split.windows if w.bayes is not None]).astype(float)
        says = (q[judged], prior[judged], floored(top_three(bayes, prior[judged])))
        expected = np.stack([(bayes * np.log(one)).sum(1) for one in says], 1)

        def skill(m: np.ndarray) -> float:
            return (m[0] - m[1]) / (m[2] - m[1])

        out["skill"] = bootstrap(expected, scenes[judged], skill)
    return out


def calibration_error(q: np.ndarray, came: np.ndarray, bins: int = 15) -> float:
    """Mean distance between the chance of the first answer and how often it came true, over bins of equal size."""
    chance, hit = q.max(1), q.argmax(1) == came
    parts = np.array_split(np.argsort(chance), bins)
    gaps = [len(rows) * abs(chance[rows].mean() - hit[rows].mean()) for rows in parts if len(rows)]
    return float(sum(gaps) / len(came))


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
