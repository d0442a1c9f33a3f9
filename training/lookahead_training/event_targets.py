"""What the truth says about events that began in a clip."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import smooth_l1_loss

from .data import Split


def event_targets(split: Split, clips: np.ndarray) -> tuple[Tensor, Tensor]:
    """-> began [B,K] 0 or 1, onset [B,K] (share of the clip; -1 where nothing began)."""
    began = torch.zeros(len(clips), len(split.labels))
    onset = torch.full((len(clips), len(split.labels)), -1.0)
    for row, clip in enumerate(clips):
        for event in split.events[clip]:
            began[row, event.label] = 1
            onset[row, event.label] = event.onset
    return began, onset


def event_loss(logits: Tensor, onset: Tensor, began: Tensor, when: Tensor) -> Tensor:
    positive = began > 0
    loss = bce(logits[:, 1:], began[:, 1:], reduction="none").sum(1).mean()
    return loss + (smooth_l1_loss(onset[positive], when[positive]) if positive.any() else 0.0)
