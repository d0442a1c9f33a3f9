"""TinyViT (arXiv 2207.10666) as MobileSAM (arXiv 2306.14289) uses it: the image encoder in place of SAM's ViT.

Four stages: one of convolutions, three of attention in windows. Against TinyViT itself the last stage keeps its resolution (stride
1), so that a picture of 1024 pixels gives the 64 x 64 cells that SAM's decoder expects. Parameters bear the names of `mobile_sam.pt`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .sam import from_windows, neck, to_windows


@dataclass(frozen=True)
class TinyVitConfig:
    """MobileSAM's."""

    dims: tuple[int, ...] = (64, 128, 160, 320)
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (2, 4, 5, 10)
    windows: tuple[int, ...] = (7, 7, 14, 7)
    last_stride: int = 1  # 2 is TinyViT's own
    classes: int = 1000  # of a classifier that the checkpoint holds and nobody runs


class ConvBn(nn.Sequential):
    def __init__(
        self, channels_in: int, channels: int, size: int, stride: int = 1, groups: int = 1
    ):
        super().__init__()
        self.add_module(
            "c",
            nn.Conv2d(channels_in, channels, size, stride, size // 2, groups=groups, bias=False),
        )
        self.add_module("bn", nn.BatchNorm2d(channels))


class PatchEmbed(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.seq = nn.Sequential(ConvBn(3, dim // 2, 3, 2), nn.GELU(), ConvBn(dim // 2, dim, 3, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.seq(x)


class MbConv(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.conv1 = ConvBn(dim, 4 * dim, 1)
        self.conv2 = ConvBn(4 * dim, 4 * dim, 3, groups=4 * dim)
        self.conv3 = ConvBn(4 * dim, dim, 1)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.conv3(self.act(self.conv2(self.act(self.conv1(x))))))


class PatchMerging(nn.Module):
    def __init__(self, dim: int, out: int, stride: int):
        super().__init__()
        self.conv1 = ConvBn(dim, out, 1)
        self.conv2 = ConvBn(out, out, 3, stride, groups=out)
        self.conv3 = ConvBn(out, out, 1)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(self.act(self.conv2(self.act(self.conv1(x)))))


class Attention(nn.Module):
    """In one window; what two tokens are to each other depends on how far apart they lie, not on the direction."""

    def __init__(self, dim: int, heads: int, window: int):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        at = torch.arange(window)
        row, column = (x.flatten() for x in torch.meshgrid(at, at, indexing="ij"))
        # Distances in the order in which the first token meets them: row by row.
        distance = (row[:, None] - row[None]).abs() * window + (
            column[:, None] - column[None]
        ).abs()
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        self.register_buffer("attention_bias_idxs", distance, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[windows,tokens,C]"""
        qkv = self.qkv(self.norm(x)).unflatten(
            -1, (self.heads, 3, -1)
        )  # heads outside, q k v inside
        q, k, v = qkv.permute(3, 0, 2, 1, 4).unbind(0)
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        weights = (scores + self.attention_biases[:, self.attention_bias_idxs]).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(self.norm(x))))


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, window: int):
        super().__init__()
        self.window = window
        self.attn = Attention(dim, heads, window)
        self.mlp = Mlp(dim)
        self.local_conv = ConvBn(dim, dim, 3, groups=dim)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,H,W]"""
        height, width = map(int, x.shape[2:])
        windows = to_windows(x.permute(0, 2, 3, 1), self.window)
        found = self.attn(windows.flatten(1, 2)).reshape(windows.shape)
        x = x + from_windows(found, height, width).permute(0, 3, 1, 2)
        x = self.local_conv(x).permute(0, 2, 3, 1)
        return (x + self.mlp(x)).permute(0, 3, 1, 2)


class Stage(nn.Module):
    def __init__(self, blocks: list[nn.Module], downsample: nn.Module | None):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class TinyVit(nn.Module):
    def __init__(self, config: TinyVitConfig, out: int = 256):
        super().__init__()
        dims = config.dims
        self.patch_embed = PatchEmbed(dims[0])
        strides = (2, 2, config.last_stride)
        self.layers = nn.ModuleList()
        for i, (dim, depth) in enumerate(zip(dims, config.depths, strict=True)):
            if i == 0:
                blocks = [MbConv(dim) for _ in range(depth)]
            else:
                blocks = [Block(dim, config.heads[i], config.windows[i]) for _ in range(depth)]
            last = i == len(dims) - 1
            merge = None if last else PatchMerging(dim, dims[i + 1], strides[i])
            self.layers.append(Stage(blocks, merge))
        self.norm_head = nn.LayerNorm(dims[-1])
        self.head = nn.Linear(dims[-1], config.classes)
        self.neck = neck(dims[-1], out)

    def features(self, image: Tensor) -> Tensor:
        x = self.patch_embed(image)
        for layer in self.layers:
            x = layer(x)
        return x

    def forward(self, image: Tensor) -> Tensor:
        """Normalised picture [B,3,S,S] -> embedding [B,out,S/16,S/16]."""
        return self.neck(self.features(image))
