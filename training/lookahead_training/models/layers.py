"""What the networks share: attention written out, so that every export is plain MatMul and Softmax."""

import math

from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention. `query` [B,Q,width], `context` [B,S,context_width] -> [B,Q,width].

    `inner` (all heads together) may be narrower than the width, as in SAM's decoder.
    """

    def __init__(
        self, width: int, heads: int, context_width: int | None = None, inner: int | None = None
    ):
        super().__init__()
        self.heads, inner = heads, inner or width
        self.q = nn.Linear(width, inner)
        self.k = nn.Linear(context_width or width, inner)
        self.v = nn.Linear(context_width or width, inner)
        self.out = nn.Linear(inner, width)

    def split(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)  # [B,h,S,d]

    def forward(self, query: Tensor, context: Tensor, bias: Tensor | None = None) -> Tensor:
        q, k, v = (
            self.split(self.q(query)),
            self.split(self.k(context)),
            self.split(self.v(context)),
        )
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])  # [B,h,Q,S]
        if bias is not None:
            scores = scores + bias  # 0 where allowed, very negative where not
        mixed = scores.softmax(-1) @ v  # [B,h,Q,d]
        return self.out(mixed.transpose(1, 2).reshape(query.shape[0], query.shape[1], -1))


class FeedForward(nn.Sequential):
    """Two linear layers with a GELU between."""

    def __init__(self, width: int, hidden: int, out: int | None = None):
        super().__init__(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, out or width))


class Block(nn.Module):
    """A pre-norm transformer block: self-attention, optional cross-attention, feed-forward."""

    def __init__(self, width: int, heads: int, hidden: int, context_width: int | None = None):
        super().__init__()
        self.norm_self, self.self_attention = nn.LayerNorm(width), Attention(width, heads)
        self.cross_attention: Attention | None = None
        if context_width is not None:
            self.norm_cross = nn.LayerNorm(width)
            self.cross_attention = Attention(width, heads, context_width)
        self.norm_ff, self.ff = nn.LayerNorm(width), FeedForward(width, hidden)

    def forward(
        self, x: Tensor, bias: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        """`bias` masks the self-attention of an encoder, or the cross-attention where there is one."""
        normed = self.norm_self(x)
        if self.cross_attention is None:
            x = x + self.self_attention(normed, normed, bias)
        else:
            assert context is not None
            x = x + self.self_attention(normed, normed)
            x = x + self.cross_attention(self.norm_cross(x), context, bias)
        return x + self.ff(self.norm_ff(x))


def merge_cells(x: Tensor, size: int) -> Tensor:
    """[..., H, W, C] -> [..., H/size, W/size, size*size*C]: neighbours become channels."""
    *lead, height, width, channels = x.shape
    x = x.reshape(*lead, height // size, size, width // size, size, channels)
    x = x.transpose(-4, -3)  # [..., H/s, W/s, s, s, C]
    return x.reshape(*lead, height // size, width // size, size * size * channels)


def count_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
