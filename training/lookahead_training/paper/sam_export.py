"""Sam -> encoder.onnx and decoder.onnx in the layouts that others publish; each graph is checked against PyTorch.

official  segment-anything's decoder: one prompt of n points a run; masks also at the picture's size
hf        Hugging Face's: P prompts of n points a run, the padding point added inside, three masks a prompt
edge      EdgeSAM's decoder: as official, without mask input and without masks at the picture's size
"""

import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..export import OPSET, session
from .sam import Sam

TOLERANCE = 1e-4
LAYOUTS = ("official", "hf", "edge")


class Encoder(nn.Module):
    def __init__(self, sam: Sam):
        super().__init__()
        self.image_encoder = sam.image_encoder

    def forward(self, image: Tensor) -> Tensor:
        return self.image_encoder(image)


class HfEncoder(nn.Module):
    def __init__(self, sam: Sam):
        super().__init__()
        self.image_encoder, self.prompt_encoder = sam.image_encoder, sam.prompt_encoder

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        embeddings = self.image_encoder(pixel_values)
        positions = self.prompt_encoder.image_positions()
        return embeddings, positions.expand(embeddings.shape[0], -1, -1, -1)


class OfficialDecoder(nn.Module):
    def __init__(self, sam: Sam):
        super().__init__()
        self.prompt_encoder, self.mask_decoder = sam.prompt_encoder, sam.mask_decoder
        self.image_size = sam.config.image_size

    def forward(
        self,
        image_embeddings: Tensor,
        point_coords: Tensor,
        point_labels: Tensor,
        mask_input: Tensor,
        has_mask_input: Tensor,
        orig_im_size: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        low, iou = self.mask_decoder(
            image_embeddings + self.prompt_encoder.masks(mask_input, has_mask_input),
            self.prompt_encoder.image_positions(),
            self.prompt_encoder.points(point_coords, point_labels),
        )
        side = self.image_size
        masks = F.interpolate(low, (side, side), mode="bilinear", align_corners=False)
        # The padding is cut off before the picture's own size is reached.
        scaled = (orig_im_size * (side / orig_im_size.max()) + 0.5).floor().long()
        height, width = orig_im_size.long()
        masks = masks[..., : scaled[0], : scaled[1]]
        masks = F.interpolate(masks, (height, width), mode="bilinear", align_corners=False)
        return masks, iou, low


class HfDecoder(nn.Module):
    def __init__(self, sam: Sam):
        super().__init__()
        self.prompt_encoder, self.mask_decoder = sam.prompt_encoder, sam.mask_decoder

    def forward(
        self,
        input_points: Tensor,
        input_labels: Tensor,
        image_embeddings: Tensor,
        image_positional_embeddings: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """One picture: the first axis of everything is 1."""
        points, labels = input_points[0], input_labels[0].to(input_points.dtype)
        points = torch.cat([points, torch.zeros_like(points[:, :1])], 1)
        labels = torch.cat([labels, -torch.ones_like(labels[:, :1])], 1)
        masks, iou = self.mask_decoder(
            image_embeddings + self.prompt_encoder.no_masks(),
            image_positional_embeddings,
            self.prompt_encoder.points(points, labels),
        )
        return iou[None, :, 1:], masks[None, :, 1:]


class EdgeDecoder(nn.Module):
    def __init__(self, sam: Sam):
        super().__init__()
        self.prompt_encoder, self.mask_decoder = sam.prompt_encoder, sam.mask_decoder

    def forward(
        self, image_embeddings: Tensor, point_coords: Tensor, point_labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        masks, iou = self.mask_decoder(
            image_embeddings + self.prompt_encoder.no_masks(),
            self.prompt_encoder.image_positions(),
            self.prompt_encoder.points(point_coords, point_labels),
        )
        return iou, masks


def export_graph(
    path: Path, module: nn.Module, feeds: dict[str, Tensor], outputs: list[str], axes: dict
) -> None:
    """Writes one graph and runs it. Raises ValueError where it differs from PyTorch."""
    module.eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(feeds.values()),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(feeds),
            output_names=outputs,
            dynamic_axes=axes,
        )
        expected = module(*feeds.values())
    expected = expected if isinstance(expected, tuple) else (expected,)
    found = session(path).run(outputs, {name: value.numpy() for name, value in feeds.items()})
    for name, one, other in zip(outputs, found, expected, strict=True):
        worst = float(np.abs(one - other.numpy()).max())
        if not worst <= TOLERANCE * max(1, float(other.abs().max())):
            raise ValueError(f"{path.name}: {name} differs by {worst} from PyTorch.")


def export_sam(sam: Sam, layout: str, folder: Path) -> tuple[Path, Path]:
    """Returns the paths of encoder and decoder."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder, decoder = folder / "encoder.onnx", folder / "decoder.onnx"
    config = sam.config
    side, grid = config.image_size, config.grid
    random = torch.Generator().manual_seed(7)
    image = torch.randn(1, 3, side, side, generator=random)
    embeddings = torch.randn(1, config.dim, grid, grid, generator=random)
    points = torch.rand(5, 1, 2, generator=random) * side

    if layout == "hf":
        axes = {"pixel_values": {0: "batch_size"}}
        axes |= {n: {0: "batch_size"} for n in ("image_embeddings", "image_positional_embeddings")}
        outputs = ["image_embeddings", "image_positional_embeddings"]
        export_graph(encoder, HfEncoder(sam), {"pixel_values": image}, outputs, axes)
        with torch.no_grad():
            positions = sam.prompt_encoder.image_positions()
        feeds = {
            "input_points": points[None],
            "input_labels": torch.ones(1, 5, 1, dtype=torch.long),
            "image_embeddings": embeddings,
            "image_positional_embeddings": positions,
        }
        batched = {1: "point_batch_size"}
        axes = {n: batched | {2: "nb_points_per_image"} for n in ("input_points", "input_labels")}
        axes |= {n: batched for n in ("iou_scores", "pred_masks")}
        export_graph(decoder, HfDecoder(sam), feeds, ["iou_scores", "pred_masks"], axes)
        return encoder, decoder

    export_graph(encoder, Encoder(sam), {"image": image}, ["image_embeddings"], {})
    feeds = {
        "image_embeddings": embeddings,
        "point_coords": points[:1].expand(1, 2, 2).contiguous(),
        "point_labels": torch.tensor([[1.0, -1.0]]),
    }
    axes = {n: {1: "num_points"} for n in ("point_coords", "point_labels")}
    if layout == "edge":
        export_graph(decoder, EdgeDecoder(sam), feeds, ["scores", "masks"], axes)
    elif layout == "official":
        feeds |= {
            "mask_input": torch.randn(1, 1, 4 * grid, 4 * grid, generator=random),
            "has_mask_input": torch.ones(1),
            "orig_im_size": torch.tensor([side * 0.75, side * 1.5]).floor(),
        }
        outputs = ["masks", "iou_predictions", "low_res_masks"]
        axes["masks"] = {2: "height", 3: "width"}
        export_graph(decoder, OfficialDecoder(sam), feeds, outputs, axes)
    else:
        raise ValueError(f"layout is {layout!r}; known are {', '.join(LAYOUTS)}.")
    return encoder, decoder
