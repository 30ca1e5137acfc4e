"""The contract of a problem: it scores the phenotypes that genomes express to, and knows nothing of genomes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from evo.networks import Networks
from evo.outcome import Outcomes


@dataclass(frozen=True)
class Objective:
    """One number that a problem gives each phenotype, and which way is better."""

    name: str
    maximize: bool = True


class Problem(ABC):
    """What genomes are measured on.

    Subclasses give `objectives` and `evaluate`. Make them frozen dataclasses: their fields are then the settings
    that campaigns and champions record, and that the command line can change.

    Class attributes:
        name: a versioned name, such as "cartpole-swingup-v1"; a change that may move scores counts the version up.
        accepts: the type of phenotypes it scores: `torch.Tensor`, `evo.Networks` or `list`.
    """

    name: ClassVar[str] = ""
    accepts: ClassVar[type] = torch.Tensor

    @property
    @abstractmethod
    def objectives(self) -> tuple[Objective, ...]:
        """What is scored, the most important first. A class attribute will do."""

    @property
    def stochastic(self) -> bool:
        """Whether scores depend on the generator handed to `evaluate`."""
        return False

    @property
    def lifelong(self) -> bool:
        """Whether an evaluation is the next stretch of lives that go on, and scores tell of that stretch alone.

        Algorithms must then go on with the same individuals, as those with `state_in_rows` do: scores of individuals
        that are not equally old do not compare, and old scores no longer hold.
        """
        return False

    def provenance(self) -> dict[str, Any]:
        """Return which data scores rest on, as plain JSON; by default nothing: they rest on no data.

        For problems whose data come from files that may be others elsewhere. Campaigns record it, and do not go on
        with other data.
        """
        return {}

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of a network's inputs, where networks are scored."""
        return ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of a network's outputs, where networks are scored."""
        return ()

    def training_batch(
        self, rng: np.random.Generator
    ) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]] | None:
        """Return what gradient descent learns from; by default None: scores have no gradients, as those of episodes.

        Returns:
            Inputs `[cases, inputs]`, and a differentiable function of a network's outputs `[cases, outputs]` for them:
            the loss, a single number, less is better.
        """
        return None

    @abstractmethod
    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Score a batch of phenotypes.

        All of a generation are measured with the same draws (common random numbers), so a score must not depend on
        a phenotype's place in the batch, nor on its neighbours.

        Args:
            phenotypes: n of them, of the type `accepts`, on any device; they may be views of the genomes, and are to
                be left as they are.
            rng: where all chance comes from.
        """


@dataclass(frozen=True)
class NetworkProblem(Problem):
    """A problem for networks, each measured with its own weights or with a series of shared weights.

    With a series, the first objective is the mean over its weights, and a second one, named `best_weight_...`, the
    score with the weight that suits the network best (Gaier & Ha 2019, section 3).

    Attributes:
        shared_weights: the values that all edges' weights take in turn; empty for the networks' own weights.
    """

    accepts: ClassVar[type] = Networks
    shared_weights: tuple[float, ...] = ()

    def scale(self) -> tuple[float, ...]:
        """Return what weighted sums are multiplied with, a value per measurement: the shared weights, or just 1."""
        return self.shared_weights or (1.0,)

    def networks(self, phenotypes: Networks) -> Networks:
        """Return the networks to run: with weights of 1 where a shared weight takes their place."""
        return phenotypes.with_unit_weights() if self.shared_weights else phenotypes
