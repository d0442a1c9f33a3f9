"""Which earlier events of a window led to one of them, as the engine asks: closed slots, chosen by likelihood."""

import numpy as np
import torch
from torch import Tensor, nn

from .models.llama import Llama
from .text import Text, read_prefix
from .train_reasoner import prefix_of
from .watched import Sights
from .words import Words


def cause_chances(
    llama: Llama, text: Text, past: Tensor, log: list[int], event: int
) -> list[float]:
    """@param past: keys and values of one window's prefix @returns the chance of each earlier event of the log; what is left is «nothing»"""
    slots = [None, *range(event)]
    told = [text.why(log, event, slot) for slot in slots]
    longest = max(len(ids) for ids, _ in told)
    tokens = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in told])
    rows = past.expand(-1, -1, len(slots), -1, -1, -1)
    positions = (torch.arange(longest) + past.shape[4]).expand(len(slots), -1)
    mask = torch.ones(len(slots), past.shape[4] + longest, dtype=torch.long)
    logits, _ = llama(llama.embed(tokens), positions, mask, rows)
    log_chances = logits.log_softmax(-1)
    sums = [
        sum(float(log_chances[row, at - 1, ids[at]]) for at in range(skip, len(ids)))
        for row, (ids, skip) in enumerate(told)
    ]
    return torch.tensor(sums).softmax(0)[1:].tolist()


def judged_causes(
    fusion: nn.Module, llama: Llama, text: Text, sights: Sights, words: Words, every: int = 1
) -> list[tuple[float, bool]]:
    """Chance and truth of each pair of events of every so many windows, told on true logs."""
    out: list[tuple[float, bool]] = []
    with torch.no_grad():
        for at in range(0, len(sights), every):
            past = read_prefix(llama, prefix_of(fusion, sights, slice(at, at + 1)))
            for why in words.whys[sights.clip[at]]:
                chances = cause_chances(llama, text, past, why.log, why.event)
                out += [(chance, i in why.causes) for i, chance in enumerate(chances)]
    return out


def precision_recall(pairs: list[tuple[float, bool]], least: float) -> tuple[float, float]:
    right = sum(true for chance, true in pairs if chance >= least)
    named = sum(chance >= least for chance, _ in pairs)
    return right / max(1, named), right / max(1, sum(true for _, true in pairs))


def fit_cause_min(pairs: list[tuple[float, bool]]) -> float:
    """The least chance of a cause that gives the best F1."""

    def f1(least: float) -> float:
        precision, recall = precision_recall(pairs, least)
        return 2 * precision * recall / max(1e-9, precision + recall)

    return float(max(np.arange(0.02, 0.5, 0.02).round(2), key=f1))
