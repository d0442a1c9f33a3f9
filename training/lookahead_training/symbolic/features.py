"""From looks at things to numbers that a network can use. All of it follows from what is seen; nothing of the world is known here."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .errors import confuse, disturb
from .tracks import Tracks

# Things that never move; the places of all others are also told relative to them.
FIXED = ("gate", "door", "dock", "light", "stack")
# Attributes that change as one looks; the others are painted on.
CHANGING = ("flashing", "braking", "open", "red", "pallets", "lean", "fallen", "facing")
# Who matters to whom: of each kind the nearest that is there now; of some, the nearest to the right and to the left.
OTHERS = (("car", "van"), ("person",), ("child",), ("dog",), ("ball",), ("bicycle",), ("forklift",))
ON_BOTH_SIDES = 2
STANDS = 0.0025  # shares of the picture's width a look; whoever walks moves 0.012 and more
UNTOLD = 0.5  # a module that may be at work or not
REL_SCALE, SPEED_SCALE = 4.0, 20.0  # so that a walk and a drive are of size 1


@dataclass
class Batch:
    """B windows with M tracks in all; tracks of one window stand together."""

    window: Tensor  # [M]
    kind: Tensor  # [M]
    features: Tensor  # [M,F]
    place: Tensor  # [B,7] what the whole picture shows: Tracks.place
    levels: Tensor  # [B,4] the errors that were put in, as Errors.as_list
    windows: int
    row: Tensor | None = None  # [M] where each track was last seen, among all objects


def hide_modules(place: Tensor) -> Tensor:
    """Which modules are at work must be seen from the tracks; only the rain is told.

    What perception says of the modules knows the eight joinings of training by heart, and is wrong where they are joined anew.
    """
    return torch.cat([torch.full_like(place[:, :-1], UNTOLD), place[:, -1:]], 1)


def waves(value: Tensor, octaves: range) -> Tensor:
    """Sines and cosines of growing frequency, so that small differences become visible."""
    angles = torch.cat([value * (math.pi * 2**octave) for octave in octaves], -1)
    return torch.cat([angles.sin(), angles.cos()], -1)


def take_look(values: Tensor, look: Tensor) -> Tensor:
    """[M,T,...] at each track's own look [M] -> [M,...]"""
    return values[torch.arange(values.shape[0]), look]


def step_of(values: Tensor) -> Tensor:
    """[M,T,...] -> what changed from look to look, [M,T-1,...]; ONNX knows no diff."""
    return values[:, 1:] - values[:, :-1]


def newest_of(chosen: Tensor, window: Tensor, windows: int) -> Tensor:
    """The last track of each window that is among the chosen ones, [B]; -1 where there is none."""
    at = torch.where(chosen, torch.arange(chosen.shape[0]), -1)
    if (
        torch.jit.is_tracing()
    ):  # a single window, as exported; ONNX reduces no scatters before opset 18
        return at.amax(0, keepdim=True)
    return torch.full((windows,), -1).scatter_reduce(0, window, at, "amax")


def count_in(window: Tensor, windows: int) -> Tensor:
    """How many tracks each window has, [B]; ONNX knows no bincount."""
    if torch.jit.is_tracing():
        return (window[:, None] == torch.arange(windows)).sum(0)
    return torch.bincount(window, minlength=windows)


def make_batch(
    tracks: Tracks,
    picked: np.ndarray,
    levels: Tensor | None = None,
    generator: torch.Generator | None = None,
    confused: float = 0.0,
) -> Batch:
    """@param levels: [B,4] errors of each window; none by default @param confused: share of windows in which one class is taken for another"""
    lengths = tracks.starts[picked + 1] - tracks.starts[picked]
    window = np.repeat(np.arange(len(picked)), lengths)  # [M]
    first = np.repeat(tracks.starts[picked] - np.cumsum(lengths) + lengths, lengths)
    rows = tracks.rows[first + np.arange(len(window))]  # [M,C]
    there = rows >= 0
    looks = tracks.looks_per_clip
    m, t = len(rows), rows.shape[1] * looks
    bits = tracks.seen[rows][..., None] >> np.arange(looks) & there[..., None]
    seen = torch.from_numpy(bits.reshape(m, t).astype(bool))  # [M,T]
    box = torch.from_numpy(tracks.box[rows].reshape(m, t, 4).astype(np.float32) / 65535)
    shown = torch.from_numpy(
        tracks.shown[rows].reshape(m, t, tracks.shown.shape[-1]).astype(np.float32) / 100
    )
    row = torch.from_numpy(rows.max(1).astype(np.int64))  # [M]
    kind = torch.from_numpy(tracks.kind[rows.max(1)].astype(np.int64))  # [M]
    window = torch.from_numpy(window)
    if levels is None:
        levels = torch.zeros(len(picked), 4)
    else:
        box, seen, shown = disturb(tracks, kind, box, seen, shown, levels[window], generator)
        kept = seen.any(1)
        some = window, kind, box, seen, shown, row
        window, kind, box, seen, shown, row = (x[kept] for x in some)
    if confused:
        kind = confuse(tracks, kind, window, len(picked), confused, generator)
    features = describe(tracks, len(picked), window, kind, box, seen, shown)
    place = torch.from_numpy(tracks.place[picked])
    return Batch(window, kind, features, place, levels, len(picked), row)


def describe(
    tracks: Tracks,
    windows: int,
    window: Tensor,
    kind: Tensor,
    box: Tensor,
    seen: Tensor,
    shown: Tensor,
) -> Tensor:
    """-> [M,F]"""
    m, t = seen.shape
    attribute = {name: i for i, name in enumerate(tracks.attributes)}
    index = torch.arange(t)
    there = seen.unsqueeze(-1).float()  # [M,T,1]
    last = torch.where(seen, index, -1).amax(1)  # [M] the last look at which it was seen
    first = torch.where(seen, index, t).amin(1)  # [M]

    # Fixed things, where they were last seen: [B,5,4], and whether they were.
    last_box = take_look(box, last)  # [M,4]
    which = [newest_of(kind == tracks.classes.index(name), window, windows) for name in FIXED]
    which = torch.stack(which, 1)  # [B,5]
    known = (which >= 0).float()
    nowhere = torch.zeros(1, 4)  # the row that -1 names
    fixed = torch.cat([last_box, nowhere])[which]

    # The rules do not tell left from right, so every picture is turned until the door stands in its left half; vehicles then
    # drive to the right.
    door = FIXED.index("door")
    mirror = (fixed[:, door, 0] + fixed[:, door, 2] / 2 > 0.5) & (known[:, door] == 1)  # [B]
    turned = torch.where(mirror[:, None], 1 - fixed[..., 0] - fixed[..., 2], fixed[..., 0])
    fixed = torch.cat([turned.unsqueeze(-1), fixed[..., 1:]], -1) * known.unsqueeze(-1)
    mirrored = mirror[window]
    left = torch.where(mirrored[:, None], 1 - box[..., 0] - box[..., 2], box[..., 0])  # [M,T]
    facing = shown[..., attribute["facing"]]
    shown = shown.clone()
    shown[..., attribute["facing"]] = torch.where(mirrored[:, None], -facing, facing)

    # Edges of the box, and how they moved.
    edges = torch.stack(
        [left, left + box[..., 2], box[..., 1] + box[..., 3], box[..., 1]], -1
    )  # [M,T,4] left, right, bottom, top
    now = take_look(edges, last)  # [M,4]
    relative = (edges - now.unsqueeze(1)) * there * REL_SCALE  # [M,T,4]
    x_now = (now[:, 0] + now[:, 1]) / 2
    speeds, speed_x = [], torch.zeros(m)
    for looks in (1, 2, 4, 8):
        before = (last - looks).clamp(min=0)
        both = (take_look(seen, before) & (last >= looks)).float()
        speed = (now - take_look(edges, before)) / looks * both.unsqueeze(-1)  # [M,4]
        speeds += [speed * SPEED_SCALE, both.unsqueeze(-1)]
        if looks == 2:
            speed_x = (speed[:, 0] + speed[:, 1]) / 2

    # Seconds until it meets each fixed thing and each edge, if it goes on like this.
    fixed_x = (fixed[..., 0] + fixed[..., 2] / 2)[window]  # [M,5]
    ahead = torch.cat([fixed_x - x_now[:, None], -now[:, 1:2], 1 - now[:, 0:1]], 1)  # [M,7]
    moves = speed_x.abs() > STANDS / 2
    per_second = torch.where(moves, speed_x, torch.ones(())) * tracks.looks_per_clip
    meets = (ahead / per_second[:, None]).clamp(-3, 6) / 4 * moves[:, None].float()  # [M,7]
    apart = (fixed_x - x_now[:, None]) * known[window]  # [M,5]

    # Seconds since something changed; as long as the window where nothing did.
    centre = (edges[..., 0] + edges[..., 1]) / 2  # [M,T]
    moved = torch.zeros(m, t, dtype=torch.bool)
    step = step_of(torch.stack([centre, edges[..., 2]], -1)).abs().amax(-1) > STANDS
    pairs = seen[:, 1:] & seen[:, :-1]
    moved[:, 1:] = step & pairs
    stood = torch.zeros_like(moved)
    stood[:, 1:] = ~step & pairs
    happened = [moved, stood, seen]
    for name in CHANGING:
        change = step_of(shown[..., attribute[name]])
        for sign in (1, -1):
            at = torch.zeros_like(moved)
            at[:, 1:] = (change * sign > 0.05) & pairs
            happened.append(at)
    latest = torch.stack([torch.where(at, index, -1).amax(1) for at in happened], 1)  # [M,19]
    latest = torch.cat([latest, first.unsqueeze(1)], 1)
    since = (t - 1 - latest) / tracks.looks_per_clip  # [M,20] seconds
    never = (latest < 0).float()

    changing = shown[..., [attribute[name] for name in CHANGING]] * there  # [M,T,8]
    mean = (shown * there).sum(1) / there.sum(1).clamp(min=1)  # [M,A]
    geometry = torch.cat([fixed.flatten(1), known], 1)[window]  # [M,25]
    is_now = last >= t - tracks.looks_per_clip
    speed_y = speeds[2][:, 2] / SPEED_SCALE  # over two looks
    moving = torch.stack([x_now, now[:, 2], speed_x, speed_y], 1)  # [M,4]
    others = relations(tracks, windows, window, kind, moving, is_now)
    return torch.cat(
        [
            relative.flatten(1),
            seen.float(),
            changing.flatten(1),
            mean,
            take_look(shown, last),
            now,
            waves(torch.cat([now[:, :2], x_now[:, None]], 1), range(6)),
            waves(now[:, 2:], range(1, 4)),
            *speeds,
            apart,
            waves(apart, range(5)),
            meets,
            waves(meets, range(3)),
            since / 8,
            never,
            waves(since / 8, range(4)),
            geometry,
            others,
        ],
        1,
    )


def relations(
    tracks: Tracks, windows: int, window: Tensor, kind: Tensor, moving: Tensor, is_now: Tensor
) -> Tensor:
    """Where the nearest others are and when they will be met. moving [M,4]: x, bottom and their change in a look -> [M,F']"""
    # One place more than the fullest window needs: a minimum over no place at all is an error.
    counts, tracked = count_in(window, windows), kind.shape[0]
    begins = (counts.cumsum(0) - counts)[window]  # [M]
    column = torch.arange((tracked if windows == 1 else int(counts.max())) + 1)
    other = (begins[:, None] + column).clamp(max=tracked - 1)  # [M,S]
    itself = torch.arange(tracked)[:, None] == other
    usable = (column < counts[window][:, None]) & ~itself & is_now[other]
    away = moving[other, 0] - moving[:, :1]  # [M,S] in x
    far = torch.tensor(9.0)
    nearest, there = [], []
    for i, names in enumerate(OTHERS):
        kinds = torch.tensor([name in names for name in tracks.classes])
        may = usable & kinds[kind][other]
        sides = [away >= 0, away < 0] if i < ON_BOTH_SIDES else [torch.ones_like(may)]
        for side in sides:
            distance, at = torch.where(may & side, away.abs(), far).min(1)
            there.append(distance < far)
            nearest.append(other.gather(1, at[:, None])[:, 0])
    found = torch.stack(there, 1).float()  # [M,9]
    theirs = moving[torch.stack(nearest, 1)]  # [M,9,4]
    apart = (theirs - moving[:, None]) * found.unsqueeze(-1)  # [M,9,4]
    closing = -apart[..., 2] * tracks.looks_per_clip  # shares of the picture a second
    met = (apart[..., 0] / torch.where(closing.abs() > 0.01, closing, far)).clamp(-3, 6) / 4
    return torch.cat(
        [
            found,
            apart[..., :2].flatten(1),
            waves(apart[..., 0], range(1, 5)),
            waves(apart[..., 1], range(2, 5)),
            (apart[..., 2:] * SPEED_SCALE).flatten(1),
            (theirs[..., 2:] * found.unsqueeze(-1) * SPEED_SCALE).flatten(1),
            met,
        ],
        1,
    )
