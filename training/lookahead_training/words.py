"""What the yard tells of each clip in words, without its pictures; and the sequences that are made of it (docs/bundle.md, «Text»)."""

import re
from dataclasses import dataclass
from pathlib import Path

from .config import CLIP_S, CLIPS_PER_WINDOW
from .data import read_lines

LOG_MAX = 12  # events of a window that the program tells before it asks why
CAUSE_LEAST = 0.2  # by how much a cause changes the chance of what it leads to


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
    whys: list[list[Why]]  # empty where nobody worked out what caused what


def read_words(folder: Path, causes: Path | None = None) -> Words:
    """@param causes: a recording of the same scenes, or of the first of them, that tells causes by intervention; without it the rules' own
    links are followed"""
    scenes = sorted(p for p in folder.iterdir() if re.fullmatch(r"scene-\d{5}", p.name))
    captions, reasons, asked, whys = [], [], [], []
    for scene in scenes:
        told = causes / scene.name / "events.jsonl" if causes else scene / "events.jsonl"
        events = read_lines(told) if told.exists() else []
        for clip in read_lines(scene / "clips.jsonl"):
            captions.append(clip["caption"])
            whys.append(whys_of(events, clip["endS"]))
        for window in read_lines(scene / "windows.jsonl"):
            reasons.append([(r["label"], r["text"]) for r in window["reasons"]])
            asked.append([(t["prompt"], t["answer"]) for t in window["tasks"]])
    return Words(captions, reasons, asked, whys)


def whys_of(events: list[dict], end_s: float) -> list[Why]:
    """@param events: lines of events.jsonl @param end_s: the window's end"""
    begin = end_s - CLIPS_PER_WINDOW * CLIP_S
    seen = [e for e in events if begin < e["onsetS"] <= end_s][-LOG_MAX:]
    place = {event["id"]: at for at, event in enumerate(seen)}
    log = [event["label"] for event in seen]
    because = {event["id"]: event["because"] for event in events}
    out = []
    for at, event in enumerate(seen):
        ids = (
            [c["event"] for c in event["causes"] if c["difference"] > CAUSE_LEAST]
            if "causes" in event
            else led_to(event["id"], because)
        )
        causes = [place[c] for c in ids if c in place and place[c] < at]
        out.append(Why(log, at, sorted(causes)))
    return out


def led_to(event: int, because: dict[int, list[int]]) -> list[int]:
    """All that the links lead back to: what made the van stop made the gate open."""
    found: list[int] = []
    open_ = list(because.get(event, []))
    while open_:
        one = open_.pop()
        if one not in found:
            found.append(one)
            open_ += because.get(one, [])
    return found
