"""Networks -> a bundle folder: ONNX graphs, golden files, calibration, manifest; every graph is checked against PyTorch."""

import base64
import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from . import config as geometry
from .bundle import Networks, round_to_fp16
from .data import PLACE
from .text import Text, read_prefix

TOLERANCE = 1e-3
OPSET = 17

# Graph -> (input names, output names, free axes by tensor name). Shapes in docs/bundle.md.
PAST = {2: "B", 4: "P"}
GraphNames = tuple[list[str], list[str], dict[str, dict[int, str]]]
GRAPHS: dict[str, GraphNames] = {
    "backbone": (["clip"], ["cls", "patches"], {k: {0: "B"} for k in ("clip", "cls", "patches")}),
    "segmenter-encoder": (
        ["image"],
        ["image_embeddings", "high_res"],
        {k: {0: "B"} for k in ("image", "image_embeddings", "high_res")},
    ),
    "segmenter-decoder": (
        ["image_embeddings", "high_res", "point_coords"],
        ["masks", "iou_predictions"],
        {k: {0: "N"} for k in ("point_coords", "masks", "iou_predictions")},
    ),
    "object-head": (
        ["objects", "boxes"],
        ["class_logits", "attributes", "looks"],
        {k: {0: "n"} for k in ("objects", "boxes", "class_logits", "attributes", "looks")},
    ),
    "event-head": (
        [
            *("previous_cls", "previous_patches", "cls", "patches"),
            *("tracks", "track_attributes", "track_classes"),
        ],
        ["event_logits", "onset", "actor_logits", "target_logits", "place_logits"],
        {k: {1: "M"} for k in ("tracks", "track_attributes", "track_classes")}
        | {k: {2: "M+1"} for k in ("actor_logits", "target_logits")},
    ),
    "fusion": (
        ["global", "global_clip", "objects", "object_attributes", "object_clip", "object_mask"],
        ["prefix"],
        {k: {1: "T"} for k in ("global", "global_clip")}
        | {k: {1: "M"} for k in ("objects", "object_attributes", "object_clip", "object_mask")},
    ),
    "reasoner": (
        ["inputs_embeds", "position_ids", "attention_mask", "past_key_values"],
        ["logits", "present_key_values"],
        {k: {0: "B", 1: "S"} for k in ("inputs_embeds", "position_ids", "logits")}
        | {"attention_mask": {0: "B", 1: "total"}}
        | {"past_key_values": PAST, "present_key_values": {2: "B", 4: "total"}},
    ),
}
KEYS = {
    "backbone": "backbone",
    "segmenter-encoder": "segmenterEncoder",
    "segmenter-decoder": "segmenterDecoder",
    "object-head": "objectHead",
    "event-head": "eventHead",
    "fusion": "fusion",
    "reasoner": "reasoner",
}
TYPES = {torch.float32: "float32", torch.uint8: "uint8", torch.int64: "int64"}


class SegmenterDecoderGraph(nn.Module):
    """One picture only, as the engine uses it."""

    def __init__(self, decoder: nn.Module):
        super().__init__()
        self.decoder = decoder

    def forward(self, image_embeddings: Tensor, high_res: Tensor, point_coords: Tensor):
        return self.decoder(image_embeddings, high_res, point_coords)


def example_inputs(
    networks: Networks, clip: Tensor, seed: int = 7
) -> dict[str, tuple[Tensor, ...]]:
    """Inputs for the trace and the golden files; `clip` uint8 [2,8,96,160,3] is two clips in a row."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        cls, patches = networks.backbone(clip)
        embeddings, high_res = networks.segmenter_encoder(clip[1:, -1])
    objects = patches[1, ::40]  # any six tokens do
    boxes = torch.rand(6, 4, generator=random) * 0.5
    attributes = torch.rand(1, 6, len(geometry.ATTRIBUTES), generator=random) * 0.5
    llama = networks.llama
    past = torch.randn(len(llama.layers), 2, 1, llama.kv_heads, 3, llama.head_dim, generator=random)
    return {
        "backbone": (clip[1:],),
        "segmenter-encoder": (clip[1:, -1],),
        "segmenter-decoder": (embeddings, high_res, torch.tensor([[24.0, 40.0], [90.0, 60.0]])),
        "object-head": (objects, boxes),
        "event-head": (
            *(cls[:1], patches[:1], cls[1:], patches[1:], objects[None]),
            torch.rand(1, 6, len(geometry.TRACK_ATTRIBUTES), generator=random) * 0.5,
            networks.object_head(objects, boxes)[0].softmax(-1).detach()[None],
        ),
        "fusion": (
            cls[None],
            torch.tensor([[1, 0]]),
            objects[None],
            attributes,
            torch.tensor([[1, 1, 0, 0, 0, 0]]),
            torch.tensor([[1.0, 1, 1, 1, 1, 0]]),
        ),
        "reasoner": (
            torch.randn(1, 4, llama.dim, generator=random) * 0.3,
            torch.arange(3, 7)[None],
            torch.ones(1, 7, dtype=torch.long),
            past,
        ),
    }


def modules(networks: Networks) -> dict[str, nn.Module]:
    return {
        "backbone": networks.backbone,
        "segmenter-encoder": networks.segmenter_encoder,
        "segmenter-decoder": SegmenterDecoderGraph(networks.segmenter_decoder),
        "object-head": networks.object_head,
        "event-head": networks.event_head,
        "fusion": networks.fusion,
        "reasoner": networks.llama,
    }


def store_weights_as_fp16(path: Path) -> None:
    """Initializers that fp16 holds exactly are stored so, with a Cast behind; onnxruntime folds the Cast at load."""
    model = onnx.load(path)
    graph = model.graph
    casts = []
    for initializer in graph.initializer:
        if initializer.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(initializer)
        half = values.astype(np.float16)
        if values.size < 64 or not np.array_equal(half.astype(np.float32), values):
            continue
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(half, name + ".fp16"))
        casts.append(helper.make_node("Cast", [name + ".fp16"], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
    for entry in list(graph.value_info):
        graph.value_info.remove(entry)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def export_graph(
    name: str,
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    folder: Path,
    names: GraphNames | None = None,
) -> tuple[dict, dict]:
    """Writes one graph, checks it, and returns its manifest entry and its golden file's content.

    @param names: input names, output names, free axes; by default those of `GRAPHS`
    """
    input_names, output_names, axes = names or GRAPHS[name]
    path = folder / f"{name}.onnx"
    module.eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            inputs,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=input_names,
            output_names=output_names,
            dynamic_axes=axes,
        )
        outputs = module(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    store_weights_as_fp16(path)
    feeds = {n: t.numpy() for n, t in zip(input_names, inputs, strict=True)}
    answers = session(path).run(output_names, feeds)
    for output, answer, expected in zip(output_names, answers, outputs, strict=True):
        worst = float(np.abs(answer - expected.numpy()).max())
        if not worst <= TOLERANCE:
            raise ValueError(
                f"{name}: {output} differs by {worst} from PyTorch; {TOLERANCE} is allowed."
            )

    def describe(names: list[str], tensors: tuple[Tensor, ...]) -> list[dict]:
        return [
            {
                "name": n,
                "type": TYPES[t.dtype],
                "shape": [axes.get(n, {}).get(i, size) for i, size in enumerate(t.shape)],
            }
            for n, t in zip(names, tensors, strict=True)
        ]

    entry = {
        "path": path.name,
        "sha256": sha256(path),
        "inputs": describe(input_names, inputs),
        "outputs": describe(output_names, outputs),
    }
    golden = {
        "inputs": {n: tensor_json(t) for n, t in zip(input_names, inputs, strict=True)},
        "outputs": {n: tensor_json(t) for n, t in zip(output_names, outputs, strict=True)},
        "tolerance": TOLERANCE,
    }
    return entry, golden


def tensor_json(tensor: Tensor) -> dict:
    array = tensor.detach().contiguous().numpy()
    small = array.size <= 64
    data = (
        array.flatten().tolist()
        if small
        else "base64:" + base64.b64encode(array.tobytes()).decode()
    )
    return {"type": TYPES[tensor.dtype], "shape": list(array.shape), "data": data}


def forecast_golden(
    networks: Networks, text: Text, window: dict[str, Tensor], temperature: float
) -> dict:
    """One window's tokens (batch of one, no padding) and the label probabilities that PyTorch gives."""
    with torch.no_grad():
        prefix = networks.fusion(*(window[n] for n in GRAPHS["fusion"][0]))
        scores = text.trie.scores(networks.llama, read_prefix(networks.llama, prefix))
    return {
        "inputs": {n: tensor_json(window[n]) for n in GRAPHS["fusion"][0]},
        "outputs": {
            "raw_probabilities": tensor_json(scores.softmax(-1)[0]),
            "probabilities": tensor_json((scores / temperature).softmax(-1)[0]),
        },
        "tolerance": TOLERANCE,
    }


def sha256(path: Path) -> str:
    with path.open("rb") as file:  # a large language model does not fit into memory twice
        return hashlib.file_digest(file, "sha256").hexdigest()


def export_bundle(
    folder: Path,
    networks: Networks,
    text: Text,
    clip: Tensor,
    window: dict[str, Tensor],
    calibration: dict,
    manifest: dict,
    shown: list[str],
) -> None:
    """`manifest` holds what training knows (classes, labels, thresholds, quality, ...); files and geometry are added.

    @param shown: names of what the object head tells of a thing
    """
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    round_to_fp16(networks)
    inputs = example_inputs(networks, clip)
    files: dict[str, dict] = {}
    for name, module in modules(networks).items():
        files[KEYS[name]], golden = export_graph(name, module, inputs[name], folder)
        (folder / "golden" / f"{name}.json").write_text(json.dumps(golden) + "\n")
    golden = forecast_golden(networks, text, window, calibration["temperature"])
    (folder / "golden" / "forecast.json").write_text(json.dumps(golden) + "\n")

    table = networks.llama.embed.weight.detach().numpy().astype("<f4")
    (folder / "embeddings.f32").write_bytes(table.tobytes())
    text.tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "calibration.json").write_text(json.dumps(calibration) + "\n")
    for key, name in (
        ("embeddings", "embeddings.f32"),
        ("tokenizer", "tokenizer.json"),
        ("calibration", "calibration.json"),
    ):
        files[key] = {"path": name, "sha256": sha256(folder / name)}

    llama = networks.llama
    whole = {
        "schema": "lookahead.bundle.v1",
        **manifest,
        "preprocessing": {
            "widthPx": geometry.WIDTH,
            "heightPx": geometry.HEIGHT,
            "fit": "letterbox",
            "type": "uint8",
        },
        "geometry": {
            "framesPerSecond": 8,
            "framesPerClip": geometry.FRAMES,
            "clipsPerWindow": geometry.CLIPS_PER_WINDOW,
            "forecastEveryClips": 2,
            "horizonMs": int(geometry.HORIZON_S * 1000),
            "keyFrame": geometry.FRAMES - 1,
            "patchRows": geometry.ROWS,
            "patchColumns": geometry.COLUMNS,
            "maskRows": geometry.MASK_ROWS,
            "maskColumns": geometry.MASK_COLUMNS,
            "visionDim": geometry.DIM,
            "languageDim": networks.llama.dim,
            "queries": geometry.QUERIES,
            "objectsPerClipMax": geometry.OBJECTS_MAX,
            "attributes": geometry.ATTRIBUTES,
            "lookFrames": geometry.LOOK_FRAMES,
            "trackAttributes": geometry.TRACK_ATTRIBUTES,
            "objectAttributes": shown,
            "place": PLACE,
        },
        "segmenter": SEGMENTER,
        "language": {
            "layers": len(llama.layers),
            "keyValueHeads": llama.kv_heads,
            "headDim": llama.head_dim,
            "vocabulary": llama.embed.num_embeddings,
            "endOfText": text.end,
        },
        "prompts": geometry.PROMPTS,
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(whole, indent=2) + "\n")


# SAM's own names. 10 x 6 points lie 16 pixels apart; the decoder looks 14 pixels far. The thresholds were chosen on validation: things of few cells are
# never as stable as SAM's, and what stands before another thing (a person in a door) shares much of its box.
SEGMENTER = {
    "pointsPerRow": 10,
    "pointsPerColumn": 6,
    "pointsPerBatch": 60,
    "predIouThresh": 0.2,
    "stabilityScoreThresh": 0.15,
    "stabilityScoreOffset": 1.0,
    "boxNmsThresh": 0.6,
    "minMaskRegionArea": 0,
}
