"""A language model's part of a bundle: reasoner.onnx, embeddings.f32, tokenizer.json and what the manifest says of them.

The graph is written by `llama_graph.py`, tensor by tensor: the peak is the graph's own size in fp16 and the largest tensor.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto
from tokenizers import Tokenizer

from ..export import sha256
from ..models.llama import Llama
from .config import LlamaConfig

ROWS_AT_ONCE = 4096  # of the embedding table


class LazyWeights(Mapping[str, np.ndarray]):
    """Tensors by the graph's names, each read when it is asked for and rounded to fp16, as a bundle stores it."""

    def __init__(self, names: Mapping[str, str], read: Callable[[str], np.ndarray]):
        """@param names: the graph's name -> what `read` takes"""
        self.names, self.read = names, read

    def __getitem__(self, name: str) -> np.ndarray:
        return self.read(self.names[name]).astype(np.float16)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def files_weights(tensors: Mapping[str, np.ndarray], config: LlamaConfig) -> LazyWeights:
    """Of a folder of `transformers`."""
    from ..llama_graph import weights_of_transformers

    # Given names in place of tensors, it says which name is which.
    names = weights_of_transformers({name: name for name in tensors}, config.layers)
    return LazyWeights(names, tensors.__getitem__)


def own_weights(llama: Llama, config: LlamaConfig) -> LazyWeights:
    """Of models/llama.py; LoRA is merged before."""
    from ..llama_graph import weights_of_own

    state = llama.state_dict()
    names = weights_of_own({name: name for name in state}, config.layers)
    return LazyWeights(names, lambda name: state[name].numpy())


def write_reasoner(path: Path, config: LlamaConfig, weights: Mapping[str, np.ndarray]) -> None:
    from ..llama_graph import LlamaShape, write_llama

    shape = LlamaShape(
        dim=config.dim,
        layers=config.layers,
        heads=config.heads,
        kv_heads=config.kv_heads,
        head_dim=config.dim // config.heads,
        vocabulary=config.vocabulary,
        rope_theta=config.rope_theta,
        epsilon=config.epsilon,
    )
    write_llama(path, weights, shape)


def write_embeddings(path: Path, table: np.ndarray) -> None:
    """[V,E] as little-endian float32, rounded to fp16 as the graph's weights are, a part after the other."""
    with path.open("wb") as file:
        for start in range(0, len(table), ROWS_AT_ONCE):
            half = table[start : start + ROWS_AT_ONCE].astype(np.float16)
            file.write(half.astype("<f4").tobytes())


def export_language(
    out: Path, llama: Llama, config: LlamaConfig, tokenizer: Tokenizer
) -> tuple[dict, dict]:
    """A model in memory. Returns the manifest's `language`, and its entries of `files`."""
    write_reasoner(out / "reasoner.onnx", config, own_weights(llama, config))
    write_embeddings(out / "embeddings.f32", llama.embed.weight.detach().numpy())
    tokenizer.save(str(out / "tokenizer.json"))
    return language_entry(config), language_files(out)


def language_entry(config: LlamaConfig) -> dict:
    return {
        "layers": config.layers,
        "keyValueHeads": config.kv_heads,
        "headDim": config.dim // config.heads,
        "vocabulary": config.vocabulary,
        "endOfText": config.end_of_text,
    }


def language_files(out: Path) -> dict[str, dict]:
    """Of a folder in which the three files lie; over 2 GB the graph's weights are a fourth."""
    reasoner = describe(out / "reasoner.onnx")
    beside = out / "reasoner.data"
    if beside.exists():
        reasoner["data"] = {"path": beside.name, "sha256": sha256(beside)}
    names = {"embeddings": "embeddings.f32", "tokenizer": "tokenizer.json"}
    rest = {key: {"path": name, "sha256": sha256(out / name)} for key, name in names.items()}
    return {"reasoner": reasoner, **rest}


TYPES = {
    TensorProto.FLOAT: "float32",
    TensorProto.UINT8: "uint8",
    TensorProto.INT64: "int64",
    TensorProto.INT32: "int32",
    TensorProto.BOOL: "bool",
}


def describe(path: Path) -> dict:
    """A graph's entry in the manifest, read off the file; its weights may lie beside it."""
    graph = onnx.load(path, load_external_data=False).graph

    def shapes(values) -> list[dict]:
        return [
            {
                "name": value.name,
                "type": TYPES[value.type.tensor_type.elem_type],
                "shape": [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim],
            }
            for value in values
        ]

    return {
        "path": path.name,
        "sha256": sha256(path),
        "inputs": shapes(graph.input),
        "outputs": shapes(graph.output),
    }
