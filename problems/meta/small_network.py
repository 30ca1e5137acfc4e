"""Train a small network on handwritten digits in a hundred steps: `small-network-v1`.

Phenotypes: learned optimisers, which see gradients alone.
Objective: "log_area", the mean over tasks of the logarithm of the area, to be minimised; the area of a descent is the
mean cross-entropy over steps 0 to the last, each on cases not used for the update before. Measured: `area`, `final`.
Tasks: a network of 784-20-10 units on MNIST, or of 64-20-10 on scikit-learn's digits, with weights and biases that
begin normal with deviation 0.01, and 128 cases a step, drawn anew. Tasks of the split "test" have the pictures of the
data's test part, all others those of its training part.
Start and end: an optimiser's state begins anew with each task, and ends after `steps` updates.
Data: see `problems.data`; where MNIST is not at hand, the small digits stand in.
Version: 1.

Source: Andrychowicz et al. 2016 (arXiv:1606.04474), section 3.2: 100 steps, then 200, and rectified units in place of
sigmoid ones, on which what they had learned failed.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.learned_optimiser import Optimise
from evo.meta import LifetimeProblem
from evo.optimisees import SmallNetworks
from evo.optimisers import LearnedOptimisers
from evo.problem import Objective
from evo.tasks import TaskDistribution
from problems import data

DATA = ("digits", "mnist")
CLASSES = 10


@final
@dataclass(frozen=True)
class NetworkTrainings(TaskDistribution):
    """Trainings of a small network, each from weights of its own and on cases in an order of its own.

    Attributes:
        data: "digits" or "mnist".
        hidden: units.
        activation: "sigmoid" or "relu".
        steps: updates of a training.
        batch: cases per step.
        initial_deviation: of weights and biases.

    Raises:
        ValueError: there is no such data set or activation, or a number is outside its range.
    """

    data: str = "digits"
    hidden: int = 20
    activation: str = "sigmoid"
    steps: int = 100
    batch: int = 128
    initial_deviation: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data not in DATA or self.activation not in ("sigmoid", "relu"):
            raise ValueError(
                f"NetworkTrainings: data is one of {', '.join(DATA)} and activation 'sigmoid' or 'relu', got "
                f"{self.data!r} and {self.activation!r}"
            )
        if min(self.hidden, self.steps, self.batch) < 1 or not self.initial_deviation >= 0:
            raise ValueError(
                f"NetworkTrainings: expected hidden, steps and batch of 1 or more, and initial_deviation from 0 up, "
                f"got {self.hidden}, {self.steps}, {self.batch} and {self.initial_deviation}"
            )

    def draw(self, count: int, rng: np.random.Generator) -> SmallNetworks:
        """Return `count` trainings."""
        inputs, labels = _cases(self.data, self.split == "test", data.data_folder())
        size = self.hidden * (inputs.shape[1] + 1) + CLASSES * (self.hidden + 1)
        starts = torch.from_numpy(rng.standard_normal((count, size), np.float32)) * self.initial_deviation
        orders = torch.from_numpy(rng.integers(len(inputs), size=(count, self.steps + 1, self.batch)))
        return SmallNetworks(starts, orders, (inputs,), (labels,), self.hidden, self.activation, steps=self.steps)

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded."""
        return data.provenance(self.data)


@functools.lru_cache(maxsize=4)
def _cases(name: str, test: bool, _folder: object) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures `[cases, pixels]`, 0 to 1, and their classes."""
    split = data.mnist() if name == "mnist" else data.digits()
    pictures, labels = (split.x_test, split.y_test) if test else (split.x_train, split.y_train)
    brightest = 255.0 if name == "mnist" else 16.0
    inputs = torch.from_numpy(pictures.reshape(len(pictures), -1).astype(np.float32) / brightest)
    return inputs, torch.from_numpy(labels.astype(np.int64))


@dataclass(frozen=True)
class TrainSmallNetworks(LifetimeProblem):
    """Train a small network on digits quickly (Andrychowicz et al. 2016)."""

    name: ClassVar[str] = "small-network-v1"
    accepts: ClassVar[type] = LearnedOptimisers
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("log_area", maximize=False),)

    tasks: TaskDistribution = field(default_factory=NetworkTrainings)
    lifetime: Lifetime = field(default_factory=Optimise)
    count: int = 2

    def charts(self, phenotypes: LearnedOptimisers) -> list[Chart]:
        """Return descents on 4 tasks; see `problems.meta.descent_charts`."""
        from problems.meta.descent_charts import descents

        return descents(self.tasks, self.lifetime, phenotypes, 4)
