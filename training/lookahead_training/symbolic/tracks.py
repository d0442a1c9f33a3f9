"""Reads track files (docs/yard-data.md, «Tracks») and cuts them into windows."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

CLIPS_BEFORE = 8  # every window has a history this long, whatever part of it a model is given
SCHEMA = "lookahead.yard.tracks.v1"


@dataclass(frozen=True)
class Tracks:
    """All objects of all clips of one split, R rows, and its W windows with M tracks in all."""

    labels: list[str]
    classes: list[str]
    attributes: list[str]
    looks_per_clip: int

    kind: np.ndarray  # [R] index into classes
    seen: np.ndarray  # [R] one bit for each look
    box: np.ndarray  # [R,looks,4] left, top, width, height; 65535 is the whole picture
    shown: np.ndarray  # [R,looks,A] attributes in hundredths

    rows: (
        np.ndarray
    )  # [M,clips] the rows of a track in its window's clips, -1 where it was not there
    starts: np.ndarray  # [W+1] where a window's tracks begin
    scene: np.ndarray  # [W]
    template: np.ndarray  # [W] names
    place: (
        np.ndarray
    )  # [W,7] which modules are at work, and rain: what the picture shows of the whole place
    clip: np.ndarray  # [W] the window's last clip, among all clips
    futures: np.ndarray  # [W,K] shares of the re-simulated futures
    bayes: np.ndarray  # [W,K], NaN where it was not worked out
    # What perception adds to its tracks, where it was perception that wrote them; else no row.
    cls: np.ndarray  # [C,D] CLS tokens of all clips
    pooled: np.ndarray  # [R,D] mask-pooled tokens

    def __len__(self) -> int:
        return len(self.scene)


def read_tracks(folders: list[Path], clips: int = CLIPS_BEFORE) -> Tracks:
    """@param clips: how many of the last clips a window shows"""
    parts = [_read_folder(folder, clips) for folder in folders]
    first = parts[0]
    for folder, part in zip(folders, parts, strict=True):
        for name in ("labels", "classes", "attributes", "looks_per_clip"):
            if getattr(part, name) != getattr(first, name):
                raise ValueError(
                    f"{folder}/tracks.json: {name} differ from those of {folders[0]}; write both anew with one version."
                )
    if len(parts) == 1:
        return first
    row_offsets = np.cumsum([0] + [len(part.kind) for part in parts])
    track_offsets = np.cumsum([0] + [len(part.rows) for part in parts])
    scene_offsets = np.cumsum([0] + [int(part.scene.max()) + 1 for part in parts[:-1]])
    clip_offsets = np.cumsum([0] + [len(part.cls) for part in parts[:-1]])

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    return Tracks(
        **{name: getattr(first, name) for name in ("labels", "classes", "attributes")},
        looks_per_clip=first.looks_per_clip,
        **{name: joined(name) for name in ("kind", "seen", "box", "shown")},
        **{name: joined(name) for name in ("template", "place", "futures", "bayes")},
        **{name: joined(name) for name in ("cls", "pooled")},
        clip=np.concatenate([p.clip + o for p, o in zip(parts, clip_offsets, strict=True)]),
        rows=np.concatenate(
            [np.where(p.rows < 0, -1, p.rows + o) for p, o in zip(parts, row_offsets)]
        ),
        starts=np.concatenate(
            [p.starts[:-1] + o for p, o in zip(parts, track_offsets)] + [track_offsets[-1:]]
        ),
        scene=np.concatenate([p.scene + o for p, o in zip(parts, scene_offsets, strict=True)]),
    )


def _read_folder(folder: Path, clips: int) -> Tracks:
    meta = json.loads((folder / "tracks.json").read_text())
    if meta["schema"] != SCHEMA:
        raise ValueError(
            f"{folder}/tracks.json: schema is {meta['schema']}, not {SCHEMA}; write it anew."
        )
    n, objects, labels = meta["clips"], meta["objects"], len(meta["labels"])
    looks, shown = meta["looksPerClip"], len(meta["attributes"])

    def array(name: str, kind: str, *shape: int) -> np.ndarray:
        path = folder / meta["files"][name]
        values = np.fromfile(path, np.dtype(kind))
        wanted = int(np.prod(shape))
        if len(values) != wanted:
            raise ValueError(
                f"{path}: {len(values)} values, not {wanted}; it was cut short: write it anew."
            )
        return values.reshape(shape)

    kind = array("class", "u1", objects)
    scene = array("scene", "<i4", n)
    ends = array("objectsEnd", "<i4", n)
    ids = array("id", "<i4", objects)
    rows, counts, windows = _cut(scene, ends, ids, clips)
    names = np.array(meta["templates"])
    template = array("template", "u1", n)[windows]
    has = np.array([[m in name.split("+") for m in meta["modules"]] for name in names], np.float32)
    rain = array("rain", "u1", n)[windows].astype(np.float32)
    # What perception says of the place, where it was perception that wrote the file; else the truth.
    truth = np.concatenate([has[template], rain[:, None]], 1)
    place = array("place", "<f4", n, truth.shape[1])[windows] if "place" in meta["files"] else truth
    bayes = (
        array("bayes", "<f4", n, labels)[windows]
        if meta["bayesFutures"]
        else np.broadcast_to(np.float32(np.nan), (len(windows), labels))
    )
    dim = meta.get("visionDim", 0)  # true tracks have no tokens
    return Tracks(
        labels=[label["text"] for label in meta["labels"]],
        classes=meta["classes"],
        attributes=meta["attributes"],
        looks_per_clip=looks,
        kind=kind,
        seen=array("seen", "u1", objects),
        box=array("box", "<u2", objects, looks, 4),
        shown=array("attributes", "i1", objects, looks, shown),
        rows=rows,
        starts=np.concatenate([[0], np.cumsum(counts)]),
        scene=scene[windows],
        template=names[template],
        place=place,
        clip=windows,
        cls=array("global", "<f4", n, dim) if dim else np.zeros((n, 0), np.float32),
        pooled=array("pooled", "<f4", objects, dim) if dim else np.zeros((objects, 0), np.float32),
        futures=array("futures", "u1", n, labels)[windows].astype(np.float32) / meta["futures"],
        bayes=bayes,
    )


def _cut(
    scene: np.ndarray, ends: np.ndarray, ids: np.ndarray, clips: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tracks of all windows, how many each has, and the last clip of each."""
    rows, counts, windows = [], [], []
    bounds = np.flatnonzero(np.diff(scene, prepend=-1, append=-1))
    for first, after in pairwise(bounds):
        if after - first < CLIPS_BEFORE:
            continue
        begin = ends[first - 1] if first else 0
        here = np.arange(begin, ends[after - 1])
        clip_of = np.repeat(np.arange(after - first), np.diff(ends[first:after], prepend=begin))
        known, track = np.unique(ids[here], return_inverse=True)
        table = np.full((len(known), after - first), -1, np.int32)  # [tracks,clips of the scene]
        table[track, clip_of] = here
        cut = np.lib.stride_tricks.sliding_window_view(table, clips, axis=1)
        cut = cut[:, CLIPS_BEFORE - clips :].transpose(1, 0, 2)  # [windows,tracks,clips]
        there = (cut >= 0).any(2)
        rows.append(cut[there])
        counts.append(there.sum(1))
        windows.append(np.arange(first + CLIPS_BEFORE - 1, after))
    return np.concatenate(rows), np.concatenate(counts), np.concatenate(windows)
