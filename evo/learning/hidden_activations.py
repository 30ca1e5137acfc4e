"""What hidden units of learners apply to their sums, on tensors, differentiable; by the names of `evo.learners`.

Torch computes its own sigmoid, ELU and SiLU in another way for the last few numbers of a tensor than for the others, so
that bits would depend on a learner's place. Its tanh and expm1 do not, so they are made of these.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from evo.learners import ACTIVATIONS

FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": lambda sums: torch.nn.functional.leaky_relu(sums, 0.01),
    "tanh": torch.tanh,
    "sigmoid": lambda sums: 0.5 * torch.tanh(0.5 * sums) + 0.5,
    "elu": lambda sums: torch.relu(sums) + torch.expm1(sums.clamp(max=0)),
    "swish": lambda sums: sums * (0.5 * torch.tanh(0.5 * sums) + 0.5),
    "linear": lambda sums: sums,
}


def stretches(activation: torch.Tensor) -> list[tuple[str, int, int]]:
    """Return (name, first, last) for each stretch of learners with one activation, of activations `[n]`."""
    kinds, counts = torch.unique_consecutive(activation, return_counts=True)
    found, first = [], 0
    for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
        found.append((ACTIVATIONS[kind], first, first + count))
        first += count
    return found


def activate(sums: torch.Tensor, parts: list[tuple[str, int, int]]) -> torch.Tensor:
    """Return what units give, of sums `[n, ...]` and the stretches of the n learners."""
    if len(parts) == 1:
        return FUNCTIONS[parts[0][0]](sums)
    return torch.cat([FUNCTIONS[name](sums[first:last]) for name, first, last in parts])
