"""Small heads on frozen tokens: what a thing is, and which events began."""

import torch
from torch import Tensor, nn

from .layers import Attention, FeedForward


class ObjectHead(nn.Module):
    """objects [n,D], boxes [n,4] (shares of the camera picture) -> class_logits [n,classes]; 0 is background."""

    def __init__(self, dim: int, classes: int):
        super().__init__()
        self.net = FeedForward(dim + 4, 128, classes)

    def forward(self, objects: Tensor, boxes: Tensor) -> Tensor:
        return self.net(torch.cat([objects, boxes], -1))


class EventHead(nn.Module):
    """Two clips, one sigmoid a label: «began in the second clip», and when in it.

    One clip alone hardly shows a beginning, so each place is described by both clips; a learned query for each label then pools
    over the places by cross-attention.
    """

    def __init__(self, dim: int, labels: int, heads: int = 4):
        super().__init__()
        self.place = FeedForward(2 * dim, 2 * dim, dim)
        self.position = nn.Parameter(torch.randn(1, 241, dim) * 0.02)
        self.norm = nn.LayerNorm(dim)
        self.queries = nn.Parameter(torch.randn(1, labels, dim) * 0.1)
        self.read = Attention(dim, heads)
        self.norm_read = nn.LayerNorm(dim)
        self.ff = FeedForward(2 * dim, dim, dim)
        self.weight = nn.Parameter(torch.randn(1, labels, 2, dim) * dim**-0.5)
        self.bias = nn.Parameter(torch.tensor([-4.0, 0.0]).repeat(1, labels, 1))  # events are rare

    def forward(
        self, previous_cls: Tensor, previous_patches: Tensor, cls: Tensor, patches: Tensor
    ) -> tuple[Tensor, Tensor]:
        """[B,D], [B,240,D], [B,D], [B,240,D] -> event_logits [B,K], onset [B,K] in 0..1."""
        before = torch.cat([previous_cls.unsqueeze(1), previous_patches], 1)  # [B,241,D]
        after = torch.cat([cls.unsqueeze(1), patches], 1)
        places = self.norm(self.place(torch.cat([before, after], -1)) + self.position)
        queries = self.queries.expand(cls.shape[0], -1, -1)
        read = self.norm_read(queries + self.read(queries, places))  # [B,K,D]
        context = places[:, :1].expand(-1, read.shape[1], -1)  # the CLS pair, for every label
        read = read + self.ff(torch.cat([read, context], -1))
        out = (read.unsqueeze(2) * self.weight).sum(-1) + self.bias  # [B,K,2]
        return out[..., 0], out[..., 1].sigmoid()
