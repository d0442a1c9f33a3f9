"""The fusion core (eq. 3, 4): 32 learned queries read Z_vision and become the language model's prefix."""

import torch
from torch import Tensor, nn

from .layers import Block, FeedForward

QUERIES = 32
NEVER = -1e4  # an attention bias that softmax turns into nothing, and that fp16 could hold


class Fusion(nn.Module):
    """Objects and CLS tokens first talk among themselves (who is near whom decides most events), then the queries read.

    What the paper leaves open: a token's age in clips, its type, and a thing's box, velocity and age are embedded into it; without
    them cross-attention would see an unordered set.
    """

    def __init__(
        self,
        dim: int = 128,
        language_dim: int = 192,
        width: int = 128,
        attributes: int = 7,
        clips: int = 8,
        object_blocks: int = 2,
        query_blocks: int = 3,
        heads: int = 4,
    ):
        super().__init__()
        self.norm_global, self.norm_objects = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.of_global, self.of_objects = nn.Linear(dim, width), nn.Linear(dim, width)
        self.of_attributes = FeedForward(attributes, width, width)
        self.clip = nn.Embedding(clips, width)
        self.kind = nn.Parameter(torch.randn(2, width) * 0.02)
        self.object_blocks = nn.ModuleList(
            Block(width, heads, 3 * width) for _ in range(object_blocks)
        )
        self.norm_vision = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.randn(1, QUERIES, width) * 0.1)
        self.query_blocks = nn.ModuleList(
            Block(width, heads, 3 * width, context_width=width) for _ in range(query_blocks)
        )
        self.norm_out = nn.LayerNorm(width)
        self.project = nn.Linear(width, language_dim)  # eq. 4

    def forward(
        self,
        global_: Tensor,
        global_clip: Tensor,
        objects: Tensor,
        object_attributes: Tensor,
        object_clip: Tensor,
        object_mask: Tensor,
        global_mask: Tensor | None = None,
    ) -> Tensor:
        """[B,T,D], [B,T] ages, [B,M,D], [B,M,A], [B,M] ages, [B,M] -> prefix [B,32,E].

        `global_mask` [B,T] serves batches of unequal windows in training; it is not exported.
        """
        of_clips = self.of_global(self.norm_global(global_)) + self.clip(global_clip) + self.kind[0]
        of_things = (
            self.of_objects(self.norm_objects(objects))
            + self.of_attributes(object_attributes)
            + self.clip(object_clip)
            + self.kind[1]
        )
        vision = torch.cat([of_clips, of_things], 1)  # Z_vision [B,T+M,width]
        if global_mask is None:
            global_mask = torch.ones_like(global_[..., 0])
        bias = ((1.0 - torch.cat([global_mask, object_mask], 1)) * NEVER)[:, None, None]
        for block in self.object_blocks:
            vision = block(vision, bias)
        vision = self.norm_vision(vision)
        queries = self.queries.expand(global_.shape[0], -1, -1)
        for block in self.query_blocks:
            queries = block(queries, bias, vision)
        return self.project(self.norm_out(queries))
