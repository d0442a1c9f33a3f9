"""SmolLM2 out of its GGUF file as the engine's own graphs, for `npm run bench -- reasoner`: bench_llama.py FILE.gguf FOLDER.

Needs `gguf` beside the usual packages. Writes llama-int8.onnx, llama-fp32.onnx, embeddings.f32 and shape.json; the weights are those that
llama.cpp computes with, dequantised.
"""

import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader, dequantize

from lookahead_training.llama_graph import LlamaShape, weights_of_gguf, write_llama


def main(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    reader = GGUFReader(file)
    said = {name: field.contents() for name, field in reader.fields.items()}
    tensors = {t.name: dequantize(t.data, t.tensor_type) for t in reader.tensors}
    table = tensors["token_embd.weight"].astype("<f4")
    dim, heads = said["llama.embedding_length"], said["llama.attention.head_count"]
    shape = LlamaShape(
        dim=dim,
        layers=said["llama.block_count"],
        heads=heads,
        kv_heads=said["llama.attention.head_count_kv"],
        head_dim=dim // heads,
        vocabulary=len(table),
        rope_theta=said["llama.rope.freq_base"],
        epsilon=said["llama.attention.layer_norm_rms_epsilon"],
        rotary_interleaved=True,
    )
    weights = weights_of_gguf(tensors, shape.layers)
    for name, int8 in (("int8", True), ("fp32", False)):
        write_llama(folder / f"llama-{name}.onnx", weights, shape, int8=int8)
    np.ascontiguousarray(table).tofile(folder / "embeddings.f32")
    language = {"layers": shape.layers, "keyValueHeads": shape.kv_heads, "headDim": shape.head_dim}
    language |= {"vocabulary": shape.vocabulary, "endOfText": said["tokenizer.ggml.eos_token_id"]}
    (folder / "shape.json").write_text(json.dumps({"language": language, "languageDim": dim}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
