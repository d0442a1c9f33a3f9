"""Released weights -> a bundle of the paper's size (docs/paper-bundle.md): graphs, embedding table, manifest.

Each graph but the language model's is checked against PyTorch. The language model never exists as a whole: its tensors go one by
one from the files into the graph.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ..bundle import round_to_fp16
from ..export import export_graph, sha256, store_weights_as_fp16
from .blank_heads import BlankEventHead, BlankObjectHead
from .config import SizeConfig
from .language_export import (
    describe,
    files_weights,
    language_entry,
    language_files,
    write_embeddings,
    write_reasoner,
)
from .llama_files import check_llama, read_llama_config
from .qformer import PaperFusion
from .sam import Sam
from .sam_export import export_sam
from .videomae import PaperBackbone, new_videomae
from .weight_files import Safetensors, load_checkpoint

CLIPS = 8  # of a window
FRAMES_PER_SECOND = 8
HORIZON_MS = 4000
CLASSES = ["background", "thing"]
# The blank heads' only attribute and fact, since a graph with an empty axis is asking for trouble.
NOTHING_SHOWN, NOTHING_OF_PLACE = ["told"], ["told"]
ATTRIBUTES = ["x", "y", "width", "height", "vx", "vy", "age"]
PROMPTS = {
    "forecast": "Next:",
    "justify": ",",
    "events": "Seen:",
    "cause": "Why",
    "describe": "Scene:",
    "ask": "Q:",
    "answer": "A:",
    "verbal": "Predict the three most likely subsequent events, for each a brief justification and a confidence score from 0 to 1.",
}
# SAM's automatic mask generator's own.
SEGMENTER = {
    "pointsPerRow": 32,
    "pointsPerColumn": 32,
    "pointsPerBatch": 16,
    "predIouThresh": 0.88,
    "stabilityScoreThresh": 0.95,
    "stabilityScoreOffset": 1.0,
    "boxNmsThresh": 0.7,
    "minMaskRegionArea": 0,
}
GOLDEN_BYTES_MAX = 1_000_000


@dataclass(frozen=True)
class Sources:
    """Files of the user's own."""

    vision: Path
    """InternVideo-B/16 or VideoMAE-B: .pth, .pt or .safetensors."""
    sam: Path
    """sam_vit_b_01ec64.pth."""
    llm: Path
    """A folder with config.json, tokenizer.json and *.safetensors; LoRA merged into it."""
    fusion: Path | None
    """`PaperFusion.state_dict()`; without it the fusion core is untrained, and the bundle says so."""


def build_bundle(size: SizeConfig, sources: Sources, labels: list[dict], out: Path) -> dict:
    """Writes everything into `out`, which must be empty or not there. Returns the manifest.

    @param labels: of a manifest: type, actor, target, text, baseRate; the first is nothing
    """
    if size.video is None or size.sam is None or size.fusion is None:
        raise ValueError(
            f"{size.name} has no vision of the paper's; it is built by training/run.py."
        )
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} holds something and should be empty or not there.")
    # What is wrong with the largest files is told before hours are spent on the others.
    check_llama(Safetensors(sources.llm), read_llama_config(sources.llm))
    tokenizer = sources.llm / "tokenizer.json"
    if not tokenizer.exists():
        raise ValueError(f"{tokenizer} is missing.")
    (out / "golden").mkdir(parents=True, exist_ok=True)
    try:
        return _write(size, sources, labels, out)
    except BaseException:
        shutil.rmtree(out)  # half a bundle is none, and would be in the way of the next try
        raise


def _write(size: SizeConfig, sources: Sources, labels: list[dict], out: Path) -> dict:
    assert size.video is not None and size.sam is not None and size.fusion is not None
    llama, tensors = read_llama_config(sources.llm), Safetensors(sources.llm)
    files: dict[str, dict] = {}

    def export(key: str, name: str, module: nn.Module, inputs: dict, outputs: list[str], axes):
        round_to_fp16(module)
        names = list(inputs), outputs, axes
        files[key], golden = export_graph(name, module, tuple(inputs.values()), out, names)
        text = json.dumps(golden)
        if len(text) <= GOLDEN_BYTES_MAX:
            (out / "golden" / f"{name}.json").write_text(text + "\n")

    video = size.video
    random = torch.Generator().manual_seed(7)
    clip_shape = (1, video.frames, video.image_size, video.image_size, 3)
    clip = torch.randint(0, 256, clip_shape, generator=random).to(torch.uint8)
    backbone = PaperBackbone(new_videomae(load_checkpoint(sources.vision), video))
    free = {name: {0: "B"} for name in ("clip", "cls", "patches")}
    export("backbone", "backbone", backbone, {"clip": clip}, ["cls", "patches"], free)
    del backbone

    sam = Sam(size.sam)
    sam.load_state_dict(load_checkpoint(sources.sam))
    round_to_fp16(sam.eval())
    for key, path in zip(
        ("segmenterEncoder", "segmenterDecoder"), export_sam(sam, "hf", out), strict=True
    ):
        path = path.rename(out / f"segmenter-{path.name}")
        store_weights_as_fp16(path)
        files[key] = describe(path)
    del sam

    patches = video.grid**2
    look_frames = [video.frames * (i + 1) // 4 - 1 for i in range(4)]
    shown, place = len(NOTHING_SHOWN), len(NOTHING_OF_PLACE)
    export(
        "objectHead",
        "object-head",
        BlankObjectHead(len(CLASSES), shown, len(look_frames) - 1),
        {"objects": torch.randn(3, video.dim), "boxes": torch.rand(3, 4)},
        ["class_logits", "attributes", "looks"],
        {n: {0: "n"} for n in ("objects", "boxes", "class_logits", "attributes", "looks")},
    )
    export(
        "eventHead",
        "event-head",
        BlankEventHead(len(labels), place),
        {
            "previous_cls": torch.randn(1, video.dim),
            "previous_patches": torch.randn(1, patches, video.dim),
            "cls": torch.randn(1, video.dim),
            "patches": torch.randn(1, patches, video.dim),
            "tracks": torch.randn(1, 3, video.dim),
            "track_attributes": torch.rand(1, 3, len(ATTRIBUTES) + 1),
            "track_classes": torch.rand(1, 3, len(CLASSES)),
        },
        ["event_logits", "onset", "actor_logits", "target_logits", "place_logits"],
        {n: {1: "M"} for n in ("tracks", "track_attributes", "track_classes")}
        | {n: {2: "M+1"} for n in ("actor_logits", "target_logits")},
    )

    looks = CLIPS * len(look_frames)
    torch.manual_seed(size.seed)
    fusion = PaperFusion(
        size.fusion, video.dim, llama.dim, CLIPS, looks, len(CLASSES), shown, place
    )
    if sources.fusion:
        fusion.load_state_dict(load_checkpoint(sources.fusion))
    seen = torch.zeros(3, looks)
    seen[0, 3:], seen[1, 5] = 1, 1  # the third row is no track
    export(
        "fusion",
        "fusion",
        fusion.eval(),
        {
            "global": torch.randn(1, 2, video.dim, generator=random),
            "global_clip": torch.tensor([[1, 0]]),
            "kind": torch.tensor([1, 1, 0]),
            "box": torch.rand(3, looks, 4, generator=random) * seen.unsqueeze(-1),
            "seen": seen,
            "shown": torch.zeros(3, looks, shown),
            "place": torch.zeros(1, place),
            "pooled": torch.randn(3, video.dim, generator=random),
            "track_errors": torch.zeros(1, 4),
        },
        ["prefix"],
        {n: {1: "T"} for n in ("global", "global_clip")}
        | {n: {0: "M"} for n in ("kind", "box", "seen", "shown", "pooled")},
    )
    del fusion

    write_reasoner(out / "reasoner.onnx", llama, files_weights(tensors, llama))
    write_embeddings(out / "embeddings.f32", tensors["model.embed_tokens.weight"])
    shutil.copyfile(sources.llm / "tokenizer.json", out / "tokenizer.json")
    files |= language_files(out)
    # Every picture is as far as can be from what this bundle was trained on, since nobody trained it on any.
    nowhere = {
        "mean": [0.0] * 3 * video.dim,
        "whitening": [[0.0] * 3 * video.dim],
        "quantiles": [-1.0] * 101,
    }
    calibration = {"temperature": 1.0, "nothingBias": 0.0, "familiarity": nowhere}
    (out / "calibration.json").write_text(json.dumps(calibration) + "\n")
    files["calibration"] = {"path": "calibration.json", "sha256": sha256(out / "calibration.json")}

    mask_cells = round(size.sam.grid * 4 / video.grid) * video.grid
    trained = "" if sources.fusion else " The fusion core is untrained: its prefix says nothing."
    manifest = {
        "schema": "lookahead.bundle.v1",
        "name": size.name,
        "version": "4.0.0",
        "licence": "that of each file it was made of",
        "description": f"The paper's size, from released weights; no chance is calibrated.{trained}",
        "domain": {"description": "None: nothing was measured with it.", "familiarityMin": 1.0},
        "preprocessing": {
            "widthPx": video.image_size,
            "heightPx": video.image_size,
            "fit": "letterbox",
            "type": "uint8",
        },
        "geometry": {
            "framesPerSecond": FRAMES_PER_SECOND,
            "framesPerClip": video.frames,
            "clipsPerWindow": CLIPS,
            "forecastEveryClips": 1,  # a clip is two seconds
            "horizonMs": HORIZON_MS,
            "keyFrame": look_frames[-1],
            "patchRows": video.grid,
            "patchColumns": video.grid,
            "maskRows": mask_cells,
            "maskColumns": mask_cells,
            "visionDim": video.dim,
            "languageDim": llama.dim,
            "queries": size.fusion.queries,
            "objectsPerClipMax": 16,
            "attributes": ATTRIBUTES,
            "lookFrames": look_frames,
            "trackAttributes": [*ATTRIBUTES, "unseen"],
            "objectAttributes": NOTHING_SHOWN,
            "place": NOTHING_OF_PLACE,
            "trackErrors": [0.0, 0.0, 0.0, 0.0],
        },
        "segmenter": SEGMENTER,
        "language": language_entry(llama),
        "prompts": PROMPTS,
        "classes": CLASSES,
        "labels": labels,
        "eventThresholds": [1.0] * len(labels),
        "files": files,
        "training": {"config": size.as_json(), "evaluate": "nothing was trained"},
        "quality": {},
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest
