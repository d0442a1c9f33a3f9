"""SAM («Segment Anything», arXiv 2304.02643): ViT image encoder, prompt encoder, two-way mask decoder.

Parameters bear the names of the released checkpoints (`image_encoder.blocks.0.attn.qkv.weight`, ...), so those load as they are.
Everything is written for one picture and P prompts: the picture's embedding has batch 1 and is broadcast, never repeated, until the
decoder's first image-to-token attention makes it differ from prompt to prompt.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class SamConfig:
    """The numbers of ViT-B; `vit_b()` and its like give the three published sizes."""

    image_size: int = 1024
    patch_size: int = 16
    encoder_dim: int = 768
    encoder_depth: int = 12
    encoder_heads: int = 12
    window: int = 14
    global_blocks: tuple[int, ...] = (2, 5, 8, 11)
    dim: int = 256  # of the embedding and of the decoder
    decoder_depth: int = 2
    decoder_heads: int = 8
    decoder_mlp_dim: int = 2048
    iou_dim: int = 256
    mask_input_dim: int = 16

    @property
    def grid(self) -> int:
        """Rows, and columns, of the embedding."""
        return self.image_size // self.patch_size


def vit_b() -> SamConfig:
    return SamConfig()


def vit_l() -> SamConfig:
    return SamConfig(
        encoder_dim=1024, encoder_depth=24, encoder_heads=16, global_blocks=(5, 11, 17, 23)
    )


def vit_h() -> SamConfig:
    return SamConfig(
        encoder_dim=1280, encoder_depth=32, encoder_heads=16, global_blocks=(7, 15, 23, 31)
    )


class LayerNorm2d(nn.Module):
    """Over the channels of [B,C,H,W]."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(1, keepdim=True)
        x = x / (x.square().mean(1, keepdim=True) + 1e-6).sqrt()
        return x * self.weight[:, None, None] + self.bias[:, None, None]


def neck(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 1, bias=False),
        LayerNorm2d(channels),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        LayerNorm2d(channels),
    )


def to_windows(x: Tensor, size: int) -> Tensor:
    """[B,H,W,C] -> [windows,size,size,C], zeros where the last windows stand over the edge."""
    height, width, channels = map(int, x.shape[1:])
    rows, columns = -(-height // size), -(-width // size)
    x = F.pad(x, (0, 0, 0, columns * size - width, 0, rows * size - height))
    x = x.reshape(-1, rows, size, columns, size, channels).transpose(2, 3)
    return x.reshape(-1, size, size, channels)


def from_windows(x: Tensor, height: int, width: int) -> Tensor:
    size, channels = map(int, x.shape[2:])
    rows, columns = -(-height // size), -(-width // size)
    x = x.reshape(-1, rows, columns, size, size, channels).transpose(2, 3)
    return x.reshape(-1, rows * size, columns * size, channels)[:, :height, :width]


class Mlp(nn.Module):
    def __init__(self, dim: int, hidden: int, activation: type[nn.Module]):
        super().__init__()
        self.lin1 = nn.Linear(dim, hidden)
        self.lin2 = nn.Linear(hidden, dim)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        return self.lin2(self.act(self.lin1(x)))


class EncoderAttention(nn.Module):
    """Self-attention on a square of tokens with decomposed relative positions: one table for rows, one for columns."""

    def __init__(self, dim: int, heads: int, size: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * size - 1, dim // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * size - 1, dim // heads))
        at = torch.arange(size)
        # Row q of the table of offsets: where query q finds its distance to each key.
        self.register_buffer("offset", at[:, None] - at[None] + size - 1, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        size, dim = int(x.shape[1]), int(x.shape[3])
        tokens = size * size
        qkv = self.qkv(x).reshape(-1, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each [B,heads,tokens,d]
        scores = (q * (dim // self.heads) ** -0.5) @ k.transpose(-2, -1)
        square = q.reshape(-1, self.heads, size, size, dim // self.heads)
        by_row = square @ self.rel_pos_h[self.offset].transpose(1, 2)
        by_column = square.transpose(2, 3) @ self.rel_pos_w[self.offset].transpose(1, 2)
        bias = by_row[..., :, None] + by_column.transpose(2, 3)[..., None, :]
        weights = (scores + bias.reshape(-1, self.heads, tokens, tokens)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(-1, size, size, dim))


class EncoderBlock(nn.Module):
    def __init__(self, dim: int, heads: int, grid: int, window: int):
        """window 0: attention over the whole picture."""
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = EncoderAttention(dim, heads, window or grid)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, 4 * dim, nn.GELU)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        if self.window:
            windows = self.attn(to_windows(y, self.window))
            y = from_windows(windows, int(x.shape[1]), int(x.shape[2]))
        else:
            y = self.attn(y)
        x = x + y
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, dim: int, patch: int):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).permute(0, 2, 3, 1)


class ImageEncoderViT(nn.Module):
    def __init__(self, config: SamConfig):
        super().__init__()
        dim, grid = config.encoder_dim, config.grid
        self.patch_embed = PatchEmbed(dim, config.patch_size)
        self.pos_embed = nn.Parameter(torch.zeros(1, grid, grid, dim))
        self.blocks = nn.ModuleList(
            EncoderBlock(
                dim, config.encoder_heads, grid, 0 if i in config.global_blocks else config.window
            )
            for i in range(config.encoder_depth)
        )
        self.neck = neck(dim, config.dim)

    def forward(self, image: Tensor) -> Tensor:
        """Normalised picture [B,3,S,S] -> embedding [B,dim,S/16,S/16]."""
        x = self.patch_embed(image) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.neck(x.permute(0, 3, 1, 2))


class RandomPositions(nn.Module):
    """Random Fourier features of places in the unit square."""

    def __init__(self, dim: int):
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, dim // 2))

    def forward(self, xy: Tensor) -> Tensor:
        """[...,2], 0 to 1 -> [...,dim]"""
        angles = 2 * math.pi * ((2 * xy - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([angles.sin(), angles.cos()], -1)


class PromptEncoder(nn.Module):
    def __init__(self, config: SamConfig):
        super().__init__()
        dim, inner = config.dim, config.mask_input_dim
        self.image_size, self.grid = config.image_size, config.grid
        self.pe_layer = RandomPositions(dim)
        # By label: not of the thing, of the thing, upper left corner, lower right corner.
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, dim) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, dim)
        self.no_mask_embed = nn.Embedding(1, dim)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, inner // 4, 2, 2),
            LayerNorm2d(inner // 4),
            nn.GELU(),
            nn.Conv2d(inner // 4, inner, 2, 2),
            LayerNorm2d(inner),
            nn.GELU(),
            nn.Conv2d(inner, dim, 1),
        )

    def points(self, coords: Tensor, labels: Tensor) -> Tensor:
        """coords [P,n,2] in pixels of the input, labels [P,n], -1 for padding -> [P,n,dim].

        A prompt of points without a box needs one padding point: so the model was trained.
        """
        labels = labels[..., None]
        places = self.pe_layer((coords + 0.5) / self.image_size)
        out = torch.where(labels == -1, self.not_a_point_embed.weight, places)
        for label, embedding in enumerate(self.point_embeddings):
            out = out + embedding.weight * (labels == label).to(out.dtype)
        return out

    def masks(self, masks: Tensor, given: Tensor) -> Tensor:
        """masks [1,1,4G,4G]; given 1 or 0 -> [1,dim,G,G]"""
        return given * self.mask_downscaling(masks) + (1 - given) * self.no_masks()

    def no_masks(self) -> Tensor:
        """[1,dim,1,1]: the same everywhere."""
        return self.no_mask_embed.weight[:, :, None, None]

    def image_positions(self) -> Tensor:
        """[1,dim,G,G]: of the middles of the embedding's cells."""
        middles = (torch.arange(self.grid) + 0.5) / self.grid
        y, x = torch.meshgrid(middles, middles, indexing="ij")
        return self.pe_layer(torch.stack([x, y], -1).to(self.no_mask_embed.weight)).permute(
            2, 0, 1
        )[None]


class DecoderAttention(nn.Module):
    def __init__(self, dim: int, heads: int, inner: int):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, inner)
        self.k_proj = nn.Linear(dim, inner)
        self.v_proj = nn.Linear(dim, inner)
        self.out_proj = nn.Linear(inner, dim)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """A batch of 1 on either side serves every prompt of the other."""

        def split(x: Tensor) -> Tensor:
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q, k, v = split(self.q_proj(q)), split(self.k_proj(k)), split(self.v_proj(v))
        weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(2))


class TwoWayBlock(nn.Module):
    """Tokens among themselves, tokens to picture, tokens through an MLP, picture to tokens."""

    def __init__(self, config: SamConfig, first: bool):
        super().__init__()
        dim, heads = config.dim, config.decoder_heads
        self.first = first
        self.self_attn = DecoderAttention(dim, heads, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.cross_attn_token_to_image = DecoderAttention(dim, heads, dim // 2)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, config.decoder_mlp_dim, nn.ReLU)
        self.norm3 = nn.LayerNorm(dim)
        self.cross_attn_image_to_token = DecoderAttention(dim, heads, dim // 2)
        self.norm4 = nn.LayerNorm(dim)

    def forward(
        self, tokens: Tensor, image: Tensor, token_positions: Tensor, image_positions: Tensor
    ) -> tuple[Tensor, Tensor]:
        if self.first:  # The tokens are their positions still: no residual, nothing to add.
            tokens = self.norm1(self.self_attn(tokens, tokens, tokens))
        else:
            q = tokens + token_positions
            tokens = self.norm1(tokens + self.self_attn(q, q, tokens))
        keys = image + image_positions
        found = self.cross_attn_token_to_image(tokens + token_positions, keys, image)
        tokens = self.norm2(tokens + found)
        tokens = self.norm3(tokens + self.mlp(tokens))
        found = self.cross_attn_image_to_token(keys, tokens + token_positions, tokens)
        return tokens, self.norm4(image + found)


class TwoWayTransformer(nn.Module):
    def __init__(self, config: SamConfig):
        super().__init__()
        dim = config.dim
        self.layers = nn.ModuleList(
            TwoWayBlock(config, i == 0) for i in range(config.decoder_depth)
        )
        self.final_attn_token_to_image = DecoderAttention(dim, config.decoder_heads, dim // 2)
        self.norm_final_attn = nn.LayerNorm(dim)

    def forward(
        self, image: Tensor, image_positions: Tensor, tokens: Tensor
    ) -> tuple[Tensor, Tensor]:
        """image [1,C,G,G], tokens [P,T,C] -> tokens [P,T,C], image [P,G*G,C]"""
        image = image.flatten(2).transpose(1, 2)
        image_positions = image_positions.flatten(2).transpose(1, 2)
        start = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, start, image_positions)
        found = self.final_attn_token_to_image(tokens + start, image + image_positions, image)
        return self.norm_final_attn(tokens + found), image


class ReluMlp(nn.Module):
    """Three layers."""

    def __init__(self, dim: int, hidden: int, out: int):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(dim, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, out)]
        )

    def forward(self, x: Tensor) -> Tensor:
        first, second, third = self.layers
        return third(second(first(x).relu()).relu())


class MaskDecoder(nn.Module):
    """Four masks a prompt: the first for a prompt that leaves no doubt, the other three (whole, part, subpart) for a single point."""

    def __init__(self, config: SamConfig):
        super().__init__()
        dim = config.dim
        self.transformer = TwoWayTransformer(config)
        self.iou_token = nn.Embedding(1, dim)
        self.mask_tokens = nn.Embedding(4, dim)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(dim, dim // 4, 2, 2),
            LayerNorm2d(dim // 4),
            nn.GELU(),
            nn.ConvTranspose2d(dim // 4, dim // 8, 2, 2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            ReluMlp(dim, dim, dim // 8) for _ in range(4)
        )
        self.iou_prediction_head = ReluMlp(dim, config.iou_dim, 4)

    def forward(
        self, image: Tensor, image_positions: Tensor, prompts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """image [1,C,G,G] with its dense prompt added, prompts [P,n,C] -> logits [P,4,4G,4G], predicted IoU [P,4]"""
        grid = int(image.shape[-1])
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(prompts.shape[0], -1, -1), prompts], 1)
        tokens, cells = self.transformer(image, image_positions, tokens)
        cells = cells.transpose(1, 2).reshape(-1, int(image.shape[1]), grid, grid)
        upscaled = self.output_upscaling(cells)
        filters = torch.stack(
            [mlp(tokens[:, 1 + i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], 1
        )
        masks = (filters @ upscaled.flatten(2)).reshape(-1, 4, 4 * grid, 4 * grid)
        return masks, self.iou_prediction_head(tokens[:, 0])


class Sam(nn.Module):
    def __init__(self, config: SamConfig, image_encoder: nn.Module | None = None):
        """`image_encoder`: another one than ViT with the same output, as MobileSAM has (tiny_vit.py)."""
        super().__init__()
        self.config = config
        self.image_encoder = image_encoder or ImageEncoderViT(config)
        self.prompt_encoder = PromptEncoder(config)
        self.mask_decoder = MaskDecoder(config)

    def forward(self, image: Tensor, coords: Tensor) -> tuple[Tensor, Tensor]:
        """image [1,3,S,S], one point a prompt, coords [P,2] -> logits [P,3,S/4,S/4], predicted IoU [P,3]"""
        coords = torch.stack([coords, torch.zeros_like(coords)], 1)
        labels = torch.tensor([[1.0, -1.0]]).expand(coords.shape[0], -1)
        encoder = self.prompt_encoder
        masks, iou = self.mask_decoder(
            self.image_encoder(image) + encoder.no_masks(),
            encoder.image_positions(),
            encoder.points(coords, labels),
        )
        return masks[:, 1:], iou[:, 1:]
