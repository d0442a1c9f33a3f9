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
from .llama_graph import LlamaShape, past_names, present_names, weights_of_own, write_llama
from .models.llama import NEVER, Llama

TOLERANCE = 1e-3
OPSET = 17

# Graph -> (input names, output names, free axes by tensor name). Shapes in docs/bundle.md.
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
}
KEYS = {
    "backbone": "backbone",
    "segmenter-encoder": "segmenterEncoder",
    "segmenter-decoder": "segmenterDecoder",
    "object-head": "objectHead",
    "event-head": "eventHead",
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
    }


def modules(networks: Networks) -> dict[str, nn.Module]:
    return {
        "backbone": networks.backbone,
        "segmenter-encoder": networks.segmenter_encoder,
        "segmenter-decoder": SegmenterDecoderGraph(networks.segmenter_decoder),
        "object-head": networks.object_head,
        "event-head": networks.event_head,
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


def example_reading(
    llama: Llama, capacity: int = 12
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Feeds for the reasoner's graph, four positions behind three of which one branches off, and PyTorch's answers."""
    random = torch.Generator().manual_seed(7)
    parents, before = [-1, 0, 1, 2, 3, 2, 5], 3
    seen = torch.eye(len(parents))
    for position, parent in enumerate(parents):
        if parent >= 0:
            seen[position] += seen[parent]
    positions = seen.sum(1).long()[None] - 1
    bias = ((1.0 - seen) * NEVER)[None, None]  # [1,1,T,T]
    embeds = torch.randn(1, len(parents), llama.dim, generator=random) * 0.3
    with torch.no_grad():
        first = embeds[:, :before], positions[:, :before], bias[:, :, :before, :before]
        _, past = llama.run(*first, llama.empty_past(1))
        rest = embeds[:, before:], positions[:, before:], bias[:, :, before:]
        logits, present = llama.run(*rest, past)

    def buffers(names: list[str], kept: Tensor) -> dict[str, Tensor]:
        room = torch.zeros(*kept.shape[:4], capacity, kept.shape[5])
        room[:, :, :, :, : kept.shape[4]] = kept
        return dict(zip(names, room.flatten(0, 1), strict=True))

    wanted = torch.tensor([1, 3])
    layers = len(llama.layers)
    feeds = dict(zip(("inputs_embeds", "position_ids", "attention_bias"), rest, strict=True))
    feeds |= {"logit_positions": wanted} | buffers(past_names(layers), past)
    return feeds, {"logits": logits[:, wanted]} | buffers(present_names(layers), present)


def export_reasoner(llama: Llama, folder: Path) -> tuple[dict, dict]:
    """The language model's graph, checked; its manifest entry and its golden file's content."""
    path = folder / "reasoner.onnx"
    state = {name: tensor.numpy() for name, tensor in llama.state_dict().items()}
    layers = len(llama.layers)
    heads = llama.layers[0].heads
    shape = LlamaShape(
        llama.dim, layers, heads, llama.kv_heads, llama.head_dim, llama.embed.num_embeddings
    )
    write_llama(path, weights_of_own(state, layers), shape)
    feeds, expected = example_reading(llama)
    found = session(path).run(list(expected), {n: t.numpy() for n, t in feeds.items()})
    for (name, wanted), answer in zip(expected.items(), found, strict=True):
        worst = float(np.abs(answer - wanted.numpy()).max())
        if not worst <= TOLERANCE:
            raise ValueError(
                f"reasoner: {name} differs by {worst} from PyTorch; {TOLERANCE} is allowed."
            )
    return graph_entry(path), {
        "inputs": {n: tensor_json(t) for n, t in feeds.items()},
        "outputs": {n: tensor_json(t) for n, t in expected.items()},
        "tolerance": TOLERANCE,
    }


def graph_entry(path: Path) -> dict:
    """What the manifest says of a graph that states its own shapes."""
    graph = onnx.load(path, load_external_data=False).graph
    types = {TensorProto.FLOAT: "float32", TensorProto.INT64: "int64", TensorProto.UINT8: "uint8"}

    def describe(values: list[onnx.ValueInfoProto]) -> list[dict]:
        return [
            {
                "name": value.name,
                "type": types[value.type.tensor_type.elem_type],
                "shape": [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim],
            }
            for value in values
        ]

    ends = {"inputs": describe(graph.input), "outputs": describe(graph.output)}
    return {"path": path.name, "sha256": sha256(path), **ends}


def tensor_json(tensor: Tensor) -> dict:
    array = tensor.detach().contiguous().numpy()
    small = array.size <= 64
    data = (
        array.flatten().tolist()
        if small
        else "base64:" + base64.b64encode(array.tobytes()).decode()
    )
    return {"type": TYPES[tensor.dtype], "shape": list(array.shape), "data": data}


def sha256(path: Path) -> str:
    with path.open("rb") as file:  # a large language model does not fit into memory twice
        return hashlib.file_digest(file, "sha256").hexdigest()


def export_perceiver(
    folder: Path,
    networks: Networks,
    clip: Tensor,
    calibration: dict,
    manifest: dict,
    shown: list[str],
) -> None:
    """All graphs but the reasoner's, which `reasoner_export.add_reasoner` puts beside them.

    @param manifest: what training knows (classes, labels, thresholds, quality, ...); files and geometry are added
    @param shown: names of what the object head tells of a thing
    """
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    round_to_fp16(networks)
    inputs = example_inputs(networks, clip)
    files: dict[str, dict] = {}
    for name, module in modules(networks).items():
        files[KEYS[name]], golden = export_graph(name, module, inputs[name], folder)
        (folder / "golden" / f"{name}.json").write_text(json.dumps(golden) + "\n")
    (folder / "calibration.json").write_text(json.dumps(calibration) + "\n")

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
            "objectsPerClipMax": geometry.OBJECTS_MAX,
            "attributes": geometry.ATTRIBUTES,
            "lookFrames": geometry.LOOK_FRAMES,
            "trackAttributes": geometry.TRACK_ATTRIBUTES,
            "objectAttributes": shown,
            "place": PLACE,
        },
        "segmenter": SEGMENTER,
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
