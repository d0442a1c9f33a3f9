"""Every number that a symbolic run depends on, with its reason."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Errors:
    """What perception does to true tracks. Offsets and jitter are standard deviations in pixels of the 320-pixel-wide picture."""

    offset_px: float = 0.0  # the same at all looks of a track: its position is wrong
    jitter_px: float = 0.0  # drawn anew at each look: its velocity is wrong as well
    miss: float = 0.0  # chance that a thing is not found in a clip
    flip: float = 0.0  # chance that an attribute is read wrongly in a clip

    def as_list(self) -> list[float]:
        return [self.offset_px, self.jitter_px, self.miss, self.flip]


# About what our own perception does: where its forecaster begins to learn.
PERCEIVED = Errors(offset_px=2.0, jitter_px=1.0, miss=0.05, flip=0.02)
# The worst errors that a model is adapted to; the curve is measured at these and below.
ERRORS_MAX = Errors(offset_px=8.0, jitter_px=8.0, miss=0.2, flip=0.1)


@dataclass(frozen=True)
class Config:
    name: str
    seed: int = 1

    # How much of the past is known. No rule looks back farther than 7 s, so 8 clips hold all.
    clips: int = 8

    # About ten tokens a window, so a layer costs little; four are enough for «who is nearest to whom» and what follows from it.
    dim: int = 128
    hidden: int = 256  # of the first layer, which meets some 700 features of a track
    heads: int = 4
    layers: int = 4
    widen: int = 3
    # Two tokens of no thing: for what comes from outside the picture.
    free_tokens: int = 2
    # A quarter of a second each: as exact as the looks.
    time_bins: int = 16

    # AdamW 0.9 / 0.98, decay 0.05 for matrices, as in the other stages; rate to near zero at the end, where much of the gain comes.
    steps: int = 5000
    batch: int = 256
    learning_rate: float = 2.0e-3
    warm_up: int = 300
    final_rate_share: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.05
    clip_norm: float = 1.0

    check_every: int = 500  # steps between two looks at the validation scenes
    save_every: int = 250  # steps that a stopped run loses at most
    # Adaptation to a perception's errors, from the trained weights: short, at a lower rate.
    adapt_steps: int = 1200
    adapt_rate: float = 7.0e-4

    # Adaptation to the tracks of our own perception, of which there are few: from the weights that know made-up errors.
    perceived_steps: int = 900  # seven rounds over 33,000 windows; more are learned by heart
    perceived_rate: float = 4.0e-4

    # The same model with less of the past, each trained equally long.
    memory_clips: tuple[int, ...] = (8, 4, 2)
    memory_steps: int = 1500

    threads: int = 1

    def as_json(self) -> dict[str, object]:
        return asdict(self)


CONFIGS = {
    # Seconds: shows that all of it works.
    "smoke": Config(
        name="smoke",
        dim=32,
        hidden=64,
        layers=1,
        batch=32,
        steps=60,
        warm_up=5,
        check_every=30,
        save_every=30,
        adapt_steps=20,
        memory_steps=20,
        perceived_steps=20,
    ),
    "full": Config(name="full"),
}
