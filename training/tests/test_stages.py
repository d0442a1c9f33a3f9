"""Each stage learns one small batch by heart, and touches only what it may."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import looks_of

from lookahead_training import automatic, loop, windows
from lookahead_training.bundle import Networks
from lookahead_training.config import CONFIGS, Stage
from lookahead_training.data import Split
from lookahead_training.train_backbone import BackboneTrainer, train_backbone
from lookahead_training.train_heads import train_event_head, train_object_head
from lookahead_training.train_segmenter import train_segmenter

CONFIG = CONFIGS["smoke"]


@pytest.fixture
def networks() -> Networks:
    return Networks(classes=2, labels=4, attributes=["known", "braking"])


def cached(split: Split, networks: Networks) -> tuple[np.ndarray, list[windows.ClipTokens]]:
    with torch.no_grad():
        cls, patches = networks.backbone(torch.from_numpy(split.frames))
    masks = automatic.true_clip_masks(split)
    clips = windows.pool_split(split, masks, patches.numpy(), looks_of(split))
    windows.follow(split, clips)
    return cls.numpy(), clips


def test_the_backbone_overfits(split: Split, networks: Networks, tmp_path: Path) -> None:
    args = (networks.backbone, split, looks_of(split))
    first = train_backbone(*args, Stage(2, 4, 1e-9, 1), CONFIG, tmp_path / "log", tmp_path / "a.pt")
    last = train_backbone(*args, Stage(60, 4, 1e-3, 5), CONFIG, tmp_path / "log", tmp_path / "b.pt")
    assert last < 0.5 * first


def test_the_segmenter_overfits(split: Split, networks: Networks, tmp_path: Path) -> None:
    args = (networks.segmenter_encoder, networks.segmenter_decoder, split)
    first = train_segmenter(*args, Stage(2, 4, 1e-9, 1), CONFIG, tmp_path / "log", tmp_path / "a")
    last = train_segmenter(*args, Stage(120, 4, 2e-3, 5), CONFIG, tmp_path / "log", tmp_path / "b")
    assert last < 0.5 * first


def test_a_stopped_run_goes_on_to_the_bit(split: Split, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 3)

    def run(name: str, steps_before_the_stop: int | None) -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        networks = Networks(2, 4, ["known", "braking"])
        args = (networks.backbone, split, looks_of(split), Stage(6, 4, 1e-3, 2), CONFIG)
        files = tmp_path / f"{name}.log", tmp_path / f"{name}.pt"
        if steps_before_the_stop is not None:
            with monkeypatch.context() as stopping, pytest.raises(KeyboardInterrupt):
                stop_after(stopping, steps_before_the_stop)
                train_backbone(*args, *files)
            torch.manual_seed(2)  # nothing of the first try is left
            networks.backbone.load_state_dict(Networks(2, 4, ["known"]).backbone.state_dict())
        train_backbone(*args, *files)
        return networks.backbone.state_dict()

    whole, stopped = run("whole", None), run("stopped", 4)
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)


def test_a_checkpoint_of_another_training_is_refused(
    split: Split, networks: Networks, tmp_path: Path
) -> None:
    args = (networks.backbone, split, looks_of(split))
    files = tmp_path / "log", tmp_path / "a.pt"
    train_backbone(*args, Stage(2, 4, 1e-3, 1), CONFIG, *files)
    with pytest.raises(ValueError, match=r"is of .*0\.001.*not of .*0\.002.*delete it"):
        train_backbone(*args, Stage(3, 4, 2e-3, 1), CONFIG, *files)


def test_a_row_of_zeros_is_no_track_to_the_event_head(networks: Networks) -> None:
    pair = (
        torch.randn(1, 128),
        torch.randn(1, 240, 128),
        torch.randn(1, 128),
        torch.randn(1, 240, 128),
    )
    empty = torch.zeros(1, 1, 128), torch.zeros(1, 1, 8), torch.zeros(1, 1, 2)
    with torch.no_grad():
        exported = networks.event_head(*pair, *empty)
        trained = networks.event_head(*pair, *empty, torch.zeros(1, 1))
    for a, b in zip(exported, trained, strict=True):
        torch.testing.assert_close(a, b)
    assert (exported[2].argmax(-1) == 1).all(), "nobody"


def stop_after(patch: pytest.MonkeyPatch, steps: int) -> None:
    """Interrupts a training in the step after so many."""
    original, taken = BackboneTrainer.losses, []

    def losses(self, *args, **kwargs):
        taken.append(1)
        if len(taken) > steps:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    patch.setattr(BackboneTrainer, "losses", losses)


def test_the_object_head_learns_class_attributes_and_where_things_were(
    split: Split, networks: Networks, tmp_path: Path
) -> None:
    _, clips = cached(split, networks)
    config = replace(CONFIG, object_head=Stage(300, 16, 3e-3, 5))
    train_object_head(networks, clips, config, tmp_path / "log")
    chosen = windows.choose(clips, networks.object_head)
    assert all(len(clip.ids) == 1 for clip in chosen)  # none is taken for background
    braking = np.concatenate([clip.shown[:, 1] for clip in chosen])
    assert np.abs(braking - 0.5).max() < 0.1
    # The square moves right by 8 of 160 pixels a clip, 6 of 160 from the first look on.
    past = np.concatenate([clip.looks[:, 0, 0] for clip in chosen])
    assert np.abs(past + 6 / 160).max() < 0.01


def test_the_event_head_points_at_who_took_part(
    split: Split, networks: Networks, tmp_path: Path
) -> None:
    with torch.no_grad():
        cls, patches = (t.numpy() for t in networks.backbone(torch.from_numpy(split.frames)))
    _, clips = cached(split, networks)
    lists = windows.track_lists(split, clips)
    # A second thing that does nothing, far away.
    for one in lists:
        one["ids"] = np.append(one["ids"], 99)
        for name in ("tokens", "attributes"):
            one[name] = np.concatenate([one[name], np.zeros_like(one[name][:1])])
        one["classes"] = np.tile(np.array([0, 1], np.float32), (2, 1))  # a van, both
    config = replace(CONFIG, event_head=Stage(150, 12, 1e-3, 5), object_drop=0.0)
    train_event_head(networks, split, cls, patches, lists, config, tmp_path / "log")
    eventful = [c for c, events in enumerate(split.events) if events]
    for clip in eventful:
        before = split.previous(clip)
        pair = [torch.from_numpy(a[i : i + 1]) for i in (before, clip) for a in (cls, patches)]
        *shown, _ = windows.collate_tracks([lists[clip]])
        with torch.no_grad():
            _, _, actor, target, _ = networks.event_head(*pair, *shown)
        for event in split.events[clip]:
            assert actor[0, event.label].argmax() == 0  # the square
            assert target[0, event.label].argmax() == 2  # nobody
