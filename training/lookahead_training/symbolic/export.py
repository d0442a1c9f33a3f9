"""The symbolic forecaster as an ONNX graph of one window: tracks as perception sees them in, log-chances of what comes first out."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..bundle import round_to_fp16
from ..export import export_graph
from .features import Batch, describe
from .model import Forecaster
from .tracks import Tracks


@dataclass(frozen=True)
class TrackWords:
    """What `describe` needs to know of `Tracks` besides the tracks themselves."""

    classes: list[str]
    attributes: list[str]
    looks_per_clip: int


class ForecasterGraph(nn.Module):
    """kind [M], box [M,T,4], seen [M,T] 0 or 1, shown [M,T,A], place [1,P] -> log_chances [1,K]. M is at least 1."""

    def __init__(self, model: Forecaster, words: TrackWords):
        super().__init__()
        self.model, self.words = model, words

    def forward(
        self, kind: Tensor, box: Tensor, seen: Tensor, shown: Tensor, place: Tensor
    ) -> Tensor:
        window = torch.zeros_like(kind)
        features = describe(self.words, 1, window, kind, box, seen > 0.5, shown)
        levels = torch.zeros(1, 4)  # beside those that the model supposes
        return self.model.read_one(Batch(window, kind, features, place, levels, 1))[1]


def example(tracks: Tracks, at: int) -> tuple[Tensor, ...]:
    """A window's tracks as the graph takes them."""
    rows = torch.from_numpy(tracks.rows[tracks.starts[at] : tracks.starts[at + 1]])  # [M,C]
    looks = tracks.looks_per_clip
    bits = torch.from_numpy(tracks.seen)[rows].unsqueeze(-1) >> torch.arange(looks) & 1
    seen = (bits * (rows >= 0).unsqueeze(-1)).flatten(1).float()  # [M,T]
    box = torch.from_numpy(tracks.box.astype("float32"))[rows].flatten(1, 2) / 65535
    shown = torch.from_numpy(tracks.shown.astype("float32"))[rows].flatten(1, 2) / 100
    kind = torch.from_numpy(tracks.kind.astype("int64"))[rows.amax(1)]
    there = seen.unsqueeze(-1)
    return kind, box * there, seen, shown * there, torch.from_numpy(tracks.place[at : at + 1])


def export_forecaster(
    model: Forecaster, tracks: Tracks, at: int, folder: Path
) -> tuple[dict, dict]:
    """@param at: the window for the trace and the golden file. @returns manifest entry and golden content"""
    round_to_fp16(model)
    words = TrackWords(tracks.classes, tracks.attributes, tracks.looks_per_clip)
    graph = ForecasterGraph(model, words)
    names = ["kind", "box", "seen", "shown", "place"]
    axes = {name: {0: "M"} for name in names[:-1]}
    return export_graph(
        "track-forecaster", graph, example(tracks, at), folder, (names, ["log_chances"], axes)
    )


def add_forecaster(bundle: Path, model: Forecaster, tracks: Tracks) -> None:
    """Puts graph, golden file and manifest entry into a bundle that is there."""
    entry, golden = export_forecaster(model, tracks, 0, bundle)
    (bundle / "golden" / "track-forecaster.json").write_text(json.dumps(golden) + "\n")
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["trackForecaster"] = entry
    path.write_text(json.dumps(manifest, indent=2) + "\n")
