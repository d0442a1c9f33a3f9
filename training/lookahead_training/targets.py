"""What the truth says about each stride-8 cell and each mask; numpy only."""

import numpy as np

from .config import (
    COLUMNS,
    HEIGHT,
    LETTERBOX_TOP,
    MASK_COLUMNS,
    MASK_ROWS,
    PICTURE_HEIGHT,
    ROWS,
    WIDTH,
)

CELL_MIN_SHARE = 0.12  # a ball covers an eighth of a cell
SCALE_PX = 16.0


def box_px(box: list[float]) -> tuple[float, float, float, float]:
    """Shares of the camera's picture -> centre x, centre y, width, height in input pixels."""
    x, y, w, h = box
    return (
        (x + w / 2) * WIDTH,
        (y + h / 2) * PICTURE_HEIGHT + LETTERBOX_TOP,
        w * WIDTH,
        h * PICTURE_HEIGHT,
    )


def true_masks(ids: np.ndarray, count: int) -> np.ndarray:
    """ids uint8 [96,160] -> bool [count,48,80]: a mask cell belongs to what covers half of it."""
    each = ids[None] == np.arange(1, count + 1, dtype=np.uint8)[:, None, None]  # [n,96,160]
    return each.reshape(count, MASK_ROWS, 2, MASK_COLUMNS, 2).sum((2, 4)) >= 2


def patch_weights(masks: np.ndarray) -> np.ndarray:
    """bool [n,48,80] -> covered share of each patch, float32 [n,240] (docs/bundle.md)."""
    return masks.reshape(-1, ROWS, 4, COLUMNS, 4).mean((2, 4), dtype=np.float32).reshape(-1, 240)


def mask_box(mask: np.ndarray) -> np.ndarray:
    """bool [48,80] -> x, y, width, height as shares of the camera's picture (letterbox taken out)."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, right = columns[0] / MASK_COLUMNS, (columns[-1] + 1) / MASK_COLUMNS
    step = HEIGHT / MASK_ROWS
    top = np.clip((rows[0] * step - LETTERBOX_TOP) / PICTURE_HEIGHT, 0, 1)
    bottom = np.clip(((rows[-1] + 1) * step - LETTERBOX_TOP) / PICTURE_HEIGHT, 0, 1)
    return np.array([left, top, right - left, bottom - top], np.float32)


def cell_targets(
    ids: np.ndarray, objects: list[dict], class_index: dict[str, int], attributes: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-> class of each cell int64 [240]; box and more float32 [240,7+A]; class at the first frame int64 [240].

    The seven: dx, dy to the box's centre, ln width, ln height, vx, vy over the clip (all in 16 pixels), visible share; then the
    thing's attributes.
    """
    kind = np.zeros(ROWS * COLUMNS, np.int64)
    box = np.zeros((ROWS * COLUMNS, 7 + len(attributes)), np.float32)
    first = np.zeros((ROWS, COLUMNS), np.int64)
    if not objects:
        return kind, box, first.reshape(-1)
    each = ids[None] == np.arange(1, len(objects) + 1, dtype=np.uint8)[:, None, None]
    share = each.reshape(-1, ROWS, 8, COLUMNS, 8).mean((2, 4)).reshape(len(objects), -1)  # [n,240]
    dominant, covered = share.argmax(0), share.max(0) >= CELL_MIN_SHARE
    cell_y, cell_x = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    for index, thing in enumerate(objects):
        cells = covered & (dominant == index)
        kind[cells] = class_index[thing["class"]]
        cx, cy, w, h = box_px(thing["box"])
        box[cells, 0] = (cx - (cell_x[cells] * 8 + 4)) / SCALE_PX
        box[cells, 1] = (cy - (cell_y[cells] * 8 + 4)) / SCALE_PX
        box[cells, 2] = np.log(max(w, 1) / SCALE_PX)
        box[cells, 3] = np.log(max(h, 1) / SCALE_PX)
        if thing["firstBox"]:
            fx, fy, _, _ = box_px(thing["firstBox"])
            box[cells, 4:6] = (cx - fx) / SCALE_PX, (cy - fy) / SCALE_PX
        box[cells, 6] = thing["visible"]
        box[cells, 7:] = [thing["attributes"].get(name, 0.0) for name in attributes]
    large_first = sorted((t for t in objects if t["firstBox"]), key=lambda t: -t["firstBox"][2])
    for thing in large_first:
        cx, cy, w, h = box_px(thing["firstBox"])
        x0, x1 = np.clip([(cx - w / 2) / 8, (cx + w / 2) / 8], 0, COLUMNS - 0.01)
        y0, y1 = np.clip([(cy - h / 2) / 8, (cy + h / 2) / 8], 0, ROWS - 0.01)
        first[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = class_index[thing["class"]]
    return kind, box, first.reshape(-1)
