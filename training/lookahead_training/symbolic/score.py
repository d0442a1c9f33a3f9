"""How good forecasts are: expected log score under pBayes, between the template's frequencies (0) and pBayes itself (1)."""

from dataclasses import dataclass

import numpy as np

from .tracks import Tracks

FLOOR = 1e-4
DRAWS = 500


def floored(chances: np.ndarray) -> np.ndarray:
    """[...,K] no label below the floor, renormalised; for every forecaster alike."""
    raised = np.maximum(chances, FLOOR)
    return raised / raised.sum(-1, keepdims=True)


def template_prior(train: Tracks) -> dict[str, np.ndarray]:
    """Label frequencies of each template, [K] each."""
    return {
        str(name): train.futures[train.template == name].mean(0)
        for name in np.unique(train.template)
    }


@dataclass(frozen=True)
class Scores:
    """Log-chances that each forecaster gave to what comes, in each scored window, [W] each: 0 at best."""

    model: np.ndarray
    prior: np.ndarray
    bayes: np.ndarray
    scene: np.ndarray

    @property
    def columns(self) -> np.ndarray:
        return np.stack([self.model, self.prior, self.bayes], 1)


def scored(tracks: Tracks) -> np.ndarray:
    """The windows whose pBayes is known."""
    return np.flatnonzero(~np.isnan(tracks.bayes[:, 0]))


def score(
    tracks: Tracks,
    windows: np.ndarray,
    chances: np.ndarray,
    prior: dict[str, np.ndarray],
    form: str = "expected",
) -> Scores:
    """@param form: expected: weighted by pBayes; outcomes: by the re-simulated futures, each of which is an outcome that may come"""
    bayes = tracks.bayes[windows]
    truth = bayes if form == "expected" else tracks.futures[windows]
    priors = np.stack([prior[name] for name in tracks.template[windows]])

    def nats(q: np.ndarray) -> np.ndarray:
        return (truth * np.log(floored(q))).sum(1)

    return Scores(nats(chances), nats(priors), nats(bayes), tracks.scene[windows])


def skill_of(means: np.ndarray) -> np.ndarray:
    """[...,3] model, prior, bayes"""
    model, prior, bayes = np.moveaxis(means, -1, 0)
    return (model - prior) / (bayes - prior)


def draw_scenes(scores: Scores, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Means of the columns over scenes drawn with replacement, [draws,3]; equal seeds draw equal scenes."""
    scenes, index = np.unique(scores.scene, return_inverse=True)
    sums = np.zeros((len(scenes), 3))
    np.add.at(sums, index, scores.columns)
    sizes = np.bincount(index)
    picked = np.random.default_rng(seed).integers(len(scenes), size=(draws, len(scenes)))
    return sums[picked].sum(1) / sizes[picked].sum(1)[:, None]


def interval(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in np.quantile(values, [0.025, 0.975])]


def summary(scores: Scores) -> dict[str, object]:
    model, prior, bayes = (round(float(v), 4) for v in scores.columns.mean(0))
    return {
        "skill": round(float(skill_of(scores.columns.mean(0))), 4),
        "interval": interval(skill_of(draw_scenes(scores))),
        "windows": len(scores.model),
        "s": model,
        "sPrior": prior,
        "sBayes": bayes,
    }


def by_group(scores: Scores, group: np.ndarray) -> dict[str, dict[str, float]]:
    """Skill of each group, and the nats that it loses against Bayes: alone, and as its share of the whole mean loss."""
    out = {}
    for name in np.unique(group):
        here = group == name
        means = scores.columns[here].mean(0)
        out[str(name)] = {
            "windows": int(here.sum()),
            "skill": round(float(skill_of(means)), 3),
            "loss": round(float(means[2] - means[0]), 3),
            "part": round(float((scores.bayes - scores.model)[here].sum() / len(here)), 4),
        }
    return dict(sorted(out.items(), key=lambda it: -it[1]["part"]))


def loss_by_label(
    tracks: Tracks, windows: np.ndarray, chances: np.ndarray
) -> dict[str, dict[str, float]]:
    """Each label's part of the mean loss, p ln(p/q) - p + q: what is said too rarely has a large one; and both mean chances."""
    bayes, q = tracks.bayes[windows], floored(chances)
    each = bayes * (np.log(floored(bayes)) - np.log(q)) - bayes + q
    rows = {
        label: {
            "part": round(float(each[:, k].mean()), 4),
            "bayes": round(float(bayes[:, k].mean()), 4),
            "said": round(float(q[:, k].mean()), 4),
        }
        for k, label in enumerate(tracks.labels)
    }
    return dict(sorted(rows.items(), key=lambda it: -it[1]["part"]))
