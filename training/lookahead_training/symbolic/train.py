"""The training of one symbolic forecaster: soft targets, warm-up and cosine to near zero, resumable."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..config import Stage
from ..loop import parameter_groups, rate_at
from .config import Config, Errors
from .errors import draw_levels, same_levels
from .features import Batch, make_batch
from .model import Forecaster
from .score import score, scored, skill_of
from .tracks import Tracks

LOG_EVERY = 100


def new_model(tracks: Tracks, config: Config) -> Forecaster:
    torch.manual_seed(config.seed)
    features = make_batch(tracks, np.arange(1)).features.shape[1]
    place = tracks.place.shape[1]
    return Forecaster(config, features, len(tracks.classes), place, len(tracks.labels))


def new_optimiser(model: Forecaster, config: Config) -> torch.optim.AdamW:
    groups = parameter_groups(model.parameters(), config.weight_decay)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas)


def descend(
    model: Forecaster,
    optimiser: torch.optim.AdamW,
    batch: Batch,
    futures: np.ndarray,
    config: Config,
) -> Tensor:
    """One step of the optimiser. @returns the loss before it"""
    loss = forecast_loss(model(batch), futures)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
    optimiser.step()
    return loss.detach()


def forecast_loss(log_chances: Tensor, futures: np.ndarray) -> Tensor:
    """Cross-entropy against the futures' shares, nats a window."""
    return -(torch.from_numpy(futures) * log_chances).sum(1).mean()


def forecast(
    model: Forecaster,
    tracks: Tracks,
    windows: np.ndarray,
    errors: Errors | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Chances of all labels, [W,K]."""
    generator = torch.Generator().manual_seed(seed)
    model.eval()
    rows = []
    with torch.no_grad():
        for start in range(0, len(windows), 256):
            picked = windows[start : start + 256]
            levels = same_levels(len(picked), errors) if errors else None
            rows.append(model(make_batch(tracks, picked, levels, generator)).exp().numpy())
    model.train()
    return np.concatenate(rows)


def train_model(
    model: Forecaster,
    train: Tracks,
    validation: Tracks,
    prior: dict[str, np.ndarray],
    config: Config,
    folder: Path,
    with_errors: bool = False,
    cpu_now: Callable[[], float] = time.process_time,
) -> list[dict[str, float]]:
    """Trains in place; goes on from the checkpoint in `folder`, if there is one. @returns the learning curve"""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    of = fingerprint(config, train)
    stage = Stage(config.steps, config.batch, config.learning_rate, config.warm_up)
    optimiser = new_optimiser(model, config)
    step, cpu_before, curve = 0, 0.0, []
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        # One that was written before checkpoints told it is taken for what is asked.
        if saved.get("of", of) != of:
            raise ValueError(
                f"{checkpoint} was trained with another configuration or on other tracks; delete {folder} to train anew."
            )
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        step, cpu_before, curve = saved["step"], saved["cpuS"], saved["curve"]
    cpu_started, step_started = cpu_now(), step
    windows = scored(validation)
    losses: list[float] = []  # since the last line of the log

    with (folder / "log.jsonl").open("a") as out:
        while step < config.steps:
            rate = stage.learning_rate * rate_at(step, stage, config.final_rate_share)
            for group in optimiser.param_groups:
                group["lr"] = rate
            picked = pick(len(train), config, step)
            generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
            levels = draw_levels(len(picked), generator) if with_errors else None
            batch = make_batch(train, picked, levels, generator)
            loss = descend(model, optimiser, batch, train.futures[picked], config)
            losses.append(float(loss))
            step += 1
            if step % LOG_EVERY == 0 or step == config.steps:
                cpu = cpu_before + cpu_now() - cpu_started
                pace = (cpu - cpu_before) / (step - step_started)
                row = {
                    "step": step,
                    "rate": round(rate, 7),
                    "cpuMin": round(cpu / 60, 2),
                    "cpuMinLeft": round(pace * (config.steps - step) / 60, 1),
                    "loss": round(float(np.mean(losses)), 4),
                }
                losses = []
                if step % config.check_every == 0 or step == config.steps:
                    chances = forecast(model, validation, windows)
                    scores = score(validation, windows, chances, prior)
                    row["skill"] = round(float(skill_of(scores.columns.mean(0))), 4)
                    curve.append({k: row[k] for k in ("step", "cpuMin", "skill")})
                line = json.dumps(row)
                print(line, flush=True)
                out.write(line + "\n")
                out.flush()
            if step % config.save_every == 0 or step == config.steps:
                cpu = cpu_before + cpu_now() - cpu_started
                saved = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
                torch.save(
                    {**saved, "of": of, "step": step, "cpuS": cpu, "curve": curve}, checkpoint
                )
    return curve


OTHERS_OWN = ("adapt_", "memory_", "perceived_")


def fingerprint(config: Config, train: Tracks) -> str:
    """Of what a checkpoint can be gone on with: the configuration, and what the tracks show and say."""
    # What only other trainings go by does not count.
    own = {k: v for k, v in asdict(config).items() if not k.startswith(OTHERS_OWN)}
    known = hashlib.sha256(json.dumps(own).encode())
    for values in (train.kind, train.seen, train.box, train.shown, train.rows, train.futures):
        known.update(np.ascontiguousarray(values))
    return known.hexdigest()


def adaptation(config: Config) -> Config:
    """The short second training, with errors put in."""
    steps, rate = config.adapt_steps, config.adapt_rate
    return replace(config, steps=steps, learning_rate=rate, seed=config.seed + 1)


def adaptation_to_perceived(config: Config) -> Config:
    """The third training, on tracks as our perception gives them: no errors are put in, they have their own."""
    steps, rate = config.perceived_steps, config.perceived_rate
    seed, warm_up = config.seed + 2, min(50, config.warm_up)
    return replace(
        config, steps=steps, learning_rate=rate, seed=seed, warm_up=warm_up, check_every=50
    )


def pick(windows: int, config: Config, step: int) -> np.ndarray:
    """The windows of a step: every epoch meets each of them once, in an order of its own. A run that goes on picks the same."""
    per_epoch = max(1, windows // config.batch)
    epoch, at = divmod(step, per_epoch)
    if _order.get("key") != (windows, config.seed, epoch):
        order = np.random.default_rng([config.seed, epoch]).permutation(windows)
        _order.update(key=(windows, config.seed, epoch), order=order)
    return _order["order"][at * config.batch : (at + 1) * config.batch]


# The order of the epoch at work; drawing it anew at every step would cost more than the step.
_order: dict = {}
