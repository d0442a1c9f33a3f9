"""The small heads, on cached tokens and on masks as the engine finds them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import cross_entropy, smooth_l1_loss

from .bundle import Networks
from .config import Config
from .data import Split
from .event_targets import event_loss, event_targets
from .loop import train
from .windows import ClipTokens, collate_tracks


def train_object_head(
    networks: Networks, clips: list[ClipTokens], config: Config, log: Path
) -> float:
    """@param clips: all masks as the engine finds them, with the truth of what they show; kind 0 is background"""
    head, stage = networks.object_head.train(), config.object_head
    names = ("tokens", "boxes", "kinds", "shown", "looks")
    tokens, boxes, kinds, shown, looks = (
        torch.from_numpy(np.concatenate([getattr(c, name) for c in clips])) for name in names
    )
    low = head.low

    def losses(step: int) -> dict[str, Tensor]:
        pick = np.random.default_rng([config.seed + 2, step]).integers(
            len(tokens), size=stage.batch
        )
        logits, says, past = head.logits(tokens[pick], boxes[pick])
        # Most attributes are nearly always absent: a chance, with a proper score, not a distance.
        way = ((shown[pick] - low) / (1 - low)).clamp(0, 1)
        thing = kinds[pick] > 0
        known = thing[:, None, None] & looks[pick].isfinite()
        out = {"class": cross_entropy(logits, kinds[pick])}
        if thing.any():
            out["shown"] = 4.0 * bce(says[thing], way[thing])
        if known.any():
            # 0.01 of the picture is 1.6 pixels: near that a straight line, below it a parabola.
            out["looks"] = 100.0 * smooth_l1_loss(past[known], looks[pick][known], beta=0.01)
        return out

    return train("object-head", stage, config, head.parameters(), losses, log)


def pointed(split: Split, clips: np.ndarray, ids: list[np.ndarray]) -> Tensor:
    """Who took part: [events,4] of row in the batch, label, place of the actor among the tracks, place of the target; -1: nobody in view."""
    out = []
    for row, clip in enumerate(clips):
        place = {int(identity): at for at, identity in enumerate(ids[row]) if identity >= 0}
        for event in split.events[clip]:
            target = -1 if event.target is None else place.get(event.target, -1)
            out.append((row, event.label, place.get(event.actor, -1), target))
    return torch.tensor(out, dtype=torch.long).reshape(-1, 4)


def train_event_head(
    networks: Networks,
    split: Split,
    cls: np.ndarray,
    patches: np.ndarray,
    tracks: list[dict[str, np.ndarray]],
    config: Config,
    log: Path,
) -> float:
    """At the natural frequency of events, so that its probabilities mean what they say."""
    head, stage = networks.event_head.train(), config.event_head
    places = torch.from_numpy(split.places)

    def take(array: np.ndarray, clips: np.ndarray) -> Tensor:
        return torch.from_numpy(array[clips].astype(np.float32))

    def losses(step: int) -> dict[str, Tensor]:
        random = np.random.default_rng([config.seed + 3, step])
        later = random.integers(len(split.clips), size=stage.batch)
        earlier = np.array([split.previous(c) for c in later])
        lists = [tracks[c] for c in later]
        *shown, mask = collate_tracks(lists)
        mask = mask * (torch.rand(mask.shape) >= config.object_drop)
        began, onset, actor, target, place = head(
            *(take(cls, earlier), take(patches, earlier), take(cls, later), take(patches, later)),
            *(*shown, mask),
        )
        out = {
            "event": event_loss(began, onset, *event_targets(split, later)),
            "place": 0.2 * bce(place, places[split.scene_of[later]]),
        }
        who = pointed(split, later, [one["ids"] for one in lists])
        if len(who):
            row, label, is_actor, is_target = who.unbind(1)
            nobody = mask.shape[1]
            for name, said, true in (("actor", actor, is_actor), ("target", target, is_target)):
                # A track that was dropped above cannot be pointed at.
                there = (true >= 0) & (mask[row, true.clamp(min=0)] > 0)
                true = torch.where(there, true, nobody)
                out[name] = 0.5 * cross_entropy(said[row, label], true)
        return out

    torch.manual_seed(config.seed + 3)
    return train("event-head", stage, config, head.parameters(), losses, log)
