"""What an imperfect perception would hand in instead of the truth."""

import torch
from torch import Tensor

from .config import ERRORS_MAX, Errors
from .tracks import Tracks

PICTURE_PX = (320.0, 180.0)
# Where a fixed thing stands can be averaged over as many clips as one likes, so its position has no error.
STANDING = ("gate", "door", "dock", "light", "stack")
# What can be read wrongly of whom.
ATTRIBUTES_OF = {
    "van": ("known", "parcelVan", "flashing", "braking", "facing"),
    "car": ("braking", "facing"),
    "person": ("owner", "driver", "facing"),
    "child": ("facing",),
    "dog": ("facing",),
    "bicycle": ("fallen", "facing"),
    "forklift": ("facing",),
    "stack": ("pallets", "lean", "fallen"),
    "gate": ("open",),
    "door": ("open",),
    "dock": ("open",),
    "light": ("red",),
}


def draw_levels(windows: int, generator: torch.Generator) -> Tensor:
    """Errors for training, [B,4]: each kind absent in a third of the windows, else of any size up to the worst."""
    share = torch.rand(windows, 4, generator=generator)
    there = torch.rand(windows, 4, generator=generator) > 1 / 3
    # Small errors are more frequent than large ones: there the curve is steep.
    return share.square() * there * torch.tensor(ERRORS_MAX.as_list())


def same_levels(windows: int, errors: Errors) -> Tensor:
    return torch.tensor(errors.as_list()).expand(windows, 4)


def disturb(
    tracks: Tracks,
    kind: Tensor,
    box: Tensor,
    seen: Tensor,
    shown: Tensor,
    levels: Tensor,
    generator: torch.Generator | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """@param levels: [M,4], those of each track's window. @returns box [M,T,4], seen [M,T], shown [M,T,A]"""
    m, t = seen.shape
    looks = tracks.looks_per_clip
    offset, jitter, miss, flip = levels.unsqueeze(-1).unbind(1)  # [M,1] each
    standing = torch.tensor([name in STANDING for name in tracks.classes])[kind]
    pixels = torch.tensor(PICTURE_PX)

    shift = torch.randn(m, 1, 2, generator=generator) * offset.unsqueeze(-1)
    shift = shift + torch.randn(m, t, 2, generator=generator) * jitter.unsqueeze(-1)
    shift = shift / pixels * (~standing).float()[:, None, None]
    box = torch.cat([box[..., :2] + shift, box[..., 2:]], -1)

    missed = torch.rand(m, t // looks, generator=generator) < miss
    seen = seen & ~missed.repeat_interleave(looks, 1)

    can = torch.zeros(len(tracks.classes), len(tracks.attributes), dtype=torch.bool)
    for name, attributes in ATTRIBUTES_OF.items():
        for attribute in attributes:
            can[tracks.classes.index(name), tracks.attributes.index(attribute)] = True
    draws = torch.rand(m, t // looks, len(tracks.attributes), generator=generator)
    wrong = (draws < flip.unsqueeze(-1)) & can[kind].unsqueeze(1)
    wrong = wrong.repeat_interleave(looks, 1)  # [M,T,A]
    other = 1 - shown
    facing = tracks.attributes.index("facing")
    other[..., facing] = -shown[..., facing]
    return box, seen, torch.where(wrong, other, shown)


# What is taken for what under another sun and in other colours: all of a window, since neither changes while one looks.
ALIKE = (
    *(("gate", "dock"), ("dock", "gate"), ("van", "car"), ("car", "van"), ("person", "child")),
    *(("child", "person"), ("forklift", "car"), ("bicycle", "person"), ("stack", "pallet")),
)


def confuse(
    tracks: Tracks,
    kind: Tensor,
    window: Tensor,
    windows: int,
    share: float,
    generator: torch.Generator | None,
) -> Tensor:
    """In a share of the windows each thing of one class is taken for one of another with even chances. kind, window [M] -> [M]"""
    pairs = [
        (tracks.classes.index(a), tracks.classes.index(b))
        for a, b in ALIKE
        if a in tracks.classes and b in tracks.classes
    ]
    pair = torch.tensor(pairs)[torch.randint(len(pairs), (windows,), generator=generator)]
    struck = torch.rand(windows, generator=generator) < share
    struck = struck[window] & (torch.rand(len(kind), generator=generator) < 0.5)
    return torch.where(struck & (kind == pair[window, 0]), pair[window, 1], kind)
