"""The evolution strategy that scales: mirrored noise around a centre, ranks, and Adam on the estimated gradient.

A generation is the centre itself, then `population` samples in pairs `centre +- deviation * noise`. Their ranks, from
-1/2 to 1/2, weigh the noise, and Adam moves the centre up the estimate, with a rate that may decay. The columns of the
field that `genome.weights` names are moved; all others stay those of the first row sampled. All of a generation are
measured with the same draws, so the two of a pair differ by their noise alone.

Unlike `PGPE`, it needs no library, has a rate that decays, and measures the centre,
which is what it comes to: `center.json` has its genes.

Source: Salimans et al. 2017 (Evolution strategies as a scalable alternative to reinforcement learning, arXiv
1703.03864), algorithm 1 and section 2.1, and its published code (mirrored samples, centred ranks, Adam, weight decay);
Adam: Kingma & Ba 2015, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms.distribution import weight_columns, with_weights, worst_for_failed
from evo.center import described

if TYPE_CHECKING:
    from evo.search import Search


@final
@dataclass(frozen=True)
class EvolutionStrategy(Algorithm):
    """Mirrored noise around a centre, ranks, and Adam (Salimans et al. 2017); for thousands of weights, noisy scores.

    Attributes:
        population: samples per generation, an even number; the centre is measured besides.
        standard_deviation: of the noise.
        learning_rate: Adam's, about how far each weight moves at first in a generation.
        decay: what the rate is multiplied with each generation; 0.1 ** (1 / generations) ends at a tenth.
        lowest_rate: what the rate does not fall below.
        weight_decay: the share of the centre that is taken off the estimate before Adam sees it.
    """

    name: ClassVar[str] = "evolution-strategy"
    population: int = 64
    standard_deviation: float = 0.1
    learning_rate: float = 0.03
    decay: float = 1.0
    lowest_rate: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.population < 2 or self.population % 2:
            raise ValueError(
                f"EvolutionStrategy: population must be even and 2 or more, because samples come in pairs, got "
                f"{self.population}"
            )
        for name in ("standard_deviation", "learning_rate", "decay"):
            if not getattr(self, name) > 0:
                raise ValueError(f"EvolutionStrategy: {name} must be more than 0, got {getattr(self, name)}")

    def run(self, search: Search) -> None:
        """Sample, evaluate and move the centre, a generation per step.

        Raises:
            TypeError: the genome has no weights to move.
        """
        columns = weight_columns(search)
        template = search.sample(1)
        center = template[0, columns].to(torch.float64)
        search.leave("center", lambda: described(search, with_weights(template, columns, center[None])))
        adam = _Adam(center)
        while search.generation < search.generations:
            rate = max(self.lowest_rate, self.learning_rate * self.decay**search.generation)
            noise = seeds.normal(search.rng("noise"), (self.population // 2, len(center)), center)
            moves = self.standard_deviation * noise
            weights = torch.cat((center[None], center + moves, center - moves))
            rows = search.identify(search.genome, with_weights(template, columns, weights))
            scores = worst_for_failed(search.fitness(search.evaluate(search.genome, rows))[:, 0])
            gradient = estimate(scores[1:], noise)
            center = center + adam.step(gradient - self.weight_decay * center, rate)


def estimate(scores: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Return the gradient `[E]` up the scores `[2 n]` of samples with `noise` `[n, E]`, and then with its negative.

    Not divided by the noise's deviation: Adam takes no notice of a factor (as in the published code).
    """
    pairs = centred_ranks(scores).view(2, -1)
    return (pairs[0] - pairs[1]) @ noise / len(scores)


def centred_ranks(scores: torch.Tensor) -> torch.Tensor:
    """Return ranks `[n]` from -1/2 for the lowest score to 1/2 for the highest; equal scores share their mean rank.

    So two of a pair that score the same do not move the centre.
    """
    less = (scores[:, None] > scores).sum(1)
    same = (scores[:, None] == scores).sum(1)
    return (less + (same - 1) / 2).to(torch.float64) / (len(scores) - 1) - 0.5


class _Adam:
    """Adam's moments, and the step that they make (Kingma & Ba 2015, algorithm 1)."""

    def __init__(self, like: torch.Tensor) -> None:
        self.mean, self.square, self.steps = torch.zeros_like(like), torch.zeros_like(like), 0

    def step(self, gradient: torch.Tensor, rate: float) -> torch.Tensor:
        """Return how far to go up the gradient."""
        self.steps += 1
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = 0.999 * self.square + 0.001 * gradient.square()
        mean, square = self.mean / (1 - 0.9**self.steps), self.square / (1 - 0.999**self.steps)
        return rate * mean / (square.sqrt() + 1e-8)
