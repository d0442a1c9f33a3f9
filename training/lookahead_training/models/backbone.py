"""The video backbone (eq. 1): one clip in, one CLS token and 12 x 20 patch embeddings out.

A hierarchical stem (4x4 -> 8x8 -> 16x16 pixels, all frames as channels on the way) instead of flat tubelets: at equal
CPU it found small things far better, and matrix products suit a CPU better than convolutions. The clip's mean picture is subtracted
beside the picture itself, so that motion stands out. A transformer sees 60 tokens (stride 16) and CLS; its output returns
to stride 8, where a local branch of the stem adds what is fine.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from .layers import Block, FeedForward, merge_cells

FRAMES, HEIGHT, WIDTH = 8, 96, 160
ROWS, COLUMNS = 12, 20


@dataclass(frozen=True)
class BackboneShape:
    """What may differ between backbones; results/perception-curves.json compares some."""

    width: int = 160
    layers: int = 4
    heads: int = 5
    stem: tuple[int, int, int] = (32, 64, 192)  # channels at strides 4 and 8, and of all frames
    scale: int = 1  # input pixels to each of 160 x 96
    pooling: str = "cls"  # or "mean": of all tokens, as VideoMAE does


class Backbone(nn.Module):
    def __init__(self, dim: int = 128, shape: BackboneShape | None = None):
        super().__init__()
        self.dim, self.shape = dim, shape or BackboneShape()
        width, (at4, at8, local) = self.shape.width, self.shape.stem
        self.cell = 4 * self.shape.scale  # pixels
        self.stem4 = nn.Linear(self.cell * self.cell * 6, at4)
        self.stem8 = nn.Linear(2 * 2 * at4, at8)
        self.local = nn.Linear(FRAMES * at8, local)
        self.stem16 = nn.Linear(2 * 2 * local, width)
        self.position = nn.Parameter(torch.randn(1, (ROWS // 2) * (COLUMNS // 2), width) * 0.02)
        self.cls = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.blocks = nn.ModuleList(
            Block(width, self.shape.heads, 3 * width) for _ in range(self.shape.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * 2 * dim)
        self.position_fine = nn.Parameter(torch.randn(1, ROWS * COLUMNS, dim) * 0.02)
        self.refine = FeedForward(dim + local, 2 * dim, dim)
        self.norm_patches = nn.LayerNorm(dim)
        self.head_cls = nn.Linear(width, dim)
        self.norm_cls = nn.LayerNorm(dim)

    def forward(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """clip uint8 [B,8,96,160,3] -> cls [B,D], patches [B,240,D] row by row."""
        batch = clip.shape[0]
        x = merge_cells(clip, self.cell).float() / 127.5 - 1.0  # [B,8,24,40,48]
        # The stem sees the picture and twice its difference from the mean; as it is linear, neither has to be laid out.
        pixels = self.cell * self.cell
        weight = self.stem4.weight.reshape(
            -1, pixels, 2, 3
        )  # [32, pixel, picture or motion, colour]
        motion = 2.0 * weight[:, :, 1].reshape(-1, 3 * pixels)
        still = linear(x.mean(1, keepdim=True), motion)  # [B,1,24,40,32]
        x = linear(x, weight[:, :, 0].reshape(-1, 3 * pixels) + motion, self.stem4.bias) - still
        x = torch.relu(x)  # [B,8,24,40,32]
        x = torch.relu(self.stem8(merge_cells(x, 2)))  # [B,8,12,20,64]
        x = x.permute(0, 2, 3, 1, 4).reshape(batch, ROWS, COLUMNS, -1)  # frames as channels: 512
        local = torch.relu(self.local(x))  # [B,12,20,192]
        tokens = self.stem16(merge_cells(local, 2)).reshape(batch, 60, -1) + self.position
        tokens = torch.cat([self.cls.expand(batch, -1, -1), tokens], dim=1)  # [B,61,width]
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        up = self.up(tokens[:, 1:])  # [B,60,4D]: each stride-16 token speaks for four cells
        up = up.reshape(batch, ROWS // 2, COLUMNS // 2, 2, 2, self.dim).transpose(2, 3)
        up = up.reshape(batch, ROWS * COLUMNS, self.dim) + self.position_fine
        local = local.reshape(batch, ROWS * COLUMNS, -1)
        patches = self.norm_patches(up + self.refine(torch.cat([up, local], dim=-1)))
        whole = tokens[:, 0] if self.shape.pooling == "cls" else tokens.mean(1)
        return self.norm_cls(self.head_cls(whole)), patches


class DenseHeads(nn.Module):
    """Training only: what each stride-8 cell must know, and what CLS must know."""

    def __init__(self, dim: int, classes: int, state_bits: int, attributes: int, looks: int):
        super().__init__()
        # Of the cell's thing: class; dx, dy, ln w, ln h; where its centre was at the earlier looks; visible share; attributes.
        self.sizes = [classes, 4, 2 * looks, 1, attributes]
        self.cell = FeedForward(dim, 2 * dim, sum(self.sizes))
        self.first = nn.Linear(dim, classes)  # what stood here at the clip's first frame
        self.state = nn.Linear(dim, max(state_bits, 1))

    def forward(self, cls: Tensor, patches: Tensor) -> dict[str, Tensor]:
        """[B,D], [B,240,D] -> what is told of each cell [B,240,...], and the state bits [B,bits]."""
        names = ("kind", "box", "looks", "visible", "attributes")
        cells = self.cell(patches).split(self.sizes, -1)
        said = dict(zip(names, cells, strict=True))
        return said | {"first": self.first(patches), "state": self.state(cls)}
