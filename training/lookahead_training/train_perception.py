"""Perception: the backbone under dense supervision, the segmenter on true ids, then the two heads.

CLS alone never learns where things are, and objects decide the forecast; so the truth speaks to every stride-8 cell: what stands
here, where its box is, how fast it moves, which attributes it shows, what stood here at the clip's beginning. Two clips together also answer which events
began and what comes next, so that the tokens keep what those questions need.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import cross_entropy, smooth_l1_loss

from .bundle import Networks
from .config import HEIGHT, WIDTH, Config
from .data import Split
from .loop import short_floats, train
from .models.backbone import DenseHeads
from .models.heads import EventHead
from .targets import cell_targets, true_masks

BACKGROUND_WEIGHT = 0.25  # most cells are empty
REACH_PX = 14.0  # how far from a point the segmenter looks for a thing


def event_targets(split: Split, clips: np.ndarray) -> tuple[Tensor, Tensor]:
    """-> began [B,K] 0 or 1, onset [B,K] (share of the clip; -1 where nothing began)."""
    began = torch.zeros(len(clips), len(split.labels))
    onset = torch.full((len(clips), len(split.labels)), -1.0)
    for row, clip in enumerate(clips):
        for label, share in split.events[clip]:
            began[row, label] = 1
            onset[row, label] = share
    return began, onset


def event_loss(logits: Tensor, onset: Tensor, began: Tensor, when: Tensor) -> Tensor:
    positive = began > 0
    loss = bce(logits[:, 1:], began[:, 1:], reduction="none").sum(1).mean()
    return loss + (smooth_l1_loss(onset[positive], when[positive]) if positive.any() else 0.0)


def train_backbone(
    networks: Networks, split: Split, config: Config, log: Path, resume: Path
) -> float:
    """Goes on from `resume` where it exists, with the heads that only training needs."""
    random = np.random.default_rng(config.seed)
    backbone = networks.backbone.train()
    state_names, state = split.state_bits()
    heads = DenseHeads(backbone.dim, len(split.classes), len(state_names), len(split.attributes))
    next_head = EventHead(backbone.dim, len(split.labels))  # thrown away, as the dense heads are
    learning = nn.ModuleList([backbone, heads, networks.event_head, next_head])
    class_index = {name: i for i, name in enumerate(split.classes)}

    @cache
    def cells(clip: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        objects = split.clips[clip]["objects"]
        return cell_targets(split.ids[clip], objects, class_index, split.attributes)

    weight = torch.ones(len(split.classes))
    weight[0] = BACKGROUND_WEIGHT
    window_of = {w.clip: w for w in split.windows}
    window_clips = np.array(sorted(window_of))
    eventful = np.array([c for c, events in enumerate(split.events) if events])

    def losses(_: int) -> dict[str, Tensor]:
        # Half the pairs end where something began (rare otherwise), half where a window ends.
        half = config.perception.batch // 2
        later = np.concatenate([random.choice(eventful, half), random.choice(window_clips, half)])
        earlier = np.array([split.previous(c) for c in later])
        both = np.concatenate([earlier, later])
        count = len(later)
        with short_floats():
            cls, patches = backbone(torch.from_numpy(split.frames[both]))
            kind, box, first, bits = (out.float() for out in heads(cls, patches))
            pair = (cls[:count], patches[:count], cls[count:], patches[count:])
            event, onset = (out.float() for out in networks.event_head(*pair))
            coming = next_head(*pair)[0].float()
        rows = [cells(int(c)) for c in both]
        is_kind = torch.from_numpy(np.stack([r[0] for r in rows]))
        is_box = torch.from_numpy(np.stack([r[1] for r in rows]))
        is_first = torch.from_numpy(np.stack([r[2] for r in rows]))
        thing = is_kind > 0
        out = {
            "kind": 2.0 * cross_entropy(kind.flatten(0, 1), is_kind.flatten(), weight),
            "box": smooth_l1_loss(box[thing][:, :4], is_box[thing][:, :4], beta=0.1),
            "velocity": 2.0 * smooth_l1_loss(box[thing][:, 4:6], is_box[thing][:, 4:6], beta=0.05),
            "visible": 0.2 * smooth_l1_loss(box[thing][:, 6], is_box[thing][:, 6]),
            "attributes": smooth_l1_loss(box[thing][:, 7:], is_box[thing][:, 7:], beta=0.1),
            "first": cross_entropy(first.flatten(0, 1), is_first.flatten(), weight),
            "state": 0.3 * bce(bits, torch.from_numpy(state[both])),
        }
        began, when = event_targets(split, later)
        out["event"] = 0.5 * event_loss(event, onset, began, when)
        futures = torch.from_numpy(np.stack([window_of[c].futures for c in later]))
        out["next"] = 0.5 * cross_entropy(coming, futures)
        return out

    if resume.exists():
        learning.load_state_dict(torch.load(resume))
    parameters = learning.parameters()
    loss = train("perception", config.perception, config, parameters, losses, log)
    torch.save(learning.state_dict(), resume)
    return loss


def point_batch(
    split: Split, clips: np.ndarray, points: int, random: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """-> points [B*P,2] x, y; masks [B*P,3,48,80] 0 or 1, the nearest thing first; real [B*P,3]."""
    coords = np.zeros((len(clips), points, 2), np.float32)
    masks = np.zeros((len(clips), points, 3, 48, 80), np.float32)
    real = np.zeros((len(clips), points, 3), np.float32)
    for b, clip in enumerate(clips):
        things = true_masks(split.ids[clip], len(split.clips[clip]["objects"]))
        things = things[things.any((1, 2))]
        cells = [np.argwhere(thing) for thing in things]  # row, column
        small = np.array([len(c) ** -0.5 for c in cells])  # small things are harder: more points
        for p in range(points):
            if p % 2 and cells:  # on or near a thing
                thing = random.choice(len(cells), p=small / small.sum())
                row, column = random.choice(cells[thing])
                near = np.array([column * 2 + 1.0, row * 2 + 1.0]) + random.normal(0, 5, 2)
                point = near.clip([0, 0], [WIDTH - 1, HEIGHT - 1])
            else:
                point = random.uniform([0, 0], [WIDTH, HEIGHT])
            coords[b, p] = point
            distance = [np.hypot(*(c[:, ::-1] * 2 + 1 - point).T).min() for c in cells]
            order = [i for i in np.argsort(distance)[:3] if distance[i] <= REACH_PX]
            for slot, index in enumerate(order):
                masks[b, p, slot] = things[index]
                real[b, p, slot] = 1
    return tuple(torch.from_numpy(a).flatten(0, 1) for a in (coords, masks, real))


def soft_iou(logits: Tensor, masks: Tensor) -> Tensor:
    """IoU of the thresholded masks, as the engine thresholds them."""
    found = (logits > 0).float()
    both = (found * masks).sum((-2, -1))
    return both / (found + masks).clamp(max=1).sum((-2, -1)).clamp(min=1)


def train_segmenter(networks: Networks, split: Split, config: Config, log: Path) -> float:
    random = np.random.default_rng(config.seed + 1)
    encoder, decoder = networks.segmenter_encoder.train(), networks.segmenter_decoder.train()
    stage = config.segmenter

    def losses(_: int) -> dict[str, Tensor]:
        clips = random.integers(len(split.clips), size=stage.batch)
        points, masks, real = point_batch(split, clips, config.segmenter_points, random)
        with short_floats():
            embeddings, high_res = encoder(torch.from_numpy(split.frames[clips, -1]))
            logits, iou = (out.float() for out in decoder(embeddings, high_res, points))
        shown = real > 0
        logits_real, masks_real = logits[shown], masks[shown]  # [R,48,80]
        # Things are small: the mask's own surroundings weigh as much as the far background.
        pixel = bce(logits_real, masks_real, reduction="none")
        area = masks_real.sum((-2, -1)).clamp(min=4)
        chance = logits_real.sigmoid()
        overlap = 2 * (chance * masks_real).sum((-2, -1)) + 1
        dice = 1 - overlap / (chance.sum((-2, -1)) + masks_real.sum((-2, -1)) + 1)
        truth = soft_iou(logits.detach(), masks) * real
        return {
            "pixel": (pixel.sum((-2, -1)) / (area + 20)).clamp(max=10).mean(),
            "dice": dice.mean(),
            "iou": 5.0 * (iou - truth).square().mean(),
        }

    parameters = [*encoder.parameters(), *decoder.parameters()]
    return train("segmenter", stage, config, parameters, losses, log)


def train_object_head(
    networks: Networks,
    tokens: np.ndarray,
    boxes: np.ndarray,
    kinds: np.ndarray,
    config: Config,
    log: Path,
) -> float:
    """tokens [n,D], boxes [n,4], kinds [n] from masks as the engine finds them; 0 is background."""
    random = np.random.default_rng(config.seed + 2)
    head = networks.object_head.train()
    stage = config.object_head

    def losses(_: int) -> dict[str, Tensor]:
        pick = random.integers(len(tokens), size=stage.batch)
        logits = head(torch.from_numpy(tokens[pick]), torch.from_numpy(boxes[pick]))
        return {"class": cross_entropy(logits, torch.from_numpy(kinds[pick]))}

    return train("object-head", stage, config, head.parameters(), losses, log)


def train_event_head(
    networks: Networks,
    split: Split,
    cls: np.ndarray,
    patches: np.ndarray,
    config: Config,
    log: Path,
) -> float:
    """On cached tokens and at the natural frequency of events, so that its probabilities mean what they say."""
    random = np.random.default_rng(config.seed + 3)
    head = networks.event_head.train()
    stage = config.event_head

    def take(array: np.ndarray, clips: np.ndarray) -> Tensor:
        return torch.from_numpy(array[clips].astype(np.float32))

    def losses(_: int) -> dict[str, Tensor]:
        later = random.integers(len(split.clips), size=stage.batch)
        earlier = np.array([split.previous(c) for c in later])
        logits, onset = head(
            take(cls, earlier), take(patches, earlier), take(cls, later), take(patches, later)
        )
        return {"event": event_loss(logits, onset, *event_targets(split, later))}

    return train("event-head", stage, config, head.parameters(), losses, log)
