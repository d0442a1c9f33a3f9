"""A Llama from the folder in which `transformers` keeps one: config.json, tokenizer.json, *.safetensors."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..models.llama import Llama
from .config import LlamaConfig
from .weight_files import Safetensors

OF_TRANSFORMERS = [
    (r"^model\.embed_tokens\.", "embed."),
    (r"^model\.", ""),
    (r"\.self_attn\.", "."),
    (r"\.mlp\.", "."),
    (r"\.input_layernorm\.", ".norm_attention."),
    (r"\.post_attention_layernorm\.", ".norm_mlp."),
]


def own_name(name: str) -> str:
    """`model.layers.0.self_attn.q_proj.weight` -> `layers.0.q_proj.weight`, as models/llama.py has it."""
    for pattern, ours in OF_TRANSFORMERS:
        name = re.sub(pattern, ours, name)
    return name


def read_llama_config(folder: Path) -> LlamaConfig:
    """Raises ValueError where it is another architecture, or a Llama that ours is not."""
    said = json.loads((folder / "config.json").read_text())
    rope = said.get("rope_parameters") or said.get("rope_scaling") or {}
    scaling = rope.get("rope_type", rope.get("type", "default"))
    for name, found, wanted in (
        ("model_type", said.get("model_type"), "llama"),
        ("rope scaling", scaling, "default"),
        ("attention_bias", said.get("attention_bias", False), False),
        ("mlp_bias", said.get("mlp_bias", False), False),
        ("hidden_act", said.get("hidden_act", "silu"), "silu"),
    ):
        if found != wanted:
            raise ValueError(
                f"{folder / 'config.json'}: {name} is {found!r}, only {wanted!r} can be read."
            )
    dim, heads = said["hidden_size"], said["num_attention_heads"]
    if said.get("head_dim") not in (None, dim // heads):
        raise ValueError(
            f"{folder / 'config.json'}: head_dim is {said['head_dim']}, not {dim // heads}."
        )
    end = said.get("eos_token_id")
    generation = folder / "generation_config.json"
    if generation.exists():
        end = json.loads(generation.read_text()).get("eos_token_id", end)
    if isinstance(
        end, list
    ):  # Llama-3-Instruct: end of text, end of turn; an answer ends with the turn
        end = end[-1]
    return LlamaConfig(
        vocabulary=said["vocab_size"],
        dim=dim,
        layers=said["num_hidden_layers"],
        heads=heads,
        kv_heads=said.get("num_key_value_heads", heads),
        hidden=said["intermediate_size"],
        rope_theta=float(rope.get("rope_theta", said.get("rope_theta", 10000.0))),
        epsilon=said.get("rms_norm_eps", 1e-6),
        tied=said.get("tie_word_embeddings", False),
        end_of_text=0 if end is None else end,
    )


def new_llama(config: LlamaConfig) -> Llama:
    return Llama(
        config.vocabulary,
        config.dim,
        config.layers,
        config.heads,
        config.kv_heads,
        config.hidden,
        config.rope_theta,
        config.epsilon,
        config.tied,
    )


def shapes_of(config: LlamaConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor of the folder by its name there, and its shape; nothing is allocated."""
    with torch.device("meta"):
        ours = {name: tuple(value.shape) for name, value in new_llama(config).state_dict().items()}
    parts = {"q_proj", "k_proj", "v_proj", "o_proj"}
    names: dict[str, tuple[int, ...]] = {}
    for name, shape in ours.items():
        if name == "frequency" or (name == "lm_head.weight" and config.tied):
            continue
        name = re.sub(r"^embed\.", "model.embed_tokens.", name)
        name = re.sub(r"^(layers\.|norm\.)", r"model.\1", name)
        name = name.replace(".norm_attention.", ".input_layernorm.")
        name = name.replace(".norm_mlp.", ".post_attention_layernorm.")
        part = name.split(".")[-2]
        if part in parts:
            name = name.replace(f".{part}.", f".self_attn.{part}.")
        elif part.endswith("_proj"):
            name = name.replace(f".{part}.", f".mlp.{part}.")
        names[name] = shape
    return names


def check_llama(tensors: Safetensors, config: LlamaConfig) -> None:
    """Raises ValueError, naming the tensor, where one is missing or of another shape than config.json says. Reads no weight."""
    for name, shape in shapes_of(config).items():
        if name not in tensors:
            raise ValueError(f"{name} is missing; config.json asks for {list(shape)}.")
        if tensors.shape(name) != shape:
            found = list(tensors.shape(name))
            raise ValueError(f"{name} is {found}; config.json asks for {list(shape)}.")


def load_llama(folder: Path) -> tuple[Llama, LlamaConfig]:
    """The whole network in float32: 32 GB for 8B. `build.py` needs no more than one tensor at a time."""
    config = read_llama_config(folder)
    tensors = Safetensors(folder)
    check_llama(tensors, config)
    llama = new_llama(config)
    load_named(llama, {name: tensors[name] for name in shapes_of(config)})
    return llama.eval(), config


def load_named(llama: Llama, tensors: Mapping[str, np.ndarray | Tensor]) -> None:
    """From `transformers`' names. A missing or unknown name is an error."""
    weights = {own_name(name): torch.as_tensor(value).float() for name, value in tensors.items()}
    if llama.lm_head.weight is llama.embed.weight:
        weights["lm_head.weight"] = weights["embed.weight"]
    llama.load_state_dict(weights | {"frequency": llama.frequency})
