"""A stream for tests of learners: simple enough to be computed by hand, and it changes what a life changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from evo.learners import Learners
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective, Problem


@dataclass(frozen=True)
class DriftingStream(Problem):
    """Weights go towards a number that drifts, by a step that is their step size.

    Attributes:
        lifelong: whether learners go on from what they became; else each evaluation is a life of twenty segments.
    """

    name: ClassVar[str] = "drifting-stream-v1"
    accepts: ClassVar[type] = Learners
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("loss", maximize=False),)
    input_shape: ClassVar[tuple[int, ...]] = (3,)
    output_count: ClassVar[int] = 2
    lifelong: bool = True

    def evaluate(self, phenotypes: Learners, rng: np.random.Generator) -> Outcomes:
        learners, losses = phenotypes, []
        for _ in range(1 if self.lifelong else 20):
            loss, learners = live(learners)
            losses.append(loss)
        outcomes = outcomes_of(torch.stack(losses).mean(0)[:, None])
        return replace(outcomes, learned=learners) if self.lifelong else outcomes


def target(stream: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
    """Return where weights go: another place on every stream, a twentieth of a circle further with each segment."""
    return torch.sin(stream.double() + 0.3 * segments.double()).float()


def live(learners: Learners) -> tuple[torch.Tensor, Learners]:
    """Return the loss of each learner `[n]`, and what they are after a segment."""
    goal = target(learners.stream, learners.segments)[:, None]
    step = learners.settings["step_size"][:, None]
    loss = (learners.weights - goal).square().mean(1)
    after = replace(
        learners,
        weights=learners.weights + step * (goal - learners.weights),
        segments=learners.segments + 1,
        ages=learners.ages + 10.0,
        utilities=learners.utilities + 0.1,
        due=learners.due + 0.25,
        first_moment=learners.first_moment + 1e-3,
    )
    return loss, after
