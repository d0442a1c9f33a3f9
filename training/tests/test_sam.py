"""SAM and TinyViT against other people's implementations, same random weights, reduced size; graphs against PyTorch."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from export_sam import new_sam
from lookahead_training.export import session
from lookahead_training.paper.sam import Sam, SamConfig, vit_b
from lookahead_training.paper.sam_export import export_sam
from lookahead_training.paper.tiny_vit import TinyVit, TinyVitConfig

# 9 x 9 tokens in windows of 4: the last windows stand over the edge.
SMALL = SamConfig(
    image_size=144,
    encoder_dim=48,
    encoder_depth=3,
    encoder_heads=4,
    window=4,
    global_blocks=(1,),
    dim=32,
    decoder_heads=4,
    decoder_mlp_dim=40,
    iou_dim=24,
    mask_input_dim=8,
)
TOLERANCE = 1e-4


def with_random_weights(module: torch.nn.Module, std: float = 0.5) -> torch.nn.Module:
    """Also where training would begin with zeros; and so large that attention is far from even, or nothing would be compared."""
    for name, value in module.state_dict().items():
        if value.dtype != torch.float32:
            continue
        torch.nn.init.normal_(value, std=1.0 if "gaussian" in name else std)
        if name.endswith("running_var"):
            value.abs_().add_(0.5)
    return module.eval()


def worst(found: Tensor | np.ndarray, expected: Tensor | np.ndarray) -> float:
    """The largest difference, relative to the largest expected number."""
    found, expected = torch.as_tensor(found), torch.as_tensor(expected)
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / expected.abs().max())


HF_NAMES = [
    (r"^image_encoder\.patch_embed\.proj", "vision_encoder.patch_embed.projection"),
    (r"^image_encoder\.neck\.0", "vision_encoder.neck.conv1"),
    (r"^image_encoder\.neck\.1", "vision_encoder.neck.layer_norm1"),
    (r"^image_encoder\.neck\.2", "vision_encoder.neck.conv2"),
    (r"^image_encoder\.neck\.3", "vision_encoder.neck.layer_norm2"),
    (r"^image_encoder\.blocks", "vision_encoder.layers"),
    (r"^image_encoder", "vision_encoder"),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"mask_downscaling\.0", "mask_embed.conv1"),
    (r"mask_downscaling\.1", "mask_embed.layer_norm1"),
    (r"mask_downscaling\.3", "mask_embed.conv2"),
    (r"mask_downscaling\.4", "mask_embed.layer_norm2"),
    (r"mask_downscaling\.6", "mask_embed.conv3"),
    (r"point_embeddings", "point_embed"),
    (
        r"pe_layer\.positional_encoding_gaussian_matrix",
        "shared_embedding.positional_embedding",
    ),
    (r"output_upscaling\.0", "upscale_conv1"),
    (r"output_upscaling\.1", "upscale_layer_norm"),
    (r"output_upscaling\.3", "upscale_conv2"),
    (r"(_mlps\.\d|_head)\.layers\.0", r"\1.proj_in"),
    (r"(_mlps\.\d|_head)\.layers\.1", r"\1.layers.0"),
    (r"(_mlps\.\d|_head)\.layers\.2", r"\1.proj_out"),
]


def hf_model(sam: Sam):
    """transformers' SamModel with the same weights."""
    from transformers import (
        SamConfig as HfConfig,
    )
    from transformers import (
        SamMaskDecoderConfig,
        SamModel,
        SamPromptEncoderConfig,
        SamVisionConfig,
    )

    config = sam.config
    theirs = SamModel(
        HfConfig(
            vision_config=SamVisionConfig(
                hidden_size=config.encoder_dim,
                output_channels=config.dim,
                num_hidden_layers=config.encoder_depth,
                num_attention_heads=config.encoder_heads,
                image_size=config.image_size,
                window_size=config.window,
                global_attn_indexes=list(config.global_blocks),
                num_pos_feats=config.dim // 2,
                mlp_dim=4 * config.encoder_dim,
            ),
            prompt_encoder_config=SamPromptEncoderConfig(
                hidden_size=config.dim,
                image_size=config.image_size,
                mask_input_channels=config.mask_input_dim,
            ),
            mask_decoder_config=SamMaskDecoderConfig(
                hidden_size=config.dim,
                mlp_dim=config.decoder_mlp_dim,
                num_hidden_layers=config.decoder_depth,
                num_attention_heads=config.decoder_heads,
                iou_head_hidden_dim=config.iou_dim,
                layer_norm_eps=1e-5,  # segment-anything's; transformers' own default is 1e-6
            ),
        )
    )
    weights = {}
    for name, value in sam.state_dict().items():
        for pattern, text in HF_NAMES:
            name = re.sub(pattern, text, name)
        weights[name] = value
    shared = "shared_embedding.positional_embedding"
    weights["shared_image_embedding.positional_embedding"] = weights[f"prompt_encoder.{shared}"]
    theirs.load_state_dict(weights)
    return theirs.eval()


@torch.no_grad()
def test_sam_equals_transformers_with_the_same_weights() -> None:
    pytest.importorskip("transformers")
    sam = with_random_weights(Sam(SMALL))
    theirs = hf_model(sam)
    image = torch.randn(1, 3, SMALL.image_size, SMALL.image_size)
    points = torch.rand(6, 2) * SMALL.image_size

    embedding = sam.image_encoder(image)
    assert worst(embedding, theirs.vision_encoder(image).last_hidden_state) < TOLERANCE
    positions = sam.prompt_encoder.image_positions()
    assert worst(positions, theirs.get_image_wide_positional_embeddings()) < TOLERANCE

    masks, iou = sam(image, points)
    answer = theirs(pixel_values=image, input_points=points[None, :, None])
    assert worst(masks[None], answer.pred_masks) < TOLERANCE
    assert worst(iou[None], answer.iou_scores) < TOLERANCE
    # What half a pixel, or another choice among the four masks, would do is seen.
    assert worst(sam(image, points + 0.5)[0], masks) > 5 * TOLERANCE
    single = theirs(pixel_values=image, input_points=points[None, :, None], multimask_output=False)
    assert worst(masks[None, :, :1], single.pred_masks) > 5 * TOLERANCE

    mask = torch.randn(1, 1, 4 * SMALL.grid, 4 * SMALL.grid)
    ours = sam.prompt_encoder.masks(mask, torch.ones(1))
    assert worst(ours, theirs.prompt_encoder.mask_embed(mask)) < TOLERANCE


@pytest.mark.parametrize("stride", [1, 2])
@torch.no_grad()
def test_tiny_vit_equals_timm_with_the_same_weights(stride: int) -> None:
    tiny_vit = pytest.importorskip("timm.models.tiny_vit")
    config = TinyVitConfig(
        dims=(8, 16, 24, 32),
        depths=(1, 2, 1, 1),
        heads=(1, 2, 3, 4),
        windows=(3, 3, 5, 3),
        last_stride=stride,
        classes=3,
    )
    ours = with_random_weights(TinyVit(config), std=0.2)
    theirs = tiny_vit.TinyVit(
        num_classes=3,
        embed_dims=config.dims,
        depths=config.depths,
        num_heads=config.heads,
        window_sizes=config.windows,
    )
    theirs.stages[3].downsample.conv2.conv.stride = (stride, stride)  # MobileSAM's change
    weights = {}
    for name, value in ours.state_dict().items():
        name = name.replace("patch_embed.seq.0", "patch_embed.conv1")
        name = name.replace("patch_embed.seq.2", "patch_embed.conv2")
        name = re.sub(r"\.c\.weight", ".conv.weight", name)
        # timm merges patches at a stage's beginning, MobileSAM at the end of the one before.
        name = re.sub(r"layers\.(\d)\.down", lambda m: f"stages.{int(m[1]) + 1}.down", name)
        name = name.replace("layers.", "stages.")
        weights[name] = value
    missing, _ = theirs.load_state_dict(weights, strict=False)
    assert [name for name in missing if not name.startswith("head")] == []
    theirs.eval()

    image = torch.randn(2, 3, 144, 144)
    assert worst(ours.features(image), theirs.forward_features(image)) < TOLERANCE


@pytest.mark.parametrize("layout", ["official", "hf", "edge"])
def test_the_graphs_of_every_layout_give_the_masks_of_pytorch(layout: str, tmp_path: Path) -> None:
    sam = with_random_weights(Sam(SMALL))
    encoder, decoder = (session(path) for path in export_sam(sam, layout, tmp_path))
    image = torch.randn(1, 3, SMALL.image_size, SMALL.image_size)
    points = torch.rand(3, 2) * SMALL.image_size
    with torch.no_grad():
        masks, iou = sam(image, points)
    embeddings = encoder.run(None, {encoder.get_inputs()[0].name: image.numpy()})
    if layout == "hf":
        names = ("image_embeddings", "image_positional_embeddings")
        feeds = dict(zip(names, embeddings, strict=True))
        feeds["input_points"] = points[None, :, None].numpy()
        feeds["input_labels"] = np.ones((1, 3, 1), np.int64)
        found_iou, found = decoder.run(["iou_scores", "pred_masks"], feeds)
        assert worst(found[0], masks) < TOLERANCE and worst(found_iou[0], iou) < TOLERANCE
        return
    outputs = ["low_res_masks", "iou_predictions"] if layout == "official" else ["masks", "scores"]
    for i, point in enumerate(points.numpy()):
        feeds = {
            "image_embeddings": embeddings[0],
            "point_coords": np.stack([point, np.zeros(2, np.float32)])[None],
            "point_labels": np.array([[1, -1]], np.float32),
        }
        if layout == "official":
            side = 4 * SMALL.grid
            feeds["mask_input"] = np.zeros((1, 1, side, side), np.float32)
            feeds["has_mask_input"] = np.zeros(1, np.float32)
            feeds["orig_im_size"] = np.array([90, 160], np.float32)
            assert decoder.run(["masks"], feeds)[0].shape == (1, 4, 90, 160)
        found, found_iou = decoder.run(outputs, feeds)
        assert worst(found[0, 1:], masks[i]) < TOLERANCE
        assert worst(found_iou[0, 1:], iou[i]) < TOLERANCE


def test_a_checkpoint_says_which_architecture_it_is_of() -> None:
    """The names and shapes of the released files at full size; meta tensors take no memory."""
    with torch.device("meta"):
        base, mobile = Sam(vit_b()), Sam(vit_b(), TinyVit(TinyVitConfig()))
    assert sum(p.numel() for p in base.parameters()) == 93_735_472
    names = base.state_dict()
    assert names["image_encoder.pos_embed"].shape == (1, 64, 64, 768)
    assert names["image_encoder.blocks.0.attn.rel_pos_h"].shape == (27, 64)
    assert names["image_encoder.blocks.2.attn.rel_pos_h"].shape == (127, 64)
    assert names["mask_decoder.output_hypernetworks_mlps.3.layers.2.weight"].shape == (32, 256)
    names = mobile.state_dict()
    assert names["image_encoder.layers.0.blocks.1.conv3.bn.running_var"].shape == (64,)
    assert names["image_encoder.layers.2.blocks.5.attn.attention_biases"].shape == (5, 196)
    assert names["image_encoder.layers.2.downsample.conv2.c.weight"].shape == (320, 1, 3, 3)
    with pytest.raises(SystemExit, match="neither"):
        new_sam({"model.weight": torch.zeros(1)})


def test_prompts_are_decoded_as_each_would_be_alone() -> None:
    sam = with_random_weights(Sam(replace(SMALL, encoder_depth=1)))
    image = torch.randn(1, 3, SMALL.image_size, SMALL.image_size)
    points = torch.rand(4, 2) * SMALL.image_size
    with torch.no_grad():
        together = sam(image, points)[0]
        alone = torch.cat([sam(image, point[None])[0] for point in points])
    assert worst(together, alone) < TOLERANCE
