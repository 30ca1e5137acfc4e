"""Lifetimes in which every network tunes its own weights: one weight search per network, all at the same time.

The search is PGPE (Sehnke et al. 2010) with ClipUp (Toklu et al. 2020) and centred ranks, as EvoTorch's functional
`pgpe` runs it for a batch of distributions. Networks of all structures are one batch: their weights stand in rows
padded with zeros, and every step evaluates all samples of all networks in one call.

EvoTorch's `pgpe_ask` draws from torch's global generator, so samples are drawn here. All networks draw the same noise,
each the part that belongs to its own edges by number, so a network learns the same alone as among others.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from evo import seeds
from evo.algorithms import evotorch_problem
from evo.learning.lifetime import Lifetime
from evo.networks import Networks


@dataclass(frozen=True)
class TunedWeights(Lifetime):
    """Networks tune their own weights, each with a search distribution of its own, and are scored tuned.

    The first objective is tuned; every step draws episodes or cases anew. A network is scored with the centre of its
    distribution, not with the luckiest sample. It costs `steps * population + 1` evaluations of each network.

    Attributes:
        steps: of the search; 0 leaves the networks as they were.
        population: samples per network and step, an even number: they come in pairs, mirrored at the centre.
        standard_deviation: of every weight's samples at the start.
        center_learning_rate: half of the longest step of a network's weights, as a distance.
        standard_deviation_learning_rate: of the standard deviations; 0 leaves them as they are.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "tuned-weights-v1"

    steps: int = 20
    population: int = 20
    standard_deviation: float = 0.5
    center_learning_rate: float = 0.3
    standard_deviation_learning_rate: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = isinstance(self.steps, int) and isinstance(self.population, int)
        if not whole or self.steps < 0 or self.population < 2 or self.population % 2:
            raise ValueError(
                f"TunedWeights: expected whole numbers, steps >= 0 and an even population >= 2, because samples come "
                f"in pairs, got {self.steps} steps and a population of {self.population}"
            )
        positive, rate = (self.standard_deviation, self.center_learning_rate), self.standard_deviation_learning_rate
        if not (all(0 < value < math.inf for value in positive) and 0 <= rate < math.inf):
            raise ValueError(
                f"TunedWeights: standard_deviation and center_learning_rate must be more than 0, and "
                f"standard_deviation_learning_rate 0 or more, got {positive[0]}, {positive[1]} and {rate}"
            )

    def live(self, networks: Networks, seed: int) -> Networks:
        """Return the networks with tuned weights; see `Lifetime.live`."""
        if not self.steps or not len(networks.edge_weights):
            return networks
        functional = _functional()
        counts = edge_counts(networks)
        exists = torch.arange(int(counts.max()), device=networks.device) < counts[:, None]
        center = torch.zeros(exists.shape, dtype=torch.float64, device=networks.device)
        center[exists] = networks.edge_weights.to(center)
        state = self._begin(functional, center)
        samples = networks.tile(self.population)
        for step in range(self.steps):
            weights = self._ask(state, exists, seed, step)
            scores = self._scores(samples.with_weights(weights.transpose(0, 1)[:, exists]), seed, step)
            state = functional.pgpe_tell(state, weights, scores)
        return networks.with_weights(state.optimizer_state.center[exists])

    def _begin(self, functional: Any, center: torch.Tensor) -> Any:
        """Return EvoTorch's state of n searches that start at the centres `[n, edges]`."""
        return functional.pgpe(
            center_init=center,
            center_learning_rate=self.center_learning_rate,
            stdev_init=self.standard_deviation,
            stdev_learning_rate=self.standard_deviation_learning_rate,
            objective_sense="max",
        )

    def _ask(self, state: Any, exists: torch.Tensor, seed: int, step: int) -> torch.Tensor:
        """Return samples `[n, population, edges]` in mirrored pairs; where no edge exists there is no noise."""
        center: torch.Tensor = state.optimizer_state.center
        noise = self._noise(exists.shape[1], seed, step).to(center)
        # without noise a padded column has no gradient, so it adds nothing to the length that ClipUp limits
        moves = (state.stdev * exists)[:, None] * noise
        return center[:, None] + torch.stack((moves, -moves), dim=2).flatten(1, 2)

    def _noise(self, edges: int, seed: int, step: int) -> torch.Tensor:
        """Return standard normal noise `[pairs, edges]`; an edge's does not depend on how many edges there are."""
        draws = seeds.rng(seed, "tuning noise", step)
        return torch.from_numpy(draws.standard_normal((edges, self.population // 2)).T)

    def _scores(self, samples: Networks, seed: int, step: int) -> torch.Tensor:
        """Return the samples' scores `[n, population]`, more is better; failed ones count as their network's worst."""
        outcomes = self.problem.evaluate(samples, seeds.rng(seed, "tuning scores", step))
        sign = 1.0 if self.objectives[0].maximize else -1.0
        scores = sign * outcomes.scores[:, 0].view(self.population, -1).T
        worst = scores.nan_to_num(nan=torch.inf).amin(1, keepdim=True)
        return torch.where(scores.isnan(), torch.where(worst.isinf(), 0.0, worst), scores)


@functools.cache
def _functional() -> Any:
    """Return the module `evotorch.algorithms.functional`, imported on first use."""
    evotorch_problem.load()
    with evotorch_problem.quiet():
        from evotorch.algorithms import functional
    return functional


def edge_counts(networks: Networks) -> torch.Tensor:
    """Return how many edges each network has, `[n]` int64."""
    return networks.edge_offsets[networks.node_offsets].diff()
