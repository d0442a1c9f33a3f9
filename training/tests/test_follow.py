"""What follows: the table finds what brings what about, and goes into a bundle without touching the rest."""

import json
from pathlib import Path

import torch

from lookahead_training.export import sha256
from lookahead_training.follow import LEAST, add_follow, as_table, fit_follow, within

TEXTS = ["nothing", "van enters", "gate opens", "dog barks"]


def test_the_fit_finds_what_brings_what_about_and_what_comes_anyway() -> None:
    first = torch.distributions.Dirichlet(torch.full((4,), 0.7)).sample((4000,))
    brings = torch.zeros(4, 4)
    brings[1, 2] = 0.6
    left = torch.tensor([0.0, 0.2, 0.2, 0.7])
    came = within(first, brings, left)
    found, found_left = fit_follow(first, came, 300)
    assert abs(found[1, 2] - 0.6) < 0.05
    assert found[2, 1] < 0.05 and found[0].sum() == 0 and found[:, 0].sum() == 0
    assert abs(found_left[3] - 0.7) < 0.1 and abs(found_left[1] - 0.2) < 0.1
    assert ((found == 0) | (found >= LEAST)).all()


def test_a_bundle_keeps_all_else_and_its_hashes_hold(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"temperature": 1.5}')
    files = {"calibration": {"path": "calibration.json", "sha256": "old"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "it", "files": files}))
    brings = torch.zeros(4, 4)
    brings[1, 2] = 0.61234
    add_follow(tmp_path, as_table(brings, torch.tensor([0.0, 0.5, 0.0, 0.0]), TEXTS))
    calibration = json.loads((tmp_path / "calibration.json").read_text())
    assert calibration == {
        "temperature": 1.5,
        "follow": {"brings": {"van enters": {"gate opens": 0.612}}, "left": {"van enters": 0.5}},
    }
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["name"] == "it"
    assert manifest["files"]["calibration"]["sha256"] == sha256(tmp_path / "calibration.json")
