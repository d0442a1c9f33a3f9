"""The fusion core (eq. 3, 4): 32 learned queries read Z_vision and become the language model's prefix."""

import torch
from torch import Tensor, nn

from ..symbolic.features import Batch, describe, hide_modules
from ..symbolic.model import Forecaster
from .layers import Block

QUERIES = 32
NEVER = -1e4  # an attention bias that softmax turns into nothing, and that fp16 could hold


class ObjectEncoder(nn.Module):
    """Z_obj: self-attention among the tracks of a window. Each token is a track's whole history and the pooled token (eq. 2) with which it
    was last seen.

    It learns the world first, from simulator tracks; then what pixels add comes in by a layer that begins without effect. CLS tokens are
    not among it: they knew the places of training by heart, and cost skill on test scenes (0.865 with them, 0.874 without).
    """

    def __init__(self, world: Forecaster, dim: int = 128):
        super().__init__()
        self.world = world
        hidden = world.first.out_features
        self.norm_pooled = nn.LayerNorm(dim)
        self.of_pooled = nn.Linear(dim, hidden, bias=False)
        nn.init.zeros_(self.of_pooled.weight)

    def seen(self, pooled: Tensor) -> Tensor:
        """pooled [M,D] -> [M,hidden]; rows of zeros, as true tracks have them, add nothing."""
        there = (pooled.abs().amax(1, keepdim=True) > 0).float()
        return self.of_pooled(self.norm_pooled(pooled)) * there

    def forward(self, batch: Batch, pooled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """pooled [M,D] -> objects [B,S,width], their mask [B,S], log-chances of what comes first [B,K]."""
        x, window, outlook = self.world.read(batch, self.seen(pooled))
        order = window.argsort(stable=True)
        x, window = x[order], window[order]
        counts = torch.bincount(window, minlength=batch.windows)
        place = torch.arange(len(window)) - (counts.cumsum(0) - counts)[window]
        shape = batch.windows, int(counts.max())
        objects = x.new_zeros(*shape, x.shape[1]).index_put((window, place), x)
        mask = (torch.arange(shape[1]) < counts[:, None]).float()
        return objects, mask, outlook

    def alone(self, batch: Batch, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """A single window, as exported: -> [1,S,width], [1,K]"""
        x, outlook = self.world.read_one(batch, self.seen(pooled))
        return x.unsqueeze(0), outlook


class Fusion(nn.Module):
    """Queries read the objects, the CLS tokens with their ages, and begin from the outlook: what the objects' own arithmetic expects.

    What the paper leaves open: the age of a clip is embedded into its token; position, motion and age of things are in their histories.
    """

    def __init__(
        self,
        labels: int,
        dim: int = 128,
        language_dim: int = 192,
        width: int = 128,
        clips: int = 8,
        query_blocks: int = 3,
        heads: int = 4,
    ):
        super().__init__()
        self.norm_global = nn.LayerNorm(dim)
        self.of_global = nn.Linear(dim, width)
        self.clip = nn.Embedding(clips, width)
        self.kind = nn.Parameter(torch.randn(2, width) * 0.02)
        self.norm_vision = nn.LayerNorm(width)
        # Each query begins from chances in a way of its own, so that one can stand for some labels and another for others.
        self.of_outlook = nn.Linear(2 * labels, QUERIES * width)
        self.queries = nn.Parameter(torch.randn(1, QUERIES, width) * 0.1)
        self.query_blocks = nn.ModuleList(
            Block(width, heads, 3 * width, context_width=width) for _ in range(query_blocks)
        )
        self.norm_out = nn.LayerNorm(width)
        self.project = nn.Linear(width, language_dim)  # eq. 4

    def vision(self, global_: Tensor, global_clip: Tensor, objects: Tensor) -> Tensor:
        """Z_vision, [B,T,D], [B,T] ages, [B,S,width] -> [B,T+S,width]"""
        of_clips = self.of_global(self.norm_global(global_)) + self.clip(global_clip) + self.kind[0]
        return self.norm_vision(torch.cat([of_clips, objects + self.kind[1]], 1))

    def forward(
        self,
        global_: Tensor,
        global_clip: Tensor,
        objects: Tensor,
        object_mask: Tensor,
        outlook: Tensor,
    ) -> Tensor:
        """[B,T,D], [B,T] ages, [B,S,width], [B,S], log-chances [B,K] -> prefix [B,32,E]."""
        vision = self.vision(global_, global_clip, objects)
        mask = torch.cat([torch.ones_like(global_[..., 0]), object_mask], 1)
        bias = ((1.0 - mask) * NEVER)[:, None, None]
        # A label that is out of the question is so at -9 as well as at -20. Roots tell likely labels apart, logarithms the others.
        expected = torch.cat([outlook.clamp(min=-9.0) / 3.0 + 1.5, (outlook / 2).exp() * 2.0], 1)
        queries = self.queries + self.of_outlook(expected).unflatten(1, (QUERIES, -1))
        for block in self.query_blocks:
            queries = block(queries, bias, vision)
        return self.project(self.norm_out(queries))


class MeanPool(nn.Module):
    """The ablation without a fusion core: the mean of all vision tokens, by one linear layer."""

    def __init__(self, dim: int = 128, language_dim: int = 192, width: int = 128):
        super().__init__()
        self.of_global = nn.Linear(dim, width)
        self.project = nn.Linear(width, QUERIES * language_dim)

    def forward(
        self,
        global_: Tensor,
        global_clip: Tensor,
        objects: Tensor,
        object_mask: Tensor,
        outlook: Tensor,
    ) -> Tensor:
        del global_clip, outlook
        things = (objects * object_mask.unsqueeze(-1)).sum(1) + self.of_global(global_).sum(1)
        mean = things / (object_mask.sum(1, keepdim=True) + global_.shape[1])
        return self.project(mean).unflatten(1, (QUERIES, -1))


class FusionGraph(nn.Module):
    """What is exported, of one window (docs/bundle.md): encoder and queries in one graph."""

    def __init__(self, encoder: ObjectEncoder, fusion: Fusion, words: object):
        super().__init__()
        self.encoder, self.fusion, self.words = encoder, fusion, words

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
    ) -> tuple[Tensor, Tensor]:
        """[1,T,D], [1,T], then as `symbolic.export.ForecasterGraph`; pooled [M,D], track_errors [1,4] -> prefix [1,32,E], the
        encoder's own log-chances [1,K]."""
        window = torch.zeros_like(kind)
        features = describe(self.words, 1, window, kind, box, seen > 0.5, shown)
        is_true = track_errors.amax(1, keepdim=True) == 0
        place = torch.where(is_true, place, hide_modules(place))
        batch = Batch(window, kind, features, place, track_errors, 1)
        objects, outlook = self.encoder.alone(batch, pooled)
        mask = torch.ones_like(objects[..., 0])
        return self.fusion(global_, global_clip, objects, mask, outlook), outlook
