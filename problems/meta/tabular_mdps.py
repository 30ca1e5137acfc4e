"""Find your way in an unknown Markov decision problem, episode after episode: `tabular-mdps-v1`.

Inputs: the state, one-hot; the last action, one-hot; the last reward; whether an episode begins. Outputs: a logit for
each action; one is drawn from their softmax, or the largest is taken (`lifetime=Recurrent(greedy=True)`).
Objective: "reward", the total of a trial, the mean over tasks. Random play earns the number of steps; who knows the
problem from the start 218.5 in ten episodes (`mdp_baselines`).
Tasks: mean rewards are normal with mean 1 and variance 1, a reward is its mean and standard normal noise, and the
chances of the next state are drawn from a flat Dirichlet distribution, for each of 10 states and 5 actions.
Start and end: the memory is empty at the start of a trial; each of its episodes begins in state 0, and ends after 10
steps.
Version: 1.

Source: Duan et al. 2016 (RL2, arXiv:1611.02779), section 3.2, and its published code; Osband, Van Roy & Wen 2016 for
the distribution.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.recurrent import Recurrent
from evo.markov import MarkovTasks
from evo.meta import LifetimeProblem
from evo.policies import RecurrentPolicies
from evo.problem import Objective
from evo.tasks import TaskDistribution


@final
@dataclass(frozen=True)
class RandomMdps(TaskDistribution):
    """Markov decision problems with normal rewards and Dirichlet transitions.

    Attributes:
        episodes: of a trial.
        states, actions: of a problem.
        horizon: steps of an episode.
    """

    episodes: int = 10
    states: int = 10
    actions: int = 5
    horizon: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.episodes, self.actions, self.horizon) < 1 or self.states < 2:
            raise ValueError(
                f"RandomMdps: episodes, actions and horizon are 1 or more and states 2 or more, got {self.episodes}, "
                f"{self.actions}, {self.horizon} and {self.states}; for one state, use BernoulliBandits"
            )

    def draw(self, count: int, rng: np.random.Generator) -> MarkovTasks:
        """Return `count` problems."""
        shape = (count, self.states, self.actions)
        rewards = 1.0 + rng.standard_normal(shape, np.float32)
        transitions = rng.dirichlet(np.ones(self.states), shape).astype(np.float32)
        return MarkovTasks(torch.from_numpy(rewards), torch.from_numpy(transitions), self.horizon, self.episodes)


@dataclass(frozen=True)
class TabularMdps(LifetimeProblem):
    """Earn all you can from a few episodes of an unknown Markov decision problem (Duan et al. 2016)."""

    name: ClassVar[str] = "tabular-mdps-v1"
    accepts: ClassVar[type] = RecurrentPolicies
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("reward"),)

    tasks: TaskDistribution = field(default_factory=RandomMdps)
    lifetime: Lifetime = field(default_factory=Recurrent)
    count: int = 64

    def charts(self, phenotypes: RecurrentPolicies) -> list[Chart]:
        """Return what each episode earns; see `problems.meta.mdp_charts`."""
        from problems.meta.mdp_charts import earnings

        return earnings(self.tasks, self.lifetime, phenotypes)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Where one is, what was done last, and what it gave."""
        states, actions = self._sizes
        place = [f"state {number}" for number in range(states)]
        return (*place, *(f"did {number}" for number in range(actions)), "reward", "episode begins")

    @property
    def outputs(self) -> tuple[str, ...]:
        """A logit for each action."""
        return tuple(f"action {number}" for number in range(self._sizes[1]))

    @property
    def _sizes(self) -> tuple[int, int]:
        if not isinstance(self.tasks, RandomMdps):
            raise TypeError(f"TabularMdps: tasks is a RandomMdps, got {type(self.tasks).__name__}")
        return self.tasks.states, self.tasks.actions
