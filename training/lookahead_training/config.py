"""Every number that a run depends on, with its reason. `yard` is the shipped bundle; `smoke` shows in minutes that all of it works."""

from dataclasses import asdict, dataclass, field

from .models.backbone import BackboneShape
from .symbolic.config import CONFIGS as WORLDS
from .symbolic.config import Config as World


@dataclass(frozen=True)
class Stage:
    """One optimisation. Every stage decays to near zero: much of the late gain came from that."""

    steps: int
    batch: int
    learning_rate: float
    warm_up: int = 100


@dataclass(frozen=True)
class Config:
    name: str
    seed: int = 1

    # Optimiser, as in the paper but for the rates: AdamW 0.9 / 0.98, weight decay 0.05; norms, biases and queries do not decay.
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    final_rate_share: float = 0.02

    # Chosen by small runs: results/perception-curves.json.
    backbone: BackboneShape = field(default_factory=BackboneShape)
    # Backbone. 1e-3 is high, but the net is small; eight pairs of clips hold 3,840 supervised cells.
    perception: Stage = Stage(steps=17500, batch=8, learning_rate=1.0e-3, warm_up=300)
    # Segmenter: twelve points a picture, half of them on or near things.
    segmenter: Stage = Stage(steps=13500, batch=8, learning_rate=1.5e-3, warm_up=300)
    segmenter_points: int = 12
    # Object head on pooled tokens, events on cached tokens: minutes.
    object_head: Stage = Stage(steps=8000, batch=256, learning_rate=1.0e-3)
    event_head: Stage = Stage(steps=4000, batch=32, learning_rate=5.0e-4)
    # The world, from simulator tracks: symbolic/config.py.
    world: World = WORLDS["full"]
    # Object encoder, from simulator tracks to watched ones: eight rounds over 33,000 windows.
    encoder: Stage = Stage(steps=1800, batch=256, learning_rate=4.0e-4, warm_up=50)
    # Language model alone, on the yard's sentences.
    language: Stage = Stage(steps=900, batch=32, learning_rate=1.5e-3)
    vocabulary: int = 768
    text_tokens_max: int = 96  # what is longer costs a whole batch its padding
    # Stage 1, alignment: all but the queries is frozen.
    alignment: Stage = Stage(steps=200, batch=32, learning_rate=2.0e-3)
    # Stage 2, instruction: queries and LoRA.
    instruction: Stage = Stage(steps=1200, batch=48, learning_rate=2.0e-3)
    simulated_windows: int = 20_000  # are read once by the object encoder and kept
    simulated_share: float = (
        0.33  # of a batch: simulator windows, which keep the reasoner good on true tracks
    )
    lora_rank: int = (
        16  # of 192: the paper's 64 of 4096 would be 3; a small model needs a larger share
    )
    lora_alpha: float = 32.0  # scale 2, as in the paper

    # Automatic masks take a fortieth of a second a picture; so many training scenes have them, the others true masks.
    automatic_scenes: int = 300
    # The engine's masks miss more things and have rougher edges elsewhere than on training scenes.
    object_drop: float = 0.10

    threads: int = (
        1  # two single-thread processes use two cores better than one process with two threads
    )

    def as_json(self) -> dict[str, object]:
        return asdict(self)


SMOKE_STAGE = Stage(steps=25, batch=8, learning_rate=1.0e-3, warm_up=5)

CONFIGS = {
    "yard": Config(name="yard"),
    "smoke": Config(
        name="smoke",
        world=WORLDS["smoke"],
        simulated_windows=200,
        perception=SMOKE_STAGE,
        segmenter=Stage(steps=150, batch=8, learning_rate=1.5e-3, warm_up=10),
        object_head=SMOKE_STAGE,
        event_head=SMOKE_STAGE,
        language=Stage(steps=60, batch=16, learning_rate=2.0e-3, warm_up=5),
        encoder=Stage(steps=15, batch=32, learning_rate=4.0e-4, warm_up=5),
        alignment=Stage(steps=15, batch=8, learning_rate=1.0e-3, warm_up=5),
        instruction=Stage(steps=25, batch=8, learning_rate=1.0e-3, warm_up=5),
    ),
}

VERSION = "4.1.0"  # of the yard bundle that this code trains

# Geometry of the yard bundle (docs/bundle.md).
DIM, LANGUAGE_DIM, QUERIES = 128, 192, 32
FRAMES, HEIGHT, WIDTH = 8, 96, 160
LETTERBOX_TOP, PICTURE_HEIGHT = 3, 90
ROWS, COLUMNS, MASK_ROWS, MASK_COLUMNS = 12, 20, 48, 80
CLIPS_PER_WINDOW, OBJECTS_MAX = 8, 16
ATTRIBUTES = ["x", "y", "width", "height", "vx", "vy", "age"]
AGE_MAX = 8.0
LOOK_FRAMES = [
    1,
    3,
    5,
    7,
]  # frames of a clip at which a thing's place is told; the last is the key frame
TRACK_ATTRIBUTES = [*ATTRIBUTES, "unseen"]  # clips since it was last seen / 2
TRACKS_MAX = 32
LOOKS_BEFORE = len(LOOK_FRAMES) - 1
CLIP_S = 1.0
HORIZON_S = 4.0
PROMPTS = {
    "forecast": "Next:",
    "justify": ",",
    "describe": "Scene:",
    "events": "Seen:",
    "cause": "Why",
    "ask": "Q:",
    "answer": "A:",
    "verbal": "predict the three most likely subsequent events , for each a brief justification and a confidence score from 0 to 1 .",
}
END_OF_TEXT = "<eot>"
