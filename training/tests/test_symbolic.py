"""The symbolic forecaster on a made-up yard: a van that moves right stops soon, one that stands leaves, an empty yard stays empty."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from made_up_tracks import ATTRIBUTES, CLASSES, LABELS, write_split
from torch.nn import functional as F

from lookahead_training.symbolic.config import CONFIGS, Errors
from lookahead_training.symbolic.errors import disturb, draw_levels, same_levels
from lookahead_training.symbolic.export import example, export_forecaster
from lookahead_training.symbolic.features import make_batch
from lookahead_training.symbolic.model import Block, first_of
from lookahead_training.symbolic.score import (
    Scores,
    by_group,
    floored,
    score,
    scored,
    summary,
    template_prior,
)
from lookahead_training.symbolic.tracks import Tracks, read_tracks
from lookahead_training.symbolic.train import forecast, new_model, pick, train_model

TRAINING = Path(__file__).resolve().parent.parent
CONFIG = CONFIGS["smoke"]


@pytest.fixture
def test_split(tmp_path: Path) -> Tracks:
    return read_tracks([write_split(tmp_path / "one", 6, 1, bayes=True)])


def test_a_window_holds_the_tracks_of_its_clips_and_no_later_ones(test_split: Tracks) -> None:
    assert len(test_split) == 6 * 5  # clips 7 to 11 of each scene
    window = np.flatnonzero(test_split.scene == 1)[2]  # its last clip is 9
    rows = test_split.rows[test_split.starts[window] : test_split.starts[window + 1]]
    assert rows.shape == (3, 8)
    van = rows[CLASSES.index("van") == test_split.kind[rows.max(1)]][0]
    step = np.diff(test_split.box[van][:, 0, 0].astype(int))
    np.testing.assert_allclose(step, 0.04 * 65535, atol=1.5)
    first = test_split.box[van[0], 0, 0] / 65535
    assert 0.05 + 2 * 0.04 <= first <= 0.2 + 2 * 0.04 + 1e-4


def test_folders_join_without_mixing_their_rows(tmp_path: Path, test_split: Tracks) -> None:
    other = write_split(tmp_path / "two", 3, 2, bayes=True)
    both = read_tracks([tmp_path / "one", other])
    alone = read_tracks([other])
    assert len(both) == len(test_split) + len(alone)
    assert set(both.scene) == set(range(9))
    ours = make_batch(both, np.arange(len(test_split), len(both)))
    torch.testing.assert_close(ours.features, make_batch(alone, np.arange(len(alone))).features)


def test_a_window_knows_its_place(test_split: Tracks) -> None:
    of_scene = [test_split.place[test_split.scene == scene][0].tolist() for scene in range(2)]
    assert of_scene == [
        [1, 1, 0, 1],
        [1, 0, 1, 0],
    ]  # gate and light in rain, gate and lawn when dry


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "cut", 3, 1, bayes=False)
    (folder / "seen.bin").write_bytes((folder / "seen.bin").read_bytes()[:-1])
    with pytest.raises(ValueError, match="cut short"):
        read_tracks([folder])


def test_a_yard_and_its_mirror_image_look_the_same(tmp_path: Path) -> None:
    plain = read_tracks([write_split(tmp_path / "plain", 3, 1, bayes=False)])
    mirrored = read_tracks([write_split(tmp_path / "mirror", 3, 1, bayes=False, mirror=True)])
    assert not np.array_equal(plain.box, mirrored.box)
    every = np.arange(len(plain))
    torch.testing.assert_close(
        make_batch(plain, every).features, make_batch(mirrored, every).features, atol=0.05, rtol=0
    )


def test_what_comes_first_is_the_arithmetic_of_competing_risks() -> None:
    hazards = torch.rand(1, 3, 5)
    chances = first_of(hazards).exp()
    assert chances.sum().item() == pytest.approx(1)
    nothing = (-hazards[:, 1:].sum()).exp()
    torch.testing.assert_close(chances[0, 0], nothing)
    # The one that comes at once leaves nothing to the one that comes later.
    certain = torch.zeros(1, 3, 5)
    certain[0, 1, 0] = certain[0, 2, 1] = 30
    torch.testing.assert_close(first_of(certain).exp(), torch.tensor([[0.0, 1.0, 0.0]]))


def test_windows_of_a_batch_do_not_see_each_other(test_split: Tracks) -> None:
    model = new_model(test_split, CONFIG)
    windows = np.array([3, 7, 12, 20])
    together = forecast(model, test_split, windows)
    alone = np.concatenate([forecast(model, test_split, windows[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.abs(together.sum(1) - 1).max() < 1e-4


def test_attention_in_groups_is_attention_with_padding() -> None:
    torch.manual_seed(0)
    block = Block(dim=32, heads=4, widen=2)
    groups = ((3, 2), (5, 4), (2, 9))
    x = torch.randn(sum(b * s for b, s in groups), 32, requires_grad=True)

    lengths = torch.tensor([s for b, s in groups for _ in range(b)])
    taken = torch.arange(9) < lengths[:, None]  # [B,S]
    padded = torch.zeros(10, 9, 96)
    padded[taken] = block.qkv(block.before(x))
    q, k, v = padded.view(10, 9, 3, 4, 8).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=taken[:, None, None])
    after = x + block.out(mixed.transpose(1, 2).reshape(10, 9, 32)[taken])
    wanted = after + block.down(F.gelu(block.up(block.between(after))))

    given = block(x, groups)
    assert (given - wanted).abs().max() < 1e-5
    learning = [x, *block.parameters()]
    weight = torch.randn_like(given) / len(x)
    for ours, theirs in zip(
        torch.autograd.grad(given, learning, weight),
        torch.autograd.grad(wanted, learning, weight),
        strict=True,
    ):
        assert (ours - theirs).abs().max() < 1e-5


def test_errors_are_of_the_size_that_was_asked_for(test_split: Tracks) -> None:
    every = np.arange(len(test_split))
    generator = torch.Generator().manual_seed(0)

    def features(errors: Errors) -> torch.Tensor:
        return make_batch(test_split, every, same_levels(len(every), errors), generator).features

    clean = make_batch(test_split, every)
    torch.testing.assert_close(features(Errors()), clean.features)
    # Jitter is drawn anew at each look, an offset once for all of them.
    vans, looks = 400, 32
    kind = torch.full((vans,), CLASSES.index("van"))
    box, shown = torch.zeros(vans, looks, 4), torch.zeros(vans, looks, len(ATTRIBUTES))
    seen = torch.ones(vans, looks, dtype=torch.bool)
    for errors, between, within in [
        (Errors(offset_px=4), 4, 0),
        (Errors(jitter_px=4), 4 / looks**0.5, 4),
    ]:
        levels = same_levels(vans, errors)
        pixels = disturb(test_split, kind, box, seen, shown, levels, generator)[0][..., 0] * 320
        assert float(pixels.mean(1).std()) == pytest.approx(between, rel=0.2)
        assert float(pixels.std(1).mean()) == pytest.approx(within, rel=0.05, abs=1e-4)
    # What stands keeps its place: only where there is a van does anything differ.
    shifted = (features(Errors(offset_px=4)) - clean.features).abs().sum(1) > 0
    with_van = torch.zeros(len(every), dtype=torch.bool)
    with_van[clean.window[clean.kind == CLASSES.index("van")]] = True
    assert torch.equal(shifted, with_van[clean.window])
    fewer = make_batch(test_split, every, same_levels(len(every), Errors(miss=1.0)), generator)
    assert len(fewer.kind) == 0
    levels = draw_levels(3000, generator)
    assert torch.all(levels <= torch.tensor([8.0, 8.0, 0.2, 0.1]) + 1e-6)
    assert 0.2 < float((levels == 0).float().mean()) < 0.5


def test_bayes_has_skill_1_and_the_prior_0(tmp_path: Path, test_split: Tracks) -> None:
    prior = template_prior(read_tracks([write_split(tmp_path / "t", 6, 3, bayes=False)]))
    windows = scored(test_split)
    assert len(windows) == 6 * 3  # every other clip
    for form in ("expected", "outcomes"):
        best = summary(score(test_split, windows, test_split.bayes[windows], prior, form))
        assert best["skill"] == 1 and best["interval"] == [1, 1]
        base = np.stack([prior[name] for name in test_split.template[windows]])
        assert summary(score(test_split, windows, base, prior, form))["skill"] == 0


def test_a_sure_mistake_costs_the_floor_and_no_more() -> None:
    sure = np.eye(40)[3]
    assert floored(sure).min() == pytest.approx(1e-4, rel=0.01)
    assert floored(sure).sum() == pytest.approx(1)


def test_groups_share_the_whole_loss() -> None:
    random = np.random.default_rng(0)
    scores = Scores(*-random.random((3, 50)), np.arange(50) // 5)
    groups = by_group(scores, np.array(["a", "b"] * 25))
    whole = (scores.bayes - scores.model).mean()
    assert sum(it["part"] for it in groups.values()) == pytest.approx(whole, abs=2e-4)


def test_every_epoch_meets_each_window_once_and_anew() -> None:
    first = np.concatenate([pick(96, CONFIG, step) for step in range(3)])
    second = np.concatenate([pick(96, CONFIG, step) for step in range(3, 6)])
    assert sorted(first) == sorted(second) == list(range(96))
    assert not np.array_equal(first, second)


def test_it_learns_the_rule_and_a_stopped_run_ends_like_one_that_was_not(tmp_path: Path) -> None:
    train = read_tracks([write_split(tmp_path / "train", 24, 1, bayes=False)])
    validation = read_tracks([write_split(tmp_path / "validation", 6, 2, bayes=True)])
    prior = template_prior(train)
    config = replace(CONFIG, steps=160, check_every=160, save_every=80, learning_rate=1e-2)

    def fit(folder: str, limit: int | None = None) -> tuple[np.ndarray, list]:
        model = new_model(train, config)
        calls = iter(range(10**6))

        def stop_at_limit() -> float:
            if limit is not None and next(calls) > limit:
                raise KeyboardInterrupt
            return 0.0

        curve = train_model(
            model, train, validation, prior, config, tmp_path / folder, cpu_now=stop_at_limit
        )
        return forecast(model, validation, scored(validation)), curve

    whole, curve = fit("whole")
    assert curve[-1]["skill"] > 0.9
    # The clock is read at the start, and once when the half-way checkpoint is written; the third reading stops it.
    with pytest.raises(KeyboardInterrupt):
        fit("stopped", limit=1)
    assert (tmp_path / "stopped" / "checkpoint.pt").exists()
    resumed, _ = fit("stopped")
    np.testing.assert_allclose(resumed, whole, atol=1e-6)
    config = replace(config, learning_rate=2e-2)
    with pytest.raises(ValueError, match="another configuration"):
        fit("stopped")


def test_the_script_writes_its_figures_and_prints_them(tmp_path: Path) -> None:
    for name, scenes in {"train": 9, "train-2": 3, "validation": 3, "test": 6}.items():
        write_split(tmp_path / "data" / name, scenes, scenes, bayes=not name.startswith("train"))
    out = tmp_path / "out" / "symbolic.json"
    command = [sys.executable, "symbolic.py", "--config", "smoke", "--data", tmp_path / "data"]
    command += ["--runs", tmp_path / "runs", "--out", out]
    done = subprocess.run(command, cwd=TRAINING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(out.read_text())
    assert results["data"]["train"]["scenes"] == 12
    assert "van stops at gate" in results["byLabel"]
    assert list(results["memory"]) == ["8", "4", "2"]
    assert f"Skill **{results['expected']['skill']:.3f}" in done.stdout
    none = results["errors"]["offset"][0]["trained"]
    assert none["skill"] == pytest.approx(results["expected"]["skill"], abs=1e-3)
    assert "| missed in a clip | 20% |" in done.stdout


def test_the_exported_graph_says_what_the_model_says_of_each_window(tmp_path: Path) -> None:
    tracks = read_tracks([write_split(tmp_path / "six", 6, 1, bayes=True)])
    torch.manual_seed(0)
    model = new_model(tracks, CONFIG).eval()
    torch.nn.init.normal_(model.hazards.weight, std=0.2)
    entry, golden = export_forecaster(model, tracks, 3, tmp_path)
    assert [i["name"] for i in entry["inputs"]] == ["kind", "box", "seen", "shown", "place"]
    assert golden["outputs"]["log_chances"]["shape"] == [1, len(LABELS)]
    graph = onnxruntime.InferenceSession(
        str(tmp_path / entry["path"]), providers=["CPUExecutionProvider"]
    )
    sizes = set()
    for at in range(len(tracks)):  # of two and of three tracks, mirrored or not
        inputs = dict(zip((i["name"] for i in entry["inputs"]), example(tracks, at), strict=True))
        sizes.add(len(inputs["kind"]))
        (said,) = graph.run(None, {name: value.numpy() for name, value in inputs.items()})
        with torch.no_grad():
            expected = model(make_batch(tracks, np.array([at])))
        np.testing.assert_allclose(np.exp(said), expected.exp().numpy(), atol=1e-5)
    assert sizes == {2, 3}


def test_tracks_that_perception_wrote_tell_the_place_themselves(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "seen", 2, 1, bayes=True)
    meta = json.loads((folder / "tracks.json").read_text())
    said = np.tile(np.array([0.9, 0.2, 0.1, 0.5], "<f4"), (meta["clips"], 1))
    said.tofile(folder / "place.f32")
    meta["files"]["place"] = "place.f32"
    (folder / "tracks.json").write_text(json.dumps(meta))
    place = read_tracks([folder]).place
    np.testing.assert_allclose(place, said[: len(place)])
