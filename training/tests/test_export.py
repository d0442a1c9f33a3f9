"""The bundle: graphs that answer as PyTorch does, fp16 storage that loses nothing, a manifest that is whole."""

import base64
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from lookahead_training.bundle import Networks
from lookahead_training.data import Split
from lookahead_training.export import GRAPHS, example_inputs, export_bundle, sha256
from lookahead_training.text import Text, train_tokenizer
from lookahead_training.train_language import tokenizer_texts


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


def test_an_exported_bundle_answers_as_pytorch_did(split: Split, tmp_path: Path) -> None:
    text = Text(train_tokenizer(tokenizer_texts(split), 300), split.labels)
    networks = Networks(2, 4, text.tokenizer.get_vocab_size(), ["facing"])
    clip = torch.from_numpy(split.frames[:2])
    window = dict(zip(GRAPHS["fusion"][0], example_inputs(networks, clip)["fusion"], strict=True))
    calibration = {"temperature": 1.5, "familiarity": {}}
    export_bundle(tmp_path, networks, text, clip, window, calibration, {"name": "yard"}, ["facing"])
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for file in manifest["files"].values():
        assert sha256(tmp_path / file["path"]) == file["sha256"]
    for name, (_, outputs, _) in GRAPHS.items():
        golden = json.loads((tmp_path / "golden" / f"{name}.json").read_text())
        session = onnxruntime.InferenceSession(
            str(tmp_path / f"{name}.onnx"), providers=["CPUExecutionProvider"]
        )
        answers = session.run(outputs, {k: read(v) for k, v in golden["inputs"].items()})
        for output, answer in zip(outputs, answers, strict=True):
            expected = read(golden["outputs"][output])
            np.testing.assert_allclose(answer, expected, atol=golden["tolerance"], rtol=1e-3)
        stored = {i.data_type for i in onnx.load(tmp_path / f"{name}.onnx").graph.initializer}
        assert onnx.TensorProto.FLOAT16 in stored
    forecast = json.loads((tmp_path / "golden" / "forecast.json").read_text())
    assert abs(read(forecast["outputs"]["probabilities"]).sum() - 1) < 1e-5
