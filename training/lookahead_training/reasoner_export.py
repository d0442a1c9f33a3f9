"""The reasoner into a bundle that has a perceiver: fusion core, language model, tokenizer, prompts, what was fitted, golden files."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import config as geometry
from .bundle import round_to_fp16
from .calibrate import POOL, UNFAMILIAR
from .config import CLIPS_PER_WINDOW, PROMPTS
from .export import TOLERANCE, export_graph, export_reasoner, sha256, tensor_json
from .models.fusion import Fusion, FusionGraph, ObjectEncoder
from .models.llama import Llama
from .symbolic.config import PERCEIVED
from .symbolic.errors import same_levels
from .symbolic.export import TrackWords, example
from .symbolic.features import make_batch
from .symbolic.tracks import Tracks
from .text import Text, read_prefix
from .watched import cls_of, pooled_of

NAMES = [
    *("global", "global_clip", "kind", "box", "seen", "shown", "place", "pooled", "track_errors")
]
AXES = {name: {1: "T"} for name in ("global", "global_clip")} | {
    name: {0: "M"} for name in ("kind", "box", "seen", "shown", "pooled")
}


@dataclass(frozen=True)
class Reasoner:
    encoder: ObjectEncoder
    fusion: Fusion
    llama: Llama
    text: Text


@dataclass(frozen=True)
class Fitted:
    """What is fitted on validation windows."""

    temperature: float
    nothing_bias: float
    mean_prefix: Tensor  # [queries,E]
    cause_min: float  # least chance of an earlier event to be named as a cause


def window_inputs(tracks: Tracks, at: int) -> tuple[Tensor, ...]:
    """A watched window as the graph takes it."""
    picked = np.array([at])
    pooled = pooled_of(tracks, make_batch(tracks, picked))
    ages = torch.arange(CLIPS_PER_WINDOW - 1, -1, -1)[None]
    errors = same_levels(1, PERCEIVED)
    return cls_of(tracks, picked), ages, *example(tracks, at), pooled, errors


def add_reasoner(
    bundle: Path, reasoner: Reasoner, tracks: Tracks, at: int, fitted: Fitted, about: dict
) -> None:
    """Weights are rounded to fp16 in place.

    @param at: the watched window for the trace and the golden files
    @param about: what else the manifest says: `version`, `training`, ...
    """
    for module in (reasoner.encoder, reasoner.fusion, reasoner.llama):
        module.eval()
        round_to_fp16(module)
    golden = bundle / "golden"
    golden.mkdir(exist_ok=True)
    manifest = json.loads((bundle / "manifest.json").read_text())
    files = manifest["files"]

    words = TrackWords(tracks.classes, tracks.attributes, tracks.looks_per_clip)
    graph = FusionGraph(reasoner.encoder, reasoner.fusion, words)
    inputs = window_inputs(tracks, at)
    files["fusion"], checked = export_graph(
        "fusion", graph, inputs, bundle, (NAMES, ["prefix", "log_chances"], AXES)
    )
    (golden / "fusion.json").write_text(json.dumps(checked) + "\n")
    files["reasoner"], checked = export_reasoner(reasoner.llama, bundle)
    (golden / "reasoner.json").write_text(json.dumps(checked) + "\n")
    checked = forecast_golden(reasoner, graph, inputs, fitted)
    (golden / "forecast.json").write_text(json.dumps(checked) + "\n")

    table = reasoner.llama.embed.weight.detach().numpy().astype("<f4")
    (bundle / "embeddings.f32").write_bytes(table.tobytes())
    reasoner.text.tokenizer.save(str(bundle / "tokenizer.json"))
    calibration = json.loads((bundle / "calibration.json").read_text())
    calibration |= {
        "temperature": fitted.temperature,
        "nothingBias": fitted.nothing_bias,
        "causeMin": fitted.cause_min,
        "pool": POOL,
        "unfamiliar": UNFAMILIAR,
        "meanPrefix": [round(float(v), 5) for v in fitted.mean_prefix.flatten()],
    }
    (bundle / "calibration.json").write_text(json.dumps(calibration) + "\n")
    for key, name in (
        ("embeddings", "embeddings.f32"),
        ("tokenizer", "tokenizer.json"),
        ("calibration", "calibration.json"),
    ):
        files[key] = {"path": name, "sha256": sha256(bundle / name)}

    llama = reasoner.llama
    manifest["geometry"] |= {
        "languageDim": llama.dim,
        "queries": geometry.QUERIES,
        "trackErrors": PERCEIVED.as_list(),
    }
    manifest["language"] = {
        "layers": len(llama.layers),
        "keyValueHeads": llama.kv_heads,
        "headDim": llama.head_dim,
        "vocabulary": llama.embed.num_embeddings,
        "endOfText": reasoner.text.end,
    }
    manifest["prompts"] = PROMPTS
    manifest |= about
    (bundle / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def forecast_golden(
    reasoner: Reasoner, graph: FusionGraph, inputs: tuple[Tensor, ...], fitted: Fitted
) -> dict:
    """One window's inputs and the label probabilities that PyTorch gives, end to end."""
    with torch.no_grad():
        past = read_prefix(reasoner.llama, graph(*inputs)[0])
        scores = reasoner.text.trie.scores(reasoner.llama, past)
    tempered = scores.clone()
    tempered[:, 0] += fitted.nothing_bias
    return {
        "inputs": {n: tensor_json(t) for n, t in zip(NAMES, inputs, strict=True)},
        "outputs": {
            "raw_probabilities": tensor_json(scores.softmax(-1)[0]),
            "probabilities": tensor_json((tempered / fitted.temperature).softmax(-1)[0]),
        },
        "tolerance": TOLERANCE,
    }
