"""SAM's selection of masks: the reference, and that the file which both languages are held to is what it says."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import golden_masks
from lookahead_training.selection import Rectangle, View, crops_of, remove_small, suppress


def test_the_golden_file_is_what_the_reference_says() -> None:
    assert golden_masks.PATH.read_text() == golden_masks.golden()


def test_of_equal_scores_the_earlier_stays() -> None:
    boxes = [(0, 0, 4, 4), (0, 0, 4, 4), (8, 0, 9, 1)]
    assert suppress(boxes, [0.5, 0.5, 0.9], 0.7) == [2, 0]


def test_a_layer_of_crops_overlaps_and_covers_the_picture() -> None:
    parameters = {"cropNLayers": 1, "cropOverlapRatio": 512 / 1500}
    crops = crops_of(Rectangle(0, 3, 160, 90), parameters)
    covered = np.zeros((96, 160), int)
    for box, layer in crops[1:]:
        assert layer == 1
        covered[box.y : box.y + box.height, box.x : box.x + box.width] += 1
    assert len(crops) == 5 and covered[3:93].min() == 1 and covered.max() == 4
    assert not covered[:3].any() and not covered[93:].any()


def test_a_box_that_only_the_crop_cuts_is_told_apart_from_one_at_the_picture_s_edge() -> None:
    view = View(Rectangle(0, 0, 80, 48), Rectangle(0, 0, 160, 96), (160, 96), (48, 80))
    assert view.cuts((30, 5, 40, 10)), "its right side is the crop's"
    assert not view.cuts((0, 0, 10, 10)), "its left and upper side are the picture's"


def test_small_islands_go_and_the_largest_of_them_stays() -> None:
    mask = np.zeros((4, 6), bool)
    mask[0, 0] = mask[2, 2] = mask[3, 3] = True
    left, changed = remove_small(mask, 9, holes=False)
    assert changed and left.sum() == 2 and left[2, 2] and left[3, 3]
