"""The bundle: graphs that answer as PyTorch does, fp16 storage that loses nothing, a manifest that is whole."""

import base64
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import LABELS
from made_up_tracks import write_split

from lookahead_training.bundle import Networks
from lookahead_training.config import CONFIGS, DIM, PROMPTS
from lookahead_training.data import Split
from lookahead_training.export import GRAPHS, export_perceiver, sha256
from lookahead_training.models.fusion import Fusion, ObjectEncoder
from lookahead_training.models.llama import Llama
from lookahead_training.reasoner_export import NAMES, Fitted, Reasoner, add_reasoner
from lookahead_training.symbolic.tracks import read_tracks
from lookahead_training.symbolic.train import new_model
from lookahead_training.text import Text, train_tokenizer


def read(tensor: dict) -> np.ndarray:
    kind = {"float32": "<f4", "uint8": "u1", "int64": "<i8"}[tensor["type"]]
    data = tensor["data"]
    raw = isinstance(data, str)
    flat = (
        np.frombuffer(base64.b64decode(data[len("base64:") :]), kind)
        if raw
        else np.array(data, kind)
    )
    return flat.reshape(tensor["shape"])


def answers(folder: Path, name: str, golden: dict, outputs: list[str]) -> list[np.ndarray]:
    path = str(folder / f"{name}.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(outputs, {k: read(v) for k, v in golden["inputs"].items()})


@pytest.fixture
def bundle(split: Split, tmp_path: Path) -> Path:
    """One that sees; then a reasoner is put into it."""
    networks = Networks(2, 4, ["facing"])
    clip = torch.from_numpy(split.frames[:2])
    folder = tmp_path / "bundle"
    export_perceiver(
        folder,
        networks,
        clip,
        {"temperature": 1.0, "familiarity": {}},
        {"name": "yard"},
        ["facing"],
    )
    tracks = read_tracks([write_split(tmp_path / "watched", 3, 1, bayes=True, vision_dim=DIM)])
    config = CONFIGS["smoke"].world
    encoder = ObjectEncoder(new_model(tracks, config))
    with torch.no_grad():
        encoder.of_pooled.weight.normal_()
    text = Text(train_tokenizer([label["text"] for label in LABELS], 300), LABELS)
    llama = Llama(text.tokenizer.get_vocab_size(), layers=2)
    reasoner = Reasoner(encoder, Fusion(4, width=config.dim), llama, text)
    fitted = Fitted(1.5, 0.2, torch.ones(32, 192), 0.1)
    add_reasoner(folder, reasoner, tracks, 4, fitted, {"version": "9.9.9"})
    return folder


def test_an_exported_bundle_answers_as_pytorch_did(bundle: Path) -> None:
    outputs_of = {name: outputs for name, (_, outputs, _) in GRAPHS.items()}
    for name, outputs in {**outputs_of, "fusion": ["prefix", "log_chances"]}.items():
        golden = json.loads((bundle / "golden" / f"{name}.json").read_text())
        for output, answer in zip(outputs, answers(bundle, name, golden, outputs), strict=True):
            expected = read(golden["outputs"][output])
            np.testing.assert_allclose(answer, expected, atol=golden["tolerance"], rtol=1e-3)
        stored = {i.data_type for i in onnx.load(bundle / f"{name}.onnx").graph.initializer}
        assert onnx.TensorProto.FLOAT16 in stored
    assert list(json.loads((bundle / "golden" / "fusion.json").read_text())["inputs"]) == NAMES


def test_a_reasoner_makes_the_manifest_whole(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    for file in manifest["files"].values():
        assert sha256(bundle / file["path"]) == file["sha256"]
    assert manifest["name"] == "yard" and manifest["version"] == "9.9.9"
    assert manifest["prompts"] == PROMPTS and len(manifest["geometry"]["trackErrors"]) == 4
    calibration = json.loads((bundle / "calibration.json").read_text())
    assert calibration["temperature"] == 1.5 and calibration["nothingBias"] == 0.2
    assert len(calibration["meanPrefix"]) == 32 * 192
    forecast = json.loads((bundle / "golden" / "forecast.json").read_text())
    raw, fitted = (read(forecast["outputs"][n]) for n in ("raw_probabilities", "probabilities"))
    assert abs(raw.sum() - 1) < 1e-5
    moved = np.log(raw) + [0.2, 0, 0, 0]
    tempered = np.exp(moved / 1.5) / np.exp(moved / 1.5).sum()
    np.testing.assert_allclose(fitted, tempered, atol=1e-4)
