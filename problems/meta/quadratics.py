"""Descend quadratic functions of ten coordinates in a hundred steps: `quadratics-v1`.

Phenotypes: learned optimisers, which see gradients alone.
Objective: "log_area", the mean over tasks of the logarithm of the area, to be minimised; the area of a descent is the
mean loss over steps 0 to 100. Measured: `area`, whose mean over tasks is what optimisers are compared by, and `final`.
Tasks: f(x) = |W x - y|^2 with W `[10, 10]` and y standard normal; x begins normal with deviation 0.01.
Start and end: an optimiser's state begins anew with each task, and ends after 100 updates.
Version: 1.

Source: Andrychowicz et al. 2016 (arXiv:1606.04474), section 3.1, which has curves and no table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.learned_optimiser import Optimise
from evo.meta import LifetimeProblem
from evo.optimisees import Quadratics
from evo.optimisers import LearnedOptimisers
from evo.problem import Objective
from evo.tasks import TaskDistribution


@final
@dataclass(frozen=True)
class RandomQuadratics(TaskDistribution):
    """Quadratic functions with standard normal matrices and targets.

    Attributes:
        size: coordinates.
        steps: updates of a descent.

    Raises:
        ValueError: there are no coordinates or steps.
    """

    size: int = 10
    steps: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.size, self.steps) < 1:
            raise ValueError(
                f"RandomQuadratics: expected size and steps of 1 or more, got {self.size} and {self.steps}"
            )

    def draw(self, count: int, rng: np.random.Generator) -> Quadratics:
        """Return `count` functions."""
        shapes = ((count, self.size, self.size), (count, self.size), (count, self.size))
        matrices, targets, starts = (torch.from_numpy(rng.standard_normal(shape, np.float32)) for shape in shapes)
        return Quadratics(matrices, targets, 0.01 * starts, steps=self.steps)


@dataclass(frozen=True)
class DescendQuadratics(LifetimeProblem):
    """Descend quadratic functions quickly (Andrychowicz et al. 2016)."""

    name: ClassVar[str] = "quadratics-v1"
    accepts: ClassVar[type] = LearnedOptimisers
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("log_area", maximize=False),)

    tasks: TaskDistribution = field(default_factory=RandomQuadratics)
    lifetime: Lifetime = field(default_factory=Optimise)
    count: int = 16

    def charts(self, phenotypes: LearnedOptimisers) -> list[Chart]:
        """Return descents on 64 tasks; see `problems.meta.descent_charts`."""
        from problems.meta.descent_charts import descents

        return descents(self.tasks, self.lifetime, phenotypes, 64)
