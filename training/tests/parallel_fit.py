"""A small training for test_loop.py: `python parallel_fit.py OUT START`, alone or as one of several processes."""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from lookahead_training import loop, parallel
from lookahead_training.config import CONFIGS, Stage
from lookahead_training.order import batch_at


def fit(out: Path, start: Path) -> None:
    """Every process draws its share of the same eight items."""
    torch.manual_seed(parallel.rank())  # what differs at the start must not matter
    module = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 2))
    unused = nn.Parameter(torch.zeros(3))
    if parallel.rank() == 0:
        module.load_state_dict(torch.load(start))
    data = torch.randn(40, 6, generator=torch.Generator().manual_seed(5))

    def losses(step: int) -> dict[str, Tensor]:
        x = data[list(parallel.share_of(batch_at(step, len(data), 8, seed=1)))]
        return {"fit": (module(x) - x[:, :2]).square().mean()}

    loop.train(
        "fit",
        Stage(steps=12, batch=8, learning_rate=1e-2, warm_up=2),
        CONFIGS["smoke"],
        [*module.parameters(), unused],
        losses,
        out / "log.jsonl",
        checkpoint=(out / "fit.pt", module),
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    parallel.join()
    fit(Path(sys.argv[1]), Path(sys.argv[2]))
    parallel.leave()
