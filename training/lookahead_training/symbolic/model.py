"""Self-attention among the tracks of a window; each of them says how soon it will do what."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import ERRORS_MAX, Config
from .features import Batch


class Block(nn.Module):
    """Pre-norm attention and feed-forward. Layers run over the M tokens that exist; only attention itself is padded."""

    def __init__(self, dim: int, heads: int, widen: int):
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.between = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, widen * dim)
        self.down = nn.Linear(widen * dim, dim)

    def forward(self, x: Tensor, slot: Tensor, mask: Tensor) -> Tensor:
        """x [M,D]; slot [M]: where a token stands among B x S; mask [B,1,1,S]: whether a slot is taken."""
        b, _, _, s = mask.shape
        d = x.shape[1]
        qkv = x.new_zeros(b * s, 3 * d).index_copy(0, slot, self.qkv(self.before(x)))
        q, k, v = qkv.view(b, s, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # [B,heads,S,D/heads]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(mixed.transpose(1, 2).reshape(b * s, d)[slot])
        return x + self.down(F.gelu(self.up(self.between(x))))


class Forecaster(nn.Module):
    """Competing risks: each token gives every label a hazard in each of the next T bins; hazards of all tokens add up.

    What comes first follows from the hazards by arithmetic, not by learning: a label comes first in a bin if nothing came before.
    Until the first event the world goes on as it is seen to go, so a token's hazards depend on little but itself.
    """

    def __init__(self, config: Config, features: int, classes: int, place: int, labels: int):
        super().__init__()
        self.labels, self.bins = labels, config.time_bins
        self.kind = nn.Embedding(classes, config.hidden)
        self.first = nn.Linear(features, config.hidden)
        self.second = nn.Linear(config.hidden, config.dim)
        # How precise perception is; it begins without effect.
        self.levels = nn.Linear(4, config.hidden, bias=False)
        nn.init.zeros_(self.levels.weight)
        self.register_buffer("levels_max", torch.tensor(ERRORS_MAX.as_list()))
        self.place = nn.Linear(place, config.hidden)
        self.free_place = nn.Linear(place, config.dim)
        self.free = nn.Parameter(torch.randn(config.free_tokens, config.dim) * 0.5)
        self.blocks = nn.ModuleList(
            Block(config.dim, config.heads, config.widen) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.dim)
        self.hazards = nn.Linear(config.dim, labels * config.time_bins)
        # At first a label comes about once in 10 minutes from each token.
        nn.init.normal_(self.hazards.weight, std=0.02)
        nn.init.constant_(self.hazards.bias, -7.0)

    def forward(self, batch: Batch) -> Tensor:
        """-> log-probabilities [B,K]"""
        b, free = batch.windows, len(self.free)
        errors = (batch.levels / self.levels_max)[batch.window]
        x = self.first(batch.features) + self.kind(batch.kind) + self.levels(errors)
        x = self.second(F.gelu(x + self.place(batch.place)[batch.window]))  # [M,D]
        anyone = self.free + self.free_place(batch.place).unsqueeze(1)  # [B,free,D]

        counts = torch.bincount(batch.window, minlength=b)  # [B]
        s = free + int(counts.max())
        begins = counts.cumsum(0) - counts
        place = free + torch.arange(len(x)) - begins[batch.window]  # [M] within the window
        free_slots = (torch.arange(b)[:, None] * s + torch.arange(free)).flatten()
        slot = torch.cat([free_slots, batch.window * s + place])
        window = torch.cat([torch.arange(b).repeat_interleave(free), batch.window])
        x = torch.cat([anyone.flatten(0, 1), x])
        mask = (torch.arange(s) < (counts + free)[:, None])[:, None, None]  # [B,1,1,S]

        for block in self.blocks:
            x = block(x, slot, mask)
        each = F.softplus(self.hazards(self.norm(x)))  # [M,K*T]
        hazards = each.new_zeros(b, each.shape[1]).index_add(0, window, each)
        return first_of(hazards.view(b, self.labels, self.bins))


def first_of(hazards: Tensor) -> Tensor:
    """Integrated hazards of each label in each bin, [B,K,T] -> log-chances of what comes first, [B,K]; label 0 is nothing.

    P(k) = sum over t of exp(-H(<t)) (1 - exp(-H(t))) h_k(t) / H(t), where H sums over all labels but 0.
    """
    some = hazards[:, 1:]
    total = some.sum(1)  # [B,T]
    until = total.cumsum(1) - total  # before each bin
    now = (-until).exp() * -torch.expm1(-total) / total.clamp(min=1e-9)  # [B,T]
    chances = (some * now.unsqueeze(1)).sum(2)  # [B,K-1]
    nothing = -total.sum(1, keepdim=True)
    return torch.cat([nothing, chances.clamp(min=1e-12).log()], 1)
