"""Pull one of some arms, some times, and earn all you can: Bernoulli bandits, `bernoulli-bandits-v1`.

Inputs: the arm pulled last, one-hot, and whether it won, 0 or 1; all 0 at first. Outputs: a logit for each arm; one is
drawn from their softmax, or the largest is taken (`lifetime=Recurrent(greedy=True)`).
Objective: "reward", wins in a trial, the mean over tasks (less than that with a `shortfall_power`). In the mean random
play earns half the pulls, knowing the best arm pulls * arms / (arms + 1); what can be earned without knowing is exact
for short trials (`bayes_optimal`), and for long ones what the Gittins index earns (`bandit_baselines`) is close to it.
Tasks: each arm's chance to win is uniform on [0, 1].
Start and end: the memory is empty at the first pull; a trial is `pulls` pulls.
Version: 1.

Source: Duan et al. 2016 (RL2, arXiv:1611.02779), section 3.1, with 10, 100 and 500 pulls of 5, 10 and 50 arms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.learning.lifetimes.base import Lifetime, Lives
from evo.learning.lifetimes.recurrent import Recurrent
from evo.markov import MarkovTasks
from evo.meta import LifetimeProblem
from evo.policies import RecurrentPolicies
from evo.problem import Objective
from evo.tasks import TaskDistribution


@final
@dataclass(frozen=True)
class BernoulliBandits(TaskDistribution):
    """Arms whose chances to win are uniform on [0, 1].

    Attributes:
        pulls: of a trial.
        arms: of a task.
    """

    pulls: int = 10
    arms: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pulls < 1 or self.arms < 1:
            raise ValueError(f"BernoulliBandits: pulls and arms are 1 or more, got {self.pulls} and {self.arms}")

    def draw(self, count: int, rng: np.random.Generator) -> MarkovTasks:
        """Return `count` bandits."""
        return bandits(rng.random((count, self.arms)), self.pulls)


def bandits(chances: np.ndarray, pulls: int) -> MarkovTasks:
    """Return bandits whose arms win with the chances `[tasks, arms]`, to be pulled so often."""
    rewards = torch.from_numpy(np.asarray(chances, np.float32))[:, None]
    return MarkovTasks(rewards, torch.ones(*rewards.shape, 1), episodes=pulls, binary=True)


@dataclass(frozen=True)
class Bandits(LifetimeProblem):
    """Earn all you can from a few pulls of unknown arms (Duan et al. 2016).

    Attributes:
        shortfall_power: 1 for the mean reward. Above, the score is the pulls less the power mean of those not won, so
            that a trial that goes badly costs more than one that goes as much better gains: a policy that never tries
            one of the arms loses much where that is the best one, and little in the mean. Scores of different powers
            do not compare, and are less than the mean reward, which is measured as "after".

    Raises:
        ValueError: shortfall_power is below 1.
    """

    name: ClassVar[str] = "bernoulli-bandits-v1"
    accepts: ClassVar[type] = RecurrentPolicies
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("reward"),)

    tasks: TaskDistribution = field(default_factory=BernoulliBandits)
    lifetime: Lifetime = field(default_factory=Recurrent)
    count: int = 128
    shortfall_power: float = field(default=1.0, kw_only=True, metadata={"later": True})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1.0 <= self.shortfall_power < math.inf:
            raise ValueError(f"Bandits: shortfall_power is 1 or more, got {self.shortfall_power}")

    def score(self, lives: Lives) -> torch.Tensor:
        """Return the scores `[n, 1]`: the pulls of a trial less the power mean, over tasks, of those not won."""
        if self.shortfall_power == 1.0:
            return super().score(lives)
        pulls = self._bandits.pulls
        lost = (1.0 - lives.scores / pulls).clamp(min=0.0).pow(self.shortfall_power)
        return pulls * (1.0 - lost.mean((1, 2)).pow(1.0 / self.shortfall_power)[:, None])

    def charts(self, phenotypes: RecurrentPolicies) -> list[Chart]:
        """Return the regret over a trial; see `problems.meta.bandit_charts`."""
        from problems.meta.bandit_charts import regrets

        return regrets(self.tasks, self.lifetime, phenotypes)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The arm pulled last, and what it gave."""
        return (*(f"pulled {number}" for number in range(self._bandits.arms)), "won")

    @property
    def outputs(self) -> tuple[str, ...]:
        """A logit for each arm."""
        return tuple(f"arm {number}" for number in range(self._bandits.arms))

    @property
    def _bandits(self) -> BernoulliBandits:
        if not isinstance(self.tasks, BernoulliBandits):
            raise TypeError(f"Bandits: tasks is a BernoulliBandits, got {type(self.tasks).__name__}")
        return self.tasks
