"""From masks and cached tokens to the fusion core's inputs: pooling (eq. 2), identity, velocity, age, batches."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .automatic import ClipMasks
from .config import AGE_MAX, ATTRIBUTES, CLIP_S, CLIPS_PER_WINDOW, DIM, OBJECTS_MAX
from .data import Split, Window
from .targets import mask_box, patch_weights

UNSEEN_MAX_CLIPS = 2  # the engine's tracks live that long unseen


@dataclass
class ClipTokens:
    """A clip's objects as the reasoner gets them."""

    tokens: np.ndarray  # float32 [n,D]
    boxes: np.ndarray  # float32 [n,4]
    kinds: np.ndarray  # int64 [n], the true class; 0 is background
    ids: np.ndarray  # int [n], true identity; -1 for background
    attributes: np.ndarray  # float32 [n,A]


def pool(masks: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """bool [n,48,80], float [240,D] -> [n,D]: the area-weighted mean of the patches under each mask."""
    weights = patch_weights(masks)
    return weights @ patches.astype(np.float32) / weights.sum(1, keepdims=True).clip(1e-6)


def pool_split(split: Split, masks: list[ClipMasks], patches: np.ndarray) -> list[ClipTokens]:
    index = {name: i for i, name in enumerate(split.classes)}
    out = []
    for clip, found, grid in zip(split.clips, masks, patches, strict=True):
        count = len(found.masks)
        things = [clip["objects"][t] if t >= 0 else None for t in found.thing]
        boxes = np.stack([mask_box(m) for m in found.masks]) if count else np.zeros((0, 4))
        out.append(
            ClipTokens(
                tokens=pool(found.masks, grid),
                boxes=boxes.astype(np.float32),
                kinds=np.array([index[t["class"]] if t else 0 for t in things], np.int64),
                ids=np.array([t["id"] if t else -1 for t in things], np.int64),
                attributes=np.zeros((count, len(ATTRIBUTES)), np.float32),
            )
        )
    return out


def choose(clips: list[ClipTokens], keep: list[np.ndarray]) -> list[ClipTokens]:
    """What the engine keeps of each clip: no background, at most OBJECTS_MAX, best first."""
    out = []
    for clip, rows in zip(clips, keep, strict=True):
        rows = rows[:OBJECTS_MAX]
        out.append(
            ClipTokens(
                clip.tokens[rows],
                clip.boxes[rows],
                clip.kinds[rows],
                clip.ids[rows],
                clip.attributes[rows],
            )
        )
    return out


def follow(split: Split, clips: list[ClipTokens]) -> None:
    """Fills in the attributes: box, velocity since the last sighting, age; identity is the true one."""
    scene, last, born = -1, {}, {}
    for index, clip in enumerate(clips):
        if split.scene_of[index] != scene:
            scene, last, born = split.scene_of[index], {}, {}
        for row, identity in enumerate(clip.ids):
            box = clip.boxes[row]
            centre = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
            velocity, age = np.zeros(2), 0.0
            key = int(identity)
            if key >= 0 and key in last and index - last[key][0] <= UNSEEN_MAX_CLIPS:
                seen, before = last[key]
                velocity = (
                    (centre - before) / ((index - seen) * CLIP_S) if index > seen else velocity
                )
                age = min(1.0, (index - born[key]) / AGE_MAX)
            else:
                born[key] = index
            last[key] = (index, centre)
            clip.attributes[row] = [*box, *velocity, age]


def collate(
    windows: list[Window],
    cls: np.ndarray,
    clips: list[ClipTokens],
    random: np.random.Generator | None = None,
    drop: float = 0.0,
    jitter: float = 0.0,
) -> dict[str, Tensor]:
    """A padded batch, by the fusion graph's input names and `global_mask`; `random` switches the augmentation on."""
    rows = [[w.clip - age for age in range(w.clip - w.first_clip, -1, -1)] for w in windows]
    counts = [sum(len(clips[c].tokens) for c in r) for r in rows]
    batch, most = len(windows), max(1, *counts)
    out = {
        "global": np.zeros((batch, CLIPS_PER_WINDOW, DIM), np.float32),
        "global_clip": np.zeros((batch, CLIPS_PER_WINDOW), np.int64),
        "global_mask": np.zeros((batch, CLIPS_PER_WINDOW), np.float32),
        "objects": np.zeros((batch, most, DIM), np.float32),
        "object_attributes": np.zeros((batch, most, len(ATTRIBUTES)), np.float32),
        "object_clip": np.zeros((batch, most), np.int64),
        "object_mask": np.zeros((batch, most), np.float32),
    }
    for b, (window, row) in enumerate(zip(windows, rows, strict=True)):
        at = 0
        for t, clip in enumerate(row):
            age = window.clip - clip
            out["global"][b, t] = cls[clip]
            out["global_clip"][b, t] = age
            out["global_mask"][b, t] = 1
            things = clips[clip]
            here = slice(at, at + len(things.tokens))
            out["objects"][b, here] = things.tokens
            out["object_attributes"][b, here] = things.attributes
            out["object_clip"][b, here] = age
            out["object_mask"][b, here] = 1
            at += len(things.tokens)
    if random is not None:
        shape = out["object_mask"].shape
        out["object_mask"] *= random.random(shape) >= drop
        # Now and then identity is lost: no velocity, no age.
        lost = random.random(shape) < drop / 2
        out["object_attributes"][lost, 4:] = 0
        noise = random.normal(0, jitter, (*shape, 4)) * [0.006, 0.01, 0.006, 0.01]
        out["object_attributes"][..., :4] += noise.astype(np.float32)
    return {name: torch.from_numpy(array) for name, array in out.items()}


FUSION_INPUTS = [
    "global",
    "global_clip",
    "objects",
    "object_attributes",
    "object_clip",
    "object_mask",
    "global_mask",
]
