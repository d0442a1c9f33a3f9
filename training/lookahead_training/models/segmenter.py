"""SAM in small: an image encoder, and a decoder that turns one point into three masks with predicted IoU.

The encoder runs once a picture and carries all that is dense (a small convolutional net with two transformer blocks at
stride 8, and a stride-2 skip). The decoder runs for every point: the point's tokens read the image, the image reads the tokens
(two-way), the tokens read again; then each mask token gives a vector, and a mask is its product with the stride-2 map plus a
point-specific map at stride 8. As in SAM a point is ambiguous, hence three masks: here they are ordered, the nearest thing
within 14 pixels of the point first, then the second and third nearest. A grid of points 16 pixels apart thereby misses nothing, however
small. A mask without a thing behind it must predict IoU 0.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate

from .layers import Attention, Block, FeedForward

ROWS, COLUMNS, MASK_ROWS, MASK_COLUMNS = 12, 20, 48, 80


def grid_positions(rows: int, columns: int, stride: int) -> Tensor:
    """Pixel centres of a grid, [rows*columns, 2] as x, y."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2).float() * stride + (stride - 1) / 2


class PointEncoding(nn.Module):
    """Fourier features of pixel positions at fixed octaves: 2 -> dim."""

    def __init__(self, dim: int, bands: int = 6):
        super().__init__()
        self.register_buffer("frequency", torch.pi * 2.0 ** torch.arange(bands) / 160.0)
        self.out = nn.Linear(4 * bands, dim)

    def forward(self, points: Tensor) -> Tensor:
        angle = (points.unsqueeze(-1) * self.frequency).flatten(-2)  # [...,2*bands]
        return self.out(torch.cat([angle.sin(), angle.cos()], -1))


class SegmenterEncoder(nn.Module):
    def __init__(self, dim: int = 64, skip: int = 24):
        super().__init__()
        self.skip = skip
        self.conv2 = nn.Conv2d(3, 24, 3, stride=2, padding=1)
        self.conv4 = nn.Conv2d(24, 48, 3, stride=2, padding=1)
        self.conv4b = nn.Conv2d(48, 48, 3, padding=1)
        self.conv8 = nn.Conv2d(48, dim, 3, stride=2, padding=1)
        self.conv8b = nn.Conv2d(dim, dim, 3, padding=1)
        self.position = nn.Parameter(torch.randn(1, ROWS * COLUMNS, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, 4, 2 * dim) for _ in range(2))
        self.norm = nn.LayerNorm(dim)
        self.lateral8 = nn.Conv2d(dim, 48, 1)
        self.smooth4 = nn.Conv2d(48, 48, 3, padding=1)
        self.lateral4 = nn.Conv2d(48, skip, 1)
        self.lateral2 = nn.Conv2d(24, skip, 1)
        self.smooth2 = nn.Conv2d(skip, skip, 3, padding=1)
        self.smooth2b = nn.Conv2d(skip, skip, 3, padding=1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """image uint8 [B,96,160,3] -> embeddings [B,C,12,20], high_res [B,C2,48,80]."""
        x = image.permute(0, 3, 1, 2).float() / 127.5 - 1.0
        at2 = gelu(self.conv2(x))  # [B,24,48,80]
        at4 = gelu(self.conv4(at2))
        at4 = at4 + gelu(self.conv4b(at4))  # [B,48,24,40]
        at8 = gelu(self.conv8(at4))
        at8 = at8 + gelu(self.conv8b(at8))  # [B,C,12,20]
        tokens = at8.flatten(2).transpose(1, 2) + self.position  # [B,240,C]
        for block in self.blocks:
            tokens = block(tokens)
        embeddings = self.norm(tokens).transpose(1, 2).reshape(at8.shape)
        up4 = interpolate(self.lateral8(embeddings), size=(24, 40), mode="nearest")
        up4 = gelu(self.smooth4(at4 + up4))
        up2 = interpolate(self.lateral4(up4), size=(MASK_ROWS, MASK_COLUMNS), mode="nearest")
        up2 = gelu(self.smooth2(self.lateral2(at2) + up2))  # [B,C2,48,80]
        return embeddings, up2 + gelu(self.smooth2b(up2))


class SegmenterDecoder(nn.Module):
    def __init__(self, dim: int = 64, skip: int = 24, heads: int = 4):
        super().__init__()
        self.skip = skip
        self.encode_point = PointEncoding(dim)
        self.register_buffer("grid", grid_positions(ROWS, COLUMNS, 8))
        self.tokens = nn.Parameter(torch.randn(1, 4, dim) * 0.5)  # three masks and one for IoU
        self.norm_tokens1, self.self1 = nn.LayerNorm(dim), Attention(dim, heads)
        self.read1 = Attention(dim, heads, inner=dim // 2)
        self.ff1 = nn.Sequential(nn.LayerNorm(dim), FeedForward(dim, 2 * dim))
        self.write = Attention(dim, heads, inner=dim // 2)
        self.norm_image = nn.LayerNorm(dim)
        self.norm_tokens2, self.self2 = nn.LayerNorm(dim), Attention(dim, heads)
        self.read2 = Attention(dim, heads, inner=dim // 2)
        self.ff2 = nn.Sequential(nn.LayerNorm(dim), FeedForward(dim, 2 * dim))
        self.norm_out = nn.LayerNorm(dim)
        self.hyper = FeedForward(dim, dim, skip + 1)  # a vector for the stride-2 map, and a bias
        self.coarse = nn.Linear(dim, dim)  # a vector for the stride-8 map
        self.iou = FeedForward(2 * dim, dim, 1)

    def forward(
        self, image_embeddings: Tensor, high_res: Tensor, point_coords: Tensor
    ) -> tuple[Tensor, Tensor]:
        """[1,C,12,20], [1,C2,48,80], [N,2] -> masks [N,3,48,80] logits, iou_predictions [N,3].

        In training the leading axis of the first two may be a batch of b pictures; the points are then N / b for each, in order.
        """
        count, pictures = point_coords.shape[0], high_res.shape[0]
        where = self.encode_point(self.grid).unsqueeze(0)  # [1,240,C]
        image = image_embeddings.flatten(2).transpose(1, 2) + where  # [1,240,C]
        if pictures > 1:
            image = image.repeat_interleave(count // pictures, 0)  # [N,240,C]
        point = self.encode_point(point_coords).unsqueeze(1)  # [N,1,C]
        tokens = torch.cat([self.tokens.expand(count, -1, -1) + point, point], 1)  # [N,5,C]
        normed = self.norm_tokens1(tokens)
        tokens = tokens + self.self1(normed, normed)
        tokens = tokens + self.read1(tokens, image)
        tokens = tokens + self.ff1(tokens)
        image = self.norm_image(image + self.write(image.expand(count, -1, -1), tokens))
        normed = self.norm_tokens2(tokens)
        tokens = tokens + self.self2(normed, normed)
        tokens = tokens + self.read2(tokens, image + where)
        tokens = self.norm_out(tokens + self.ff2(tokens))
        masks_of, rest = tokens[:, :3], tokens[:, 3:4]
        hyper = self.hyper(masks_of)  # [N,3,C2+1]
        vectors = hyper[..., :-1].reshape(pictures, -1, self.skip)  # [1,3N,C2]: one product for all
        fine = (vectors @ high_res.flatten(2)).reshape(count, 3, ROWS, 4, COLUMNS, 4)
        coarse = self.coarse(masks_of) @ image.transpose(1, 2) / 8.0 + hyper[..., -1:]  # [N,3,240]
        coarse = coarse.reshape(count, 3, ROWS, 1, COLUMNS, 1)
        masks = (fine + coarse).reshape(count, 3, MASK_ROWS, MASK_COLUMNS)
        both = torch.cat([masks_of, rest.expand(-1, 3, -1)], -1)  # [N,3,2C]
        return masks, self.iou(both).squeeze(-1).sigmoid()
