"""Windows as the engine watched them (`yard perceive`), read once by the frozen object encoder: what both stages of the reasoner draw from."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .config import CLIPS_PER_WINDOW, DIM
from .models.fusion import ObjectEncoder
from .symbolic.config import PERCEIVED, Errors
from .symbolic.errors import same_levels
from .symbolic.features import Batch, hide_modules, make_batch
from .symbolic.tracks import Tracks

NO_ERRORS = Errors()


def pooled_of(tracks: Tracks, batch: Batch) -> Tensor:
    """The token with which each track was last seen, [M,D]; zeros where tracks are the truth's."""
    assert batch.row is not None
    if not tracks.pooled.shape[1]:
        return torch.zeros(len(batch.row), DIM)
    return torch.from_numpy(tracks.pooled[batch.row.numpy()])


def cls_of(tracks: Tracks, picked: np.ndarray) -> Tensor:
    """CLS tokens of the windows' clips, [B,T,D], oldest first; zeros where tracks are the truth's."""
    if not tracks.cls.shape[1]:
        return torch.zeros(len(picked), CLIPS_PER_WINDOW, DIM)
    ages = np.arange(CLIPS_PER_WINDOW - 1, -1, -1)
    return torch.from_numpy(tracks.cls[tracks.clip[picked][:, None] - ages])


@dataclass
class Sights:
    """N windows as the queries read them."""

    objects: Tensor  # float16 [N,S,width]
    mask: Tensor  # [N,S]
    outlook: Tensor  # [N,K] log-chances of what comes first, by the objects alone
    cls: Tensor  # float16 [N,T,D]
    futures: Tensor  # [N,K] shares of the re-simulated futures
    clip: np.ndarray  # [N] the window's last clip, among all

    def __len__(self) -> int:
        return len(self.objects)

    def inputs(self, picked: np.ndarray | slice) -> tuple[Tensor, ...]:
        """What `Fusion` takes, of some windows."""
        cls = self.cls[picked].float()
        ages = torch.arange(cls.shape[1] - 1, -1, -1).expand(len(cls), -1)
        mask = self.mask[picked]
        most = int(mask.sum(1).max())
        return cls, ages, self.objects[picked, :most].float(), mask[:, :most], self.outlook[picked]


def watch(
    encoder: ObjectEncoder,
    tracks: Tracks,
    windows: np.ndarray,
    errors: Errors = PERCEIVED,
    batch: int = 256,
) -> Sights:
    """@param errors: how precise the tracks are said to be: those of perception, or `NO_ERRORS` of true ones"""
    encoder.eval()
    parts: list[tuple[Tensor, ...]] = []
    with torch.no_grad():
        for start in range(0, len(windows), batch):
            picked = windows[start : start + batch]
            read = make_batch(tracks, picked)
            read.levels = same_levels(len(picked), errors)
            if errors != NO_ERRORS:
                read.place = hide_modules(read.place)
            objects, mask, outlook = encoder(read, pooled_of(tracks, read))
            parts.append((objects.half(), mask, outlook, cls_of(tracks, picked).half()))
    most = max(objects.shape[1] for objects, *_ in parts)

    def padded(index: int) -> Tensor:
        return torch.cat(
            [
                torch.nn.functional.pad(
                    p[index], [0, 0] * (p[index].dim() - 2) + [0, most - p[index].shape[1]]
                )
                for p in parts
            ]
        )

    return Sights(
        padded(0),
        padded(1),
        torch.cat([p[2] for p in parts]),
        torch.cat([p[3] for p in parts]),
        torch.from_numpy(tracks.futures[windows]),
        tracks.clip[windows],
    )
