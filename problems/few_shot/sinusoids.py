"""Learn a sinusoid from ten points: `few-shot-sinusoids-v1`.

Task: y = A sin(x - phase), A uniform in [0.1, 5], phase uniform in [0, pi].
Inputs: x, one number, uniform in [-5, 5]; support and query points are drawn apart. Output: y. There is no noise.
Objective: "squared_error", the mean over tasks, query points and horizons; less is better. Drawing 0 always scores
4.2 on average; 600 test tasks with 100 query points tell 0.60 from 0.55.
Start: the network's initial weights. End: after the last horizon's step.
Data: drawn. Test tasks are frozen. Train and validation tasks are of the same kind.
Version: 1.

Published settings: 10 shots, 1 step of size 0.01, 25 tasks per generation, a network of 40 and 40 rectified units.
The article shows curves; an independent reproduction of it has 0.67 after one step (63days/Meta-SGD).

Source: Finn, Abbeel & Levine 2017 (arXiv:1703.03400), section 5.1 and appendix A.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.meta import LifetimeProblem
from evo.parametrised import Parametrised
from evo.problem import Objective
from evo.tasks import FewShot, TaskDistribution

ONE_STEP = GradientSteps()


@final
@dataclass(frozen=True)
class Sinusoids(TaskDistribution):
    """Sinusoids of random amplitude and phase.

    Attributes:
        shots: points to learn from.
        queries: points to be scored on.

    Raises:
        ValueError: there are no points.
    """

    shots: int = 10
    queries: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shots < 1 or self.queries < 1:
            raise ValueError(f"Sinusoids: expected 1 shot and 1 query or more, got {self.shots} and {self.queries}")

    def draw(self, count: int, rng: np.random.Generator) -> FewShot:
        """Return `count` sinusoids, inputs and targets `[count, points, 1]`; more queries change no support."""
        curves, support, query = rng.spawn(3)
        amplitude = curves.uniform(0.1, 5.0, (count, 1, 1))
        phase = curves.uniform(0.0, math.pi, (count, 1, 1))
        points = [
            drawn.uniform(-5.0, 5.0, (count, many, 1)) for drawn, many in ((support, self.shots), (query, self.queries))
        ]
        x, query_x = (torch.from_numpy(each.astype(np.float32)) for each in points)
        y, query_y = (torch.from_numpy((amplitude * np.sin(each - phase)).astype(np.float32)) for each in points)
        return FewShot(x, y, query_x, query_y)


@final
@dataclass(frozen=True)
class FewShotSinusoids(LifetimeProblem):
    """Learn a sinusoid from ten points (Finn, Abbeel & Levine 2017)."""

    name: ClassVar[str] = "few-shot-sinusoids-v1"
    accepts: ClassVar[type] = Parametrised
    objectives = (Objective("squared_error", maximize=False),)
    input_shape: ClassVar[tuple[int, ...]] = (1,)
    output_count: ClassVar[int] = 1

    tasks: TaskDistribution = Sinusoids()
    lifetime: Lifetime = ONE_STEP

    def charts(self, phenotypes: Parametrised) -> list[Chart]:
        """Return fits before and after learning; see `problems.few_shot.sinusoid_charts`."""
        from problems.few_shot.sinusoid_charts import fits

        return fits(self.tasks, self.lifetime, phenotypes)
