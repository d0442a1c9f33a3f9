"""Self-attention among the tracks of a window; each of them says how soon it will do what."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import ERRORS_MAX, Config
from .features import Batch

# Windows of one token count stand together: (windows, tokens of each), fewest tokens first.
Groups = tuple[tuple[int, int], ...]


class Block(nn.Module):
    """Pre-norm attention and feed-forward, over the M tokens that exist."""

    def __init__(self, dim: int, heads: int, widen: int):
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.between = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, widen * dim)
        self.down = nn.Linear(widen * dim, dim)

    def forward(self, x: Tensor, groups: Groups) -> Tensor:
        """x [M,D], in the order of the groups"""
        x = x + self.out(self.attend(self.qkv(self.before(x)), groups))
        return x + self.down(F.gelu(self.up(self.between(x))))

    def alone(self, x: Tensor) -> Tensor:
        """`forward` of one window's tokens [S,D]"""
        x = x + self.out(self.mix(self.qkv(self.before(x)), 1, x.shape[0]))
        return x + self.down(F.gelu(self.up(self.between(x))))

    def attend(self, qkv: Tensor, groups: Groups) -> Tensor:
        """[M,3D] -> [M,D]"""
        # A dozen calls without padding cost less than one with: a window has about nine tokens, the fullest fourteen.
        parts = qkv.split([b * s for b, s in groups])
        return torch.cat([self.mix(part, *size) for part, size in zip(parts, groups, strict=True)])

    def mix(self, qkv: Tensor, b: int, s: int) -> Tensor:
        """Attention within b windows of s tokens each, [b*s,3D] -> [b*s,D]."""
        q, k, v = qkv.view(b, s, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # [b,heads,s,D/heads]
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b * s, -1)


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
        # How imprecise tracks are of which nobody says it: none, until a perception of our own hands them in.
        self.register_buffer("untold", torch.zeros(4), persistent=False)
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

    def tokens(self, batch: Batch, seen: Tensor | None = None) -> Tensor:
        """[B*free+M,D]: those of no thing, then the tracks'. @param seen: [M,hidden] what pixels add to each track"""
        errors = ((batch.levels + self.untold) / self.levels_max)[batch.window]
        x = self.first(batch.features) + self.kind(batch.kind) + self.levels(errors)
        if seen is not None:
            x = x + seen
        x = self.second(F.gelu(x + self.place(batch.place)[batch.window]))  # [M,D]
        anyone = self.free + self.free_place(batch.place).unsqueeze(1)  # [B,free,D]
        return torch.cat([anyone.flatten(0, 1), x])

    def read_one(self, batch: Batch, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """`read` of a single window, without grouping: what is exported. -> [free+M,D], [1,K]"""
        x = self.tokens(batch, seen)
        for block in self.blocks:
            x = block.alone(x)
        x = self.norm(x)
        hazards = F.softplus(self.hazards(x)).sum(0)
        return x, first_of(hazards.view(1, self.labels, self.bins))

    def forward(self, batch: Batch) -> Tensor:
        """-> log-probabilities [B,K]"""
        return self.read(batch)[2]

    def read(self, batch: Batch, seen: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """-> what is made of all tokens [B*free+M,D], the window of each [B*free+M], log-probabilities [B,K]"""
        b, free = batch.windows, len(self.free)
        x = self.tokens(batch, seen)
        window = torch.cat([torch.arange(b).repeat_interleave(free), batch.window])
        tokens = torch.bincount(window, minlength=b)  # [B]
        order = (tokens * b + torch.arange(b))[window].argsort(stable=True)
        x, window = x.index_select(0, order), window[order]
        sizes, windows = tokens.unique(return_counts=True)
        groups = tuple(zip(windows.tolist(), sizes.tolist(), strict=True))
        for block in self.blocks:
            x = block(x, groups)
        x = self.norm(x)
        each = F.softplus(self.hazards(x))  # [M,K*T]
        hazards = each.new_zeros(b, each.shape[1]).index_add(0, window, each)
        return x, window, first_of(hazards.view(b, self.labels, self.bins))


def first_of(hazards: Tensor) -> Tensor:
    """Integrated hazards of each label in each bin, [B,K,T] -> log-chances of what comes first, [B,K]; label 0 is nothing.

    P(k) = sum over t of exp(-H(<t)) (1 - exp(-H(t))) h_k(t) / H(t), where H sums over all labels but 0.
    """
    some = hazards[:, 1:]
    total = some.sum(1)  # [B,T]
    until = total.cumsum(1) - total  # before each bin
    # ONNX knows no expm1; where the difference counts, both hardly do.
    comes = 1 - (-total).exp() if torch.jit.is_tracing() else -torch.expm1(-total)
    now = (-until).exp() * comes / total.clamp(min=1e-9)  # [B,T]
    chances = (some * now.unsqueeze(1)).sum(2)  # [B,K-1]
    nothing = -total.sum(1, keepdim=True)
    return torch.cat([nothing, chances.clamp(min=1e-12).log()], 1)
