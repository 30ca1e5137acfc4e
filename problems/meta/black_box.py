"""Search functions of which nothing is known but values, in 50 generations of 16 samples: `black-box-v1`.

Phenotypes: rules of search, which see values of samples alone.
Objective: "log_least", the mean over tasks of the logarithm (base 10) of the least value evaluated over that at the
start, to be minimised; see `evo.learning.lifetimes.black_box_search`. Measured: `half`, the same halfway.
Tasks: functions of 2 to 10 coordinates, each with random rotations and an optimum uniform in [-4, 4]; searches begin at
a place uniform in [-4, 4]. To train and to validate: sphere, ellipsoid, discus, different powers, Rosenbrock,
Rastrigin. To test, never seen in training: attractive sector, bent cigar, sharp ridge, Schaffer's F7, and Griewank's
waves on Rosenbrock's valley. Half of the tasks are noisy: values times exp(0.01 N) or exp(N).
Start and end: a search's state begins anew with each task, and ends after its last generation.
Version: 1.

Source: Lange et al. 2023 (arXiv:2211.11260), section 4: functions of Hansen et al. 2009 in few dimensions, small
populations, 50 generations; the choice of functions and their split are our own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
import torch

from evo.black_box import BlackBoxes
from evo.black_box_functions import NAMES
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.black_box_search import SearchBlackBox
from evo.meta import LifetimeProblem
from evo.problem import Objective
from evo.search_rules import SearchRules
from evo.tasks import TaskDistribution

TRAINING = ("sphere", "ellipsoid", "discus", "different powers", "rosenbrock", "rastrigin")
TESTING = ("attractive sector", "bent cigar", "sharp ridge", "schaffers", "griewank-rosenbrock")
RANGE = 4.0


@final
@dataclass(frozen=True)
class RandomFunctions(TaskDistribution):
    """Functions with random rotations, optima and starts.

    Attributes:
        functions: their names; empty for those of the split.
        smallest, largest: how many coordinates a function has, all numbers between equally likely.
        noise: betas of `evo.black_box`, all equally likely.

    Raises:
        ValueError: there is no such function, or a setting is outside its range.
    """

    functions: tuple[str, ...] = ()
    smallest: int = 2
    largest: int = 10
    noise: tuple[float, ...] = (0.0, 0.0, 0.01, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [name for name in self.functions if name not in NAMES]
        if unknown:
            raise ValueError(f"RandomFunctions: functions are some of {', '.join(NAMES)}, got {unknown[0]!r}")
        if not 2 <= self.smallest <= self.largest or not self.noise or min(self.noise) < 0:
            raise ValueError(
                f"RandomFunctions: expected 2 <= smallest <= largest and one noise of 0 or more, or several, got "
                f"{self.smallest}, {self.largest} and {self.noise}"
            )

    def draw(self, count: int, rng: np.random.Generator) -> BlackBoxes:
        """Return `count` functions, of each name as many as of any other, give or take one."""
        names = self.functions or (TESTING if self.split == "test" else TRAINING)
        first = int(rng.integers(len(names)))
        functions = [NAMES.index(names[(first + number) % len(names)]) for number in range(count)]
        sizes = rng.integers(self.smallest, self.largest + 1, count)
        optima, starts = rng.uniform(-RANGE, RANGE, (2, count, self.largest))
        return BlackBoxes(
            functions=torch.tensor(functions),
            sizes=torch.from_numpy(sizes),
            optima=torch.from_numpy(optima.astype(np.float32)),
            starts=torch.from_numpy(starts.astype(np.float32)),
            first=_rotations(sizes, self.largest, rng),
            second=_rotations(sizes, self.largest, rng),
            noise=torch.from_numpy(rng.choice(np.array(self.noise, np.float32), count)),
        )


def _rotations(sizes: np.ndarray, largest: int, rng: np.random.Generator) -> torch.Tensor:
    """Return random orthogonal matrices in the corners of zeros, `[tasks, largest, largest]` float32."""
    made = np.zeros((len(sizes), largest, largest), np.float32)
    for matrix, size in zip(made, sizes, strict=True):
        columns, upper = np.linalg.qr(rng.standard_normal((size, size)))
        matrix[:size, :size] = columns * np.sign(np.diag(upper))  # so all rotations are equally likely
    return torch.from_numpy(made)


@dataclass(frozen=True)
class SearchFunctions(LifetimeProblem):
    """Search functions of which nothing is known but values (Lange et al. 2023)."""

    name: ClassVar[str] = "black-box-v1"
    accepts: ClassVar[type] = SearchRules
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("log_least", maximize=False),)

    tasks: TaskDistribution = field(default_factory=RandomFunctions)
    lifetime: Lifetime = field(default_factory=SearchBlackBox)
    count: int = 16
