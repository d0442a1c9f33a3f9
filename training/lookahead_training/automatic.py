"""The engine's automatic masks (SAM's algorithm on the low-resolution grid), so that training sees what the engine will see."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .bundle import Networks
from .config import LETTERBOX_TOP, MASK_COLUMNS, MASK_ROWS, PICTURE_HEIGHT, WIDTH
from .data import Split
from .export import SEGMENTER, example_inputs, export_graph, modules, session
from .selection import good_masks, select_masks
from .targets import true_masks

MATCH_IOU = 0.4
VISIBLE_MIN = 0.5  # as `./lookahead evaluate` counts
CELLS = MASK_ROWS * MASK_COLUMNS


@dataclass
class ClipMasks:
    """Masks of one key frame, best predicted IoU first."""

    masks: np.ndarray  # bool [n,48,80]
    thing: np.ndarray  # int [n]: index into the clip's objects, -1 where it matches none


def grid_points() -> np.ndarray:
    """SAM's regular grid over the picture inside the letterbox, [points,2] in input pixels."""
    columns, rows = SEGMENTER["pointsPerRow"], SEGMENTER["pointsPerColumn"]
    x = (np.arange(columns) + 0.5) / columns * WIDTH
    y = (np.arange(rows) + 0.5) / rows * PICTURE_HEIGHT + LETTERBOX_TOP
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)


def select(logits: np.ndarray, iou: np.ndarray) -> np.ndarray:
    """logits [N,3,48,80], predicted IoU [N,3] -> kept masks bool [n,48,80], best first."""
    found = good_masks(logits.reshape(-1, *logits.shape[2:]), iou.reshape(-1), SEGMENTER)
    kept = select_masks([(found, 1.0)], SEGMENTER)
    return np.array([one.mask for one in kept]).reshape(-1, *logits.shape[2:]).astype(bool)


def match(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Index of the true mask that each found one overlaps most, -1 below MATCH_IOU."""
    if not len(found) or not len(truth):
        return np.full(len(found), -1)
    a, b = (
        found.reshape(len(found), -1).astype(np.float32),
        truth.reshape(len(truth), -1).astype(np.float32),
    )
    shared = a @ b.T
    iou = shared / (a.sum(1)[:, None] + b.sum(1)[None] - shared).clip(1)
    return np.where(iou.max(1) >= MATCH_IOU, iou.argmax(1), -1)


class AutomaticMasks:
    """The segmenter's exported graphs over key frames: onnxruntime is three times as fast here as PyTorch."""

    def __init__(self, networks: Networks, split: Split, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        clip = torch.from_numpy(np.array(split.frames[:2]))
        inputs = example_inputs(networks, clip)
        for name in ("segmenter-encoder", "segmenter-decoder"):
            export_graph(name, modules(networks)[name], inputs[name], folder)
        self.encoder = session(folder / "segmenter-encoder.onnx")
        self.decoder = session(folder / "segmenter-decoder.onnx")
        self.split, self.points = split, grid_points()

    def of(self, clip: int) -> ClipMasks:
        embeddings, high_res = self.encoder.run(None, {"image": self.split.frames[clip, -1:]})
        feeds = {"image_embeddings": embeddings, "high_res": high_res, "point_coords": self.points}
        masks = select(*self.decoder.run(None, feeds))
        truth = true_masks(self.split.ids[clip], len(self.split.clips[clip]["objects"]))
        return ClipMasks(masks, match(masks, truth))


def segment_split(
    networks: Networks, split: Split, folder: Path, scenes: int | None = None
) -> list[ClipMasks]:
    """Automatic masks of the key frames of so many scenes; the others get their true masks."""
    run = AutomaticMasks(networks, split, folder)
    count = len(split.clips) if scenes is None else int((split.scene_of < scenes).sum())
    return [run.of(clip) for clip in range(count)] + true_clip_masks(split, count)


def save_masks(path: Path, clips: list[ClipMasks]) -> None:
    counts = np.array([len(c.masks) for c in clips])
    packed = [np.packbits(c.masks.reshape(-1, CELLS), axis=1) for c in clips]
    np.savez(
        path,
        counts=counts,
        masks=np.concatenate(packed),
        thing=np.concatenate([c.thing for c in clips]),
    )


def load_masks(path: Path) -> list[ClipMasks]:
    data = np.load(path)
    counts, thing = data["counts"], data["thing"]  # read once: each access unpacks the array anew
    masks = np.unpackbits(data["masks"], axis=1).view(bool).reshape(-1, MASK_ROWS, MASK_COLUMNS)
    ends = np.cumsum(counts)
    return [
        ClipMasks(masks[end - count : end], thing[end - count : end])
        for end, count in zip(ends, counts, strict=True)
    ]


def true_clip_masks(split: Split, first: int = 0) -> list[ClipMasks]:
    """The truth in the same form, from clip `first` on: what a perfect segmenter would find."""
    out = []
    for ids, clip in zip(split.ids[first:], split.clips[first:], strict=True):
        masks = true_masks(ids, len(clip["objects"]))
        seen = np.flatnonzero(masks.any((1, 2)))
        out.append(ClipMasks(masks[seen], seen))
    return out


def empty_masks(split: Split, seed: int) -> list[ClipMasks]:
    """One mask a clip where no thing stands, so that the object head knows what background looks like."""
    random = np.random.default_rng(seed)
    out = []
    for ids in split.ids:
        mask = np.zeros((MASK_ROWS, MASK_COLUMNS), bool)
        height, width = random.integers(2, 13, size=2)
        top, left = random.integers(MASK_ROWS - height), random.integers(MASK_COLUMNS - width)
        mask[top : top + height, left : left + width] = True
        covered = (ids[::2, ::2] > 0)[mask].mean()
        kept = mask[None] if covered < 0.05 else mask[None][:0]
        out.append(ClipMasks(kept, np.full(len(kept), -1)))
    return out


def mask_quality(split: Split, clips: Sequence[int], found: list[ClipMasks]) -> dict[str, float]:
    """Of things at least half visible: recall (IoU of 0.5 with some found mask) and mean best IoU, over all and by class; and
    spurious masks a picture."""
    hits: dict[str, list[float]] = {name: [] for name in split.classes[1:]}
    spurious = 0
    for clip, masks in zip(clips, found, strict=True):
        objects = split.clips[clip]["objects"]
        truth = true_masks(split.ids[clip], len(objects))
        spurious += int((masks.thing < 0).sum())
        flat = masks.masks.reshape(-1, CELLS)
        for thing, mask in zip(objects, truth, strict=True):
            if not mask.any() or thing.get("visible", 1) < VISIBLE_MIN:
                continue
            row = mask.reshape(-1)
            shared = (flat & row).sum(1)
            iou = shared / (flat.sum(1) + row.sum() - shared)
            hits[thing["class"]].append(float(iou.max()) if len(iou) else 0.0)
    hits = {"": [v for values in hits.values() for v in values]} | hits
    out = {"spurious": spurious / len(found)}
    for name, values in hits.items():
        if values:
            out[f"iou {name}".strip()] = float(np.mean(values))
            out[f"recall {name}".strip()] = float(np.mean(np.array(values) >= 0.5))
    return out
