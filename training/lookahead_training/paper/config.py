"""The sizes that the paper names, and one that a CPU can hold: what each part is, and how it would be trained.

`lookahead_training/config.py` holds `yard` and `smoke`, which this repository trains. Those here take their weights from elsewhere.
"""

from dataclasses import asdict, dataclass

from ..config import Stage
from .sam import SamConfig, vit_b


@dataclass(frozen=True)
class VideoMaeConfig:
    """InternVideo-B/16 is a VideoMAE ViT-B/16: sixteen frames in tubelets of two, no CLS token, fixed positions."""

    image_size: int = 224
    frames: int = 16
    patch: int = 16
    tubelet: int = 2
    dim: int = 768
    depth: int = 12
    heads: int = 12
    hidden: int = 3072
    epsilon: float = (
        1e-12  # `transformers` says so; the first release had 1e-6, which nothing here can tell
    )

    @property
    def grid(self) -> int:
        """Rows, and columns, of patches."""
        return self.image_size // self.patch

    @property
    def slices(self) -> int:
        """Tubelets behind each other."""
        return self.frames // self.tubelet

    @property
    def tokens(self) -> int:
        return self.slices * self.grid**2


@dataclass(frozen=True)
class QFormerConfig:
    """32 x 768 x 8. «8 cross-attention layers» is read as eight blocks with one in each; BLIP-2 has one in every second."""

    queries: int = 32
    dim: int = 768
    blocks: int = 8
    heads: int = 12
    hidden: int = 3072
    cross_attention_every: int = 1
    epsilon: float = 1e-12


@dataclass(frozen=True)
class LlamaConfig:
    """The numbers of Llama-3-8B-Instruct."""

    vocabulary: int = 128256
    dim: int = 4096
    layers: int = 32
    heads: int = 32
    kv_heads: int = 8
    hidden: int = 14336
    rope_theta: float = 500000.0
    epsilon: float = 1e-5
    tied: bool = False
    end_of_text: int = 128009  # <|eot_id|>


def smollm2_135m() -> LlamaConfig:
    """SmolLM2-135M-Instruct, as its GGUF states it."""
    return LlamaConfig(
        vocabulary=49152,
        dim=576,
        layers=30,
        heads=9,
        kv_heads=3,
        hidden=1536,
        rope_theta=100000.0,
        epsilon=1e-5,
        tied=True,
        end_of_text=2,  # <|im_end|>
    )


@dataclass(frozen=True)
class Schedules:
    """The paper's optimiser: AdamW 0.9 / 0.98, weight decay 0.05; its two stages with their rates."""

    alignment: Stage
    instruction: Stage
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    final_rate_share: float = 0.0


@dataclass(frozen=True)
class SizeConfig:
    """All of one size. It has what `loop.train` reads of a config: seed, betas, weight_decay, clip_norm, final_rate_share."""

    name: str
    llama: LlamaConfig
    lora_rank: int
    lora_alpha: float
    schedules: Schedules
    # None: the yard's own backbone, segmenter and fusion core (lookahead_training/models) stand before the language model.
    video: VideoMaeConfig | None = None
    sam: SamConfig | None = None
    fusion: QFormerConfig | None = None
    seed: int = 1

    @property
    def betas(self) -> tuple[float, float]:
        return self.schedules.betas

    @property
    def weight_decay(self) -> float:
        return self.schedules.weight_decay

    @property
    def clip_norm(self) -> float:
        return self.schedules.clip_norm

    @property
    def final_rate_share(self) -> float:
        return self.schedules.final_rate_share

    def as_json(self) -> dict[str, object]:
        return asdict(self)


SIZES = {
    "paper": SizeConfig(
        name="paper",
        video=VideoMaeConfig(),
        sam=vit_b(),
        fusion=QFormerConfig(),
        llama=LlamaConfig(),
        lora_rank=64,
        lora_alpha=128.0,
        # The paper: 1e-4, then 2e-5, cosine after 2,000 steps of warm-up. It states neither steps nor batches; those are BLIP-2's.
        schedules=Schedules(
            alignment=Stage(steps=80_000, batch=128, learning_rate=1e-4, warm_up=2_000),
            instruction=Stage(steps=20_000, batch=64, learning_rate=2e-5, warm_up=2_000),
        ),
    ),
    "yard-smollm2": SizeConfig(
        name="yard-smollm2",
        llama=smollm2_135m(),
        lora_rank=16,  # of 576: the paper's 64 of 4096 would be 9
        lora_alpha=32.0,  # scale 2, as in the paper
        # A step is a second of a core and a half; an hour is what a try may cost. Rates as for `yard`: few steps need higher ones.
        schedules=Schedules(
            final_rate_share=0.02,
            alignment=Stage(steps=600, batch=8, learning_rate=1e-3, warm_up=60),
            instruction=Stage(steps=1_200, batch=8, learning_rate=2e-4, warm_up=100),
        ),
    ),
}
