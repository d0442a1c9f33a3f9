"""`reasoner.onnx`: the graph of any Llama, built node by node, not traced, so that no weight passes through a tracer and every size has one code.

Keys and values stay in the caller's buffers (`past_key_values.<i>.key|value` [B,KV,C,hd], capacity C); a run writes the new ones behind those of the T - S
positions before, and gives the same buffers back as `present.<i>.*`. What a position may attend to is told by `attention_bias` alone, and where
it stands by `position_ids`: so one buffer holds a whole tree of texts that share their beginnings, and all labels are one run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
CONTRIB = "com.microsoft"
INT8_MAX = 127.0


@dataclass(frozen=True)
class LlamaShape:
    dim: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    rope_theta: float = 10000.0
    epsilon: float = 1e-5
    positions_max: int = 1024
    # GGUF keeps the two halves of a rotation beside each other; `transformers` and models/llama.py one behind the other.
    rotary_interleaved: bool = False


# For each layer: norm_attention, q, k, v, o, norm_mlp, gate, up, down; then norm and lm_head. Matrices are [out,in], as PyTorch keeps them.
Weights = Mapping[str, np.ndarray]


def weights_of_own(state: Mapping[str, np.ndarray], layers: int) -> dict[str, np.ndarray]:
    """From `models/llama.py`."""
    names = {"norm_attention": "norm_attention", "norm_mlp": "norm_mlp"}
    names |= {part: f"{part}_proj" for part in ("q", "k", "v", "o", "gate", "up", "down")}
    return {
        f"layers.{i}.{part}": state[f"layers.{i}.{name}.weight"]
        for i in range(layers)
        for part, name in names.items()
    } | {"norm": state["norm.weight"], "lm_head": state["lm_head.weight"]}


def weights_of_transformers(state: Mapping[str, np.ndarray], layers: int) -> dict[str, np.ndarray]:
    """From `LlamaForCausalLM`; where its head is tied, the embedding table is the head."""
    names = {"norm_attention": "input_layernorm", "norm_mlp": "post_attention_layernorm"}
    names |= {part: f"self_attn.{part}_proj" for part in ("q", "k", "v", "o")}
    names |= {part: f"mlp.{part}_proj" for part in ("gate", "up", "down")}
    head = state.get("lm_head.weight", state["model.embed_tokens.weight"])
    return {
        f"layers.{i}.{part}": state[f"model.layers.{i}.{name}.weight"]
        for i in range(layers)
        for part, name in names.items()
    } | {"norm": state["model.norm.weight"], "lm_head": head}


def weights_of_gguf(tensors: Mapping[str, np.ndarray], layers: int) -> dict[str, np.ndarray]:
    """From the dequantised tensors of a GGUF file; its `LlamaShape` has `rotary_interleaved`."""
    names = {"norm_attention": "attn_norm", "norm_mlp": "ffn_norm", "o": "attn_output"}
    names |= {part: f"attn_{part}" for part in ("q", "k", "v")}
    names |= {part: f"ffn_{part}" for part in ("gate", "up", "down")}
    head = tensors.get("output.weight", tensors["token_embd.weight"])
    return {
        f"layers.{i}.{part}": tensors[f"blk.{i}.{name}.weight"]
        for i in range(layers)
        for part, name in names.items()
    } | {"norm": tensors["output_norm.weight"], "lm_head": head}


class _Graph:
    """Nodes and initializers in the order in which they are needed."""

    def __init__(self, int8: bool):
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.int8 = int8

    def constant(self, name: str, values: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str, values: np.ndarray) -> str:
        """fp16 where that loses nothing, with a Cast behind that onnxruntime folds at load."""
        values = np.asarray(values, np.float32)
        half = values.astype(np.float16)
        if values.size < 64 or not np.array_equal(half.astype(np.float32), values):
            return self.constant(name, values)
        self.constant(name + ".fp16", half)
        return self.add("Cast", [name + ".fp16"], [name], to=TensorProto.FLOAT)

    def add(self, op: str, inputs: list[str], outputs: list[str], domain: str = "", **attrs) -> str:
        node = helper.make_node(op, inputs, outputs, name=outputs[0], domain=domain, **attrs)
        self.nodes.append(node)
        return outputs[0]

    def linear(self, name: str, x: str, matrix: np.ndarray) -> str:
        """x [...,in], matrix [out,in] -> [...,out]. int8: rows of the matrix by their largest weight, x as it comes."""
        matrix = np.asarray(matrix, np.float32).T
        if not self.int8:
            return self.add("MatMul", [x, self.weight(name, matrix)], [name + ".out"])
        scale = np.maximum(np.abs(matrix).max(0), 1e-8) / INT8_MAX  # [out]
        whole = np.rint(matrix / scale).astype(np.int8)
        weight = self.constant(name, whole)
        scales = self.constant(name + ".scale", scale.astype(np.float32))
        inputs = [x, weight, scales]
        return self.add("DynamicQuantizeMatMul", inputs, [name + ".out"], CONTRIB)


def past_names(layers: int) -> list[str]:
    return [f"past_key_values.{i}.{part}" for i in range(layers) for part in ("key", "value")]


def present_names(layers: int) -> list[str]:
    return [f"present.{i}.{part}" for i in range(layers) for part in ("key", "value")]


def write_llama(path: Path, weights: Weights, shape: LlamaShape, int8: bool = False) -> None:
    """Writes the graph; over 2 GB the weights go into `<name>.data` beside it.

    inputs: `inputs_embeds` f32 [B,S,E]; `position_ids` i64 [B,S]; `attention_bias` f32 [B,1,S,T], 0 where a new position may look and -1e4 where not, T the
    positions in the buffers after the run; `logit_positions` i64 [N], the new positions whose logits are wanted; past (above).
    outputs: `logits` f32 [B,N,V]; present (above).
    """
    graph = _Graph(int8)
    halves = shape.head_dim // 2
    frequency = shape.rope_theta ** (-np.arange(halves) / halves)
    angle = np.arange(shape.positions_max)[:, None] * frequency  # [positions,hd/2]
    cos = graph.constant("cos", np.cos(angle).astype(np.float32))
    sin = graph.constant("sin", np.sin(angle).astype(np.float32))

    # All rows have T positions; a row with fewer hides the others by its bias.
    graph.add("Shape", ["attention_bias"], ["total.long"], start=3, end=4)
    graph.add("Cast", ["total.long"], ["total.row"], to=TensorProto.INT32)
    graph.add("Squeeze", ["total.row"], ["total"])
    graph.add("Sub", ["total.row", graph.constant("one", np.array([1], np.int32))], ["last"])
    graph.add("Shape", ["attention_bias"], ["rows"], start=0, end=1)
    graph.add("Expand", ["last", "rows"], ["seqlens_k"])

    def norm(name: str, x: str, skip: str | None) -> tuple[str, str]:
        """-> the normed sum of both, and the sum."""
        gain = graph.constant(name + ".gain", np.asarray(weights[name], np.float32))
        if skip is None:
            out = graph.add(
                "SimplifiedLayerNormalization",
                [x, gain],
                [name + ".out"],
                axis=-1,
                epsilon=shape.epsilon,
            )
            return out, x
        out = graph.add(
            "SkipSimplifiedLayerNormalization",
            [x, skip, gain],
            [name + ".out", "", "", name + ".sum"],
            CONTRIB,
            epsilon=shape.epsilon,
        )
        return out, name + ".sum"

    x, change = "inputs_embeds", None
    for i in range(shape.layers):
        at = f"layers.{i}."
        h, x = norm(at + "norm_attention", x, change)
        packed = np.concatenate([weights[at + part] for part in "qkv"])  # [(H+2KV)*hd,E]
        mixed = graph.add(
            "GroupQueryAttention",
            [
                *(graph.linear(at + "qkv", h, packed), "", ""),
                *(f"past_key_values.{i}.key", f"past_key_values.{i}.value"),
                *("seqlens_k", "total", cos, sin, "position_ids", "attention_bias"),
            ],
            [at + "mixed", f"present.{i}.key", f"present.{i}.value"],
            CONTRIB,
            num_heads=shape.heads,
            kv_num_heads=shape.kv_heads,
            do_rotary=1,
            rotary_interleaved=int(shape.rotary_interleaved),
        )
        h, x = norm(at + "norm_mlp", x, graph.linear(at + "o", mixed, weights[at + "o"]))
        gate = graph.linear(at + "gate", h, weights[at + "gate"])
        graph.add("Sigmoid", [gate], [at + "sigmoid"])
        graph.add("Mul", [gate, at + "sigmoid"], [at + "silu"])
        up = graph.linear(at + "up", h, weights[at + "up"])
        graph.add("Mul", [at + "silu", up], [at + "swiglu"])
        change = graph.linear(at + "down", at + "swiglu", weights[at + "down"])
    h, _ = norm("norm", x, change)
    chosen = graph.add("Gather", [h, "logit_positions"], ["chosen"], axis=1)
    head = graph.linear("lm_head", chosen, weights["lm_head"])
    graph.add("Identity", [head], ["logits"])

    def value(name: str, kind: int, dims: list[int | str]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, dims)

    buffer = ["B", shape.kv_heads, "C", shape.head_dim]
    float32, int64 = TensorProto.FLOAT, TensorProto.INT64
    inputs = [
        value("inputs_embeds", float32, ["B", "S", shape.dim]),
        value("position_ids", int64, ["B", "S"]),
        value("attention_bias", float32, ["B", 1, "S", "T"]),
        value("logit_positions", int64, ["N"]),
        *(value(name, float32, buffer) for name in past_names(shape.layers)),
    ]
    outputs = [
        value("logits", float32, ["B", "N", shape.vocabulary]),
        *(value(name, float32, buffer) for name in present_names(shape.layers)),
    ]
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "llama", inputs, outputs, graph.initializers),
        opset_imports=opsets,
        ir_version=9,
    )
    large = sum(len(i.raw_data) for i in graph.initializers) > 1.9e9
    onnx.save(model, path, save_as_external_data=large, location=path.stem + ".data")
