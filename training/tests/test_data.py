"""The reader of docs/yard-data.md, and what is computed from the truth."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ATTRIBUTES, LABELS, looks_of

from lookahead_training import automatic, windows
from lookahead_training.data import Split, read_split
from lookahead_training.looks import read_looks
from lookahead_training.models.backbone import Backbone
from lookahead_training.targets import cell_targets, mask_box, patch_weights, true_masks
from lookahead_training.train_backbone import BackboneTrainer
from lookahead_training.train_segmenter import REACH_PX, draw_points


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on PATH")
def test_a_data_set_of_two_scenes_is_read(tmp_path: Path) -> None:
    write_data(tmp_path, "lookahead.yard.v2")
    split = read_split(tmp_path, tmp_path / "cache")
    again = read_split(tmp_path, tmp_path / "cache")
    assert split.frames.shape == (6, 8, 96, 160, 3) and split.frames[0, 0].std() > 20
    assert split.frames[:, :, :3].max() < 3, "three black rows above the picture"
    np.testing.assert_array_equal(split.frames, again.frames)
    assert split.ids[0, 13:23, 30:50].all() and split.ids.sum() == 6 * 200
    # A clip's time ends with its last picture; 1.0625 s lies before the second clip's first one.
    assert split.events[:3] == [[(1, 1.0, 7, None)], [(2, 0.0, 7, 8)], [(3, 3 / 7, 7, None)]]
    assert split.places.tolist() == [[1, 0, 0, 0, 0, 0, 1]] * 2
    assert split.windows[1].clip == 5 and split.windows[1].first_clip == 3
    assert split.windows[0].futures.tolist() == [0.75, 0.25, 0, 0]
    assert split.windows[0].bayes is None and split.windows[0].reasons == [(0, "x")]
    assert split.previous(3) == 3 and split.previous(4) == 3
    assert split.state_bits()[0] == ["gateOpen"] and split.state_bits()[1].all()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on PATH")
def test_what_cameras_recognised_is_read_and_says_so(tmp_path: Path) -> None:
    write_data(tmp_path, "lookahead.yard.v2")
    assert not read_split(tmp_path, tmp_path / "cache").is_recognised
    about = tmp_path / "dataset.json"
    marks = {"split": "recognised", "truth": "recognised"}
    about.write_text(json.dumps(json.loads(about.read_text()) | marks))
    split = read_split(tmp_path, tmp_path / "cache")
    assert split.is_recognised and split.name == "recognised" and len(split.windows) == 2


def test_data_of_another_version_are_refused(tmp_path: Path) -> None:
    write_data(tmp_path, "lookahead.yard.v1", videos=False)
    with pytest.raises(ValueError, match=r"lookahead\.yard\.v1.*lookahead\.yard\.v2"):
        read_split(tmp_path, tmp_path / "cache")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on PATH")
def test_pictures_decoded_from_another_data_set_are_not_taken_for_these(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_data(tmp_path / name, "lookahead.yard.v2")
    read_split(tmp_path / "one", tmp_path / "cache")
    about = tmp_path / "two" / "dataset.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"seed": 2}))
    with pytest.raises(ValueError, match="another data set"):
        read_split(tmp_path / "two", tmp_path / "cache")


def test_a_data_set_that_lacks_a_scene_is_refused(tmp_path: Path) -> None:
    write_data(tmp_path, "lookahead.yard.v2", videos=False)
    shutil.rmtree(tmp_path / "scene-00001")
    with pytest.raises(ValueError, match="1 scenes, not 2"):
        read_split(tmp_path, tmp_path / "cache")


def write_data(folder: Path, schema: str, videos: bool = True) -> None:
    """Two scenes of three clips as docs/yard-data.md has them."""
    meta = {
        "schema": schema,
        "split": "train",
        "scenes": 2,
        "classes": ["background", "van"],
        "labels": LABELS,
        "attributes": ATTRIBUTES,
        "templates": [{"name": "gate", "priorNext": [0.5, 0.5, 0, 0]}],
    }
    (folder / "dataset.json").write_text(json.dumps(meta))
    write_lines(folder / "texts.jsonl", [{"text": "a van enters ."}])
    for scene in range(2):
        here = folder / f"scene-0000{scene}"
        here.mkdir()
        if videos:
            source = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=8:duration=3"]
            command = ["ffmpeg", "-v", "error", *source, "-c:v", "libx264", "-f", "h264"]
            subprocess.run([*command, str(here / "video.h264")], check=True)
        ids = np.zeros((3, 90, 160), np.uint8)
        ids[:, 10:20, 30:50] = 1
        (here / "ids.u8.gz").write_bytes(gzip.compress(ids.tobytes()))
        clip = {"objects": [], "description": "nothing happens .", "stateBits": {"gateOpen": True}}
        window = {"clip": 2, "endS": 3, "next": 1, "nextOnsetS": 3.5, "futures": [6, 2, 0, 0]}
        who = {"actor": 7, "target": None}
        events = [
            {"label": 1, "onsetS": 1, **who},
            {"label": 2, "onsetS": 1.0625, **who, "target": 8},
        ]
        write_lines(here / "clips.jsonl", [clip] * 3)
        write_lines(here / "windows.jsonl", [{**window, "reasons": [{"label": 0, "text": "x"}]}])
        write_lines(here / "events.jsonl", [*events, {"label": 3, "onsetS": 2.5, **who}])
        (here / "scene.json").write_text(json.dumps({"template": "gate", "rain": True}))


def write_lines(path: Path, lines: list[dict]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_cells_know_box_and_past_of_what_covers_them(split: Split) -> None:
    objects, looks = split.clips[0]["objects"], looks_of(split)[0]
    kind, told, first = cell_targets(split.ids[0], objects, looks, {"van": 1}, ATTRIBUTES)
    cells = np.flatnonzero(kind)
    assert len(cells) == 9  # 24 x 24 pixels at x 16, y 40
    centre = 7 * 20 - 20 + 3  # row 6, column 3: its centre is the box's
    np.testing.assert_allclose(told[centre, :2], [0, 0], atol=1e-5)
    np.testing.assert_allclose(told[centre, 2:4], np.log([1.5, 1.5]), atol=1e-5)
    np.testing.assert_allclose(told[centre, 4:10], np.array([-6, 0, -4, 0, -2, 0]) / 16, atol=1e-5)
    assert told[centre, 10:].tolist() == [1, 0, 0.5], "how visible it is, and what it shows"
    assert first.any()
    _, unknown, _ = cell_targets(split.ids[0], objects, {}, {"van": 1}, ATTRIBUTES)
    assert np.isnan(unknown[centre, 4:10]).all()


def test_a_mirrored_clip_has_the_mirrored_truth(split: Split) -> None:
    trainer = BackboneTrainer(Backbone(), split, looks_of(split))
    kind, told, _ = trainer.truth(np.array([0]))
    mirrored, told_mirrored, _ = trainer.truth(np.array([0]), mirror=True)
    cell, other = 6 * 20 + 2, 6 * 20 + 17
    assert kind[0, cell] == mirrored[0, other] == 1
    torch.testing.assert_close(told_mirrored[0, other, [0, 4, 6]], -told[0, cell, [0, 4, 6]])
    torch.testing.assert_close(told_mirrored[0, other, [1, 2, 10]], told[0, cell, [1, 2, 10]])


def test_velocity_is_that_of_the_looks_and_age_counts_sightings(split: Split) -> None:
    patches = np.ones((12, 240, 128), np.float32)
    true = automatic.true_clip_masks(split)
    clips = windows.pool_split(split, true, patches, looks_of(split))
    windows.follow(split, clips)
    # 6 of 160 pixels from frame 1 to frame 7, which is 0.75 s.
    np.testing.assert_allclose(clips[0].attributes[0, 4:], [8 / 160, 0, 0], atol=1e-6)
    np.testing.assert_allclose(clips[3].attributes[0, 4:], [8 / 160, 0, 3 / 8], atol=1e-6)
    assert clips[6].attributes[0, 6] == 0, "a new scene starts anew"
    np.testing.assert_allclose(clips[3].tokens, 1, atol=1e-5)
    np.testing.assert_allclose(clips[0].boxes[0], split.clips[0]["objects"][0]["box"], atol=0.02)


def test_what_was_seen_a_clip_ago_is_where_it_should_be_now(split: Split) -> None:
    true = automatic.true_clip_masks(split)
    clips = windows.pool_split(split, true, np.ones((12, 240, 128), np.float32), looks_of(split))
    windows.follow(split, clips)
    clips[4] = clips[4].take(np.arange(0))  # hidden
    lists = windows.track_lists(split, clips)
    assert [len(one["ids"]) for one in lists[3:6]] == [1, 1, 1]
    assert lists[3]["attributes"][0, -1] == 0 and lists[4]["attributes"][0, -1] == 0.5
    x = clips[3].boxes[0, 0] + 8 / 160
    np.testing.assert_allclose(lists[4]["attributes"][0, 0], x, atol=1e-6)
    assert [len(one["ids"]) for one in lists[6:7]] == [1], "nothing of the scene before"


def test_looks_are_read_from_the_track_files_of_the_same_scenes(
    tmp_path: Path, split: Split
) -> None:
    files = {"box": "b", "seen": "s", "id": "i", "objectsEnd": "e"}
    meta = {"split": "train", "seed": 1, "scenes": 2, "secondsPerScene": 6, "files": files}
    about = {**meta, "objects": 2, "clips": 12, "looksPerClip": 4}
    (tmp_path / "tracks.json").write_text(json.dumps(about))
    box = np.zeros((2, 4, 4), "<u2")
    box[0, :, 0] = [0, 6554, 13107, 19661]  # moves right by a tenth of the picture a look
    box.tofile(tmp_path / "b")
    np.array([0b1111, 0b1001], "u1").tofile(tmp_path / "s")
    np.array([5, 6], "<i4").tofile(tmp_path / "i")
    np.array([2] * 12, "<i4").tofile(tmp_path / "e")
    split.meta |= meta
    looks = read_looks(tmp_path, split)
    np.testing.assert_allclose(looks[0][5], [[-0.3, 0], [-0.2, 0], [-0.1, 0]], atol=1e-4)
    assert np.isnan(looks[0][6][1:]).all() and not np.isnan(looks[0][6][0]).any()
    assert looks[1] == {}
    split.meta["seed"] = 2
    with pytest.raises(ValueError, match="seed is 1, that of the pictures 2"):
        read_looks(tmp_path, split)


def test_points_get_the_nearest_things_first(split: Split) -> None:
    things = np.zeros((2, 48, 80), bool)
    things[0, 20:24, 10:14] = True
    things[1, 20:24, 16:20] = True
    random = np.random.default_rng(0)
    coords, found, real = draw_points([things, things[:0]], 40, random, 96)
    assert not real[40:].any(), "a picture of nothing has no masks"
    for point, masks, there in zip(coords[:40], found, real, strict=False):
        away = [np.hypot(c * 2 + 1 - point[0], r * 2 + 1 - point[1]).min() for r, c in
                (np.nonzero(t) for t in things)]  # fmt: skip
        assert there[:2].sum() == sum(a <= REACH_PX for a in away)
        if there[0]:
            assert (masks[0] == things[int(np.argmin(away))]).all()


def test_mask_pooling_weighs_patches_by_their_covered_share() -> None:
    mask = np.zeros((1, 48, 80), bool)
    mask[0, :4, :6] = True  # all of the first patch, half of the second
    weights = patch_weights(mask)
    assert weights[0, 0] == 1 and weights[0, 1] == 0.5 and weights.sum() == 1.5
    patches = np.zeros((240, 2))
    patches[1] = 3
    np.testing.assert_allclose(windows.pool(mask, patches), [[1, 1]])


def test_a_mask_box_leaves_the_letterbox_out() -> None:
    mask = np.zeros((48, 80), bool)
    mask[:, 40:] = True
    np.testing.assert_allclose(mask_box(mask), [0.5, 0, 0.5, 1], atol=1e-6)


def test_found_masks_are_matched_to_the_truth(split: Split) -> None:
    truth = true_masks(split.ids[0], 1)
    shifted = np.roll(truth, 2, axis=2)
    far = np.roll(truth, 30, axis=2)
    found = np.concatenate([shifted, far])
    assert automatic.match(found, truth).tolist() == [0, -1]


def test_overlapping_masks_are_suppressed_best_first() -> None:
    logits = np.full((2, 3, 48, 80), -10.0, np.float32)
    logits[0, 0, 10:20, 10:20] = 10
    logits[1, 0, 10:20, 11:21] = 10
    logits[1, 1, 30:40, 60:70] = 10
    iou = np.array([[0.8, 0, 0], [0.9, 0.7, 0]], np.float32)
    kept = automatic.select(logits, iou)
    assert len(kept) == 2 and kept[0, 15, 20] and kept[1, 35, 65]
