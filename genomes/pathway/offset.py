"""Mutation of pathways by small steps: a chosen module gives way to one near it.

Source: PathNet (Fernando et al. 2017, arXiv:1701.08734), section 2.2: each number of a genotype of L layers and N
modules changes with probability 1 / (N L), by a whole number drawn from -2 to 2. That steps are small is meant: what
is near in number becomes near in function.
"""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds

BOUNDS = ("clamp", "wrap")


def offset(
    modules: torch.Tensor, counts: torch.Tensor, rate: float, radius: int, bounds: str, rng: np.random.Generator
) -> torch.Tensor:
    """Return modules of which some have moved by a whole number drawn evenly from -radius to radius (0 is one of them).

    Args:
        modules: `[n, layers, active]`, whole numbers.
        counts: `[layers]`, how many modules each layer has.
        rate: the probability that a number is moved, each by itself.
        radius: the longest step.
        bounds: what becomes of a number beyond the first or the last module: "clamp" makes it that module, "wrap"
            goes on at the other end.
        rng: draws.
    """
    shape = tuple(modules.shape)
    moved = seeds.uniform(rng, shape, torch.empty(0, dtype=torch.float64, device=modules.device)) < rate
    steps = seeds.integers(rng, 2 * radius + 1, shape, modules).to(modules.dtype) - radius
    size = counts.to(modules)[:, None]
    there = modules + steps
    inside = there.remainder(size) if bounds == "wrap" else there.clamp(min=0).minimum(size - 1)
    return torch.where(moved, inside, modules)
