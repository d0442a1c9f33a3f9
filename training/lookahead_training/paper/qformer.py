"""The paper's fusion core (eq. 3, 4): BLIP-2's Q-Former without its text path (arXiv 2301.12597), before it what Z_vision needs."""

import torch
from torch import Tensor, nn

from ..models.layers import Attention, FeedForward
from .config import QFormerConfig

NEVER = -1e4  # an attention bias that softmax turns into nothing


class QFormerBlock(nn.Module):
    """Queries among themselves, queries to what is seen, feed-forward; the norm comes after each, as in BERT."""

    def __init__(self, config: QFormerConfig, crosses: bool):
        super().__init__()
        dim, epsilon = config.dim, config.epsilon
        self.self_attention = Attention(dim, config.heads)
        self.norm_self = nn.LayerNorm(dim, eps=epsilon)
        self.cross_attention = Attention(dim, config.heads) if crosses else None
        self.norm_cross = nn.LayerNorm(dim, eps=epsilon) if crosses else None
        self.ff = FeedForward(dim, config.hidden)
        self.norm_ff = nn.LayerNorm(dim, eps=epsilon)

    def forward(self, queries: Tensor, seen: Tensor, bias: Tensor | None) -> Tensor:
        x = self.norm_self(queries + self.self_attention(queries, queries))
        if self.cross_attention is not None and self.norm_cross is not None:
            x = self.norm_cross(x + self.cross_attention(x, seen, bias))
        return self.norm_ff(x + self.ff(x))


class QFormer(nn.Module):
    def __init__(self, config: QFormerConfig):
        super().__init__()
        self.queries = nn.Parameter(torch.randn(1, config.queries, config.dim) * 0.02)
        self.norm = nn.LayerNorm(config.dim, eps=config.epsilon)
        self.blocks = nn.ModuleList(
            QFormerBlock(config, i % config.cross_attention_every == 0)
            for i in range(config.blocks)
        )

    def forward(self, seen: Tensor, bias: Tensor | None = None) -> Tensor:
        """seen [B,S,D], bias [B,1,1,S] (0, or NEVER where nothing is) -> [B,queries,D]"""
        x = self.norm(self.queries.expand(seen.shape[0], -1, -1))
        for block in self.blocks:
            x = block(x, seen, bias)
        return x


class PaperFusion(nn.Module):
    """The bundle's `fusion.onnx`: Z_global and Z_obj to the language model's prefix.

    What the paper leaves open is embedded into the tokens: a clip's age; a thing's class, box, velocity, age and what it shows, as last
    seen; and what is known of the whole place is a token of its own. Without them cross-attention would see an unordered set.
    """

    def __init__(
        self,
        config: QFormerConfig,
        vision_dim: int,
        language_dim: int,
        clips: int,
        looks: int,
        classes: int,
        shown: int,
        place: int,
    ):
        """@param looks: of all clips together, T of `box` [M,T,4]"""
        super().__init__()
        dim = config.dim
        self.norm_global, self.norm_objects = nn.LayerNorm(vision_dim), nn.LayerNorm(vision_dim)
        self.of_global, self.of_objects = nn.Linear(vision_dim, dim), nn.Linear(vision_dim, dim)
        self.clip = nn.Embedding(clips, dim)
        self.sort = nn.Parameter(torch.randn(3, dim) * 0.02)  # clip, thing, place
        self.kind = nn.Embedding(classes, dim)
        self.of_history = FeedForward(4 + 2 + 2 + shown, dim, dim)
        self.of_place = FeedForward(place + 4, dim, dim)
        self.qformer = QFormer(config)
        self.project = nn.Linear(dim, language_dim)  # eq. 4
        self.register_buffer("look", torch.arange(1, looks + 1).float(), persistent=False)

    def history(self, box: Tensor, seen: Tensor, shown: Tensor) -> Tensor:
        """[M,T,4], [M,T], [M,T,A] -> [M,8+A]: box, way of its centre over the window, since when unseen, how long seen; what it shows."""
        looks = self.look.shape[0]
        at = seen * self.look  # 1 is the oldest look, T the newest, 0 unseen
        last = at.max(1, keepdim=True).values  # [M,1]
        first = looks + 1 - (seen * (looks + 1 - self.look)).max(1, keepdim=True).values
        is_last = (at == last).to(box.dtype) * seen
        is_first = (self.look == first).to(box.dtype) * seen
        now = (box * is_last.unsqueeze(-1)).sum(1)  # [M,4]
        then = (box * is_first.unsqueeze(-1)).sum(1)
        way = now[:, :2] + now[:, 2:] / 2 - then[:, :2] - then[:, 2:] / 2
        velocity = way / (last - first).clamp(min=1.0) * 10.0  # tenths of the picture a look
        since = 1.0 - last / looks
        shows = (shown * is_last.unsqueeze(-1)).sum(1)
        return torch.cat([now, velocity, since, seen.mean(1, keepdim=True), shows], -1)

    def forward(
        self,
        global_: Tensor,
        global_clip: Tensor,
        kind: Tensor,
        box: Tensor,
        seen: Tensor,
        shown: Tensor,
        place: Tensor,
        pooled: Tensor,
        track_errors: Tensor,
    ) -> Tensor:
        """[1,T,D], [1,T] ages, [M], [M,L,4], [M,L], [M,L,A], [1,P], [M,D], [1,4] -> prefix [1,queries,E]

        A row of `seen` that is all zeros is no track.
        """
        clips = self.of_global(self.norm_global(global_)) + self.clip(global_clip) + self.sort[0]
        things = self.of_objects(self.norm_objects(pooled)) + self.kind(kind) + self.sort[1]
        things = things + self.of_history(self.history(box, seen, shown))  # [M,dim]
        whole = self.of_place(torch.cat([place, track_errors], -1)) + self.sort[2]  # [1,dim]
        vision = torch.cat([clips[0], things, whole])[None]  # Z_vision [1,T+M+1,dim]
        there = (seen.sum(1) > 0).to(box.dtype)
        one = torch.ones_like(whole[0, :1])
        mask = torch.cat([torch.ones_like(clips[0, :, 0]), there, one])
        bias = ((1.0 - mask) * NEVER)[None, None, None]
        return self.project(self.qformer(vision, bias))
