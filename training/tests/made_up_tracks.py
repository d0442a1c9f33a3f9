"""Track files of a made-up yard, as the yard writes them, or perception."""

import json
from pathlib import Path

import numpy as np

LABELS = ["nothing", "van enters", "van stops at gate", "van leaves"]
CLASSES = ["background", "van", "person", "stack", "gate", "door", "dock", "light"]
CLASSES += ["car", "child", "dog", "bicycle", "forklift"]
ATTRIBUTES = ["known", "parcelVan", "flashing", "braking", "open", "red", "pallets", "lean"]
ATTRIBUTES += ["fallen", "owner", "driver", "special", "facing"]


def write_split(
    folder: Path,
    scenes: int,
    seed: int,
    bayes: bool,
    mirror: bool = False,
    clips: int = 12,
    vision_dim: int = 0,
) -> Path:
    """@param vision_dim: of the tokens that perception adds; 0: true tracks

    Each scene: a gate, a door, and for two thirds of them a van that moves or stands."""
    random = np.random.default_rng(seed)
    arrays: dict[str, list] = {name: [] for name in ("scene", "ends", "futures", "bayes")}
    arrays |= {name: [] for name in ("class", "id", "seen", "box", "shown", "template", "rain")}
    arrays |= {name: [] for name in ("global", "pooled")}
    objects = 0

    def put(kind: str, track: int, lefts: np.ndarray, y: float, width: float, **shown: float):
        boxes = np.stack([lefts, lefts * 0 + y, lefts * 0 + width, lefts * 0 + 0.2], 1)
        if mirror:
            boxes[:, 0] = 1 - boxes[:, 0] - boxes[:, 2]
            shown = shown | {"facing": -shown.get("facing", 0)}
        arrays["class"].append(CLASSES.index(kind))
        arrays["id"].append(track)
        arrays["pooled"].append(np.sin(np.arange(vision_dim) * (CLASSES.index(kind) + 1)))
        arrays["seen"].append(15)
        arrays["box"].append(np.round(boxes * 65535).astype("<u2"))
        arrays["shown"].append([[100 * shown.get(name, 0) for name in ATTRIBUTES]] * 4)

    for scene in range(scenes):
        what = scene % 3  # no van, one that moves, one that stands
        start = random.uniform(0.05, 0.2)
        for clip in range(clips):
            still = np.zeros(4)
            put("gate", 1, still + 0.7, 0.2, 0.2)
            put("door", 2, still + 0.3, 0.2, 0.08)
            if what:
                at = (clip * 4 + np.arange(4)) * 0.01 if what == 1 else still
                put("van", 7, start + at, 0.5, 0.2, facing=1)
            objects += 3 if what else 2
            arrays["scene"].append(scene)
            arrays["global"].append(np.cos(np.arange(vision_dim) * (clip + 1)))
            arrays["ends"].append(objects)
            arrays["template"].append(scene % 2)
            arrays["rain"].append(scene % 3 == 0)
            chances = np.zeros(4)
            chances[[0, 2, 3][what]] = 0.75
            chances[1] = 0.25
            arrays["futures"].append(chances * 8)
            arrays["bayes"].append(chances if bayes and clip % 2 else chances * np.nan)

    folder.mkdir(parents=True)
    files = {}
    tokens = [("global", "global", "<f4"), ("pooled", "pooled", "<f4")] if vision_dim else []
    for name, key, kind in [
        *tokens,
        ("scene", "scene", "<i4"),
        ("template", "template", "u1"),
        ("rain", "rain", "u1"),
        ("objectsEnd", "ends", "<i4"),
        ("futures", "futures", "u1"),
        ("bayes", "bayes", "<f4"),
        ("class", "class", "u1"),
        ("id", "id", "<i4"),
        ("seen", "seen", "u1"),
        ("box", "box", "<u2"),
        ("attributes", "shown", "i1"),
    ]:
        files[name] = f"{name}.bin"
        np.array(arrays[key]).astype(kind).tofile(folder / files[name])
    meta = {"schema": "lookahead.yard.tracks.v1", "looksPerClip": 4, "futures": 8}
    meta |= {"bayesFutures": 16 if bayes else 0, "clips": scenes * clips, "objects": objects}
    meta |= {"templates": ["gate+light", "gate+lawn"], "files": files, "classes": CLASSES}
    meta["modules"] = ["gate", "light", "lawn"]
    if vision_dim:
        meta["visionDim"] = vision_dim
    meta |= {"labels": [{"text": text} for text in LABELS], "attributes": ATTRIBUTES}
    (folder / "tracks.json").write_text(json.dumps(meta))
    return folder
