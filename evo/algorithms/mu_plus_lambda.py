"""The (mu + lambda) evolutionary algorithm with Pareto survival, for any genome and any number of objectives.

Source: (mu + lambda), Beyer & Schwefel 2002, section 2; tournaments and survival by front and crowding, NSGA-II,
Deb et al. 2002, section III. The loop and the storage are EvoTorch's (`SearchAlgorithm`, `SolutionBatch`); survival
is our own, because EvoTorch's `take_best` takes arbitrary members of the front that has to be cut.

Beyond NSGA-II, copies are kept out: with a whole-numbered objective such as complexity, copies of one extreme genome
(an empty network) are never dominated and would fill the population. On 30 bits scored by six blocks against their
size, a population of 50 solved none of six runs in 600 generations without this, and all six in 137 on average with it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms import evotorch_problem
from evo.algorithms.evotorch_problem import batch_of, fitness_of, rows_of
from evo.algorithms.ranking import crowding, fronts, repeats

if TYPE_CHECKING:
    from evo.genome import Genome
    from evo.search import Search


@dataclass(frozen=True)
class MuPlusLambda(Algorithm):
    """Parents and children compete for their places in the next generation.

    Attributes:
        population: how many survive each generation, mu.
        offspring: how many children are bred each generation, lambda; 0 for as many as survive.
        crossover_rate: the probability that a child has two parents; mutation follows in any case.
        complexity: whether the genome's complexity is one more objective, to be minimised.
        reevaluate: whether survivors are measured again with each generation's children; None for exactly when scores
            change from generation to generation, so that no one lives on a lucky measurement.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "mu-plus-lambda"
    population: int = 100
    offspring: int = 0
    crossover_rate: float = 0.5
    complexity: bool = False
    reevaluate: bool | None = None

    def __post_init__(self) -> None:
        if self.population < 1 or self.offspring < 0:
            raise ValueError(
                f"MuPlusLambda: expected population >= 1 and offspring >= 0 (0: as many as survive), "
                f"got population={self.population}, offspring={self.offspring}"
            )
        if not 0 <= self.crossover_rate <= 1:
            raise ValueError(f"MuPlusLambda: crossover_rate is a probability from 0 to 1, got {self.crossover_rate}")

    def run(self, search: Search) -> None:
        """Evaluate a first generation, then breed, evaluate and select until `search.generations` are done."""
        searcher = self.searcher(search)
        while search.generation < search.generations:
            searcher.step()

    def searcher(self, search: Search) -> Any:
        """Return this algorithm as an `evotorch.algorithms.SearchAlgorithm`: a generation per `step()`.

        EvoTorch's hooks and loggers can be attached to it; its attributes `population` (a `SolutionBatch`), `genome`
        and `fitness` are the survivors.
        """
        return _searcher_class()(self, search)

    def breed(self, search: Search, genome: Genome, rows: torch.Tensor, fitness: torch.Tensor) -> torch.Tensor:
        """Return children `[offspring, L]` of parents `[n, L]` chosen by binary tournaments."""
        count = self.offspring or self.population
        first = rows[tournaments(fitness, count, search.rng("first parents"))]
        if self.crossover_rate == 0:
            return search.breed(genome, first)
        second = rows[tournaments(fitness, count, search.rng("second parents"))]
        paired = seeds.uniform(search.rng("crossover"), (count, 1), rows) < self.crossover_rate
        return search.breed(genome, first, torch.where(paired, second, first))


def tournaments(fitness: torch.Tensor, count: int, rng: np.random.Generator) -> torch.Tensor:
    """Return the winners `[count]` (int64) of binary tournaments: the better front, then the lonelier, wins.

    Args:
        fitness: `[n, objectives]`, more is better; rows with NaN take no part while there are others.
        count: how many tournaments are held.
        rng: draws the two contestants of each.
    """
    failed = fitness.isnan().any(1)
    contestants = torch.arange(len(fitness), device=fitness.device)[~failed | failed.all()]
    front = fronts(fitness)
    lonely = _loneliness(fitness.nan_to_num(nan=0.0), front)
    one, other = contestants[seeds.integers(rng, len(contestants), (2, count), fitness)]
    wins = (front[one] < front[other]) | ((front[one] == front[other]) & (lonely[one] >= lonely[other]))
    return torch.where(wins, one, other)


def survivors(genes: torch.Tensor, fitness: torch.Tensor, count: int) -> torch.Tensor:
    """Return which `count` individuals survive, `[count]` int64, the best first.

    In this order, each by front and then crowding: the first of every objective vector; with several objectives, later
    ones with genes of their own; exact copies; failed evaluations. With one objective equal scores are plain ties:
    there, keeping one of each score would keep bad ones in place of many good ones.

    Args:
        genes: `[n, columns]`, the rows without their lineage.
        fitness: `[n, objectives]`, more is better; a row with NaN has failed.
        count: how many survive, at most n.
    """
    failed = fitness.isnan().any(1)
    copied = repeats(torch.cat((genes.to(fitness), fitness.nan_to_num(nan=0.0)), dim=1)) > 0
    repeated = repeats(fitness) > 0 if fitness.shape[1] > 1 else copied
    standing = ~(failed | repeated)
    front = fronts(fitness)
    lonely = torch.zeros_like(fitness[:, 0])
    lonely[standing] = _loneliness(fitness[standing], front[standing])
    class_ = copied.to(torch.int64) + repeated
    keys = (-lonely, front, class_, failed)
    order = np.lexsort([key.cpu().numpy() for key in keys])
    return torch.from_numpy(order[:count].copy()).to(fitness.device)


def _loneliness(fitness: torch.Tensor, front: torch.Tensor) -> torch.Tensor:
    """Return the crowding distances `[n]`; 0 with one objective, where a front is a set of equals without ends."""
    return crowding(fitness, front) if fitness.shape[1] > 1 else torch.zeros_like(fitness[:, 0])


@functools.cache
def _searcher_class() -> Any:
    """Return the class of `MuPlusLambda.searcher`, made on first use because EvoTorch takes seconds to import."""
    evotorch = evotorch_problem.load()
    base: Any = evotorch.algorithms.SearchAlgorithm

    class ParetoSearch(base):  # type: ignore[misc]
        def __init__(self, settings: MuPlusLambda, search: Search) -> None:
            self.settings, self.search, self.genome = settings, search, search.genome
            self.again = search.stochastic if settings.reevaluate is None else settings.reevaluate
            self.inherited: torch.Tensor | None = None
            super().__init__(self._make_problem())
            self.population: Any = None

        @property
        def fitness(self) -> torch.Tensor:
            return fitness_of(self.population)

        def _make_problem(self) -> Any:
            objectives = len(self.search.objectives) + self.settings.complexity
            layout = self.genome.layout
            return evotorch_problem.batch_problem(
                self._score, layout.width, objectives, layout.dtype, self.search.device
            )

        def _score(self, rows: torch.Tensor) -> torch.Tensor:
            outcomes = self.search.evaluate(self.genome, rows)
            fitness, self.inherited = self.search.fitness(outcomes), outcomes.rows
            if not self.settings.complexity:
                return fitness
            return torch.cat((fitness, -self.genome.complexity(rows).to(fitness)[:, None]), dim=1)

        def _evaluated(self, batch: Any) -> Any:
            """Return the batch with its fitness, and with what its rows learned where that is inherited."""
            self._problem.evaluate(batch)
            return batch if self.inherited is None else batch_of(self._problem, self.inherited, fitness_of(batch))

        def _make_room(self) -> None:
            """Widen the population where its structures have outgrown the layout: a new problem and batch."""
            old = self.genome.layout
            self.genome, rows = self.genome.fit(rows_of(self.population))
            if self.genome.layout != old:
                self._problem = self._make_problem()
                self.population = batch_of(self._problem, rows, self.fitness)

        def _step(self) -> None:
            if self.population is None:
                sampled = batch_of(self._problem, self.search.sample(self.settings.population))
                self.population = self._evaluated(sampled)
                return
            self._make_room()
            bred = self.settings.breed(self.search, self.genome, rows_of(self.population), self.fitness)
            children = batch_of(self._problem, bred)
            if not self.again:
                children = self._evaluated(children)
            candidates = evotorch.SolutionBatch.cat((self.population, children))
            if self.again:
                candidates = self._evaluated(candidates)
            genes = rows_of(candidates)[:, : self.genome.layout.genes]
            self.population = candidates.take(survivors(genes, fitness_of(candidates), self.settings.population))

    return ParetoSearch
