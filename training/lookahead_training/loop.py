"""The training loop that every stage shares: AdamW, warm-up and cosine to near zero, clipped norm, JSONL log."""

import ctypes
import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from .config import Config, Stage

CHECK_EVERY = 300  # steps between two looks at held-out scenes
SAVE_EVERY = 500  # steps that a stopped run loses at most


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


def train(
    name: str,
    stage: Stage,
    config: Config,
    parameters: Iterable[nn.Parameter],
    step_losses: Callable[[int], dict[str, Tensor]],
    log: Path,
    check: Callable[[], dict[str, float]] | None = None,
    checkpoint: tuple[Path, nn.Module] | None = None,
) -> float:
    """Runs one stage; `step_losses` gives named losses whose sum is minimised. Returns the mean loss of the last tenth.

    With a `checkpoint` (a file, and the module that holds all parameters) a stopped run goes on where it was; where `step_losses` draws by
    the step's number alone, to the bit as if it had not been stopped.
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
    step = -1
    # What a run can be gone on with; it may be shortened or lengthened on the way.
    of = [name, stage.batch, stage.learning_rate, stage.warm_up, config.seed]
    if checkpoint and checkpoint[0].exists():
        saved = torch.load(checkpoint[0])
        if saved["of"] != of:
            raise ValueError(
                f"{checkpoint[0]} is of {saved['of']}, not of {of}; delete it to train anew."
            )
        checkpoint[1].load_state_dict(saved["module"])
        optimiser.load_state_dict(saved["optimiser"])
        step, recent, last_tenth = saved["step"], saved["recent"], saved["lastTenth"]
        cpu -= saved["cpuS"]
    with log.open("a") as out:
        while (step := step + 1) < stage.steps:
            rate = stage.learning_rate * rate_at(step, stage, config.final_rate_share)
            for group in optimiser.param_groups:
                group["lr"] = rate
            losses = step_losses(step)
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
            if step % 50 == 49 or step == stage.steps - 1:
                row: dict[str, object] = {"stage": name, "step": step + 1, "rate": round(rate, 7)}
                row["wallS"] = round(time.monotonic() - started, 1)
                row["cpuS"] = round(time.process_time() - cpu, 1)
                row["loss"] = {k: round(v, 4) for k, v in recent.items()}
                if check and (step == stage.steps - 1 or step % CHECK_EVERY == CHECK_EVERY - 1):
                    row["check"] = {k: round(v, 4) for k, v in check().items()}
                line = json.dumps(row)
                print(line, flush=True)
                out.write(line + "\n")
                out.flush()
            if checkpoint and (step % SAVE_EVERY == SAVE_EVERY - 1 or step == stage.steps - 1):
                saved = {"module": checkpoint[1].state_dict(), "optimiser": optimiser.state_dict()}
                saved |= {"of": of, "step": step, "recent": recent, "lastTenth": last_tenth}
                aside = checkpoint[0].with_suffix(".part")
                torch.save(saved | {"cpuS": time.process_time() - cpu}, aside)
                aside.replace(checkpoint[0])  # whole or not there, whenever the run is stopped
    return sum(last_tenth) / len(last_tenth)
