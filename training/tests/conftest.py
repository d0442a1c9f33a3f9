"""A made-up split of a few clips, so that the stages can be tested without the yard."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
torch.set_num_threads(1)

from made_up_tracks import write_split

from lookahead_training.config import DIM
from lookahead_training.data import PLACE, Event, Split, Window
from lookahead_training.looks import Looks
from lookahead_training.models.fusion import ObjectEncoder
from lookahead_training.symbolic.tracks import Tracks, read_tracks
from lookahead_training.train_reasoner import Course
from lookahead_training.watched import NO_ERRORS, watch
from lookahead_training.words import Words, whys_of

LABELS = [
    {"type": "nothing", "actor": None, "target": None, "text": "nothing"},
    {"type": "enters", "actor": "van", "target": None, "text": "van enters"},
    {"type": "stops", "actor": "van", "target": "gate", "text": "van stops at gate"},
    {"type": "opens", "actor": "gate", "target": None, "text": "gate opens"},
]
ATTRIBUTES = ["known", "braking"]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def split() -> Split:
    """Two scenes of six clips; a bright square moves right by 8 pixels a clip."""
    random = np.random.default_rng(0)
    frames = random.integers(0, 60, (12, 8, 96, 160, 3), dtype=np.uint8)
    ids = np.zeros((12, 96, 160), np.uint8)
    clips, windows = [], []
    for clip in range(12):
        left = 16 + 8 * (clip % 6)
        frames[clip, :, 40:64, left : left + 24] = 220
        ids[clip, 40:64, left : left + 24] = 1
        box = [left / 160, (40 - 3) / 90, 24 / 160, 24 / 90]
        first = [(left - 7) / 160, *box[1:]]
        thing = {"id": 5, "class": "van", "box": box, "firstBox": first, "visible": 1}
        thing |= {"attributes": {"braking": 0.5}, "zone": "road"}
        clips.append(
            {
                "clip": clip % 6,
                "objects": [thing],
                "description": "a van enters .",
                "stateBits": {"vanHere": True, "gateOpen": clip % 2 == 0},
            }
        )
        label = clip % 6 % 4  # where the square is decides what comes next
        futures = np.eye(4, dtype=np.float32)[label]
        reasons = [(label, "because vans come here .")]
        windows.append(Window(clip, clip // 6, clip - clip % 6, label, futures, None, reasons))
    return Split(
        name="train",
        meta={
            "classes": ["background", "van"],
            "labels": LABELS,
            "attributes": ATTRIBUTES,
            "templates": [{"name": "gate", "priorNext": [0.4, 0.3, 0.2, 0.1]}],
            "scenes": 2,
        },
        frames=frames,
        ids=ids,
        clips=clips,
        scene_of=np.repeat([0, 1], 6),
        templates=["gate", "gate"],
        windows=windows,
        places=np.zeros((2, len(PLACE)), np.float32),
        events=[[Event(clip % 3 + 1, 0.5, 5, None)] if clip % 2 else [] for clip in range(12)],
        texts=["a van enters .", "the gate opens .", "nothing happens ."] * 4,
    )


def looks_of(split: Split) -> Looks:
    """The square at frames 1, 3 and 5: a pixel a frame behind."""
    return [{5: np.array([[-x / 160, 0] for x in (6, 4, 2)], np.float32)} for _ in split.clips]


EVENTS = [
    {"id": 4, "label": 1, "onsetS": 0.5, "because": []},
    {"id": 5, "label": 2, "onsetS": 3.0, "because": [4]},
    {"id": 7, "label": 3, "onsetS": 7.9, "because": [5, 2]},
    {"id": 8, "label": 1, "onsetS": 8.1, "because": [7]},
]
CLIPS = 9 * 12  # of nine scenes


@pytest.fixture
def watched(tmp_path: Path) -> Tracks:
    return read_tracks([write_split(tmp_path / "watched", 9, 1, bayes=True, vision_dim=DIM)])


@pytest.fixture
def simulated(tmp_path: Path) -> Tracks:
    return read_tracks([write_split(tmp_path / "true", 9, 2, bayes=True)])


@pytest.fixture
def words() -> Words:
    return Words(
        captions=["a van comes ."] * CLIPS,
        reasons=[[(1, "because vans come here .")]] * CLIPS,
        asked=[[("what comes ?", "a van .")]] * CLIPS,
        whys=[whys_of(EVENTS, 8.0)] * CLIPS,
    )


def course_of(encoder: ObjectEncoder, watched: Tracks, simulated: Tracks, words: Words) -> Course:
    sights = watch(encoder, watched, np.arange(len(watched)))
    true = watch(encoder, simulated, np.arange(len(simulated)), NO_ERRORS)
    return Course(sights, words, true, sights)
