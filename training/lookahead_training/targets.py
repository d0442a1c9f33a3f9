"""What the truth says about each stride-8 cell and each mask; numpy only."""

import numpy as np

from .config import (
    COLUMNS,
    HEIGHT,
    LETTERBOX_TOP,
    LOOKS_BEFORE,
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
    ids: np.ndarray,
    objects: list[dict],
    looks: dict[int, np.ndarray],
    class_index: dict[str, int],
    attributes: list[str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-> class of each cell int64 [240]; what is told of its thing float32 [240,4+2L+1+A]; class at the first frame int64 [240].

    Told are dx, dy to the box's centre, ln width, ln height; x, y of the centre at each of the L looks before the key frame, less that
    of now, NaN where it was not seen (all in 16 pixels); the visible share; the thing's attributes.
    """
    earlier = LOOKS_BEFORE
    kind = np.zeros(ROWS * COLUMNS, np.int64)
    told = np.zeros((ROWS * COLUMNS, 4 + 2 * earlier + 1 + len(attributes)), np.float32)
    first = np.zeros((ROWS, COLUMNS), np.int64)
    if not objects:
        return kind, told, first.reshape(-1)
    each = ids[None] == np.arange(1, len(objects) + 1, dtype=np.uint8)[:, None, None]
    share = each.reshape(-1, ROWS, 8, COLUMNS, 8).mean((2, 4)).reshape(len(objects), -1)  # [n,240]
    dominant, covered = share.argmax(0), share.max(0) >= CELL_MIN_SHARE
    cell_y, cell_x = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    to_cells = np.array([WIDTH, PICTURE_HEIGHT], np.float32) / SCALE_PX
    for index, thing in enumerate(objects):
        cells = covered & (dominant == index)
        kind[cells] = class_index[thing["class"]]
        cx, cy, w, h = box_px(thing["box"])
        told[cells, 0] = (cx - (cell_x[cells] * 8 + 4)) / SCALE_PX
        told[cells, 1] = (cy - (cell_y[cells] * 8 + 4)) / SCALE_PX
        told[cells, 2] = np.log(max(w, 1) / SCALE_PX)
        told[cells, 3] = np.log(max(h, 1) / SCALE_PX)
        unseen = np.full((earlier, 2), np.nan, np.float32)
        moved = looks.get(thing["id"], unseen) * to_cells
        told[cells, 4 : 4 + 2 * earlier] = moved.reshape(-1)
        told[cells, 4 + 2 * earlier] = thing.get("visible", 1)
        told[cells, 5 + 2 * earlier :] = [thing["attributes"].get(name, 0.0) for name in attributes]
    large_first = sorted((t for t in objects if t["firstBox"]), key=lambda t: -t["firstBox"][2])
    for thing in large_first:
        cx, cy, w, h = box_px(thing["firstBox"])
        x0, x1 = np.clip([(cx - w / 2) / 8, (cx + w / 2) / 8], 0, COLUMNS - 0.01)
        y0, y1 = np.clip([(cy - h / 2) / 8, (cy + h / 2) / 8], 0, ROWS - 0.01)
        first[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = class_index[thing["class"]]
    return kind, told, first.reshape(-1)
