"""From masks and cached tokens to what the heads and the fusion core get: pooling (eq. 2), identity, velocity, age, batches."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .automatic import ClipMasks
from .config import (
    AGE_MAX,
    ATTRIBUTES,
    CLIP_S,
    DIM,
    FRAMES,
    LOOK_FRAMES,
    LOOKS_BEFORE,
    OBJECTS_MAX,
    TRACK_ATTRIBUTES,
    TRACKS_MAX,
)
from .data import Split
from .looks import Looks
from .models.heads import ObjectHead
from .targets import mask_box, patch_weights

UNSEEN_MAX_CLIPS = 2  # what was lost longer ago the event head does not get
HIDDEN_MAX_CLIPS = 3  # from a sighting to the next that the engine's tracks survive; things that stand survive longer there
# From the first look to the key frame.
LOOKS_S = (LOOK_FRAMES[-1] - LOOK_FRAMES[0]) / FRAMES * CLIP_S


@dataclass
class ClipTokens:
    """A clip's objects as the reasoner gets them."""

    tokens: np.ndarray  # float32 [n,D]
    boxes: np.ndarray  # float32 [n,4]
    kinds: np.ndarray  # int64 [n], the true class; 0 is background
    ids: np.ndarray  # int [n], true identity; -1 for background
    shown: (
        np.ndarray
    )  # float32 [n,S] what it shows: the truth at first, then what the object head says
    looks: (
        np.ndarray
    )  # float32 [n,L-1,2] where it was, less where it is; likewise; NaN where nobody knows
    classes: np.ndarray  # float32 [n,classes] chances by the object head
    attributes: np.ndarray  # float32 [n,A] for the fusion core

    def take(self, rows: np.ndarray) -> "ClipTokens":
        return ClipTokens(**{name: value[rows] for name, value in vars(self).items()})


def pool(masks: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """bool [n,48,80], float [240,D] -> [n,D]: the area-weighted mean of the patches under each mask."""
    weights = patch_weights(masks)
    return weights @ patches.astype(np.float32) / weights.sum(1, keepdims=True).clip(1e-6)


def pool_split(
    split: Split, masks: list[ClipMasks], patches: np.ndarray, looks: Looks
) -> list[ClipTokens]:
    index = {name: i for i, name in enumerate(split.classes)}
    unseen = np.full((LOOKS_BEFORE, 2), np.nan, np.float32)
    out = []
    for clip, found, grid, past in zip(split.clips, masks, patches, looks, strict=True):
        count = len(found.masks)
        things = [clip["objects"][t] if t >= 0 else None for t in found.thing]
        boxes = np.stack([mask_box(m) for m in found.masks]) if count else np.zeros((0, 4))
        out.append(
            ClipTokens(
                tokens=pool(found.masks, grid),
                boxes=boxes.astype(np.float32),
                kinds=np.array([index[t["class"]] if t else 0 for t in things], np.int64),
                ids=np.array([t["id"] if t else -1 for t in things], np.int64),
                shown=np.array(
                    [
                        [t["attributes"].get(name, 0.0) if t else 0.0 for name in split.attributes]
                        for t in things
                    ],
                    np.float32,
                ).reshape(count, len(split.attributes)),
                looks=np.array(
                    [past.get(t["id"], unseen) if t else unseen for t in things], np.float32
                ).reshape(count, LOOKS_BEFORE, 2),
                classes=np.zeros((count, len(split.classes)), np.float32),
                attributes=np.zeros((count, len(ATTRIBUTES)), np.float32),
            )
        )
    return out


def choose(clips: list[ClipTokens], head: ObjectHead) -> list[ClipTokens]:
    """What the engine keeps of each clip: no background, at most OBJECTS_MAX, best first; with what the object head says of it.

    The engine also drops second masks of one thing, which training does not.
    """
    out = []
    for clip in clips:
        with torch.no_grad():
            logits, shown, looks = head(torch.from_numpy(clip.tokens), torch.from_numpy(clip.boxes))
        said = replace(
            clip, classes=logits.softmax(-1).numpy(), shown=shown.numpy(), looks=looks.numpy()
        )
        out.append(said.take(np.flatnonzero(logits.argmax(1).numpy())[:OBJECTS_MAX]))
    return out


def follow(split: Split, clips: list[ClipTokens]) -> None:
    """Fills in the attributes: box, velocity by the looks, age; identity is the true one."""
    scene, last, born = -1, {}, {}
    for index, clip in enumerate(clips):
        if split.scene_of[index] != scene:
            scene, last, born = split.scene_of[index], {}, {}
        for row, identity in enumerate(clip.ids):
            key, age = int(identity), 0.0
            if key >= 0 and key in last and index - last[key] <= HIDDEN_MAX_CLIPS:
                age = min(1.0, (index - born[key]) / AGE_MAX)
            else:
                born[key] = index
            last[key] = index
            velocity = -np.nan_to_num(clip.looks[row, 0]) / LOOKS_S
            clip.attributes[row] = [*clip.boxes[row], *velocity, age]


def track_lists(split: Split, clips: list[ClipTokens]) -> list[dict[str, np.ndarray]]:
    """What the event head gets at each clip: the clip's things, then those unseen for at most two clips, where they should be now.

    `tokens` [M,D], `attributes` [M,8], `classes` [M,classes], `ids` [M]. `follow` has been there before.
    """
    out = []
    for index, clip in enumerate(clips):
        rows = [(clip, row, 0) for row in range(len(clip.ids))]
        known = set(clip.ids.tolist())
        for back in range(1, UNSEEN_MAX_CLIPS + 1):
            earlier = index - back
            if earlier < 0 or split.scene_of[earlier] != split.scene_of[index]:
                break
            of = clips[earlier]
            for row, identity in enumerate(of.ids.tolist()):
                if identity >= 0 and identity not in known:
                    known.add(identity)
                    rows.append((of, row, back))
        rows = rows[:TRACKS_MAX]
        attributes = np.zeros((len(rows), len(TRACK_ATTRIBUTES)), np.float32)
        for at, (of, row, back) in enumerate(rows):
            attributes[at, :-1] = of.attributes[row]
            attributes[at, :2] += of.attributes[row, 4:6] * back * CLIP_S
            attributes[at, -1] = back / UNSEEN_MAX_CLIPS
        out.append(
            {
                "tokens": np.array([of.tokens[row] for of, row, _ in rows], np.float32).reshape(
                    -1, DIM
                ),
                "attributes": attributes,
                "classes": np.array([of.classes[row] for of, row, _ in rows], np.float32).reshape(
                    len(rows), len(split.classes)
                ),
                "ids": np.array([of.ids[row] for of, row, _ in rows], np.int64),
            }
        )
    return out


def collate_tracks(lists: list[dict[str, np.ndarray]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """-> tracks [B,M,D], track_attributes [B,M,8], track_classes [B,M,classes], mask [B,M]; M is at least 1."""
    most = max(1, *(len(one["ids"]) for one in lists))

    def padded(name: str) -> Tensor:
        out = np.zeros((len(lists), most, lists[0][name].shape[1]), np.float32)
        for row, one in enumerate(lists):
            out[row, : len(one["ids"])] = one[name]
        return torch.from_numpy(out)

    counts = torch.tensor([len(one["ids"]) for one in lists])
    mask = (torch.arange(most) < counts[:, None]).float()
    return padded("tokens"), padded("attributes"), padded("classes"), mask
