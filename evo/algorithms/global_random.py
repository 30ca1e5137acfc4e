"""The process's global random generators, lent to a library that insists on drawing from them.

DEAP draws from `random` and `numpy.random`, and EvoTorch's CMA-ES throws away a draw from torch's global generator.
What such a library leaves behind must reach neither the rest of the process nor the evaluations in between, and what
evaluations draw must not reach the library: a run that is replayed without evaluating has to take the same steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


class LentGenerators:
    """Seeded states of `random`, `numpy.random` and torch's CPU generator for a library, apart from the process's own.

    Args:
        seed: a whole number from 0 up.
    """

    def __init__(self, seed: int) -> None:
        self._away: tuple[Any, Any, torch.Tensor] = (
            random.Random(seed).getstate(),  # noqa: S311 (DEAP's generator, no secrets)
            np.random.RandomState(seed % 2**32).get_state(),
            torch.Generator().manual_seed(seed).get_state(),
        )

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Exchange the states in place and the states kept here for the time of a `with` block.

        Use it around the library's run; inside it, use it again around an evaluation, which then finds the process's
        own states and leaves its draws in them.
        """
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        present = (random.getstate(), np.random.get_state(), torch.get_rng_state())
        random.setstate(self._away[0])
        np.random.set_state(self._away[1])
        torch.set_rng_state(self._away[2])
        self._away = present
