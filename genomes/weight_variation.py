"""Variation of a field of real numbers, weight by weight: what genomes of weights have in common."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from evo.layout import Layout


def mutated(
    layout: Layout, field: str, rows: torch.Tensor, rng: np.random.Generator, rate: float, deviation: float
) -> torch.Tensor:
    """Return children of rows `[n, L]` with normal noise on each number of a field, with a probability.

    Args:
        layout: of the rows.
        field: whose numbers move.
        rows: the parents.
        rng: where all draws come from.
        rate: the probability that a number moves.
        deviation: the standard deviation of a move.
    """
    children = rows.clone()
    weights = layout.view(children, field)
    shape = tuple(weights.shape)
    moved = seeds.uniform(rng, shape, weights) < rate
    weights += torch.where(moved, deviation * seeds.normal(rng, shape, weights), 0.0)
    return children


def crossed(
    layout: Layout, field: str, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator
) -> torch.Tensor:
    """Return children `[n, L]` that take each number of a field from either parent evenly, all else from the first."""
    children = first.clone()
    mothers, fathers = (layout.view(rows, field) for rows in (first, second))
    mine = seeds.uniform(rng, tuple(mothers.shape), mothers) < 0.5
    layout.view(children, field)[...] = torch.where(mine, mothers, fathers)
    return children
