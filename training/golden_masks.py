"""Writes `test/golden/automatic-masks.json`: drawn mask candidates, and what SAM's selection makes of them.

    uv run python golden_masks.py

Logits are drawn with exact arithmetic only (no exp, no normal deviates), so that every machine draws the same.
"""

import base64
import json
from pathlib import Path

import numpy as np

from lookahead_training.selection import (
    DEFAULTS,
    Found,
    Rectangle,
    View,
    crops_of,
    good_masks,
    select_masks,
)

PATH = Path(__file__).resolve().parent.parent / "test" / "golden" / "automatic-masks.json"
ROWS, COLUMNS = 12, 20
FRAME = (80, 48)  # width, height in pixels
PICTURE = Rectangle(0, 1.5, 80, 45)  # black above and below
YARD = {
    "predIouThresh": 0.2,
    "stabilityScoreThresh": 0.3,
    "stabilityScoreOffset": 1.0,
    "boxNmsThresh": 0.5,
}
SAM = {
    "predIouThresh": 0.88,
    "stabilityScoreThresh": 0.95,
    "stabilityScoreOffset": 1.0,
    "boxNmsThresh": 0.7,
}
# Name, parameters, candidates of each picture or crop, steepness of the masks' edges.
CASES = [
    ("the yard's thresholds", YARD, 48, 4.0),
    ("SAM's thresholds", SAM, 90, 60.0),
    ("small regions", YARD | {"minMaskRegionArea": 4}, 48, 4.0),
    ("no thresholds", YARD | {"predIouThresh": 0.0, "stabilityScoreThresh": 0.0}, 30, 4.0),
    ("one layer of crops", YARD | {"cropNLayers": 1}, 16, 6.0),
    (
        "two layers of crops, small regions",
        YARD | {"cropNLayers": 2, "minMaskRegionArea": 3, "cropNmsThresh": 0.4},
        6,
        6.0,
    ),
]


def draw(random: np.random.Generator, count: int, steepness: float) -> tuple[np.ndarray, ...]:
    """Ellipses that overlap, with rough edges, specks and holes; predicted IoU in 1/32, so that there are ties."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    logits = np.empty((count, ROWS, COLUMNS), np.float32)
    for index in range(count):
        # Few places and sizes, so that many candidates are nearly the same thing.
        middle_x, middle_y = 3 + 4 * random.integers(5), 2 + 3 * random.integers(4)
        radius_x, radius_y = 1.5 + 1.5 * random.integers(3), 1.5 + random.integers(3)
        rough = random.random((ROWS, COLUMNS)) - 0.5
        inside = 1 - ((x - middle_x) / radius_x) ** 2 - ((y - middle_y) / radius_y) ** 2
        logits[index] = steepness * (inside.clip(-2, 1) + 0.5 * rough)
        if index % 3 == 0:  # islands and holes
            logits[index][random.random((ROWS, COLUMNS)) < 0.02] *= -1
    if count > 20:
        logits[7] = -steepness  # an empty one
        logits[11] = logits[3]  # and a double, which a tie decides
    iou = ((32 - random.integers(0, 29, count) ** 2 // 28) / 32).astype(np.float32)
    if count > 20:
        iou[11] = iou[3]
    return logits, iou


def encode(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def case(number: int, name: str, parameters: dict, count: int, steepness: float) -> dict:
    random = np.random.default_rng(number)
    parameters = DEFAULTS | parameters
    stored, found = [], []
    for crop, layer in crops_of(PICTURE, parameters):
        # Halves, stored as bytes: the file stays small, and the numbers are exact in every type.
        logits, iou = draw(random, count, steepness)
        halves = np.rint(logits * 2).clip(-127, 127).astype(np.int8)
        view = View(crop, PICTURE, FRAME, (ROWS, COLUMNS)) if layer else None
        good = good_masks(halves.astype(np.float32) / 2, iou, parameters, view)
        found.append((good, crop.width * crop.height))
        box = [crop.x, crop.y, crop.width, crop.height]
        stored.append(
            {"box": box, "layer": layer, "logits": encode(halves), "predictedIous": encode(iou)}
        )
    kept = select_masks(found, parameters)
    return {
        "name": name,
        "parameters": parameters,
        "crops": stored,
        "good": [len(good) for good, _ in found],
        "kept": [as_json(one) for one in kept],
    }


def as_json(one: Found) -> dict:
    return {
        "box": list(one.box),
        "predictedIou": one.predicted_iou,
        "stability": one.stability if one.stability == one.stability else None,
        "cells": encode(np.packbits(one.mask)),
    }


def golden() -> str:
    cases = [case(number, *rest) for number, rest in enumerate(CASES)]
    picture = [PICTURE.x, PICTURE.y, PICTURE.width, PICTURE.height]
    head = {
        "from": "training/golden_masks.py",
        "rows": ROWS,
        "columns": COLUMNS,
        "frame": list(FRAME),
        "picture": picture,
    }
    return json.dumps(head | {"cases": cases}, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(golden())
