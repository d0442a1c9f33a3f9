"""Data parallel by torch's own means: a process for each share of the batch, gradients averaged by DistributedDataParallel over gloo.

`torchrun --nproc-per-node 2 SCRIPT …` starts the processes; a script calls `join()` first. Equal to one process with the whole batch
where each process draws its share (`share_of`) and a loss is the mean over what was drawn.
"""

import os
import sys
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


def join() -> None:
    """Does nothing in a process that torchrun has not started."""
    if "RANK" in os.environ and "WORLD_SIZE" in os.environ and not distributed.is_initialized():
        # A file in place of a port, for two processes of one machine: LOOKAHEAD_RENDEZVOUS=file:///…
        where = os.environ.get("LOOKAHEAD_RENDEZVOUS", "env://")
        count, own = int(os.environ["WORLD_SIZE"]), int(os.environ["RANK"])
        distributed.init_process_group("gloo", where, world_size=count, rank=own)


def leave() -> None:
    """The last thing a process does. It waits for the others, and ends without running destructors: gloo's threads may still be at work
    in them, and then end the process by an abort."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def processes() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def share_of(batch: Sequence) -> Sequence:
    """This process's part of the whole batch. Raises ValueError where the batch cannot be shared out evenly."""
    count = processes()
    if len(batch) % count:
        raise ValueError(f"A batch of {len(batch)} cannot be shared out evenly to {count}.")
    return batch[rank() * len(batch) // count : (rank() + 1) * len(batch) // count]


class _Step(nn.Module):
    """What DistributedDataParallel wants: a module whose forward is one step, and that holds all that learns."""

    def __init__(
        self, parameters: Sequence[nn.Parameter], losses: Callable[[int], dict[str, Tensor]]
    ):
        super().__init__()
        self.learning = nn.ParameterList(parameters)
        self.losses = losses

    def forward(self, step: int) -> dict[str, Tensor]:
        return self.losses(step)


def parallel_step(
    parameters: Sequence[nn.Parameter], losses: Callable[[int], dict[str, Tensor]]
) -> Callable[[int], dict[str, Tensor]]:
    """`losses`, and with several processes the average of their gradients. All begin with the parameters of the first."""
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    if processes() == 1:
        return losses
    # A step may leave some alone: an adapter of a layer, a head without a target in the batch.
    return DistributedDataParallel(_Step(learning, losses), find_unused_parameters=True)


def mean_over_processes(values: dict[str, float]) -> dict[str, float]:
    """All processes must call it, with the same names."""
    if processes() == 1:
        return values
    names = sorted(values)
    total = torch.tensor([values[name] for name in names], dtype=torch.float64)
    distributed.all_reduce(total)
    return dict(zip(names, (total / processes()).tolist(), strict=True))


def gather(value: object) -> list[object]:
    """One of each process, in the order of their ranks, in every process."""
    if processes() == 1:
        return [value]
    found: list[object] = [None] * processes()
    distributed.all_gather_object(found, value)
    return found
