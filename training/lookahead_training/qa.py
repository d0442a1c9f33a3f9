"""NExT-QA's and ActivityNet-QA's files as examples for stage 2: what is asked of a video, what is right, and what kind of reasoning it takes.

Only the questions are read; the videos are the user's own. Text comes out as the yard writes it: lower case, a space before each mark.
"""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Reasoning = Literal["causal", "temporal", "descriptive"]

# NExT-QA's own codes: causal why and how; temporal next, current, previous; descriptive location, counting, other.
NEXT_QA: dict[str, Reasoning] = {
    "CW": "causal",
    "CH": "causal",
    "TN": "temporal",
    "TC": "temporal",
    "TP": "temporal",
    "DL": "descriptive",
    "DC": "descriptive",
    "DO": "descriptive",
}
# ActivityNet-QA's: motion, spatial and temporal relationship, yes or no, colour, object, location, number, other.
ACTIVITYNET_QA: dict[int, Reasoning] = {
    number: "temporal" if number in (0, 2) else "descriptive" for number in range(9)
}
OPTIONS = 5


@dataclass(frozen=True)
class Example:
    """One row. `options` holds every answer that was offered, the right one too; it is empty where the question is open."""

    source: Literal["next-qa", "activitynet-qa"]
    id: str
    video: str
    question: str
    answer: str
    reasoning: Reasoning
    options: tuple[str, ...] = ()

    def parts(self, ask: str = "Q:", answer: str = "A:") -> tuple[list[str], str]:
        """The prompt's parts and the answer, each to be tokenised on its own: `Q:` ` why did he stop ?` `A:`, ` a dog ran .`"""
        return [ask, f" {self.question} ?", answer], f" {self.answer} ."

    def rivals(self) -> list[str]:
        """Every option as an answer, to be scored by its likelihood; the right one is at `options.index(answer)`."""
        return [f" {option} ." for option in self.options]


def plain(text: str) -> str:
    """Lower case, marks apart, none at the end, no double spaces."""
    text = re.sub(r"\s*([,;:.?!])(?=\s|$)", r" \1 ", text.lower())
    return re.sub(r"[ ?.!]+$", "", re.sub(r"\s+", " ", text).strip())


def read_next_qa(path: Path) -> list[Example]:
    """A split's CSV file (`val.csv`). Raises ValueError, naming the row, where one is not of the format."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    examples = []
    for number, row in enumerate(rows, 2):  # the first line names the columns
        try:
            options = tuple(plain(row[f"a{i}"]) for i in range(OPTIONS))
            examples.append(
                Example(
                    source="next-qa",
                    id=f"{row['video']}_{row['qid']}",
                    video=row["video"],
                    question=plain(row["question"]),
                    answer=options[int(row["answer"])],
                    reasoning=NEXT_QA[row["type"]],
                    options=options,
                )
            )
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}, line {number} is no row of NExT-QA: {error!r}") from error
    return examples


def read_activitynet_qa(questions: Path, answers: Path) -> list[Example]:
    """A split's two JSON files (`val_q.json`, `val_a.json`), joined by the question's id. Raises ValueError where they do not fit."""
    of = {row["question_id"]: row for row in json.loads(answers.read_text(encoding="utf-8"))}
    examples = []
    for row in json.loads(questions.read_text(encoding="utf-8")):
        told = of.pop(row["question_id"], None)
        if told is None:
            raise ValueError(f"{answers} has no answer to {row['question_id']}.")
        if told["type"] not in ACTIVITYNET_QA:
            raise ValueError(f"{answers}: {row['question_id']} has type {told['type']!r}.")
        examples.append(
            Example(
                source="activitynet-qa",
                id=row["question_id"],
                video=row["video_name"],
                question=plain(row["question"]),
                answer=plain(told["answer"]),
                reasoning=ACTIVITYNET_QA[told["type"]],
            )
        )
    if of:
        raise ValueError(f"{questions} has no question {next(iter(of))}.")
    return examples
