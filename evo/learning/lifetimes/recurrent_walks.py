"""A lifetime without any change of weights: recurrent policies walk, and what they learn is in their memory.

The memory is kept from episode to episode and begins anew with each trial: Duan et al. 2016 (RL2, arXiv:1611.02779),
section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from evo.learning.lifetimes.walks import Act, Walks, fits
from evo.points import PointTasks
from evo.policies import RecurrentPolicies, step


@final
@dataclass(frozen=True)
class RecurrentWalks(Walks):
    """Walk by a memory that lives through the trial; logits are taken as velocities."""

    accepts: ClassVar[type] = RecurrentPolicies

    def act(self, phenotypes: RecurrentPolicies, tasks: PointTasks, *, seed: int) -> Act:
        """Return how policies with empty memories answer."""
        fits(phenotypes.inputs, phenotypes.actions, "policies")
        matrices = phenotypes.matrices()
        memory = phenotypes.parameters.new_zeros(len(phenotypes), len(tasks), phenotypes.hidden)

        def answer(observed: torch.Tensor, awake: torch.Tensor) -> torch.Tensor:
            nonlocal memory
            after, answers = step(matrices, observed, memory)
            memory = torch.where(awake[..., None], after, memory)
            return answers

        return answer
