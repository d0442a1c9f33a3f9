"""SAM's or MobileSAM's released weights to ONNX: `uv run python export_sam.py --checkpoint sam_vit_b_01ec64.pth --layout hf --out DIR`.

The architecture is read off the checkpoint. Then: `./lookahead models add sam --encoder DIR/encoder.onnx --decoder DIR/decoder.onnx --out BUNDLE`.
"""

import argparse
from pathlib import Path

import torch

from lookahead_training.paper.sam import Sam, vit_b, vit_h, vit_l
from lookahead_training.paper.sam_export import LAYOUTS, export_sam
from lookahead_training.paper.tiny_vit import TinyVit, TinyVitConfig

BY_WIDTH = {768: vit_b, 1024: vit_l, 1280: vit_h}


def new_sam(weights: dict[str, torch.Tensor]) -> Sam:
    """The architecture that these weights are of, with the weights in it."""
    if "image_encoder.patch_embed.seq.0.c.weight" in weights:
        sam = Sam(vit_b(), TinyVit(TinyVitConfig()))
    else:
        patches = weights.get("image_encoder.patch_embed.proj.weight")
        if patches is None or patches.shape[0] not in BY_WIDTH:
            raise SystemExit(
                "The checkpoint is neither SAM ViT-B, ViT-L, ViT-H nor MobileSAM; its first names are "
                + ", ".join(list(weights)[:3])
            )
        sam = Sam(BY_WIDTH[patches.shape[0]]())
    sam.load_state_dict(weights)
    return sam.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--layout", choices=LAYOUTS, default="hf")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    weights = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    for path in export_sam(new_sam(weights), arguments.layout, arguments.out):
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB, equal to PyTorch")


if __name__ == "__main__":
    main()
