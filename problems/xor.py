"""Exclusive or, the smallest problem that no linear network solves: `xor-v1`.

Inputs: two bits, 0 or 1. Output: the network's guess, used as it is; an output activation such as sigmoid keeps it
within 0 and 1.
Objective: "fitness", 4 minus the sum of squared errors over the four cases: 4 at most, 3 for always saying 0.5. This is
neat-python's; Stanley & Miikkulainen took the square of 4 minus the sum of absolute errors.
Solved (`Xor.solved`): all four outputs are on the right side of 0.5, whatever the fitness; so did theirs count.
Start and end: every case is seen once, from rest. Their sigmoid was steeper, 1 / (1 + exp(-4.9 x)); weights make up
for it.
Version: 1.

Source: Stanley & Miikkulainen 2002 (Evolving neural networks through augmenting topologies), section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from evo.networks import Networks
from evo.outcome import Outcomes, outcomes_of
from evo.problem import NetworkProblem, Objective

CASES = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
TARGETS = (0.0, 1.0, 1.0, 0.0)


@dataclass(frozen=True)
class Xor(NetworkProblem):
    """Tell whether exactly one of two bits is set (Stanley & Miikkulainen 2002)."""

    name: ClassVar[str] = "xor-v1"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The bits."""
        return ("first", "second")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Above 0.5 for "exactly one is set"."""
        return ("different",)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The fitness, and with shared weights that with the weight that suits a network best."""
        first = Objective("fitness")
        return (first, Objective("best_weight_fitness")) if self.shared_weights else (first,)

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        """Show all networks, with every shared weight, the four cases; see `Problem.evaluate`."""
        fitness = 4.0 - (self.guesses(phenotypes) - self._targets(phenotypes)).square().sum(2)
        scores = [fitness.mean(1), fitness.amax(1)][: len(self.objectives)]
        return outcomes_of(torch.stack(scores, 1), {"fitness": fitness[..., None]})

    def solved(self, networks: Networks) -> torch.Tensor:
        """Return which networks are right about all four cases, booleans `[n]`; with one shared weight is enough."""
        right = (self.guesses(networks) > 0.5) == (self._targets(networks) > 0.5)
        return right.all(2).any(1)

    def guesses(self, networks: Networks) -> torch.Tensor:
        """Return the outputs `[n, shared weights, 4]` float64; raises ValueError for networks of another interface."""
        if (networks.inputs, networks.outputs) != (2, 1):
            raise ValueError(
                f"phenotypes: {self.name} is for networks with 2 inputs and 1 output, got {networks.inputs} and "
                f"{networks.outputs}; make the genome with its for_problem"
            )
        weights: tuple[float | None, ...] = self.shared_weights or (None,)
        outputs = [networks.forward(torch.tensor(CASES), weight)[..., 0] for weight in weights]
        return torch.stack(outputs, 1).to(torch.float64)

    def training_batch(self, rng: np.random.Generator) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        """Return the four cases, and the sum of squared errors of outputs for them."""
        return torch.tensor(CASES), _squared_error

    def _targets(self, networks: Networks) -> torch.Tensor:
        return torch.tensor(TARGETS, dtype=torch.float64, device=networks.device)


def _squared_error(outputs: torch.Tensor) -> torch.Tensor:
    return (outputs[:, 0] - torch.tensor(TARGETS).to(outputs)).square().sum()
