"""Writes test/fixtures/sam: one tiny SAM with random weights in every layout, and what PyTorch makes of one frame.

    uv run python sam_fixtures.py

`encoder.onnx` serves the decoders of segment-anything and of EdgeSAM. The frame is letterboxed, as the engine's frames are.
"""

import base64
import json
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F

from lookahead_training.paper.sam import Sam, SamConfig
from lookahead_training.paper.sam_export import LAYOUTS, export_sam

FOLDER = Path(__file__).resolve().parent.parent / "test/fixtures/sam"
TINY = SamConfig(
    image_size=64,
    encoder_dim=8,
    encoder_depth=2,
    encoder_heads=2,
    window=3,
    global_blocks=(1,),
    dim=16,
    decoder_depth=2,
    decoder_heads=2,
    decoder_mlp_dim=8,
    iou_dim=8,
    mask_input_dim=4,
)
WIDTH, HEIGHT = 40, 24
PICTURE = {"x": 0, "y": 1, "width": 40, "height": 22}
POINTS = [[4.0, 3.0], [20.5, 12.0], [37.0, 21.0]]
MEAN = torch.tensor([123.675, 116.28, 103.53])[:, None, None]
DEVIATION = torch.tensor([58.395, 57.12, 57.375])[:, None, None]


def squared(frame: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 [H,W,3] -> SAM's input [1,3,S,S], and what an input pixel is to a picture's pixel, [2]."""
    x, y, width, height = PICTURE.values()
    picture = frame[y : y + height, x : x + width].permute(2, 0, 1).float()[None]
    scale = TINY.image_size / max(width, height)
    new = (int(height * scale + 0.5), int(width * scale + 0.5))
    picture = F.interpolate(picture, new, mode="bilinear", align_corners=False)
    picture = (picture - MEAN) / DEVIATION
    picture = F.pad(picture, (0, TINY.image_size - new[1], 0, TINY.image_size - new[0]))
    return picture, torch.tensor([new[1] / width, new[0] / height])


def as_text(tensor: torch.Tensor) -> str:
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


def main() -> None:
    torch.manual_seed(5)
    sam = Sam(TINY).eval()
    for value in sam.parameters():
        torch.nn.init.normal_(value, std=0.7)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for layout in LAYOUTS:
        encoder, decoder = export_sam(sam, layout, FOLDER)
        decoder = decoder.rename(FOLDER / f"decoder-{layout}.onnx")
        if layout == "hf":
            encoder = encoder.rename(FOLDER / "encoder-hf.onnx")
        for path in (encoder, decoder):
            model = onnx.load(path)
            for node in model.graph.node:
                node.doc_string = ""
                node.name = ""
            onnx.save(model, path)

    rows = torch.arange(HEIGHT)[:, None, None] * torch.tensor([7, 3, 5])
    columns = torch.arange(WIDTH)[None, :, None] * torch.tensor([2, 11, 6])
    frame = ((rows + columns + torch.randint(0, 60, (HEIGHT, WIDTH, 3))) % 256).to(torch.uint8)
    frame[: PICTURE["y"]] = 0
    frame[PICTURE["y"] + PICTURE["height"] :] = 0
    image, scale = squared(frame)
    corner = torch.tensor([PICTURE["x"], PICTURE["y"]])
    with torch.no_grad():
        masks, iou = sam(image, (torch.tensor(POINTS) - corner) * scale)
    expected = {
        "size": {"widthPx": WIDTH, "heightPx": HEIGHT},
        "picture": PICTURE,
        "pixels": as_text(frame),
        "points": POINTS,
        "input": as_text(image),
        "masks": {"shape": list(masks.shape), "data": as_text(masks)},
        "predictedIous": {"shape": list(iou.shape), "data": as_text(iou)},
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name}  {path.stat().st_size} bytes")
    print(f"masks {masks.min():.2f} to {masks.max():.2f}, predicted IoU {iou.tolist()}")


if __name__ == "__main__":
    main()
