"""The reasoner's stages on a made-up yard: what is frozen stays, what is learned is learned, and texts are as the engine writes them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import EVENTS, LABELS, course_of

from lookahead_training.bundle import fingerprint
from lookahead_training.calibrate import fit_chances
from lookahead_training.config import CONFIGS, Stage
from lookahead_training.models.fusion import Fusion, FusionGraph, ObjectEncoder
from lookahead_training.models.llama import Llama
from lookahead_training.reasoner_export import window_inputs
from lookahead_training.symbolic.export import TrackWords
from lookahead_training.symbolic.score import template_prior
from lookahead_training.symbolic.tracks import Tracks
from lookahead_training.symbolic.train import new_model
from lookahead_training.text import Text, train_tokenizer
from lookahead_training.train_encoder import Worlds, outlooks, train_encoder
from lookahead_training.train_language import tokenizer_texts, train_language
from lookahead_training.train_reasoner import (
    forecast_loss,
    score_windows,
    train_alignment,
    train_instruction,
)
from lookahead_training.watched import NO_ERRORS, Sights, watch
from lookahead_training.words import Words, whys_of

CONFIG = CONFIGS["smoke"]
WIDTH = CONFIG.world.dim


@pytest.fixture
def text(words: Words) -> Text:
    return Text(train_tokenizer(tokenizer_texts([], words, LABELS), 300), LABELS)


def test_a_window_asks_why_of_what_it_saw_and_names_only_causes_that_it_saw() -> None:
    whys = whys_of(EVENTS, 8.0)
    assert [(why.log, why.event, why.causes) for why in whys] == [
        ([1, 2, 3], 0, []),
        ([1, 2, 3], 1, [0]),
        ([1, 2, 3], 2, [0, 1]),  # what led to the second led to the third
    ]
    causes = [{"event": 5, "difference": 0.9}, {"event": 4, "difference": -0.5}]
    asked = [*EVENTS[:2], EVENTS[2] | {"causes": causes}]
    assert whys_of(asked, 8.0)[2].causes == [1], "by intervention, where that was worked out"
    assert [why.log for why in whys_of(EVENTS, 9.0)] == [[2, 3, 1]] * 3  # what is older than 8 s


def test_texts_are_made_of_parts_that_the_engine_encodes_one_by_one(text: Text) -> None:
    ids, prompt = text.why([1, 2], 1, 0)
    parts = ["Seen:", " van enters .", " van stops at gate .", "Why", " van stops at gate:"]
    assert ids[:prompt] == [i for part in parts for i in text.ids(part)]
    assert ids[prompt:] == text.ids(" van enters .")
    ids, prompt = text.why([1], 0, None)
    assert ids[prompt:] == text.ids(" nothing .")
    ids, prompt = text.answer([1], "what comes ?", "a van .")
    parts = ["Seen:", " van enters .", "Q:", " what comes ?", "A:"]
    assert ids[:prompt] == [i for part in parts for i in text.ids(part)]
    assert ids[prompt:] == [*text.ids(" a van ."), text.end]


def test_pixels_change_nothing_before_they_are_learned_and_true_tracks_have_none(
    watched: Tracks, simulated: Tracks
) -> None:
    world = new_model(watched, CONFIG.world)
    encoder = ObjectEncoder(world)
    every = np.arange(len(watched))
    sights = watch(encoder, watched, every)
    blind = watch(encoder, replace(watched, pooled=watched.pooled * 0), every)
    torch.testing.assert_close(sights.outlook, blind.outlook)
    with torch.no_grad():
        encoder.of_pooled.weight.normal_()
    assert not torch.allclose(watch(encoder, watched, every).outlook, sights.outlook, atol=1e-4)
    every = np.arange(len(simulated))
    of_true = watch(encoder, simulated, every, NO_ERRORS)
    untouched = watch(ObjectEncoder(world), simulated, every, NO_ERRORS)
    torch.testing.assert_close(of_true.outlook, untouched.outlook)


def test_the_encoder_learns_what_comes(watched: Tracks, simulated: Tracks, tmp_path: Path) -> None:
    encoder = ObjectEncoder(new_model(watched, CONFIG.world))
    worlds = Worlds(simulated, simulated, watched, watched, template_prior(simulated))
    stage = Stage(200, 32, 3e-3, 5)
    train_encoder(encoder, worlds, stage, CONFIG, tmp_path / "log", tmp_path / "encoder.pt")
    chances = outlooks(encoder, watched, np.arange(len(watched)))
    loss = -(watched.futures * np.log(chances)).sum(1).mean()
    best = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert loss < best + 0.2


def test_alignment_leaves_everything_but_the_queries_alone(
    watched: Tracks, simulated: Tracks, words: Words, text: Text, tmp_path: Path
) -> None:
    encoder = ObjectEncoder(new_model(watched, CONFIG.world))
    fusion, llama = Fusion(4, width=WIDTH), Llama(text.tokenizer.get_vocab_size(), layers=2)
    frozen, before = (encoder, llama), fingerprint(fusion)
    hashes = [fingerprint(module) for module in frozen]
    course = course_of(encoder, watched, simulated, words)
    stage = Stage(3, 4, 1e-3, 1)
    train_alignment(fusion, llama, text, course, stage, CONFIG, tmp_path / "log", [encoder])
    assert [fingerprint(module) for module in frozen] == hashes
    assert fingerprint(fusion) != before


def test_language_and_instruction_overfit(
    watched: Tracks, simulated: Tracks, words: Words, text: Text, tmp_path: Path
) -> None:
    encoder = ObjectEncoder(new_model(watched, CONFIG.world))
    fusion, llama = Fusion(4, width=WIDTH), Llama(text.tokenizer.get_vocab_size(), layers=2)
    config = replace(CONFIG, language=Stage(80, 8, 2e-3, 5))
    log = tmp_path / "log"
    assert train_language(llama, text, ["a van comes ."], words, config, log) < 1.0
    course = course_of(encoder, watched, simulated, words)
    names = [name for name, _ in llama.named_parameters()]
    train_instruction(fusion, llama, text, course, Stage(120, 16, 2e-3, 5), config, log)
    assert [name for name, _ in llama.named_parameters()] == names
    scores = score_windows(fusion, llama, text, course.validation)
    best = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert float(forecast_loss(scores, course.validation.futures)) < best + 0.3


def test_the_exported_graph_reads_a_window_as_training_does(watched: Tracks) -> None:
    encoder = ObjectEncoder(new_model(watched, CONFIG.world)).eval()
    with torch.no_grad():
        encoder.of_pooled.weight.normal_()
    fusion = Fusion(4, width=WIDTH).eval()
    words = TrackWords(watched.classes, watched.attributes, watched.looks_per_clip)
    graph = FusionGraph(encoder, fusion, words)
    at = 7
    sights: Sights = watch(encoder, watched, np.array([at]))
    with torch.no_grad():
        trained = fusion(*sights.inputs(slice(0, 1)))
        exported, outlook = graph(*window_inputs(watched, at))
    torch.testing.assert_close(exported, trained, atol=2e-3, rtol=2e-3)  # sights are kept in fp16
    torch.testing.assert_close(outlook, sights.outlook.float(), atol=2e-2, rtol=2e-2)


def test_chances_are_fitted_to_what_came() -> None:
    chances = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]]).repeat(20, 1)
    said = chances.log() * 1.5
    said[:, 0] -= 0.3
    temperature, bias = fit_chances(said, chances)
    assert temperature == pytest.approx(1.5, rel=0.05)
    assert bias == pytest.approx(0.3, abs=0.051)
