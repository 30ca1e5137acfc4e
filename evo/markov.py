"""Decision problems small enough for tables, as tasks: bandits and Markov decision problems, lived through by acting.

A trial is some episodes on one problem, one after the other; who lives through it may remember all of it (Duan et al.
2016, RL2, arXiv:1611.02779, section 2.1). A bandit is a problem with one state and episodes of one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from evo import seeds
from evo.tasks import Tasks


@final
@dataclass(frozen=True)
class MarkovTasks(Tasks):
    """Problems of `states` states and `actions` actions, and how a trial on each goes.

    Attributes:
        rewards: `[tasks, states, actions]` float32, mean rewards; chances to win 1 where `binary`.
        transitions: `[tasks, states, actions, states]` float32, chances of the next state.
        horizon: steps of an episode, which begins in state 0.
        episodes: of a trial.
        binary: whether a reward is 1 or 0, or else its mean and standard normal noise.
    """

    rewards: torch.Tensor
    transitions: torch.Tensor
    horizon: int = 1
    episodes: int = 1
    binary: bool = False

    @property
    def states(self) -> int:
        """How many states there are."""
        return self.rewards.shape[1]

    @property
    def actions(self) -> int:
        """How many actions there are."""
        return self.rewards.shape[2]

    @property
    def steps(self) -> int:
        """Steps of a trial."""
        return self.horizon * self.episodes

    @property
    def inputs(self) -> int:
        """Numbers that are observed at each step; see `observed_inputs`."""
        return observed_inputs(self.states, self.actions)


def observed_inputs(states: int, actions: int) -> int:
    """Return how many numbers are observed at each step: state and last action, one-hot, last reward, episode's end.

    The state, and whether the last step was its episode's last, are left out where there is one state.
    """
    return actions + 1 + (states + 1 if states > 1 else 0)


@final
@dataclass(frozen=True)
class Chance:
    """All that is random in trials on some tasks, the same for all who live through them.

    Attributes:
        policy: `[steps, actions, tasks]`, Gumbel noise: the action with the largest sum of logit and noise is drawn
            as from a softmax (Gumbel 1954).
        reward: `[steps, tasks]`, uniform where rewards are binary, or else standard normal.
        state: `[steps, tasks]`, uniform.
    """

    policy: np.ndarray
    reward: np.ndarray
    state: np.ndarray


def chance(tasks: MarkovTasks, *, seed: int, greedy: bool = False) -> Chance:
    """Return the noise of trials on the tasks, float32; of the policy there is none where it is greedy."""
    count, steps = len(tasks), tasks.steps
    draws = {name: seeds.rng(seed, f"noise of the {name}") for name in ("policy", "reward", "state")}
    policy = np.zeros((steps, tasks.actions, count), np.float32)
    if not greedy:
        uniform = draws["policy"].random(policy.shape, np.float32)
        policy = -np.log(-np.log(np.maximum(uniform, np.float32(1e-12)), dtype=np.float32) + np.float32(1e-12))
    drawn = draws["reward"].random if tasks.binary else draws["reward"].standard_normal
    reward = drawn((steps, count), np.float32)
    some = tasks.states > 1
    state = draws["state"].random((steps, count), np.float32) if some else np.zeros((steps, count), np.float32)
    return Chance(policy, reward, state)
