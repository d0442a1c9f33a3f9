"""The backbone under dense supervision.

CLS alone never learns where things are, and objects decide the forecast; so the truth speaks to every stride-8 cell: what stands
here, where its box is, where it was at three earlier looks, which attributes it shows, what stood here at the clip's beginning. Two clips
together also answer which events began and what comes next, so that the tokens keep what those questions need.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import cross_entropy, smooth_l1_loss

from .config import COLUMNS, LOOKS_BEFORE, ROWS, Config, Stage
from .data import Split
from .event_targets import event_loss, event_targets
from .looks import Looks
from .loop import short_floats, train
from .models.backbone import Backbone, DenseHeads
from .models.heads import ClipPairReader
from .targets import SCALE_PX, cell_targets

BACKGROUND_WEIGHT = 0.25  # most cells are empty
VISIBLE_MIN = 0.5  # what is hidden is no fair question


class BackboneTrainer(nn.Module):
    """The backbone with the heads that only its training needs."""

    def __init__(self, backbone: Backbone, split: Split, looks: Looks):
        super().__init__()
        self.split, self.looks, self.backbone = split, looks, backbone
        names, state = split.state_bits()
        classes, labels, attributes = map(len, (split.classes, split.labels, split.attributes))
        self.state = state
        self.dense = DenseHeads(backbone.dim, classes, len(names), attributes, LOOKS_BEFORE)
        self.events = ClipPairReader(backbone.dim, labels)
        self.next = ClipPairReader(backbone.dim, labels)
        self.class_index = {name: i for i, name in enumerate(split.classes)}
        self.window_of = {w.clip: w for w in split.windows}
        self.eventful = np.array([c for c, events in enumerate(split.events) if events])
        self.weight = torch.ones(classes)
        self.weight[0] = BACKGROUND_WEIGHT
        # What changes its sign in a mirror: every x, and where a thing faces.
        self.mirrored = torch.ones(4 + 2 * LOOKS_BEFORE + 1 + attributes, dtype=torch.float16)
        self.mirrored[[0, *range(4, 4 + 2 * LOOKS_BEFORE, 2)]] = -1
        if "facing" in split.attributes:
            self.mirrored[5 + 2 * LOOKS_BEFORE + split.attributes.index("facing")] = -1
        self.known: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def cells(self, clip: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`cell_targets` of a clip, in half precision: a run asks for each some twenty times."""
        if clip not in self.known:
            objects = self.split.clips[clip]["objects"]
            of = (self.class_index, self.split.attributes)
            kind, told, first = cell_targets(self.split.ids[clip], objects, self.looks[clip], *of)
            self.known[clip] = (
                kind.astype(np.uint8),
                told.astype(np.float16),
                first.astype(np.uint8),
            )
        return self.known[clip]

    def draw(self, pairs: int, random: np.random.Generator) -> np.ndarray:
        """Later clips of pairs: half where something began (rare otherwise), half anywhere."""
        half = pairs // 2
        anywhere = random.integers(len(self.split.clips), size=pairs - half)
        return np.concatenate([random.choice(self.eventful, half), anywhere])

    def answers(
        self, later: np.ndarray, mirror: bool = False
    ) -> tuple[np.ndarray, dict[str, Tensor]]:
        """The clips looked at, earlier ones first, and all heads' outputs."""
        both = np.concatenate([[self.split.previous(c) for c in later], later])
        count = len(later)
        frames = torch.from_numpy(self.split.frames[both])
        with short_floats():
            cls, patches = self.backbone(frames.flip(3) if mirror else frames)
            said = self.dense(cls, patches)
            pair = (cls[:count], patches[:count], cls[count:], patches[count:])
            said["event"], said["onset"] = self.events(*pair)
            said["next"] = self.next(*pair)[0]
        return both, {name: value.float() for name, value in said.items()}

    def truth(self, both: np.ndarray, mirror: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        rows = [self.cells(int(c)) for c in both]
        kind, told, first = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
        if mirror:
            kind, told, first = (
                x.unflatten(1, (ROWS, COLUMNS)).flip(2).flatten(1, 2) for x in (kind, told, first)
            )
            told = told * self.mirrored
        return kind.long(), told.float(), first.long()

    def losses(self, later: np.ndarray, mirror: bool) -> dict[str, Tensor]:
        """@param mirror: left and right exchanged, which the world does not tell apart"""
        both, said = self.answers(later, mirror)
        kind, told, first = self.truth(both, mirror)
        thing = kind > 0
        at = 4 + 2 * LOOKS_BEFORE
        is_box, is_looks, is_visible, is_shown = told[thing].split(
            [4, at - 4, 1, told.shape[-1] - at - 1], -1
        )
        moved = is_looks.isfinite()
        out = {
            "kind": 2.0 * cross_entropy(said["kind"].flatten(0, 1), kind.flatten(), self.weight),
            "box": smooth_l1_loss(said["box"][thing], is_box, beta=0.1),
            "looks": 2.0 * smooth_l1_loss(said["looks"][thing][moved], is_looks[moved], beta=0.05),
            "visible": 0.2 * smooth_l1_loss(said["visible"][thing], is_visible),
            "attributes": 2.0 * smooth_l1_loss(said["attributes"][thing], is_shown, beta=0.1),
            "first": cross_entropy(said["first"].flatten(0, 1), first.flatten(), self.weight),
            "state": 0.3 * bce(said["state"], torch.from_numpy(self.state[both])),
        }
        began, when = event_targets(self.split, later)
        out["event"] = 0.5 * event_loss(said["event"], said["onset"], began, when)
        futures = torch.from_numpy(np.stack([self.window_of[int(c)].futures for c in later]))
        out["next"] = 0.5 * cross_entropy(said["next"], futures)
        return out


@torch.no_grad()
def backbone_quality(
    trained: BackboneTrainer, split: Split, looks: Looks, clips: np.ndarray
) -> dict[str, float]:
    """What held-out clips show: cells' classes, error of places and past places in pixels of 160 x 96, events and next in nats."""
    held = BackboneTrainer(trained.backbone, split, looks)
    for name in ("dense", "events", "next"):
        setattr(held, name, getattr(trained, name))
    held.eval()
    sums: dict[str, list[np.ndarray]] = {}

    def note(name: str, values: Tensor) -> None:
        sums.setdefault(name, []).append(values.reshape(-1).numpy())

    for later in np.array_split(clips, max(1, len(clips) // 16)):
        both, said = held.answers(later)
        kind, told, _ = held.truth(both)
        seen = (kind > 0) & (told[..., 4 + 2 * LOOKS_BEFORE] >= VISIBLE_MIN)
        guess = said["kind"].argmax(-1)
        note("classRight", (guess[seen] == kind[seen]).float())
        note("falseThing", (guess[kind == 0] > 0).float())
        away = (said["box"][..., :2] - told[..., :2])[seen].norm(dim=-1) * SCALE_PX
        note("placePx", away)
        past, is_past = said["looks"][seen], told[seen][:, 4 : 4 + 2 * LOOKS_BEFORE]
        note("pastPx", (past - is_past).abs()[is_past.isfinite()] * SCALE_PX)
        note("attribute", (said["attributes"] - told[..., 5 + 2 * LOOKS_BEFORE :])[seen].abs())
        began, _ = event_targets(split, later)
        note("eventNats", bce(said["event"][:, 1:], began[:, 1:], reduction="none").sum(1))
        futures = torch.from_numpy(np.stack([held.window_of[int(c)].futures for c in later]))
        note("nextNats", -(futures * said["next"].log_softmax(-1)).sum(-1))
    return {name: float(np.concatenate(values).mean()) for name, values in sums.items()}


def train_backbone(
    backbone: Backbone,
    split: Split,
    looks: Looks,
    stage: Stage,
    config: Config,
    log: Path,
    checkpoint: Path,
    check: Callable[[BackboneTrainer], dict[str, float]] | None = None,
) -> float:
    """@param checkpoint: where a stopped run goes on; it holds the training heads too"""
    trainer = BackboneTrainer(backbone.train(), split, looks)

    def losses(step: int) -> dict[str, Tensor]:
        # Drawn by step, so that a run that goes on draws what it would have drawn.
        random = np.random.default_rng([config.seed, step])
        return trainer.losses(trainer.draw(stage.batch, random), mirror=random.random() < 0.5)

    return train(
        "perception",
        stage,
        config,
        trainer.parameters(),
        losses,
        log,
        check=(lambda: check(trainer)) if check else None,
        checkpoint=(checkpoint, trainer),
    )
