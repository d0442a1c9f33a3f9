# /// script
# requires-python = ">=3.11"
# dependencies = ["sacrebleu==2.6.0", "rouge-score==0.1.2", "nltk==3.10.4", "pycocoevalcap==1.2"]
# ///
"""Text metrics of explanations and justifications against the teller's own words, as Markdown.

    ./lookahead evaluate forecasts --seed 1 --texts texts.jsonl
    uv run --script training/text_metrics.py texts.jsonl

Its libraries are the script's own and no part of the training environment: together they are 190 MB, most of it Java archives of
pycocoevalcap that are not used. Every figure is in percent but CIDEr, whose scale is 0 to 10.

BLEU        sacrebleu, corpus, 4-grams, its own tokeniser
ROUGE-L     rouge-score, F1 with stemming, the best of the references, mean
METEOR      nltk, exact words and stems, the best of the references, mean; its synonyms need WordNet, which is a download of its
            own and left out: so it is a little lower than with them
CIDEr       pycocoevalcap, document frequencies of these references
BERTScore   bert-score, F1; only with --bert DIR, a folder with a model's weights, and with bert-score and torch installed

For scale each is also taken of texts that are right at another moment: a reference of another line of the same kind.
"""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

RESAMPLES = 1000
Scores = np.ndarray  # [n], one for each text


def words(text: str) -> list[str]:
    """Lower case, without punctuation: commas are no words that one could hit."""
    return re.findall(r"[a-z0-9]+", text.lower())


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def bleu(hypotheses: list[str], references: list[list[str]]) -> float:
    from sacrebleu.metrics import BLEU

    most = max(len(own) for own in references)
    columns = [[own[i] if i < len(own) else None for own in references] for i in range(most)]
    spaced = [" ".join(words(text)) for text in hypotheses]
    told = [[None if text is None else " ".join(words(text)) for text in one] for one in columns]
    return BLEU().corpus_score(spaced, told).score


def rouge_l(hypotheses: list[str], references: list[list[str]]) -> Scores:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    return np.array(
        [
            100 * max(scorer.score(text, said)["rougeL"].fmeasure for text in own)
            for said, own in zip(hypotheses, references, strict=True)
        ]
    )


class NoSynonyms:
    """In WordNet's place."""

    def synsets(self, word: str) -> list:
        return []


def meteor(hypotheses: list[str], references: list[list[str]]) -> Scores:
    from nltk.translate.meteor_score import meteor_score

    return np.array(
        [
            100 * meteor_score([words(text) for text in own], words(said), wordnet=NoSynonyms())
            for said, own in zip(hypotheses, references, strict=True)
        ]
    )


def cider(hypotheses: list[str], references: list[list[str]]) -> Scores:
    from pycocoevalcap.cider.cider import Cider

    said = {i: [" ".join(words(text))] for i, text in enumerate(hypotheses)}
    told = {i: [" ".join(words(text)) for text in own] for i, own in enumerate(references)}
    return np.asarray(Cider().compute_score(told, said)[1])


def bert_score(model: Path, layers: int) -> Callable[[list[str], list[list[str]]], Scores]:
    def score(hypotheses: list[str], references: list[list[str]]) -> Scores:
        from bert_score import BERTScorer

        scorer = BERTScorer(model_type=str(model), num_layers=layers)
        return 100 * scorer.score(hypotheses, references)[2].numpy()

    return score


def interval(scores: Scores, scenes: list[int]) -> tuple[float, float]:
    """95 %, by bootstrap over scenes: texts of one scene resemble each other."""
    names, of = np.unique(scenes, return_inverse=True)
    sums, counts = np.bincount(of, scores), np.bincount(of)
    drawn = np.random.default_rng(1).integers(len(names), size=(RESAMPLES, len(names)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def of_another_moment(references: list[list[str]]) -> list[str]:
    """Each text's place taken by a reference of the line half a file away, so that no two are of one window."""
    half = max(1, len(references) // 2)
    return [references[(i + half) % len(references)][0] for i in range(len(references))]


def table(lines: list[dict], metrics: dict[str, Callable]) -> list[str]:
    rows = [
        ["", "texts", "BLEU", *metrics],
        ["---"] * (3 + len(metrics)),
    ]
    for kind in sorted({line["kind"] for line in lines}):
        own = [line for line in lines if line["kind"] == kind]
        references = [line["references"] for line in own]
        scenes = [line["scene"] for line in own]
        for called, said in (
            (kind, [line["hypothesis"] for line in own]),
            ("right at another moment", of_another_moment(references)),
        ):
            cells = [called, str(len(own)), f"{bleu(said, references):.1f}"]
            for metric in metrics.values():
                scores = metric(said, references)
                low, high = interval(scores, scenes)
                cells.append(f"{scores.mean():.2f} [{low:.2f}, {high:.2f}]")
            rows.append(cells)
    return [f"| {' | '.join(row)} |" for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description="Text metrics as a Markdown table.")
    parser.add_argument("file", type=Path, help="what evaluate forecasts --texts has written")
    parser.add_argument("--bert", type=Path, help="folder of a model for BERTScore")
    parser.add_argument("--bert-layers", type=int, default=9)
    given = parser.parse_args()
    metrics: dict[str, Callable] = {"ROUGE-L": rouge_l, "METEOR": meteor, "CIDEr": cider}
    if given.bert:
        metrics["BERTScore"] = bert_score(given.bert, given.bert_layers)
    print("\n".join(table(read_lines(given.file), metrics)))
    if not given.bert:
        print("\nBERTScore was not taken: it needs a model's weights (--bert DIR).")


if __name__ == "__main__":
    main()
