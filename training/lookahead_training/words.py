"""What the yard tells of each clip in words, without its pictures; and the sequences that are made of it (docs/bundle.md, «Text»)."""

import re
from dataclasses import dataclass
from pathlib import Path

from .config import CLIP_S, CLIPS_PER_WINDOW
from .data import read_lines

LOG_MAX = 6  # events of a window that the program tells before it asks why


@dataclass(frozen=True)
class Why:
    """One event of a window's log, and which earlier ones of it led there."""

    log: list[int]  # labels, oldest first
    event: int  # index into log
    causes: list[int]  # indices into log; empty: nothing that was seen


@dataclass(frozen=True)
class Words:
    """Of all clips of a recording, one after another; [C] each. A window is named by its last clip."""

    captions: list[str]
    reasons: list[list[tuple[int, str]]]  # label and why it may come
    asked: list[list[tuple[str, str]]]  # prompt and answer: the paper's tasks, questions, probes
    predictions: list[list[tuple[str, str]]]  # of these, the paper's second task alone
    whys: list[list[Why]]


def read_words(folder: Path, first: int = 0, count: int | None = None) -> Words:
    """@param first, count: scenes"""
    scenes = sorted(p for p in folder.iterdir() if re.fullmatch(r"scene-\d{5}", p.name))
    captions, reasons, asked, predictions, whys = [], [], [], [], []
    for scene in scenes[first : None if count is None else first + count]:
        events = read_lines(scene / "events.jsonl")
        for clip in read_lines(scene / "clips.jsonl"):
            captions.append(clip["caption"])
            whys.append(whys_of(events, clip["endS"]))
        for window in read_lines(scene / "windows.jsonl"):
            reasons.append([(r["label"], r["text"]) for r in window["reasons"]])
            tasks = [(t["task"], t["prompt"], t["answer"]) for t in window["tasks"]]
            asked.append([(p, a) for _, p, a in tasks])
            predictions.append([(p, a) for task, p, a in tasks if task == "predict"])
    return Words(captions, reasons, asked, predictions, whys)


def whys_of(events: list[dict], end_s: float) -> list[Why]:
    """@param events: lines of events.jsonl @param end_s: the window's end"""
    begin = end_s - CLIPS_PER_WINDOW * CLIP_S
    seen = [e for e in events if begin < e["onsetS"] <= end_s][-LOG_MAX:]
    place = {event["id"]: at for at, event in enumerate(seen)}
    log = [event["label"] for event in seen]
    out = []
    for at, event in enumerate(seen):
        causes = [place[c] for c in event["because"] if c in place and place[c] < at]
        out.append(Why(log, at, causes))
    return out
