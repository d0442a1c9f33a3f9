"""The segmenter on true masks: points near things, three masks a point, and the predicted IoU against the mask's own.

Points alone teach slowly: of a picture's 3,840 mask cells they speak of those near a few things. So a head that only training needs
also asks the stride-2 map, at every cell, what stands there and where its middle is; small things are found far earlier.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import cross_entropy, smooth_l1_loss

from .config import MASK_COLUMNS, MASK_ROWS, WIDTH, Config, Stage
from .data import Split
from .loop import short_floats, train
from .models.segmenter import SegmenterDecoder, SegmenterEncoder
from .targets import SCALE_PX, true_masks

REACH_PX = 14.0  # how far from a point the segmenter looks for a thing
BACKGROUND_WEIGHT = 0.2
MASKS = 3


class Dense(nn.Module):
    """Training only: of each mask cell its class, and where its thing's middle is."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.classes = classes
        self.net = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 1), nn.GELU(), nn.Conv2d(2 * channels, classes + 2, 1)
        )

    def forward(self, high_res: Tensor) -> tuple[Tensor, Tensor]:
        """[B,C2,48,80] -> class logits [B,classes,48,80], x and y to the middle [B,2,48,80]."""
        return self.net(high_res).tensor_split([self.classes], 1)


def draw_points(
    masks: list[np.ndarray], points: int, random: np.random.Generator, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each picture's true masks [n,48,80]: points [B*P,2], masks [B*P,3,48,80] nearest thing first, whether they exist [B*P,3]."""
    count = len(masks) * points
    coords = np.zeros((count, 2), np.float32)
    found = np.zeros((count, MASKS, MASK_ROWS, MASK_COLUMNS), bool)
    real = np.zeros((count, MASKS), bool)
    for picture, things in enumerate(masks):
        here = slice(picture * points, (picture + 1) * points)
        at = random.uniform([0, 0], [WIDTH, height], (points, 2))
        if not len(things):
            coords[here] = at
            continue
        thing, row, column = np.nonzero(things)
        begin = np.searchsorted(thing, np.arange(len(things)))
        size = np.bincount(thing)
        # Half the points lie on or near a thing; small things are harder and get more of them.
        near = random.choice(len(things), points // 2, p=size**-0.5 / (size**-0.5).sum())
        cell = begin[near] + (random.random(len(near)) * size[near]).astype(int)
        middle = np.stack([column[cell], row[cell]], 1) * 2 + 1.0
        at[: len(near)] = (middle + random.normal(0, 5, middle.shape)).clip(
            0, [WIDTH - 1, height - 1]
        )
        coords[here] = at
        x, y = column * 2 + 1.0, row * 2 + 1.0
        distance = np.hypot(x[None] - at[:, :1], y[None] - at[:, 1:])  # [P,cells]
        distance = np.minimum.reduceat(distance, begin, axis=1)  # [P,n]
        order = np.argsort(distance, axis=1)[:, :MASKS]
        reached = np.take_along_axis(distance, order, 1) <= REACH_PX
        slots = order.shape[1]
        real[here, :slots] = reached
        found[here, :slots] = things[order] & reached[..., None, None]
    return coords, found, real


def soft_iou(logits: Tensor, masks: Tensor) -> Tensor:
    """IoU of the thresholded masks, as the engine thresholds them."""
    found = (logits > 0).float()
    both = (found * masks).sum((-2, -1))
    return both / (found + masks).clamp(max=1).sum((-2, -1)).clamp(min=1)


class SegmenterTrainer(nn.Module):
    def __init__(self, encoder: SegmenterEncoder, decoder: SegmenterDecoder, split: Split):
        super().__init__()
        self.split, self.encoder, self.decoder = split, encoder, decoder
        self.index = {name: i for i, name in enumerate(split.classes)}
        self.dense = Dense(encoder.skip, len(split.classes))
        self.weight = torch.ones(len(split.classes))
        self.weight[0] = BACKGROUND_WEIGHT
        # Half the pictures are drawn by what is rare in them.
        kinds = [{self.index[o["class"]] for o in clip["objects"]} for clip in split.clips]
        often = np.bincount([k for kind in kinds for k in kind], minlength=len(split.classes))
        rare = np.array([max((1 / often[k] for k in kind), default=0.0) for kind in kinds])
        self.rare = rare / rare.sum()

    def draw(self, pictures: int, random: np.random.Generator) -> np.ndarray:
        half = pictures // 2
        anywhere = random.integers(len(self.split.clips), size=pictures - half)
        return np.concatenate([random.choice(len(self.rare), half, p=self.rare), anywhere])

    def dense_truth(self, clip: int, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """-> class of each cell [48,80]; x, y to its thing's middle [2,48,80] in 16 pixels."""
        kind = np.zeros((MASK_ROWS, MASK_COLUMNS), np.int64)
        away = np.zeros((2, MASK_ROWS, MASK_COLUMNS), np.float32)
        for thing, mask in zip(self.split.clips[clip]["objects"], masks, strict=True):
            row, column = np.nonzero(mask)
            if not len(row):
                continue
            kind[row, column] = self.index[thing["class"]]
            middle = (column.min() + column.max()) / 2, (row.min() + row.max()) / 2
            away[0, row, column] = (middle[0] - column) * 2 / SCALE_PX
            away[1, row, column] = (middle[1] - row) * 2 / SCALE_PX
        return kind, away

    def losses(
        self, clips: np.ndarray, points: int, random: np.random.Generator
    ) -> dict[str, Tensor]:
        frames = self.split.frames[clips, -1]
        all_masks = [
            true_masks(self.split.ids[c], len(self.split.clips[c]["objects"])) for c in clips
        ]
        dense = [self.dense_truth(c, m) for c, m in zip(clips, all_masks, strict=True)]
        kind, away = (np.stack(part) for part in zip(*dense, strict=True))
        if random.random() < 0.5:  # the world does not tell left from right
            frames, kind, away = frames[:, :, ::-1], kind[..., ::-1], away[..., ::-1].copy()
            away[:, 0] *= -1
            all_masks = [m[..., ::-1] for m in all_masks]
        seen = [m[m.any((1, 2))] for m in all_masks]
        drawn = draw_points(seen, points, random, frames.shape[1])
        coords, masks, real = (torch.from_numpy(a) for a in drawn)
        with short_floats():
            embeddings, high_res = self.encoder(torch.from_numpy(frames.copy()))
            logits, iou = (out.float() for out in self.decoder(embeddings, high_res, coords))
            kinds, middles = (out.float() for out in self.dense(high_res))
        logits_real, masks_real = logits[real], masks[real].float()  # [R,48,80]
        # Things are small: the mask's own surroundings weigh as much as the far background.
        pixel = bce(logits_real, masks_real, reduction="none")
        area = masks_real.sum((-2, -1)).clamp(min=4)
        chance = logits_real.sigmoid()
        overlap = 2 * (chance * masks_real).sum((-2, -1)) + 1
        dice = 1 - overlap / (chance.sum((-2, -1)) + masks_real.sum((-2, -1)) + 1)
        truth = torch.zeros_like(iou)
        truth[real] = soft_iou(logits_real.detach(), masks_real)
        is_kind = torch.from_numpy(kind.copy())
        thing = (is_kind > 0)[:, None].expand(-1, 2, -1, -1)
        return {
            "pixel": (pixel.sum((-2, -1)) / (area + 20)).clamp(max=10).mean(),
            "dice": dice.mean(),
            "iou": 5.0 * (iou - truth).square().mean(),
            "dense": cross_entropy(kinds, is_kind, self.weight),
            "middle": smooth_l1_loss(
                middles[thing], torch.from_numpy(away.copy())[thing], beta=0.1
            ),
        }


def train_segmenter(
    encoder: SegmenterEncoder,
    decoder: SegmenterDecoder,
    split: Split,
    stage: Stage,
    config: Config,
    log: Path,
    checkpoint: Path,
    check: Callable[[], dict[str, float]] | None = None,
) -> float:
    trainer = SegmenterTrainer(encoder.train(), decoder.train(), split)

    def losses(step: int) -> dict[str, Tensor]:
        random = np.random.default_rng([config.seed + 1, step])
        clips = trainer.draw(stage.batch, random)
        return trainer.losses(clips, config.segmenter_points, random)

    return train(
        *("segmenter", stage, config, trainer.parameters(), losses, log),
        check=check,
        checkpoint=(checkpoint, trainer),
    )
