"""VideoMAE (arXiv 2203.12602), which InternVideo-B/16 is: tubelets of a clip as tokens, one transformer over all of them.

The embedding of tubelets is written as reshape and Linear: it equals the released Conv3d, and CPUs multiply matrices faster. Names of
parameters are those of the first release (`blocks.0.attn.qkv.weight`, `q_bias`, `v_bias`); `weights_of` also reads those of `transformers`.
"""

import re
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from .config import VideoMaeConfig

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


def sinusoids(positions: int, dim: int) -> Tensor:
    """Fixed sine and cosine positions, [1,positions,dim]: even channels sine, odd ones cosine."""
    channel = np.arange(dim)
    angle = np.arange(positions)[:, None] / 10000.0 ** (2 * (channel // 2) / dim)
    return torch.from_numpy(np.where(channel % 2 == 0, np.sin(angle), np.cos(angle))).float()[None]


class Attention(nn.Module):
    """Self-attention whose keys have no bias."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """[B,N,D] -> [B,N,D]"""
        batch, tokens, dim = x.shape
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = linear(x, self.qkv.weight, bias).reshape(batch, tokens, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each [B,h,N,d]
        weights = (q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(batch, tokens, dim))


class Mlp(nn.Module):
    def __init__(self, dim: int, hidden: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, config: VideoMaeConfig):
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=config.epsilon)
        self.attn = Attention(config.dim, config.heads)
        self.norm2 = nn.LayerNorm(config.dim, eps=config.epsilon)
        self.mlp = Mlp(config.dim, config.hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class TubeletEmbed(nn.Module):
    def __init__(self, config: VideoMaeConfig):
        super().__init__()
        self.config = config
        self.proj = nn.Linear(config.tubelet * config.patch**2 * 3, config.dim)

    def forward(self, clip: Tensor) -> Tensor:
        """[B,F,H,W,3] -> [B,N,D], a slice of time after the other, each row by row."""
        c = self.config
        x = clip.reshape(-1, c.slices, c.tubelet, c.grid, c.patch, c.grid, c.patch, 3)
        x = x.permute(0, 1, 3, 5, 2, 4, 6, 7)  # [B,slice,row,column, frame,y,x,colour]
        return self.proj(x.reshape(-1, c.tokens, c.tubelet * c.patch**2 * 3))


class VideoMae(nn.Module):
    def __init__(self, config: VideoMaeConfig, pooled: bool = False):
        """@param pooled: as fine-tuned for classes, the norm comes after the mean over tokens (`fc_norm`), not before it (`norm`)"""
        super().__init__()
        self.config, self.pooled = config, pooled
        self.patch_embed = TubeletEmbed(config)
        self.register_buffer("pos_embed", sinusoids(config.tokens, config.dim), persistent=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        norm = nn.LayerNorm(config.dim, eps=config.epsilon)
        if pooled:
            self.fc_norm = norm
        else:
            self.norm = norm

    def forward(self, clip: Tensor) -> Tensor:
        """Normalised clip [B,F,H,W,3] -> tokens [B,N,D], before the norm where that comes after the mean."""
        x = self.patch_embed(clip) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return x if self.pooled else self.norm(x)


class PaperBackbone(nn.Module):
    """The bundle's `backbone.onnx` (eq. 1). VideoMAE has no CLS token: the mean of all tokens is Z_global, as its own classifiers have it.

    Patch embeddings are those of the clip's last tubelet, in which the key frame lies.
    """

    def __init__(self, video: VideoMae):
        super().__init__()
        self.video = video
        self.register_buffer("mean", 255.0 * torch.tensor(MEAN), persistent=False)
        self.register_buffer("deviation", 255.0 * torch.tensor(DEVIATION), persistent=False)

    def forward(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """clip uint8 [B,16,224,224,3] -> cls [B,D], patches [B,196,D] row by row"""
        tokens = self.video((clip.float() - self.mean) / self.deviation)
        last = tokens[:, -(self.video.config.grid**2) :]
        if self.video.pooled:
            return self.video.fc_norm(tokens.mean(1)), self.video.fc_norm(last)
        return tokens.mean(1), last


# What a checkpoint holds beside the encoder: a classifier, a decoder for pre-training, a table that is always the same.
ELSE = re.compile(
    r"(decoder|encoder_to_decoder|mask_token|head|classifier|pos_embed|embeddings\.position_embeddings)"
)
OF_TRANSFORMERS = [
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^encoder\.layer\.", "blocks."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"^layernorm\.", "norm."),
]


def weights_of(checkpoint: Mapping) -> dict[str, Tensor]:
    """A released checkpoint's encoder by our own names.

    Read are the first release's style (InternVideo's too), pre-trained (`encoder.blocks.0…`) or fine-tuned (`blocks.0…`), bare or under
    `model`, `module` or `state_dict`, and that of `transformers`. Raises ValueError where it is none of them.
    """
    for wrapper in ("model", "module", "state_dict"):
        inner = checkpoint.get(wrapper)
        if isinstance(inner, Mapping):
            return weights_of(inner)
    found: dict[str, Tensor] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in checkpoint.items():
        short = re.sub(r"^(module\.|backbone\.|model\.|videomae\.)+", "", name)
        if ELSE.match(short):
            continue
        match = re.match(r"^encoder\.layer\.(\d+)\.attention\.attention\.(.+)$", short)
        if match:
            parts.setdefault(match[1], {})[match[2]] = value
            continue
        if not short.startswith("encoder.layer."):
            short = short.removeprefix("encoder.")
        for pattern, ours in OF_TRANSFORMERS:
            short = re.sub(pattern, ours, short)
        found[short] = value
    for layer, part in parts.items():
        at = f"blocks.{layer}.attn."
        packed = [part[f"{name}.weight"] for name in ("query", "key", "value")]
        found[at + "qkv.weight"] = torch.cat(packed)
        # Older files name the two biases apart.
        found[at + "q_bias"] = part["query.bias"] if "query.bias" in part else part["q_bias"]
        found[at + "v_bias"] = part["value.bias"] if "value.bias" in part else part["v_bias"]
    tubelets = found.get("patch_embed.proj.weight")
    if tubelets is None or "blocks.0.attn.qkv.weight" not in found:
        raise ValueError(
            "The checkpoint is no VideoMAE: it lacks patch_embed.proj.weight or blocks.0.attn.qkv.weight; its first names are "
            + ", ".join(list(checkpoint)[:3])
        )
    if tubelets.dim() == 5:  # [D,3,t,y,x] -> [D,t*y*x*3]
        found["patch_embed.proj.weight"] = tubelets.permute(0, 2, 3, 4, 1).flatten(1)
    return found


def new_videomae(checkpoint: Mapping, config: VideoMaeConfig) -> VideoMae:
    """The network with a checkpoint's weights; a name that is missing or too many, or another shape, is an error."""
    weights = weights_of(checkpoint)
    video = VideoMae(config, pooled="fc_norm.weight" in weights)
    video.load_state_dict({name: value.float() for name, value in weights.items()})
    return video.eval()
