"""Two ONNX graphs of one mask decoder with SAM's shapes and random weights, for `npm run bench -- masks`.

    uv run python bench_decoder.py FOLDER

256 channels, a 64 x 64 embedding, two two-way layers of 8 heads (cross-attention at half width, MLP 2,048), four mask tokens, masks of
256 x 256, as arXiv 2304.02643 describes it. `shared.onnx` keeps the one embedding of the picture for all points as long as it is the
same for them, and gives masks as they are. `repeated.onnx` repeats the embedding for every point, and enlarges the masks to the full
1,024 x 1,024. Weights that nobody trained give masks that look like nothing: their boxes would all be the whole picture, and box NMS
would leave one. So each mask's logits are a cone around the point, three radii as for whole, part and subpart, roughened by the network.
"""

import sys
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, relu, softmax

DIM, SIDE, HEADS, MASK_SIDE, FULL_SIDE = 256, 64, 8, 256, 1024
RADII = (10.0, 20.0, 40.0)  # cells of 256
SLOPE = 4.0  # logits a cell: as steep as makes SAM's masks stable


class Attention(nn.Module):
    def __init__(self, inner: int):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(DIM, inner) for _ in range(3))
        self.out = nn.Linear(inner, DIM)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Any of them may have a batch of 1, which then serves all."""
        q, k, v = (self.heads(part) for part in (self.q(q), self.k(k), self.v(v)))
        weights = softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))

    @staticmethod
    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


class Layer(nn.Module):
    def __init__(self, first: bool):
        super().__init__()
        self.first = first
        self.own, self.read, self.write = Attention(DIM), Attention(DIM // 2), Attention(DIM // 2)
        self.norms = nn.ModuleList(nn.LayerNorm(DIM) for _ in range(4))
        self.mlp = nn.Sequential(nn.Linear(DIM, 2048), nn.ReLU(), nn.Linear(2048, DIM))

    def forward(
        self, tokens: Tensor, image: Tensor, point: Tensor, where: Tensor
    ) -> tuple[Tensor, Tensor]:
        q = tokens if self.first else tokens + point
        own = self.own(q, q, tokens)
        tokens = self.norms[0](own if self.first else tokens + own)
        tokens = self.norms[1](tokens + self.read(tokens + point, image + where, image))
        tokens = self.norms[2](tokens + self.mlp(tokens))
        image = self.norms[3](image + self.write(image + where, tokens + point, tokens))
        return tokens, image


def mlp(out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(DIM, DIM), nn.ReLU(), nn.Linear(DIM, DIM), nn.ReLU(), nn.Linear(DIM, out)
    )


class Decoder(nn.Module):
    def __init__(self, repeated: bool):
        super().__init__()
        self.repeated = repeated
        self.where = nn.Parameter(torch.randn(1, SIDE * SIDE, DIM))
        self.encode = nn.Linear(2, DIM // 2)
        self.tokens = nn.Parameter(torch.randn(1, 5, DIM))  # predicted IoU, and four masks
        self.layers = nn.ModuleList([Layer(True), Layer(False)])
        self.last, self.norm = Attention(DIM // 2), nn.LayerNorm(DIM)
        self.up1 = nn.ConvTranspose2d(DIM, DIM // 4, 2, 2)
        self.up_norm = nn.GroupNorm(1, DIM // 4)
        self.up2 = nn.ConvTranspose2d(DIM // 4, DIM // 8, 2, 2)
        self.hyper = nn.ModuleList(mlp(DIM // 8) for _ in range(4))
        self.iou = mlp(4)
        y, x = torch.meshgrid(torch.arange(MASK_SIDE), torch.arange(MASK_SIDE), indexing="ij")
        self.register_buffer("cells", torch.stack([x, y]).float() + 0.5)
        self.register_buffer("radii", torch.tensor(RADII).reshape(1, 3, 1, 1))

    def forward(self, image_embeddings: Tensor, point_coords: Tensor) -> tuple[Tensor, Tensor]:
        """[1,256,64,64], [N,2] in pixels of 1,024 -> mask logits [N,3,side,side], predicted IoU [N,3]."""
        count = point_coords.shape[0]
        image = image_embeddings.flatten(2).transpose(1, 2)  # [1,4096,256]
        where = self.where
        if self.repeated:
            image, where = image.repeat(count, 1, 1), where.repeat(count, 1, 1)
        angle = self.encode(point_coords / FULL_SIDE * 2 - 1)
        point = torch.cat([angle.sin(), angle.cos()], -1).unsqueeze(1)  # [N,1,256]
        tokens = start = torch.cat([self.tokens.expand(count, -1, -1), point], 1)  # [N,6,256]
        for layer in self.layers:
            tokens, image = layer(tokens, image, start, where)
        tokens = self.norm(tokens + self.last(tokens + start, image + where, image))
        dense = image.transpose(1, 2).unflatten(2, (SIDE, SIDE))  # [N,256,64,64]
        dense = gelu(self.up2(gelu(self.up_norm(self.up1(dense)))))  # [N,32,256,256]
        vectors = torch.stack([self.hyper[i](tokens[:, 1 + i]) for i in range(1, 4)], 1)
        rough = (vectors @ dense.flatten(2)).unflatten(2, (MASK_SIDE, MASK_SIDE)).tanh()
        away = (
            point_coords[:, :, None, None] / (FULL_SIDE / MASK_SIDE) - self.cells
        )  # [N,2,256,256]
        distance = (away * away).sum(1, keepdim=True).sqrt()
        masks = SLOPE * (self.radii - distance) + 3 * rough
        if self.repeated:
            masks = interpolate(
                masks, size=(FULL_SIDE, FULL_SIDE), mode="bilinear", align_corners=False
            )
        return masks, relu(self.iou(tokens[:, 0])[:, 1:] * 4).tanh()


def export(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, repeated in (("shared", False), ("repeated", True)):
        torch.manual_seed(1)
        decoder = Decoder(repeated).eval()
        example = (torch.randn(1, DIM, SIDE, SIDE), torch.tensor([[100.0, 200.0], [600.0, 700.0]]))
        names = ["image_embeddings", "point_coords", "masks", "iou_predictions"]
        # Whole only when it has its own name.
        part = folder / f"{name}.part"
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                decoder,
                example,
                str(part),
                input_names=names[:2],
                output_names=names[2:],
                dynamic_axes={name: {0: "N"} for name in names[1:]},
                opset_version=17,
                dynamo=False,
            )
        part.rename(folder / f"{name}.onnx")


if __name__ == "__main__":
    export(Path(sys.argv[1]))
