"""Gradient descent of a network's own weights, on problems that are differentiable.

Adam (Kingma & Ba 2015, algorithm 1) on batches that the problem draws, with a learning rate that falls evenly to zero.
The loss is the problem's: for classification, the cross-entropy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from evo import seeds
from evo.exchange.torch_module import NetworkModule
from evo.problem import Problem

FIRST_DECAY, SECOND_DECAY = 0.9, 0.999
LONGEST = 1.0
"""Longer gradients are cut to this length: a steep place must not throw the weights far."""


@dataclass(frozen=True)
class Descent:
    """What gradient descent came to.

    Attributes:
        network: the network given, with its weights at the end.
        losses: before each step, on that step's batch; fewer than the steps asked for where the last was not finite.
    """

    network: dict[str, Any]
    losses: tuple[float, ...]


def descend(
    network: dict[str, Any], problem: Problem, steps: int = 2000, learning_rate: float = 0.03, *, seed: int
) -> Descent:
    """Return a network with its weights after gradient descent, and the losses on the way.

    Descent ends early where a loss or a gradient is not finite, with the weights that it had there.

    Args:
        network: as in a champion file: `inputs`, `outputs`, `activations`, `edges` as [source, target, weight].
        problem: one with a `training_batch`, on the cases to learn from.
        steps: how many batches.
        learning_rate: of the first step.
        seed: the root of all draws.

    Raises:
        TypeError: the problem has no gradients.
        ValueError: `steps` or `learning_rate` is not positive.
        evo.champion.ChampionError: the network is described wrongly.
    """
    if steps < 1 or not learning_rate > 0:
        raise ValueError(f"steps and learning_rate: expected positive numbers, got {steps} and {learning_rate}")
    module = NetworkModule(network)
    optimizer = torch.optim.Adam(module.parameters(), lr=learning_rate, betas=(FIRST_DECAY, SECOND_DECAY))
    losses: list[float] = []
    for step in range(steps):
        batch = problem.training_batch(seeds.rng(seed, "gradient descent", step))
        if batch is None:
            raise TypeError(
                f"{problem.name} has no gradients: its `training_batch` gives none; evolve the weights instead, with "
                f"evo.learning.evolved_weights"
            )
        inputs, loss_of = batch
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1.0 - step / steps)
        optimizer.zero_grad()
        loss = loss_of(module(inputs))
        loss.backward()  # type: ignore[no-untyped-call]
        length = torch.nn.utils.clip_grad_norm_(module.parameters(), LONGEST)
        losses.append(loss.item())
        if not (math.isfinite(losses[-1]) and math.isfinite(length.item())):
            break
        optimizer.step()
    return Descent(with_weights(network, module.edge_weights().tolist()), tuple(losses))


def with_weights(network: dict[str, Any], weights: list[float]) -> dict[str, Any]:
    """Return a network in a champion file's form with other weights, in the order of its edges."""
    edges = [[source, target, weight] for (source, target, _), weight in zip(network["edges"], weights, strict=True)]
    return {**network, "edges": edges}
