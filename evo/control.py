"""The contract of a control problem whose physics is written once: elementwise functions of `evo.lanes`.

The same `observe` and `advance` run as torch code on any device and, compiled, inside one kernel with the networks.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from evo.lanes import Lanes
from evo.networks import Networks
from evo.outcome import Outcomes, outcomes_of
from evo.problem import NetworkProblem, Objective

State = tuple[Lanes, ...]


@dataclass(frozen=True)
class ControlProblem(NetworkProblem):
    """Episodes of a simulated system, with a network as controller.

    Subclasses give `states`, `inputs`, `outputs`, `start`, `observe` and `advance`. Numbers in `observe` and
    `advance` are written as floats (2.0, not 2); both are static methods, pure, with no branches but `where`.

    Attributes:
        shared_weights: the values that all edges' weights take in turn; empty for the networks' own weights.
        episodes: how many starts every network (and shared weight) is measured from.
        steps: the longest an episode lasts.
    """

    episodes: int = 3
    steps: int = 1000
    states: ClassVar[tuple[str, ...]] = ()

    @property
    def stochastic(self) -> bool:
        """True: starts are drawn anew for every evaluation."""
        return True

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The mean total reward, and with shared weights the mean with the weight that suits a network best."""
        return (Objective("reward"), Objective("best_weight_reward")) if self.shared_weights else (Objective("reward"),)

    @abstractmethod
    def start(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        """Return the states `[episodes, states]` that episodes start from."""

    @staticmethod
    @abstractmethod
    def observe(state: State) -> tuple[Lanes, ...]:
        """Return what the network sees of a state, a number per input."""

    @staticmethod
    @abstractmethod
    def advance(state: State, action: tuple[Lanes, ...]) -> tuple[State, Lanes, Lanes]:
        """Return the state one step on, the step's reward, and whether the episode ends with it."""

    @staticmethod
    def scene(state: State) -> tuple[Any, ...]:
        """Return what a state looks like: shapes for the champion's page, drawn in this order; none unless overridden.

        Written like `observe` and `advance`, as it runs in the page too. Lengths are in metres, or in whatever unit
        the states are, and y points up: ("line", x1, y1, x2, y2), ("box", centre x, centre y, width, height) or
        ("circle", centre x, centre y, radius). The shapes are the same ones, in the same order, for every state.
        """
        return ()

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        """Play the same episodes with every network and every shared weight; see `Problem.evaluate`."""
        from evo.evaluation.episodes import play

        scale = torch.tensor(self.scale()).repeat_interleave(self.episodes)
        start = torch.from_numpy(self.start(self.episodes, rng).T.astype(np.float32)).repeat(1, len(self.scale()))
        rewards, _ = play(self, self.networks(phenotypes), start, scale)
        trials = rewards.view(len(phenotypes), len(self.scale()), self.episodes).to(torch.float64)
        return self.scored(trials)

    def scored(self, trials: torch.Tensor) -> Outcomes:
        """Return the outcomes of total rewards `[n, shared weights, episodes]`."""
        per_weight = trials.mean(2)
        scores = [per_weight.mean(1), per_weight.max(1).values][: len(self.objectives)]
        return outcomes_of(torch.stack(scores, 1), {"reward": trials})
