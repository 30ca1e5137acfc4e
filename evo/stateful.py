"""The contract of a problem with a state: evaluating changes something that later evaluations meet.

PathNet's shared weights are such a state: a pathway is scored while it trains them, and the next one finds them
trained. The state is explicit, plain named tensors: a run hands it on from generation to generation, stores it, and
goes on from it to the byte.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, final

import numpy as np
import torch

from evo.outcome import Outcomes
from evo.problem import Problem

State = Mapping[str, torch.Tensor]
"""Tensors by name, on the CPU."""


class StatefulProblem(Problem):
    """A problem whose evaluations change what later ones meet.

    Subclasses give `begin` and `evaluate_from`. A generation's batch is evaluated whole, in one process, and is never
    reordered: where order matters, it is that of the rows. If an evaluation raises, the state stays as it was.
    """

    @property
    def stochastic(self) -> bool:
        """True: the same phenotype scores another number when the state has changed."""
        return True

    @abstractmethod
    def begin(self, rng: np.random.Generator) -> State:
        """Return the state that a run begins with."""

    @abstractmethod
    def evaluate_from(self, phenotypes: Any, rng: np.random.Generator, state: State) -> tuple[Outcomes, State]:
        """Score a batch of phenotypes, in order, and return the state that they leave.

        Args:
            phenotypes: n of them, of the type `accepts`.
            rng: where all chance comes from.
            state: as `begin` or the last evaluation returned it; it is not changed in place.
        """

    @final
    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Score a batch of phenotypes from a state that has just begun; nothing is kept of what they leave."""
        return self.evaluate_from(phenotypes, rng, self.begin(rng))[0]
