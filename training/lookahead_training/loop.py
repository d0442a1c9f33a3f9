"""The training loop that every stage shares: AdamW, warm-up and cosine to near zero, clipped norm, JSONL log."""

import ctypes
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from . import parallel
from .config import Stage
from .event_file import EventFile

LOG_EVERY = 50  # steps between two rows of the log
CHECK_EVERY = 300  # steps between two looks at held-out scenes; a multiple of LOG_EVERY
SAVE_EVERY = 500  # steps that a stopped run loses at most


class Resolved(Protocol):
    """What the loop reads of a config, whichever size it is of."""

    @property
    def seed(self) -> int: ...
    @property
    def betas(self) -> tuple[float, float]: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def clip_norm(self) -> float: ...
    @property
    def final_rate_share(self) -> float: ...
    def as_json(self) -> dict[str, object]: ...


def keep_memory() -> None:
    """Keeps freed blocks for the next step.

    glibc hands large ones back to the system at once and gets them anew at every step; their page faults were a third of the backbone's
    step. Elsewhere than on glibc nothing happens.
    """
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX of mallopt(3)
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)


def note(log: Path, what: str, values: dict) -> None:
    """A line of the log that belongs to no step."""
    line = json.dumps({"stage": what, **values})
    print(line, flush=True)
    with log.open("a") as out:
        out.write(line + "\n")


def short_floats() -> torch.autocast:
    """Matrix products in bfloat16, which newer CPUs multiply twice as fast; weights, sums and losses stay float32.

    Only training uses it: what is measured and shipped is float32 throughout.
    """
    return torch.autocast("cpu", torch.bfloat16)


def rate_at(step: int, stage: Stage, final_share: float) -> float:
    """The share of the learning rate at a step."""
    if step < stage.warm_up:
        return (step + 1) / stage.warm_up
    done = (step - stage.warm_up) / max(1, stage.steps - stage.warm_up)
    return final_share + (1 - final_share) * 0.5 * (1 + math.cos(math.pi * done))


def parameter_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict]:
    """Matrices decay; biases, norms, queries and position tables do not."""
    learning = [p for p in parameters if p.requires_grad]
    return [
        {"params": [p for p in learning if p.dim() == 2], "weight_decay": weight_decay},
        {"params": [p for p in learning if p.dim() != 2], "weight_decay": 0.0},
    ]


class Progress:
    """Steps a second of late, and how long the rest will take at that pace."""

    def __init__(self, step: int):
        self.at, self.step, self.rate = time.monotonic(), step, 0.0

    def row(self, step: int, steps: int) -> dict[str, float]:
        now = time.monotonic()
        pace = (step - self.step) / max(now - self.at, 1e-9)
        self.rate = 0.5 * (self.rate + pace) if self.rate else pace
        self.at, self.step = now, step
        return {
            "stepsPerS": round(self.rate, 3),
            "leftS": round((steps - step) / max(self.rate, 1e-9)),
        }


class Keeper:
    """What a stopped run goes on with, to the bit: weights, optimiser, the schedule's step, and every generator's state.

    The step says where in the data the run is, where `step_losses` draws by it (`order.batch_at`) or by the generators given here.
    """

    def __init__(
        self,
        path: Path,
        module: nn.Module,
        optimiser: torch.optim.Optimizer,
        of: list[object],
        generators: Sequence[np.random.Generator],
    ):
        self.path, self.module, self.optimiser = path, module, optimiser
        self.of, self.generators = of, generators

    def restore(self) -> dict | None:
        """None where there is nothing to go on with. Raises ValueError where it is of another training."""
        if not self.path.exists():
            return None
        saved = torch.load(self.path)
        if saved["of"] != self.of:
            raise ValueError(
                f"{self.path} is of {saved['of']}, not of {self.of}; delete it to train anew."
            )
        self.module.load_state_dict(saved["module"])
        self.optimiser.load_state_dict(saved["optimiser"])
        if "random" in saved:
            own = saved["random"][parallel.rank()]
            torch.set_rng_state(own["torch"])
            for generator, state in zip(self.generators, own["generators"], strict=True):
                generator.bit_generator.state = state
        return saved

    def keep(self, rest: dict[str, object]) -> None:
        """Whole or not there, whenever the run is stopped. Every process must call it; the first one writes."""
        states = [generator.bit_generator.state for generator in self.generators]
        random = parallel.gather({"torch": torch.get_rng_state(), "generators": states})
        if parallel.rank() > 0:
            return
        saved = {"module": self.module.state_dict(), "optimiser": self.optimiser.state_dict()}
        aside = self.path.with_suffix(".part")
        torch.save(saved | {"of": self.of, "random": random} | rest, aside)
        aside.replace(self.path)

    def keep_best(self) -> None:
        """Beside the last one: the weights alone of the lowest validation loss, to load into the module."""
        if parallel.rank() > 0:
            return
        aside = self.path.with_suffix(".part")
        torch.save(self.module.state_dict(), aside)
        aside.replace(best_path(self.path))


def best_path(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.stem}-best{checkpoint.suffix}")


def keep_config(folder: Path, config: Resolved) -> None:
    """`config.json` in the run's folder: every number as it was resolved. An older one that differs stays, as `config-1.json` and so on."""
    path = folder / "config.json"
    text = json.dumps(config.as_json(), indent=2) + "\n"
    if path.exists():
        if path.read_text() == text:
            return
        count = len(list(folder.glob("config-*.json")))
        path.rename(folder / f"config-{count + 1}.json")
    path.write_text(text)


def train(
    name: str,
    stage: Stage,
    config: Resolved,
    parameters: Iterable[nn.Parameter],
    step_losses: Callable[[int], dict[str, Tensor]],
    log: Path,
    check: Callable[[], dict[str, float]] | None = None,
    checkpoint: tuple[Path, nn.Module] | None = None,
    generators: Sequence[np.random.Generator] = (),
    best: str = "validation",
) -> float:
    """Runs one stage; `step_losses` gives named losses whose sum is minimised. Returns the mean loss of the last tenth.

    With a `checkpoint` (a file, and the module that holds all parameters) a stopped run goes on where it was, to the bit as if it had not
    been stopped, where `step_losses` draws by the step's number, by torch's global generator or by `generators`. Of the values that
    `check` tells, the lowest `best` so far decides which weights are kept in `<checkpoint>-best`.

    The folder of `log` gets the config, and under `events/` what TensorBoard reads. With several processes (parallel.py) each gives the
    losses of its own share; the first one alone checks and writes.
    """
    parameters = list(parameters)
    optimiser = torch.optim.AdamW(
        parameter_groups(parameters, config.weight_decay),
        lr=stage.learning_rate,
        betas=config.betas,
    )
    started, cpu = time.monotonic(), time.process_time()
    recent: dict[str, float] = {}
    last_tenth: list[float] = []
    lowest = math.inf
    step = -1
    keeper: Keeper | None = None
    if checkpoint:
        # What a run can be gone on with; it may be shortened or lengthened on the way.
        of = [name, stage.batch, stage.learning_rate, stage.warm_up, config.seed]
        keeper = Keeper(*checkpoint, optimiser, of, generators)
        if saved := keeper.restore():
            step, recent, last_tenth = saved["step"], saved["recent"], saved["lastTenth"]
            lowest = saved.get("lowest", math.inf)
            cpu -= saved["cpuS"]
    losses_of = parallel.parallel_step(parameters, step_losses)
    first = parallel.rank() == 0
    progress = Progress(step + 1)
    if first:
        keep_config(log.parent, config)
    with log.open("a") if first else nullcontext() as out:
        events = EventFile(log.parent / "events") if first else None
        while (step := step + 1) < stage.steps:
            rate = stage.learning_rate * rate_at(step, stage, config.final_rate_share)
            for group in optimiser.param_groups:
                group["lr"] = rate
            losses = losses_of(step)
            total = sum(losses.values(), start=torch.zeros(()))
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(parameters, config.clip_norm)
            optimiser.step()
            for key, value in losses.items():
                keep = 0.98 if key in recent else 0.0
                recent[key] = keep * recent.get(key, 0.0) + (1 - keep) * float(value.detach())
            if step >= int(0.9 * stage.steps):
                last_tenth.append(float(total.detach()))
            is_last = step == stage.steps - 1
            if step % LOG_EVERY == LOG_EVERY - 1 or is_last:
                shown = parallel.mean_over_processes(recent)
                row: dict[str, object] = {"stage": name, "step": step + 1, "rate": round(rate, 7)}
                row["wallS"] = round(time.monotonic() - started, 1)
                row["cpuS"] = round(time.process_time() - cpu, 1)
                row |= progress.row(step + 1, stage.steps)
                row["loss"] = {k: round(v, 4) for k, v in shown.items()}
                if first and check and (is_last or step % CHECK_EVERY == CHECK_EVERY - 1):
                    checked = check()
                    row["check"] = {k: round(v, 4) for k, v in checked.items()}
                    if keeper and checked.get(best, math.inf) < lowest:
                        lowest = checked[best]
                        keeper.keep_best()
                if events and out:
                    events.add(step + 1, scalars(name, row))
                    line = json.dumps(row)
                    print(line, flush=True)
                    out.write(line + "\n")
                    out.flush()
            if keeper and (step % SAVE_EVERY == SAVE_EVERY - 1 or is_last):
                rest: dict[str, object] = {"step": step, "recent": recent, "lastTenth": last_tenth}
                keeper.keep(rest | {"lowest": lowest, "cpuS": time.process_time() - cpu})
        if events:
            events.close()
    return sum(last_tenth) / len(last_tenth)


def scalars(stage: str, row: dict[str, object]) -> dict[str, float]:
    """A row of the log as TensorBoard groups it: `alignment/loss/next`."""
    found: dict[str, float] = {}
    for key in ("loss", "check"):
        values = row.get(key)
        if isinstance(values, dict):
            found |= {f"{stage}/{key}/{name}": value for name, value in values.items()}
    for key in ("rate", "stepsPerS"):
        value = row[key]
        if isinstance(value, (int, float)):
            found[f"{stage}/{key}"] = value
    return found
