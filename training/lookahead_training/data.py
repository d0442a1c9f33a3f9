"""Reads the yard's data (docs/yard-data.md) into memory-mapped arrays, decoded and scaled exactly as the engine does."""

import gzip
import json
import math
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .config import CLIP_S, CLIPS_PER_WINDOW, FRAMES, HEIGHT, LETTERBOX_TOP, WIDTH

LAST_FRAME = (FRAMES - 1) / FRAMES  # the key frame's place in a clip of length 1
SCALE = "scale=160:90:flags=fast_bilinear,pad=160:96:0:3"  # the engine's own filter


def decode(path: Path, extra: list[str] | None = None) -> np.ndarray:
    """A video file -> uint8 [frames,96,160,3]."""
    ffmpeg = os.environ.get("LOOKAHEAD_FFMPEG", "ffmpeg")
    command = [ffmpeg, "-v", "error", "-threads", "1", *(extra or []), "-i", str(path)]
    command += [
        "-vf",
        SCALE,
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)


@dataclass(frozen=True)
class Window:
    """The last clips up to `clip` (an index into the split's clips), and what came next."""

    clip: int
    scene: int
    first_clip: int  # the window's oldest clip
    next: int  # label
    futures: np.ndarray  # float32 [K], sums to 1
    bayes: np.ndarray | None
    reasons: list[tuple[int, str]]


@dataclass
class Split:
    name: str
    meta: dict
    frames: np.ndarray  # uint8 [C,8,96,160,3], memory-mapped
    ids: np.ndarray  # uint8 [C,96,160]: index into the clip's objects + 1, 0 background
    clips: list[dict]  # truth.json's clips of all scenes, one after another
    scene_of: np.ndarray  # int [C]
    windows: list[Window]
    events: list[list[tuple[int, float]]]  # a clip's (label, onset as share of the clip)
    texts: list[str]

    @property
    def classes(self) -> list[str]:
        return self.meta["classes"]

    @property
    def labels(self) -> list[dict]:
        return self.meta["labels"]

    def previous(self, clip: int) -> int:
        """The clip before, or the same one at a scene's start."""
        return clip - 1 if clip > 0 and self.scene_of[clip - 1] == self.scene_of[clip] else clip

    def state_bits(self) -> tuple[list[str], np.ndarray]:
        """Names and float32 [C,n] of the truth's yes/no facts."""
        names = sorted(
            k for k, v in self.clips[0]["stateBits"].items() if isinstance(v, bool | int)
        )
        rows = [[float(bool(c["stateBits"].get(n, 0))) for n in names] for c in self.clips]
        return names, np.array(rows, np.float32).reshape(len(self.clips), len(names))


def read_split(folder: Path, cache: Path) -> Split:
    """Decodes on the first call; afterwards maps what `cache` holds."""
    meta = json.loads((folder / "dataset.json").read_text())
    if meta["schema"] != "lookahead.yard.v1":
        raise ValueError(
            f"{folder}: schema {meta['schema']!r}; this reader knows lookahead.yard.v1."
        )
    scenes = sorted(p for p in folder.iterdir() if p.name.startswith("scene-") and p.suffix == "")
    truths = [json.loads((p / "truth.json").read_text()) for p in scenes]
    total = sum(len(t["clips"]) for t in truths)
    frames, ids = _decoded(scenes, truths, total, cache / meta["split"])

    clips: list[dict] = []
    scene_of, windows, events = [], [], []
    for scene, truth in enumerate(truths):
        start = len(clips)
        count = len(truth["clips"])
        clips += truth["clips"]
        scene_of += [scene] * count
        of_clip: list[list[tuple[int, float]]] = [[] for _ in range(count)]
        for event in truth["events"]:
            # A clip shows its frames' times, clip .. clip + 7/8; what begins between two clips shows in the second.
            clip = max(0, math.ceil(event["onsetS"] / CLIP_S - LAST_FRAME))
            if clip < count:
                share = (event["onsetS"] / CLIP_S - clip) / LAST_FRAME
                of_clip[clip].append((event["label"], min(1.0, max(0.0, share))))
        events += of_clip
        for w in truth["windows"]:
            futures = np.array(w["futures"], np.float32)
            windows.append(
                Window(
                    clip=start + w["clip"],
                    scene=scene,
                    first_clip=start + max(0, w["clip"] - CLIPS_PER_WINDOW + 1),
                    next=w["next"],
                    futures=futures / futures.sum(),
                    bayes=np.array(w["bayes"], np.float32) if w.get("bayes") else None,
                    reasons=[(r["label"], r["text"]) for r in w.get("reasons", [])],
                )
            )
    texts_file = folder / "texts.jsonl"
    lines = texts_file.read_text().splitlines() if texts_file.exists() else []
    texts = [json.loads(line)["text"] for line in lines if line]
    return Split(
        meta["split"], meta, frames, ids, clips, np.array(scene_of), windows, events, texts
    )


def _decoded(
    scenes: list[Path], truths: list[dict], total: int, cache: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Scenes decoded by an earlier call are kept: `cache`.done holds their number."""
    shapes = (total, FRAMES, HEIGHT, WIDTH, 3), (total, HEIGHT, WIDTH)
    paths = cache.with_suffix(".frames.u8"), cache.with_suffix(".ids.u8")
    done = cache.with_suffix(".done")
    ready = int(done.read_text()) if done.exists() else 0
    if ready < len(scenes):
        cache.parent.mkdir(parents=True, exist_ok=True)
        mode = "r+" if ready else "w+"
        frames, ids = (
            np.memmap(p, np.uint8, mode, shape=s) for p, s in zip(paths, shapes, strict=True)
        )
        at = sum(len(truth["clips"]) for truth in truths[:ready])
        for index in range(ready, len(scenes)):
            scene, count = scenes[index], len(truths[index]["clips"])
            pictures = decode(scene / "video.h264", ["-f", "h264", "-framerate", "8"])
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
            done.write_text(str(index + 1))
    frames, ids = (np.memmap(p, np.uint8, "r", shape=s) for p, s in zip(paths, shapes, strict=True))
    return frames, ids
