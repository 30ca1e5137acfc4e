"""The search of weight agnostic neural networks: Gaier & Ha 2019 (arXiv:1906.04358), section 3.

Every generation, all networks are scored with the same series of shared weights. They are ranked by Pareto fronts
and crowding: in 80 % of generations by mean score and number of connections, in 20 % by mean score and score with
the best weight. The worst are culled, the best live on unchanged, the rest are children of tournament winners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms.ranking import pareto_order, score_order
from evo.genome import Genome
from evo.outcome import Outcomes
from evo.search import Search


@dataclass(frozen=True)
class WeightAgnosticSearch(Algorithm):
    """The search of weight agnostic neural networks (Gaier & Ha 2019).

    Attributes:
        population: networks in a generation.
        complexity_probability: how often a generation is ranked by mean score and complexity, rather than by mean
            score and score with the best weight.
        cull_ratio: the share of a generation, its worst, that has no children.
        elite_ratio: the share of the rest, its best, that lives on unchanged.
        tournament_size: how many compete to become a parent.
        published: do as the published code where it differs from the paper: crowding distances scaled by
            abs(1 / max - min), and parents the better of two tournament winners.
        mean_only: rank by mean score alone where the paper ranks by mean and complexity, and by mean and complexity
            where it ranks by mean and best weight, as the authors' later code does.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "weight-agnostic-search"
    from_rows: ClassVar[bool] = True

    population: int = 192
    complexity_probability: float = 0.8
    cull_ratio: float = 0.2
    elite_ratio: float = 0.2
    tournament_size: int = 8
    published: bool = False
    mean_only: bool = False

    def __post_init__(self) -> None:
        whole = (self.population, self.tournament_size)
        if not all(isinstance(number, int) and number >= 1 for number in whole):
            raise ValueError(
                f"WeightAgnosticSearch: population and tournament_size are whole numbers from 1 up, got {whole[0]} "
                f"and {whole[1]}"
            )
        shares = (self.complexity_probability, self.elite_ratio)
        if not (all(0 <= share <= 1 for share in shares) and 0 <= self.cull_ratio < 1):
            raise ValueError(
                f"WeightAgnosticSearch: complexity_probability and elite_ratio are from 0 to 1, and cull_ratio below "
                f"1, or nobody would have children; got {shares[0]}, {shares[1]} and {self.cull_ratio}; shares are "
                f"not percentages"
            )

    def run(self, search: Search) -> None:
        """Evolve for `search.generations` generations."""
        genome, rows = search.begin(self.population)
        outcomes = search.evaluate(genome, rows)
        while search.generation < search.generations:
            rows = outcomes.inherited(rows)
            ranked = rows[self._order(search, genome, rows, outcomes)]
            pool = ranked[: self.population - int(self.cull_ratio * self.population)]
            elites = pool[: int(self.elite_ratio * len(pool))]
            parents = pool[self._tournaments(search, len(pool), self.population - len(elites))]
            children = search.breed(genome, parents)
            genome, rows = genome.fit(torch.cat((elites, children)))
            outcomes = search.evaluate(genome, rows)

    def _order(self, search: Search, genome: Genome, rows: torch.Tensor, outcomes: Outcomes) -> torch.Tensor:
        """Return the individuals from best to worst."""
        scores = search.fitness(outcomes)
        mean, best = scores[:, 0], scores[:, min(1, scores.shape[1] - 1)]
        by_complexity = search.rng("ranking").random() < self.complexity_probability
        if self.mean_only and by_complexity:
            return score_order(mean)
        if self.mean_only or by_complexity:
            best = 1.0 / genome.complexity(rows).clamp(min=1.0)
        return pareto_order(torch.stack((mean, best.to(mean)), dim=1), self.published)

    def _tournaments(self, search: Search, entrants: int, count: int) -> torch.Tensor:
        """Return `count` winners as places in the order of rank: of each tournament the lowest."""
        size = self.tournament_size * (2 if self.published else 1)
        draws = search.rng("tournaments")
        like = torch.zeros(1, device=search.device)
        return seeds.integers(draws, entrants, (count, size), like).min(1).values
