"""What comes after the first event of a horizon: a table of statistics for `within` (src/outcomes/within.ts has the formula)."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .export import sha256

FLOOR = 1e-4  # of chances, as in scores
LEAST = 0.01  # what is brought about more rarely is left out of the table
STEPS, BATCH, RATE = 800, 1000, 0.05


def hazards(first: Tensor) -> Tensor:
    """[W,K] chances of what begins first -> expected onsets in one horizon, were hazards constant; `nothing` has none."""
    nothing = first[:, :1].clamp(FLOOR, 1 - 1e-6)
    all_labels = -nothing.log() * first / (1 - nothing)
    return all_labels * (1 - one_hot(torch.tensor(0), first.shape[1]))


def within(first: Tensor, brings: Tensor, left: Tensor) -> Tensor:
    """[W,K], [K first, K later], [K] -> [W,K] chances to begin at all; column 0 keeps the chance of nothing."""
    away = torch.exp(-hazards(first) * left)  # [W,K]
    others = first[:, 1:].sum(1, keepdim=True) - first
    alone = 1 - torch.eye(len(left))
    brought = first[:, 1:] @ (brings * alone)[1:]
    later = others - away * (others - brought)
    return torch.cat([first[:, :1], (first + later)[:, 1:]], 1)


def loss(said: Tensor, came: Tensor) -> Tensor:
    """Mean over windows of the yes-or-no log scores of all labels but nothing, nats."""
    said, came = said[:, 1:].clamp(FLOOR, 1 - FLOOR), came[:, 1:]
    return -(came * said.log() + (1 - came) * (1 - said).log()).sum(1).mean()


def fit_follow(first: Tensor, came: Tensor, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    """By maximum likelihood from chances of what begins first and of what begins at all.

    @returns brings [K,K] with zeros where it is below LEAST, left [K]
    """
    labels = first.shape[1]
    # Each begins as the chance of the later label wherever the earlier one is likely.
    start = (first.T @ came) / first.sum(0).clamp(min=1e-3)[:, None]
    raw = torch.logit(start.clamp(1e-3, 0.99)).requires_grad_()
    raw_left = torch.zeros(labels, requires_grad=True)
    optimiser = torch.optim.Adam([raw, raw_left], lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        rows = torch.randint(0, len(first), (min(BATCH, len(first)),))
        value = loss(within(first[rows], raw.sigmoid(), raw_left.sigmoid()), came[rows])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
    brings = raw.detach().sigmoid() * (1 - torch.eye(labels))
    brings[0] = brings[:, 0] = 0
    # What never came first, or never at all, has no statistics.
    brings[first.sum(0) == 0] = 0
    brings[:, came.sum(0) == 0] = 0
    return torch.where(brings < LEAST, 0.0, brings), raw_left.detach().sigmoid()


def as_table(brings: Tensor, left: Tensor, texts: list[str]) -> dict:
    """As calibration.json holds it: by the labels' texts, three decimals, without zeros."""

    def row(values: Tensor) -> dict[str, float]:
        known = zip(texts, values.tolist(), strict=True)
        return {t: round(v, 3) for t, v in known if t != texts[0] and round(v, 3) > 0}

    rows = {text: row(values) for text, values in zip(texts, brings, strict=True)}
    return {"brings": {text: r for text, r in rows.items() if r}, "left": row(left)}


def read_chances(path: Path, texts: list[str]) -> Tensor:
    """Lines of `yard forecast`, one window each -> [W,K]; what a line does not name is 0."""
    lines = [json.loads(line)["chances"] for line in path.read_text().splitlines()]
    return torch.tensor([[line.get(text, 0.0) for text in texts] for line in lines])


def add_follow(bundle: Path, table: dict) -> None:
    """Puts the table into a bundle that is there; all else stays as it is."""
    path = bundle / "calibration.json"
    calibration = json.loads(path.read_text()) | {"follow": table}
    path.write_text(json.dumps(calibration) + "\n")
    about = bundle / "manifest.json"
    manifest = json.loads(about.read_text())
    manifest["files"]["calibration"]["sha256"] = sha256(path)
    about.write_text(json.dumps(manifest, indent=2) + "\n")


def fit_bundle(
    bundle: Path, next_lines: Path, within_lines: Path, note: Callable[[str], None] = print
) -> None:
    """Fits on nine tenths of the windows and says what the last tenth thinks of it."""
    labels = json.loads((bundle / "manifest.json").read_text())["labels"]
    texts = [label["text"] for label in labels]
    first, came = read_chances(next_lines, texts), read_chances(within_lines, texts)
    if len(first) != len(came):
        raise ValueError(
            f"{next_lines} has {len(first)} windows, {within_lines} {len(came)}; write both anew."
        )
    torch.manual_seed(0)
    most = len(first) * 9 // 10
    brings, left = fit_follow(first[:most], came[:most])
    held = first[most:], came[most:]
    nats = {
        "first alone": loss(held[0], held[1]),
        "with what follows": loss(within(held[0], brings, left), held[1]),
        "least": loss(held[1], held[1]),
    }
    note(
        f"{most} windows; nats of the others: "
        + json.dumps({k: round(float(v), 3) for k, v in nats.items()})
    )
    add_follow(bundle, as_table(brings, left, texts))
