"""The loop that all stages share: resumed, logged, kept, and spread over processes."""

import json
import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import parallel_fit
import pytest
import torch
from torch import Tensor, nn

from lookahead_training import loop
from lookahead_training.config import CONFIGS, Stage
from lookahead_training.event_file import crc32c
from lookahead_training.order import batch_at

CONFIG = CONFIGS["smoke"]


def net() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Dropout(0.2), nn.Linear(8, 2))


def losses_of(module: nn.Module, random: np.random.Generator, stop_at: int | None = None):
    """Draws in every way there is: by the step's number, by a generator, and by torch's own."""
    data = torch.randn(40, 6, generator=torch.Generator().manual_seed(5))

    def losses(step: int) -> dict[str, Tensor]:
        if step == stop_at:
            raise KeyboardInterrupt
        x = data[batch_at(step, len(data), 4, seed=1)]
        noise = torch.from_numpy(random.normal(size=x.shape).astype(np.float32)) + torch.rand(1)
        return {"fit": (module(x + 0.1 * noise) - x[:, :2]).square().mean()}

    return losses


def test_ten_steps_and_ten_more_are_twenty_to_the_bit(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 10)
    stage = Stage(steps=20, batch=4, learning_rate=1e-2, warm_up=3)

    def run(
        name: str, stop_at: int | None = None, seed: int = 7
    ) -> tuple[dict[str, Tensor], float]:
        module, random = net(), np.random.default_rng(seed)
        torch.manual_seed(seed)
        loss = loop.train(
            "fit",
            stage,
            CONFIG,
            module.parameters(),
            losses_of(module, random, stop_at),
            tmp_path / "log.jsonl",
            checkpoint=(tmp_path / f"{name}.pt", module),
            generators=[random],
        )
        return module.state_dict(), loss

    whole, whole_loss = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("stopped", stop_at=10)
    again, loss = run("stopped", seed=99)  # nothing of the first half's chance is left but the file
    assert loss == whole_loss
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    other, _ = run("other", seed=99)
    assert not torch.equal(whole["0.weight"], other["0.weight"])


def test_the_lowest_validation_loss_is_kept_beside_the_last(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY", 2)
    monkeypatch.setattr(loop, "CHECK_EVERY", 2)
    module, seen = net(), []
    told = iter([0.5, 0.3, 0.4, float("nan")])

    def check() -> dict[str, float]:
        seen.append({name: value.clone() for name, value in module.state_dict().items()})
        return {"validation": next(told)}

    loop.train(
        "fit",
        Stage(steps=8, batch=4, learning_rate=1e-2, warm_up=1),
        CONFIG,
        module.parameters(),
        losses_of(module, np.random.default_rng(1)),
        tmp_path / "log.jsonl",
        check=check,
        checkpoint=(tmp_path / "fit.pt", module),
    )
    best = torch.load(loop.best_path(tmp_path / "fit.pt"))
    assert len(seen) == 4
    assert all(torch.equal(best[name], seen[1][name]) for name in best)
    last = torch.load(tmp_path / "fit.pt")["module"]
    assert not torch.equal(last["0.weight"], best["0.weight"])


def events_in(folder: Path) -> list[tuple[int, dict[str, float]]]:
    """Reads as TensorBoard does: checksums first."""
    (file,) = folder.iterdir()
    data, found = file.read_bytes(), []

    def number(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 0x80:
                return value, at

    def unmask(crc: int) -> int:
        crc = (crc - 0xA282EAD8) & 0xFFFFFFFF
        return ((crc >> 17) | (crc << 15)) & 0xFFFFFFFF

    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        for start, count in ((at, 8), (at + 12, length)):
            (crc,) = struct.unpack_from("<I", data, start + count)
            assert unmask(crc) == crc32c(data[start : start + count])
        body, at = at + 12, at + 16 + length
        assert data[body] == 0x09  # wall_time, a double
        place = body + 9
        if data[place] == 0x1A:
            assert data[place + 2 : body + length] == b"brain.Event:2"
            continue
        assert data[place] == 0x10
        step, place = number(place + 1)
        assert data[place] == 0x2A
        size, place = number(place + 1)
        values, end = {}, place + size
        while place < end:
            _, place = number(place + 1)
            letters, place = number(place + 1)
            tag = data[place : place + letters].decode()
            (values[tag],) = struct.unpack_from("<f", data, place + letters + 1)
            place += letters + 5
        found.append((step, values))
    return found


def test_a_run_tells_its_pace_and_keeps_its_config(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY", 5)
    module = net()
    stage = Stage(steps=200, batch=4, learning_rate=1e-2, warm_up=1)

    def run(config) -> None:
        losses = losses_of(module, np.random.default_rng(1))
        loop.train("fit", stage, config, module.parameters(), losses, tmp_path / "log.jsonl")

    run(CONFIG)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows[:2]] == [5, 10] and len(rows) == 40
    assert all(row["stepsPerS"] > 0 for row in rows) and rows[-1]["leftS"] == 0
    assert rows[0]["leftS"] == pytest.approx(195 / rows[0]["stepsPerS"], abs=1)
    events = events_in(tmp_path / "events")
    assert [step for step, _ in events] == [row["step"] for row in rows]
    for (_, values), row in zip(events, rows, strict=True):
        assert values["fit/loss/fit"] == pytest.approx(row["loss"]["fit"], rel=1e-6)
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == CONFIG.seed
    run(CONFIG)
    run(replace(CONFIG, seed=9))
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == 9
    assert json.loads((tmp_path / "config-1.json").read_text())["seed"] == CONFIG.seed
    assert not (tmp_path / "config-2.json").exists()


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of the catalogue of CRCs


def test_an_epoch_shows_every_item_once_in_an_order_of_its_own() -> None:
    drawn = [i for step in range(9) for i in batch_at(step, items=12, batch=4, seed=2)]
    epochs = [drawn[:12], drawn[12:24], drawn[24:]]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert batch_at(1, items=5, batch=4, seed=2)[0] == batch_at(0, items=5, batch=5, seed=2)[4]


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_two_processes_are_one_with_twice_the_batch(tmp_path: Path) -> None:
    start = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 2)).state_dict()
    torch.save(start, tmp_path / "start.pt")
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    script = Path(parallel_fit.__file__)
    # A file store needs no port; torchrun would take one.
    env = os.environ | {"PYTHONPATH": str(script.parent.parent), "OMP_NUM_THREADS": "1"}
    env |= {"LOOKAHEAD_RENDEZVOUS": f"file://{two}/store", "GLOO_SOCKET_IFNAME": "lo"}
    both = [
        subprocess.Popen(
            [sys.executable, str(script), str(two), str(tmp_path / "start.pt")],
            env=env | {"RANK": str(rank), "WORLD_SIZE": "2"},
            stdout=subprocess.DEVNULL,
        )
        for rank in range(2)
    ]
    try:
        parallel_fit.fit(one, tmp_path / "start.pt")
        assert [process.wait() for process in both] == [0, 0]
    finally:
        for process in both:
            process.kill()
    (said,) = (one / "log.jsonl").read_text().splitlines()
    (said_by_two,) = (two / "log.jsonl").read_text().splitlines()  # one process writes
    ours, theirs = (torch.load(out / "fit.pt")["module"] for out in (one, two))
    for name, value in ours.items():
        assert torch.allclose(value, theirs[name], atol=1e-5), name
        assert not torch.allclose(value, start[name], atol=1e-3)
    losses = [json.loads(row)["loss"]["fit"] for row in (said, said_by_two)]
    assert losses[0] == pytest.approx(losses[1], abs=2e-4)
