"""The sums of text_metrics.py; what needs its libraries is skipped where they are not installed."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).resolve().parents[1] / "text_metrics.py"
spec = importlib.util.spec_from_file_location("text_metrics", PATH)
text_metrics = importlib.util.module_from_spec(spec)
sys.modules["text_metrics"] = text_metrics
spec.loader.exec_module(text_metrics)

SAID = ["because a van waits at the gate .", "because the light is red .", "because a dog runs ."]
TOLD = [
    ["because a van waits at the gate .", "because a van has stopped ."],
    ["because the light stays red for some seconds ."],
    ["because somebody came out ."],
]


def test_words_are_lower_case_and_without_punctuation() -> None:
    assert text_metrics.words("The gate opens, because ...") == ["the", "gate", "opens", "because"]


def test_the_interval_draws_scenes_not_texts() -> None:
    scores = np.array([0.0, 0.0, 1.0, 1.0])
    assert text_metrics.interval(scores, [7, 7, 7, 7]) == (0.5, 0.5)
    low, high = text_metrics.interval(scores, [1, 1, 2, 2])
    assert (low, high) == (0.0, 1.0)


def test_another_moment_is_never_the_own() -> None:
    for count in (2, 3, 8):
        references = [[f"text {i}"] for i in range(count)]
        taken = text_metrics.of_another_moment(references)
        assert all(text != own[0] for text, own in zip(taken, references, strict=True))


@pytest.mark.parametrize(
    ("name", "library"),
    [("rouge_l", "rouge_score"), ("meteor", "nltk"), ("cider", "pycocoevalcap")],
)
def test_the_same_words_score_best_and_none_shared_scores_worst(name: str, library: str) -> None:
    pytest.importorskip(library)
    scores = getattr(text_metrics, name)(SAID, TOLD)
    assert scores[0] > scores[1] > scores[2] >= 0
    if name != "cider":
        assert scores[0] > 99


def test_bleu_takes_texts_with_different_numbers_of_references() -> None:
    pytest.importorskip("sacrebleu")
    same = [own[0] for own in TOLD]
    assert text_metrics.bleu(same, TOLD) == pytest.approx(100)
    assert text_metrics.bleu(SAID, TOLD) < 100


def test_the_table_has_a_row_for_each_kind_and_one_for_scale() -> None:
    pytest.importorskip("sacrebleu")
    lines = [
        {"kind": "justification", "hypothesis": said, "references": told, "scene": scene}
        for scene, (said, told) in enumerate(zip(SAID, TOLD, strict=True))
    ]

    def length(said: list[str], told: list[list[str]]) -> np.ndarray:
        return np.array([len(text) for text in said], float)

    rows = text_metrics.table(lines, {"length": length})
    assert rows[0] == "| | texts | BLEU | length |".replace("| |", "|  |")
    assert [row.split(" | ")[0] for row in rows[2:]] == [
        "| justification",
        "| right at another moment",
    ]
