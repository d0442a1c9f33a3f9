"""SAM's choice among mask candidates, as `src/models/automatic-masks.ts` and `src/models/crops.ts` make it: same masks, same order.

This is the reference: written for reading, one mask at a time. `test/golden/automatic-masks.json` holds what it says of a few drawn
candidates (`golden_masks.py` writes it), and both sides are tested against that file. Parameters have SAM's names.
"""

import math
from dataclasses import dataclass

import numpy as np

# SAM's own, for a manifest that does not name them.
DEFAULTS = {
    "minMaskRegionArea": 0,
    "cropNLayers": 0,
    "cropNmsThresh": 0.7,
    "cropOverlapRatio": 512 / 1500,
}
EDGE_SHARE = 20 / 1024  # a box within 20 of 1,024 pixels of a crop's edge was probably cut there

Box = tuple[
    float, float, float, float
]  # left, top, right, bottom, in cells; right and bottom without


@dataclass
class Found:
    mask: np.ndarray  # bool [rows,columns]
    box: Box
    predicted_iou: float
    stability: float


@dataclass
class Rectangle:
    """In pixels of the encoder's input."""

    x: float
    y: float
    width: float
    height: float


def box_of(mask: np.ndarray) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def box_iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def good_masks(
    logits: np.ndarray, iou: np.ndarray, parameters: dict, view: "View | None" = None
) -> list[Found]:
    """Candidates that are good enough by themselves: logits [n,rows,columns], predicted IoU [n]; a threshold of 0 asks for nothing."""
    offset = parameters["stabilityScoreOffset"]
    found = []
    for logit, predicted in zip(logits, iou, strict=True):
        if parameters["predIouThresh"] > 0 and not predicted > parameters["predIouThresh"]:
            continue
        if view is not None:
            logit = view.place(logit)
        low, high = int((logit > -offset).sum()), int((logit > offset).sum())
        stability = high / low if low else math.nan
        least = parameters["stabilityScoreThresh"]
        if least > 0 and not stability >= least:
            continue
        mask = logit > 0
        box = box_of(mask)
        if box is None or (view is not None and view.cuts(box)):
            continue
        found.append(Found(mask, box, float(predicted), stability))
    return found


def suppress(boxes: list[Box], scores: list[float], iou_max: float) -> list[int]:
    """Non-maximum suppression: which stay, best score first, of equals the earlier."""
    kept: list[int] = []
    for index in np.argsort(-np.array(scores), kind="stable"):
        if all(box_iou(boxes[index], boxes[other]) <= iou_max for other in kept):
            kept.append(int(index))
    return kept


def suppress_found(found: list[Found], scores: list[float], iou_max: float) -> list[Found]:
    return [found[index] for index in suppress([one.box for one in found], scores, iou_max)]


def regions_of(mask: np.ndarray) -> list[list[tuple[int, int]]]:
    """Connected cells of a mask, over edges and corners, in reading order."""
    rows, columns = mask.shape
    seen = np.zeros_like(mask)
    regions = []
    for row, column in np.argwhere(mask):
        if seen[row, column]:
            continue
        seen[row, column] = True
        region = [(int(row), int(column))]
        for r, c in region:  # grows while it is walked
            for y in range(max(0, r - 1), min(rows, r + 2)):
                for x in range(max(0, c - 1), min(columns, c + 2)):
                    if mask[y, x] and not seen[y, x]:
                        seen[y, x] = True
                        region.append((y, x))
        regions.append(region)
    return regions


def remove_small(mask: np.ndarray, least: float, holes: bool) -> tuple[np.ndarray, bool]:
    """Without holes, or islands, of fewer than `least` cells, and whether there were any; a mask of small islands keeps its largest."""
    regions = regions_of(~mask if holes else mask)
    small = [region for region in regions if len(region) < least]
    if not small:
        return mask, False
    if not holes and len(small) == len(regions):
        small.remove(max(small, key=len))
    out = mask.copy()
    for region in small:
        for row, column in region:
            out[row, column] = holes
    return out, True


def clean(found: list[Found], parameters: dict) -> list[Found]:
    least = parameters["minMaskRegionArea"]
    if least <= 0:
        return found
    cleaned, scores = [], []
    for one in found:
        mask, filled = remove_small(one.mask, least, holes=True)
        mask, dropped = remove_small(mask, least, holes=False)
        box = box_of(mask)
        if box is not None:
            cleaned.append(Found(mask, box, one.predicted_iou, one.stability))
            scores.append(0.0 if filled or dropped else 1.0)
    iou_max = max(parameters["boxNmsThresh"], parameters["cropNmsThresh"])
    return suppress_found(cleaned, scores, iou_max)


def select_masks(crops: list[tuple[list[Found], float]], parameters: dict) -> list[Found]:
    """From the good masks of each crop, with the crop's area, to those of the picture, best first."""
    parameters = DEFAULTS | parameters
    all_found, scores = [], []
    for found, area in crops:
        best = suppress_found(
            found, [one.predicted_iou for one in found], parameters["boxNmsThresh"]
        )
        all_found += best
        scores += [1 / area] * len(best)
    if len(crops) > 1:
        all_found = suppress_found(all_found, scores, parameters["cropNmsThresh"])
    return clean(all_found, parameters)


def crops_of(picture: Rectangle, parameters: dict) -> list[tuple[Rectangle, int]]:
    """The picture, then its crops layer by layer, column by column, each with its layer."""
    width, height = math.floor(picture.width), math.floor(picture.height)
    crops = [(Rectangle(picture.x, picture.y, width, height), 0)]
    for layer in range(1, parameters["cropNLayers"] + 1):
        side = 2**layer
        overlap = math.floor(parameters["cropOverlapRatio"] * min(width, height) * 2 / side)
        w = math.ceil((overlap * (side - 1) + width) / side)
        h = math.ceil((overlap * (side - 1) + height) / side)
        for x in (column * (w - overlap) for column in range(side)):
            for y in (row * (h - overlap) for row in range(side)):
                size = min(w, width - x), min(h, height - y)
                crops.append((Rectangle(picture.x + x, picture.y + y, *size), layer))
    return crops


class View:
    """How the masks of a crop, enlarged to the encoder's input, are seen in the picture's grid: bilinear between cells."""

    def __init__(
        self,
        crop: Rectangle,
        picture: Rectangle,
        frame: tuple[int, int],  # width, height in pixels
        grid: tuple[int, int],  # rows, columns
    ):
        rows, columns = grid
        cell = frame[0] / columns, frame[1] / rows
        scale = min(frame[0] / crop.width, frame[1] / crop.height)
        size = crop.width * scale, crop.height * scale
        content = [(frame[0] - size[0]) / 2, (frame[1] - size[1]) / 2, *size]
        box = [crop.x / cell[0], crop.y / cell[1], crop.width / cell[0], crop.height / cell[1]]
        self.crop = (box[0], box[1], box[0] + box[2], box[1] + box[3])
        left, top = picture.x / cell[0], picture.y / cell[1]
        right, bottom = left + picture.width / cell[0], top + picture.height / cell[1]
        self.picture = (left, top, right, bottom)
        self.tolerance = EDGE_SHARE * max(rows, columns)
        self.across = samples(columns, box[0], box[2], content[0] / cell[0], content[2] / cell[0])
        self.down = samples(rows, box[1], box[3], content[1] / cell[1], content[3] / cell[1])
        self.grid = grid

    def place(self, logits: np.ndarray) -> np.ndarray:
        placed = np.full(self.grid, -np.inf, np.float32)
        for row, upper, lower, v in self.down:
            for column, left, right, u in self.across:
                above = float(logits[upper, left]) * (1 - u) + float(logits[upper, right]) * u
                below = float(logits[lower, left]) * (1 - u) + float(logits[lower, right]) * u
                placed[row, column] = above * (1 - v) + below * v
        return placed

    def cuts(self, box: Box) -> bool:
        return any(
            abs(side - edge) <= self.tolerance and abs(side - outer) > self.tolerance
            for side, edge, outer in zip(box, self.crop, self.picture, strict=True)
        )


def samples(
    count: int, start: float, length: float, other_start: float, other_length: float
) -> list[tuple[int, int, int, float]]:
    """For each of `count` places whose middle lies inside: the two places of the other grid around it, and how near it is to the second."""
    lowest, highest = math.floor(other_start), math.ceil(other_start + other_length) - 1
    out = []
    for at in range(count):
        middle = at + 0.5
        if not start <= middle < start + length:
            continue
        other = other_start + (middle - start) / length * other_length - 0.5
        floor = math.floor(other)
        first, second = (min(highest, max(lowest, place)) for place in (floor, floor + 1))
        out.append((at, first, second, other - floor))
    return out
