"""Reads the yard's data (docs/yard-data.md) into memory-mapped arrays, decoded and scaled exactly as the engine does."""

import gzip
import hashlib
import json
import math
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .config import CLIP_S, CLIPS_PER_WINDOW, FRAMES, HEIGHT, LETTERBOX_TOP, WIDTH

SCHEMA = "lookahead.yard.v2"
MODULES = ["gate", "parcel", "light", "lawn", "dock", "bicycle"]  # in the order of track files
PLACE = [*MODULES, "rain"]  # what is to be known of the place as a whole


def letterbox(scale: int) -> str:
    """The engine's own filter, to `scale` times 160 x 96 pixels."""
    width, height = WIDTH * scale, HEIGHT * scale
    picture = height - 2 * LETTERBOX_TOP * scale
    top = LETTERBOX_TOP * scale
    return f"scale={width}:{picture}:flags=fast_bilinear,pad={width}:{height}:0:{top}"


def decode(path: Path, extra: list[str] | None = None, scale: int = 1) -> np.ndarray:
    """A video file -> uint8 [frames,96,160,3], or `scale` times as high and wide."""
    ffmpeg = os.environ.get("LOOKAHEAD_FFMPEG", "ffmpeg")
    command = [ffmpeg, "-v", "error", "-threads", "1", *(extra or []), "-i", str(path)]
    command += [
        "-vf",
        letterbox(scale),
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT * scale, WIDTH * scale, 3)


@dataclass(frozen=True)
class Window:
    """The last clips up to `clip` (an index into the split's clips), and what came next."""

    clip: int
    scene: int
    first_clip: int  # the window's oldest clip
    next: int  # label
    futures: np.ndarray  # float32 [K], sums to 1
    bayes: np.ndarray | None  # float32 [K], where it was worked out
    reasons: list[tuple[int, str]]


class Event(NamedTuple):
    """Something that began in a clip."""

    label: int
    onset: float  # 0 the clip's first frame, 1 its last
    actor: int  # ids of things
    target: int | None


@dataclass
class Split:
    name: str
    meta: dict
    frames: np.ndarray  # uint8 [C,8,96,160,3], memory-mapped
    ids: np.ndarray  # uint8 [C,96,160]: index into the clip's objects + 1, 0 background
    clips: list[dict]  # clips.jsonl of all scenes, one after another
    scene_of: np.ndarray  # int [C]
    templates: list[str]  # of each scene
    windows: list[Window]
    places: np.ndarray  # float32 [S,P] of each scene: which modules are at work, and rain
    events: list[list[Event]]  # of each clip
    texts: list[str]

    @property
    def classes(self) -> list[str]:
        return self.meta["classes"]

    @property
    def labels(self) -> list[dict]:
        return self.meta["labels"]

    @property
    def attributes(self) -> list[str]:
        return self.meta["attributes"]

    @property
    def is_recognised(self) -> bool:
        """Whether labels, tracks and masks are what a camera recognised (docs/harvest.md): to learn from, not to measure by."""
        return self.meta.get("truth") == "recognised"

    def previous(self, clip: int) -> int:
        """The clip before, or the same one at a scene's start."""
        return clip - 1 if clip > 0 and self.scene_of[clip - 1] == self.scene_of[clip] else clip

    def state_bits(self) -> tuple[list[str], np.ndarray]:
        """Names and float32 [C,n] of the truth's yes-or-no facts."""
        names = sorted(self.clips[0]["stateBits"])
        rows = [[float(clip["stateBits"][name]) for name in names] for clip in self.clips]
        return names, np.array(rows, np.float32).reshape(len(self.clips), len(names))


def read_split(folder: Path, cache: Path, scale: int = 1, scenes_max: int | None = None) -> Split:
    """Decodes on the first call; afterwards maps what `cache` holds. At most the first `scenes_max` scenes."""
    about = (folder / "dataset.json").read_bytes()
    meta = json.loads(about)
    if meta["schema"] != SCHEMA:
        raise ValueError(
            f"{folder}: schema is {meta['schema']!r}; this reader knows {SCHEMA}. Record it again."
        )
    scenes = sorted(p for p in folder.iterdir() if re.fullmatch(r"scene-\d{5}", p.name))
    if len(scenes) != meta["scenes"]:
        raise ValueError(f"{folder}: {len(scenes)} scenes, not {meta['scenes']}; copy it again.")
    scenes = scenes[:scenes_max]
    clips_of = [read_lines(scene / "clips.jsonl") for scene in scenes]
    counts = [len(lines) for lines in clips_of]
    frames, ids = _decoded(
        scenes, counts, cache / meta["split"], hashlib.sha256(about).hexdigest(), scale
    )

    scene_of, templates, places, windows, events = [], [], [], [], []
    for scene, path in enumerate(scenes):
        start, count = len(scene_of), counts[scene]
        scene_of += [scene] * count
        about_scene = json.loads((path / "scene.json").read_text())
        templates.append(about_scene["template"])
        at_work = about_scene["template"].split("+")
        places.append([*(module in at_work for module in MODULES), about_scene["rain"]])
        of_clip: list[list[Event]] = [[] for _ in range(count)]
        for event in read_lines(path / "events.jsonl"):
            clip, onset = place_in_clip(event["onsetS"])
            of_clip[clip].append(Event(event["label"], onset, event["actor"], event["target"]))
        events += of_clip
        for w in read_lines(path / "windows.jsonl"):
            futures = np.array(w["futures"], np.float32)
            windows.append(
                Window(
                    clip=start + w["clip"],
                    scene=scene,
                    first_clip=start + max(0, w["clip"] - CLIPS_PER_WINDOW + 1),
                    next=w["next"],
                    futures=futures / futures.sum(),
                    bayes=np.array(w["bayes"], np.float32) if "bayes" in w else None,
                    reasons=[(r["label"], r["text"]) for r in w["reasons"]],
                )
            )
    texts_file = folder / "texts.jsonl"
    texts = [line["text"] for line in read_lines(texts_file)] if texts_file.exists() else []
    clips = [clip for lines in clips_of for clip in lines]
    return Split(
        *(meta["split"], meta, frames, ids, clips, np.array(scene_of)),
        *(templates, windows, np.array(places, np.float32), events, texts),
    )


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def place_in_clip(onset_s: float) -> tuple[int, float]:
    """-> the clip in whose time an onset lies, and where in it: 0 its first frame, 1 its last.

    Clip c shows the times c + 1/8 to c + 1. What begins between two clips shows in the second, with 0.
    """
    clip = math.ceil(onset_s / CLIP_S) - 1
    share = (onset_s / CLIP_S - clip - 1 / FRAMES) / (1 - 1 / FRAMES)
    return clip, min(1.0, max(0.0, share))


def _decoded(
    scenes: list[Path], counts: list[int], cache: Path, of: str, scale: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scenes decoded by an earlier call are kept: `cache`.done holds their number, and of which data set they are."""
    total = sum(counts)
    size = HEIGHT * scale, WIDTH * scale
    shapes = (total, FRAMES, *size, 3), (total, HEIGHT, WIDTH)
    paths = cache.with_suffix(".frames.u8"), cache.with_suffix(".ids.u8")
    done = cache.with_suffix(".done")
    number, *known = done.read_text().split() if done.exists() else ["0"]
    ready = int(number)
    # One that was written before it told of what it is, is taken for what is asked.
    if known not in ([], [of]):
        raise ValueError(
            f"{done} tells of another data set than {scenes[0].parent}; delete that run's folder, and train anew."
        )
    if ready < len(scenes):
        cache.parent.mkdir(parents=True, exist_ok=True)
        mode = "r+" if ready else "w+"
        frames, ids = (
            np.memmap(p, np.uint8, mode, shape=s) for p, s in zip(paths, shapes, strict=True)
        )
        at = sum(counts[:ready])
        for index in range(ready, len(scenes)):
            scene, count = scenes[index], counts[index]
            pictures = decode(scene / "video.h264", ["-f", "h264", "-framerate", "8"], scale)
            if len(pictures) < count * FRAMES:
                raise ValueError(f"{scene}: {len(pictures)} pictures for {count} clips.")
            frames[at : at + count] = pictures[: count * FRAMES].reshape(count, *shapes[0][1:])
            raw = gzip.decompress((scene / "ids.u8.gz").read_bytes())
            top = LETTERBOX_TOP
            ids[at : at + count] = 0
            ids[at : at + count, top : HEIGHT - top] = np.frombuffer(raw, np.uint8).reshape(
                count, HEIGHT - 2 * top, WIDTH
            )
            at += count
            done.write_text(f"{index + 1} {of}")
    frames, ids = (np.memmap(p, np.uint8, "r", shape=s) for p, s in zip(paths, shapes, strict=True))
    return frames, ids
