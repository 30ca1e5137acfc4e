"""In what order a stream shows its cases."""

from __future__ import annotations

import numpy as np


def in_whole_batches(cases: int, batch: int) -> int:
    """Return how many of the cases fill whole batches; raises ValueError where they do not fill one."""
    if not 0 < batch <= cases:
        raise ValueError(f"batch: expected a number of cases from 1 to the {cases} that there are, got {batch}")
    return cases - cases % batch


def shuffled(draws: np.random.Generator, cases: int, length: int) -> np.ndarray:
    """Return `[length]` numbers of cases: random orders of all of them, one after the other, the last cut short."""
    passes = -(-length // cases)
    return np.concatenate([draws.permutation(cases) for _ in range(passes)])[:length]


def in_epochs(draws: np.random.Generator, cases: int, batch: int, epochs: int) -> np.ndarray:
    """Return the cases of each step, `[epochs, steps, batch]`: each epoch has all of them in a random order of its own.

    What fills no whole batch at the end of an epoch is left out of it.
    """
    orders = draws.permuted(np.tile(np.arange(cases), (epochs, 1)), axis=1)
    return orders[:, : in_whole_batches(cases, batch)].reshape(epochs, -1, batch)
