"""Each stage learns one small batch by heart, and touches only what it may."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lookahead_training import automatic, windows
from lookahead_training.bundle import Networks, fingerprint
from lookahead_training.config import CONFIGS, Stage
from lookahead_training.data import Split
from lookahead_training.text import Text, train_tokenizer
from lookahead_training.train_language import tokenizer_texts, train_language
from lookahead_training.train_perception import train_backbone, train_segmenter
from lookahead_training.train_reasoner import (
    forecast_loss,
    score_windows,
    train_alignment,
    train_instruction,
)

CONFIG = CONFIGS["smoke"]


@pytest.fixture
def networks() -> Networks:
    return Networks(classes=2, labels=4, vocabulary=300)


def cached(split: Split, networks: Networks) -> tuple[np.ndarray, list[windows.ClipTokens]]:
    with torch.no_grad():
        cls, patches = networks.backbone(torch.from_numpy(split.frames))
    clips = windows.pool_split(split, automatic.true_clip_masks(split), patches.numpy())
    windows.follow(split, clips)
    return cls.numpy(), clips


def test_the_backbone_overfits(split: Split, networks: Networks, tmp_path: Path) -> None:
    start = replace(CONFIG, perception=Stage(2, 4, 1e-9, 1))
    first = train_backbone(networks, split, start, tmp_path / "log", tmp_path / "a.pt")
    longer = replace(CONFIG, perception=Stage(60, 4, 1e-3, 5))
    last = train_backbone(networks, split, longer, tmp_path / "log", tmp_path / "b.pt")
    assert last < 0.5 * first


def test_the_segmenter_overfits(split: Split, networks: Networks, tmp_path: Path) -> None:
    start = replace(CONFIG, segmenter=Stage(2, 4, 1e-9, 1))
    first = train_segmenter(networks, split, start, tmp_path / "log")
    longer = replace(CONFIG, segmenter=Stage(120, 4, 2e-3, 5))
    last = train_segmenter(networks, split, longer, tmp_path / "log")
    assert last < 0.5 * first


def test_alignment_leaves_backbone_and_language_model_alone(
    split: Split, networks: Networks, tmp_path: Path
) -> None:
    text = Text(train_tokenizer(tokenizer_texts(split), 300), split.labels)
    cls, clips = cached(split, networks)
    fusion = fingerprint(networks.fusion)
    frozen = fingerprint(networks.backbone), fingerprint(networks.llama)
    config = replace(CONFIG, alignment=Stage(3, 4, 1e-3, 1))
    train_alignment(networks, text, split, cls, clips, config, tmp_path / "log")
    assert (fingerprint(networks.backbone), fingerprint(networks.llama)) == frozen
    assert fingerprint(networks.fusion) != fusion


def test_language_and_instruction_overfit(split: Split, networks: Networks, tmp_path: Path) -> None:
    text = Text(train_tokenizer(tokenizer_texts(split), 300), split.labels)
    config = replace(CONFIG, language=Stage(80, 9, 2e-3, 5), instruction=Stage(90, 8, 2e-3, 5))
    assert train_language(networks, text, split, config, tmp_path / "log") < 1.0
    cls, clips = cached(split, networks)
    names = [name for name, _ in networks.llama.named_parameters()]
    train_instruction(networks, text, split, cls, clips, config, tmp_path / "log")
    assert [name for name, _ in networks.llama.named_parameters()] == names
    scores = score_windows(networks, text, split, cls, clips)
    assert float(forecast_loss(scores, split.windows)) < 0.5 * np.log(4)
