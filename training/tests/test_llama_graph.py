"""The language model's graph answers as PyTorch does, whatever its size, and keeps keys and values where they are."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from lookahead_training.llama_graph import (
    LlamaShape,
    past_names,
    present_names,
    weights_of_own,
    weights_of_transformers,
    write_llama,
)
from lookahead_training.models.llama import NEVER, Llama

# A stem of eight, then branches; a child stands behind its parent.
PARENTS = [*range(-1, 7), 7, 7, 8, 8, 9, 12, 3, 14]
RUNS = [(0, 5), (5, 9), (9, 14), (14, 15), (15, 16)]


def arrays(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def tree() -> tuple[np.ndarray, np.ndarray]:
    """Positions [1,T] and attention bias [1,1,T,T] of `PARENTS`."""
    seen = np.eye(len(PARENTS), dtype=np.float32)
    for position, parent in enumerate(PARENTS):
        if parent >= 0:
            seen[position] += seen[parent]
    positions = seen.sum(1).astype(np.int64)[None] - 1
    return positions, ((1 - seen) * NEVER)[None, None].astype(np.float32)


def read_in_place(path: Path, embeds: np.ndarray, shape: LlamaShape, capacity: int = 24):
    """Logits of all positions, read in `RUNS` with buffers that are input and output at once; and those buffers."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    positions, bias = tree()
    room = np.full((1, shape.kv_heads, capacity, shape.head_dim), 9.0, np.float32)
    names = list(zip(past_names(shape.layers), present_names(shape.layers), strict=True))
    buffers = [onnxruntime.OrtValue.ortvalue_from_numpy(room.copy()) for _ in names]
    logits = []
    for start, end in RUNS:
        binding = session.io_binding()
        for (past, present), buffer in zip(names, buffers, strict=True):
            binding.bind_ortvalue_input(past, buffer)
            binding.bind_ortvalue_output(present, buffer)
        binding.bind_cpu_input("inputs_embeds", np.ascontiguousarray(embeds[:, start:end]))
        binding.bind_cpu_input("position_ids", np.ascontiguousarray(positions[:, start:end]))
        binding.bind_cpu_input("attention_bias", np.ascontiguousarray(bias[:, :, start:end, :end]))
        binding.bind_cpu_input("logit_positions", np.arange(end - start))
        binding.bind_output("logits")
        session.run_with_iobinding(binding)
        logits.append(binding.get_outputs()[-1].numpy())
    return np.concatenate(logits, 1), [buffer.numpy().copy() for buffer in buffers]


def test_a_tree_of_texts_reads_as_in_our_llama(tmp_path: Path) -> None:
    llama = Llama(60, dim=96, layers=2, heads=6, kv_heads=3, hidden=160).eval()
    shape = LlamaShape(96, 2, 6, 3, 16, 60)
    write_llama(tmp_path / "llama.onnx", weights_of_own(arrays(llama), 2), shape)
    embeds = torch.randn(1, len(PARENTS), 96)
    found, buffers = read_in_place(tmp_path / "llama.onnx", embeds.numpy(), shape)
    with torch.no_grad():
        inputs = map(torch.from_numpy, tree())
        expected, kept = llama.run(embeds, *inputs, llama.empty_past(1))
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    for buffer, layer in zip(buffers, kept.flatten(0, 1), strict=True):
        np.testing.assert_allclose(buffer[:, :, : len(PARENTS)], layer.numpy(), atol=1e-4)
        assert (buffer[:, :, len(PARENTS) :] == 9).all(), "nothing behind what was read is touched"


@pytest.mark.parametrize("tied", [False, True])
def test_it_equals_the_llama_of_transformers(tied: bool, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        vocab_size=90,
        hidden_size=128,
        intermediate_size=192,
        num_hidden_layers=3,
        num_attention_heads=8,
        num_key_value_heads=2,
        rope_theta=500000.0,
        rms_norm_eps=1e-5,
        tie_word_embeddings=tied,
    )
    llama = transformers.LlamaForCausalLM(config).eval()
    for name, parameter in llama.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    theta = config.rope_parameters["rope_theta"]
    shape = LlamaShape(128, 3, 8, 2, 16, 90, rope_theta=theta)
    write_llama(tmp_path / "llama.onnx", weights_of_transformers(arrays(llama), 3), shape)
    embeds = torch.randn(1, len(PARENTS), 128)
    positions, bias = map(torch.from_numpy, tree())
    with torch.no_grad():
        expected = llama(
            inputs_embeds=embeds, attention_mask=bias, position_ids=positions, use_cache=False
        ).logits
    found, _ = read_in_place(tmp_path / "llama.onnx", embeds.numpy(), shape)
    assert np.abs(found).max() > 0.1
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)


def test_eight_bits_are_near_and_a_quarter_of_the_size(tmp_path: Path) -> None:
    llama = Llama(300, dim=96, layers=2, heads=6, kv_heads=3, hidden=160).eval()
    shape = LlamaShape(96, 2, 6, 3, 16, 300)
    weights = weights_of_own(arrays(llama), 2)
    for name, int8 in (("whole", False), ("small", True)):
        write_llama(tmp_path / f"{name}.onnx", weights, shape, int8=int8)
    embeds = torch.randn(1, len(PARENTS), 96).numpy()
    whole, small = (
        read_in_place(tmp_path / f"{name}.onnx", embeds, shape)[0] for name in ("whole", "small")
    )
    assert 0 < np.abs(whole - small).max() < 0.05 * np.abs(whole).max()
    sizes = [(tmp_path / f"{name}.onnx").stat().st_size for name in ("whole", "small")]
    assert sizes[1] < 0.45 * sizes[0], "cosines and sines stay as they are"


def test_fp16_weights_are_stored_as_such(tmp_path: Path) -> None:
    llama = Llama(300, dim=96, layers=2, heads=6, kv_heads=3, hidden=160).eval()
    shape = LlamaShape(96, 2, 6, 3, 16, 300, positions_max=64)
    rounded = {n: a.astype(np.float16).astype(np.float32) for n, a in arrays(llama).items()}
    for name, state in (("any", arrays(llama)), ("rounded", rounded)):
        write_llama(tmp_path / f"{name}.onnx", weights_of_own(state, 2), shape)
    sizes = [(tmp_path / f"{name}.onnx").stat().st_size for name in ("any", "rounded")]
    assert sizes[1] < 0.6 * sizes[0]
