"""Where each thing was at the looks of a clip: from the track files of the same scenes (docs/yard-data.md, «Tracks»)."""

import json
from pathlib import Path

import numpy as np

from .data import Split

# Of each thing of a clip, by its id: where its centre was at the looks before the key frame, less where it is there. [L-1,2], shares
# of the picture; NaN where it was not seen.
Looks = list[dict[int, np.ndarray]]


def read_looks(folder: Path, split: Split) -> Looks:
    """@param folder: `yard record --tracks` of the same split, seed and scenes as `split`"""
    meta = json.loads((folder / "tracks.json").read_text())
    for name in ("split", "seed", "scenes", "secondsPerScene"):
        if meta[name] != split.meta[name]:
            raise ValueError(
                f"{folder}/tracks.json: {name} is {meta[name]!r}, that of the pictures {split.meta[name]!r}; record both alike."
            )

    def array(name: str, kind: str, *shape: int) -> np.ndarray:
        return np.fromfile(folder / meta["files"][name], np.dtype(kind)).reshape(shape)

    count, looks = meta["objects"], meta["looksPerClip"]
    box = array("box", "<u2", count, looks, 4).astype(np.float32) / 65535
    seen = array("seen", "u1", count)[:, None] >> np.arange(looks) & 1
    centre = box[..., :2] + box[..., 2:] / 2  # [R,L,2]
    moved = centre[:, :-1] - centre[:, -1:]
    moved[(seen[:, :-1] * seen[:, -1:]) == 0] = np.nan
    ids = array("id", "<i4", count)
    ends = array("objectsEnd", "<i4", meta["clips"])
    ends = ends[: len(split.clips)]  # of fewer scenes the first
    rows = [range(begin, end) for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
    return [{int(ids[row]): moved[row] for row in here} for here in rows]
