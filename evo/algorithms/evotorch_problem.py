"""EvoTorch as the population engine: its problems made from functions on rows, imported late and kept quiet.

Source: EvoTorch, Toklu et al. 2023, https://evotorch.ai. What is built around here: importing it takes seconds and
pulls in Ray, so it is imported on first use; its best-solution statistics fail on NaN, so they are off; its values
are read-only tensors whose type spreads to all that is computed from them, so functions get plain ones.
"""

from __future__ import annotations

import functools
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

KNOWN_WARNINGS = (
    r".*torch\.jit\.script.* is deprecated",
    r"__array_wrap__ must accept context and return_scalar",
    r"To copy construct from a tensor",
)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence EvoTorch's own log lines and its known harmless warnings inside a `with` block, and nothing else.

    Use it around importing and constructing only: warning filters are shared by all threads of a process.
    """
    logger = logging.getLogger("evotorch")
    level, variable = logger.level, os.environ.get("EVOTORCH_VERBOSE_LEVEL")
    os.environ["EVOTORCH_VERBOSE_LEVEL"] = "-1" if variable is None else variable
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in KNOWN_WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        if variable is None:
            del os.environ["EVOTORCH_VERBOSE_LEVEL"]
        logger.setLevel(level)


@functools.cache
def load() -> Any:
    """Return the module `evotorch`, imported quietly the first time."""
    with quiet():
        import evotorch
        import evotorch.algorithms
    return evotorch


def batch_problem(
    score: Callable[[torch.Tensor], torch.Tensor],
    length: int,
    objectives: int = 1,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    seed: int | None = None,
) -> Any:
    """Return an `evotorch.Problem` that maximises all objectives of a function on a whole batch.

    Args:
        score: takes values `[n, length]`, which it must not change, and returns fitness `[n, objectives]` float64,
            more is better; NaN is stored as it is, so whoever selects must know of it.
        length: how many numbers a solution has.
        objectives: how many objectives there are.
        dtype: the type of the values.
        device: where the values live.
        seed: of the generator that EvoTorch's searchers draw from; None where nothing is drawn.
    """
    evotorch = load()
    with quiet():
        return evotorch.Problem(
            ["max"] * objectives,
            lambda values: score(values.as_subclass(torch.Tensor)),
            solution_length=length,
            initial_bounds=(-1.0, 1.0),  # some searchers fill a first batch that they then write over
            dtype=dtype,
            eval_dtype=torch.float64,
            device=device,
            seed=seed,
            vectorized=True,
            store_solution_stats=False,
        )


def batch_of(problem: Any, rows: torch.Tensor, fitness: torch.Tensor | None = None) -> Any:
    """Return an `evotorch.SolutionBatch` of values `[n, length]`, with their fitness `[n, objectives]` where given."""
    batch = load().SolutionBatch(problem, popsize=len(rows), empty=True)
    batch.set_values(rows)
    if fitness is not None:
        batch.set_evals(fitness)
    return batch


def rows_of(batch: Any) -> torch.Tensor:
    """Return a batch's values `[n, length]` as a plain tensor, not to be changed in place."""
    values: torch.Tensor = batch.values.as_subclass(torch.Tensor)
    return values


def fitness_of(batch: Any) -> torch.Tensor:
    """Return a batch's fitness `[n, objectives]` as a plain tensor, not to be changed in place."""
    fitness: torch.Tensor = batch.evals.as_subclass(torch.Tensor)
    return fitness
