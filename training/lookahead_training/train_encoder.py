"""The object encoder, from what it learned of the simulator's tracks to tracks and tokens as the engine's perception gives them.

Half of each batch are watched windows, half simulator windows with errors put in: of the first there are few, and they would be learned by
heart; the second keep what the world taught, and join its rules in more ways than the watched scenes do.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .config import Config, Stage
from .loop import train
from .models.fusion import ObjectEncoder
from .symbolic.config import PERCEIVED
from .symbolic.errors import draw_levels, same_levels
from .symbolic.features import hide_modules, make_batch
from .symbolic.score import score, scored, skill_of
from .symbolic.tracks import Tracks
from .symbolic.train import forecast_loss
from .watched import NO_ERRORS, pooled_of, watch

PIXELS_DROP = 0.15  # share of watched windows that go without pooled tokens
CONFUSED = 0.3  # share of watched windows in which one class is taken for another
PLACE_HIDDEN = 0.5  # share of simulator windows whose modules are not told


@dataclass(frozen=True)
class Worlds:
    """What the encoder learns from and is chosen by."""

    simulated: Tracks
    joined: Tracks | None  # simulator tracks of further joinings of the rules
    watched: Tracks
    validation: Tracks  # watched
    prior: dict[str, np.ndarray]


def watched_losses(
    encoder: ObjectEncoder, tracks: Tracks, picked: np.ndarray, generator: torch.Generator
) -> Tensor:
    levels = same_levels(len(picked), PERCEIVED)
    # A little more error than they have, in half of the windows.
    more = levels * 0.5 * (torch.rand(len(picked), 1, generator=generator) < 0.5)
    batch = make_batch(tracks, picked, more, generator, CONFUSED)
    batch.levels = levels
    batch.place = hide_modules(batch.place)
    pooled = pooled_of(tracks, batch)
    kept = (torch.rand(len(picked), 1, generator=generator) >= PIXELS_DROP).float()
    return forecast_loss(encoder(batch, pooled * kept[batch.window])[2], tracks.futures[picked])


def simulated_losses(
    encoder: ObjectEncoder, tracks: Tracks, picked: np.ndarray, generator: torch.Generator
) -> Tensor:
    levels = draw_levels(len(picked), generator)
    levels = levels * (torch.rand(len(picked), 1, generator=generator) < 1 / 2)
    batch = make_batch(tracks, picked, levels, generator)
    hidden = torch.rand(len(picked), 1, generator=generator) < PLACE_HIDDEN
    batch.place = torch.where(hidden, hide_modules(batch.place), batch.place)
    return forecast_loss(encoder(batch, pooled_of(tracks, batch))[2], tracks.futures[picked])


def outlooks(encoder: ObjectEncoder, tracks: Tracks, windows: np.ndarray) -> np.ndarray:
    """Chances by the objects alone, [W,K]; true tracks, which have no tokens, are said to have no errors."""
    errors = PERCEIVED if tracks.pooled.shape[1] else NO_ERRORS
    chances = watch(encoder, tracks, windows, errors).outlook.exp().numpy()
    encoder.train()
    return chances


def train_encoder(
    encoder: ObjectEncoder,
    worlds: Worlds,
    stage: Stage,
    config: Config,
    log: Path,
    checkpoint: Path | None = None,
) -> float:
    half = stage.batch // 2
    encoder.train()

    def losses(step: int) -> dict[str, Tensor]:
        random = np.random.default_rng([config.seed, 8, step])
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        watched = random.integers(len(worlds.watched), size=half)
        out = {"watched": watched_losses(encoder, worlds.watched, watched, generator)}
        sources = {"simulated": worlds.simulated, "joined": worlds.joined}
        there = {name: tracks for name, tracks in sources.items() if tracks is not None}
        for name, tracks in there.items():
            some = random.integers(len(tracks), size=half // len(there))
            out[name] = simulated_losses(encoder, tracks, some, generator) / len(there)
        return out

    def check() -> dict[str, float]:
        held = worlds.validation
        chances = outlooks(encoder, held, np.arange(len(held)))
        nats = -(held.futures * np.log(np.maximum(chances, 1e-9))).sum(1).mean()
        judged = scored(held)
        columns = score(held, judged, chances[judged], worlds.prior).columns
        return {"validation": float(nats), "skill": float(skill_of(columns.mean(0)))}

    kept = (checkpoint, encoder) if checkpoint else None
    return train("encoder", stage, config, encoder.parameters(), losses, log, check, kept)
