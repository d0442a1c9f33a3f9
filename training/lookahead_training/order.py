"""Which items a step sees. A step's number says all, so a stopped run needs nothing more to go on."""

import numpy as np


def batch_at(step: int, items: int, batch: int, seed: int) -> list[int]:
    """Indices of a step's batch: every item once an epoch, each epoch in an order of its own; a batch may reach into the next epoch."""
    found: list[int] = []
    while len(found) < batch:
        at = step * batch + len(found)
        epoch, start = divmod(at, items)
        order = np.random.default_rng([seed, epoch]).permutation(items)
        found += order[start : start + batch - len(found)].tolist()
    return found
