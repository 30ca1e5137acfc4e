"""Search distributions over a genome's weights: SNES, XNES, PGPE, CEM and CMA-ES, as EvoTorch runs them.

The columns of the field that `genome.weights` names are drawn from a normal distribution that moves towards better
scores; all other columns stay those of the first row sampled, whose weights are where the distribution starts. So a
network's structure is fixed while its weights are optimised.

Sources: SNES and XNES, Wierstra et al. 2014 (Natural Evolution Strategies, sections 3 and 4); PGPE, Sehnke et al.
2010, with ClipUp, Toklu et al. 2020; CEM, Rubinstein 1999; CMA-ES, Hansen 2016 (The CMA Evolution Strategy: A
Tutorial). Searchers: EvoTorch, Toklu et al. 2023.

Any of them can be drawn back to where it started after every update (anchored weight decay, Schweighofer et al. 2026):
what an evolution strategy forgets, it forgets by wandering where the score does not hold it.

Only the first objective counts. Weights know no bounds: a genome that has some clips when it expresses. A failed
evaluation counts as the worst score of its generation that did not fail, or 0 where all failed.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms import evotorch_problem
from evo.algorithms.global_random import LentGenerators

if TYPE_CHECKING:
    from evo.search import Search


@dataclass(frozen=True)
class DistributionSearch(Algorithm):
    """What the searchers of this file have in common; subclasses say which EvoTorch class runs, with which settings.

    Attributes:
        anchored_decay: the share of its way from the start that the centre goes back after each update, from 0 to 1.
    """

    anchored_decay: float = field(default=0.0, kw_only=True, metadata={"later": True})

    def __post_init__(self) -> None:
        if not 0.0 <= self.anchored_decay <= 1.0:
            raise ValueError(
                f"{type(self).__name__}: anchored_decay is a share from 0 to 1 of the way back to the start, got "
                f"{self.anchored_decay}"
            )

    @abstractmethod
    def searcher(self, problem: Any, center: torch.Tensor) -> Any:
        """Return an `evotorch.algorithms.SearchAlgorithm` that starts at the weights `center` `[E]`."""

    def run(self, search: Search) -> None:
        """Sample, evaluate and move the distribution, a generation per step.

        Raises:
            TypeError: the genome has no weights to move.
        """
        columns = weight_columns(search)
        template = search.sample(1)
        center = template[0, columns].cpu()

        seed = seeds.torch_seed(search.seed, f"searcher {self.name}")
        generators = LentGenerators(seed)

        def score(weights: torch.Tensor) -> torch.Tensor:
            rows = search.identify(search.genome, with_weights(template, columns, weights))
            with generators.swapped():
                outcomes = search.evaluate(search.genome, rows)
            return worst_for_failed(search.fitness(outcomes)[:, 0]).cpu()

        # always on the CPU, so that a population evaluated on a GPU is drawn like any other
        problem = evotorch_problem.batch_problem(score, len(center), dtype=center.dtype, seed=seed)
        with generators.swapped():
            with evotorch_problem.quiet():
                searcher = self.searcher(problem, center)
            if self.anchored_decay:
                draw_back(searcher, center, self.anchored_decay)
            while search.generation < search.generations:
                searcher.step()


def weight_columns(search: Search) -> slice:
    """Return the columns of the search's genome that hold its weights."""
    genome = search.genome
    if genome.weights is None:
        raise TypeError(
            f"{type(genome).__name__} names no field in `weights`, so a search distribution has nothing to move: set "
            f"the class attribute `weights` to a field of real numbers, or use an algorithm that mutates, such as "
            f"MuPlusLambda"
        )
    return genome.layout.columns(genome.weights)


def with_weights(template: torch.Tensor, columns: slice, weights: torch.Tensor) -> torch.Tensor:
    """Return copies `[n, L]` of a row `[1, L]` with weights `[n, E]` in the columns given."""
    rows = template.repeat(len(weights), 1)
    rows[:, columns] = weights.to(rows)
    return rows


def draw_back(searcher: Any, start: torch.Tensor, share: float) -> None:
    """Have an EvoTorch searcher's centre go a share of the way back to `start` `[E]` after each update.

    It is done before the next samples are drawn: of those already drawn, a centre moved would falsify the gradient.
    """
    if hasattr(searcher, "m"):  # CMA-ES moves its centre at the end of a step
        step = searcher._step

        def step_and_return() -> None:
            step()
            searcher.m = torch.lerp(searcher.m, start.to(searcher.m), share)

        searcher._step = step_and_return
        return
    update = searcher._update_distribution

    def update_and_return(gradients: Any) -> None:
        update(gradients)
        moved = searcher._distribution.parameters["mu"]
        center = torch.lerp(moved, start.to(moved), share)
        searcher._distribution = searcher._distribution.modified_copy(mu=center)

    searcher._update_distribution = update_and_return


def worst_for_failed(scores: torch.Tensor) -> torch.Tensor:
    """Return scores `[n]` with the lowest finite one in place of NaN; 0 where there is none."""
    finite = scores[scores.isfinite()]
    return torch.where(scores.isfinite(), scores, finite.min() if len(finite) else 0.0)


def _check_population(algorithm: SNES | XNES | PGPE | CEM | CMAES) -> None:
    population, deviation = algorithm.population, algorithm.standard_deviation
    if population is not None and population < 2:
        raise ValueError(f"{type(algorithm).__name__}: population must be 2 or more, got {population}")
    if not deviation > 0:
        raise ValueError(f"{type(algorithm).__name__}: standard_deviation must be more than 0, got {deviation}")


@dataclass(frozen=True)
class SNES(DistributionSearch):
    """Separable natural evolution strategy: one standard deviation per weight; quick and good for many weights.

    Attributes:
        population: samples per generation; None for 4 + 3 log(E) with E weights.
        standard_deviation: of every weight at the start.
        center_learning_rate: None for 1.
        standard_deviation_learning_rate: None for 0.2 (3 + log E) / sqrt(E).
        optimizer: moves the centre: "" for plain steps, "adam" or "clipup".
    """

    name: ClassVar[str] = "snes"
    population: int | None = None
    standard_deviation: float = 1.0
    center_learning_rate: float | None = None
    standard_deviation_learning_rate: float | None = None
    optimizer: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_population(self)

    def searcher(self, problem: Any, center: torch.Tensor) -> Any:
        """Return EvoTorch's SNES."""
        return evotorch_problem.load().algorithms.SNES(
            problem,
            stdev_init=self.standard_deviation,
            popsize=self.population,
            center_learning_rate=self.center_learning_rate,
            stdev_learning_rate=self.standard_deviation_learning_rate,
            optimizer=self.optimizer or None,
            center_init=center,
        )


@dataclass(frozen=True)
class XNES(DistributionSearch):
    """Exponential natural evolution strategy: a full covariance; for at most some hundred weights.

    Attributes:
        population: samples per generation; None for 4 + 3 log(E) with E weights.
        standard_deviation: of every weight at the start.
        center_learning_rate: None for 1.
        standard_deviation_learning_rate: None for 0.6 (3 + log E) / (E sqrt(E)).
    """

    name: ClassVar[str] = "xnes"
    population: int | None = None
    standard_deviation: float = 1.0
    center_learning_rate: float | None = None
    standard_deviation_learning_rate: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_population(self)

    def searcher(self, problem: Any, center: torch.Tensor) -> Any:
        """Return EvoTorch's XNES."""
        return evotorch_problem.load().algorithms.XNES(
            problem,
            stdev_init=self.standard_deviation,
            popsize=self.population,
            center_learning_rate=self.center_learning_rate,
            stdev_learning_rate=self.standard_deviation_learning_rate,
            center_init=center,
        )


@dataclass(frozen=True)
class PGPE(DistributionSearch):
    """Policy gradients with parameter-based exploration: pairs mirrored at the centre; robust to noisy scores.

    Attributes:
        population: samples per generation, an even number.
        standard_deviation: of every weight at the start.
        center_learning_rate: the step size of the centre; with ClipUp, half the longest step.
        standard_deviation_learning_rate: of the standard deviations.
        standard_deviation_max_change: the largest part by which a standard deviation changes in a generation.
        optimizer: moves the centre: "clipup", "adam", or "" for plain steps.
        ranking_method: what scores are turned into: "centered", "linear", "nes", "normalized" or "raw".
    """

    name: ClassVar[str] = "pgpe"
    population: int = 100
    standard_deviation: float = 1.0
    center_learning_rate: float = 0.1
    standard_deviation_learning_rate: float = 0.1
    standard_deviation_max_change: float = 0.2
    optimizer: str = "clipup"
    ranking_method: str = "centered"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_population(self)
        if self.population % 2:
            raise ValueError(f"PGPE: population must be even, because samples come in pairs, got {self.population}")

    def searcher(self, problem: Any, center: torch.Tensor) -> Any:
        """Return EvoTorch's PGPE."""
        return evotorch_problem.load().algorithms.PGPE(
            problem,
            popsize=self.population,
            center_learning_rate=self.center_learning_rate,
            stdev_learning_rate=self.standard_deviation_learning_rate,
            stdev_init=self.standard_deviation,
            stdev_max_change=self.standard_deviation_max_change,
            optimizer=self.optimizer or None,
            ranking_method=self.ranking_method,
            center_init=center,
        )


@dataclass(frozen=True)
class CEM(DistributionSearch):
    """Cross-entropy method: the next distribution is that of the best samples.

    Attributes:
        population: samples per generation.
        standard_deviation: of every weight at the start.
        parenthood_ratio: the part of the samples that counts as best, between 0 and 1.
        standard_deviation_min: what standard deviations may not fall below.
        standard_deviation_max_change: the largest part by which a standard deviation changes in a generation; None for
            no limit.
    """

    name: ClassVar[str] = "cem"
    population: int = 100
    standard_deviation: float = 1.0
    parenthood_ratio: float = 0.5
    standard_deviation_min: float = 0.0
    standard_deviation_max_change: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_population(self)
        if not 0 < self.parenthood_ratio < 1 or self.population * self.parenthood_ratio < 2:
            raise ValueError(
                f"CEM: parenthood_ratio must lie between 0 and 1 and leave two parents or more, "
                f"got {self.parenthood_ratio} of a population of {self.population}"
            )

    def searcher(self, problem: Any, center: torch.Tensor) -> Any:
        """Return EvoTorch's CEM."""
        return evotorch_problem.load().algorithms.CEM(
            problem,
            popsize=self.population,
            parenthood_ratio=self.parenthood_ratio,
            stdev_init=self.standard_deviation,
            stdev_min=self.standard_deviation_min,
            stdev_max_change=self.standard_deviation_max_change,
            center_init=center,
        )


@dataclass(frozen=True)
class CMAES(DistributionSearch):
    """Covariance matrix adaptation evolution strategy: learns which weights go together; for some hundred weights.

    Attributes:
        population: samples per generation; None for 4 + 3 log(E) with E weights.
        standard_deviation: of every weight at the start.
        center_learning_rate: 1 for the published algorithm.
        active: whether bad samples count too, negatively.
        separable: whether only the diagonal of the covariance is learned, which suits thousands of weights.
    """

    name: ClassVar[str] = "cmaes"
    population: int | None = None
    standard_deviation: float = 1.0
    center_learning_rate: float = 1.0
    active: bool = True
    separable: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_population(self)

    def searcher(self, problem: Any, center: torch.Tensor) -> Any:
        """Return EvoTorch's CMA-ES.

        Raises:
            ValueError: there is a single weight.
        """
        if len(center) < 2:
            raise ValueError("CMAES: expected two weights or more, got one: EvoTorch's CMA-ES needs a vector; use SNES")
        return evotorch_problem.load().algorithms.CMAES(
            problem,
            stdev_init=self.standard_deviation,
            popsize=self.population,
            center_init=center,
            c_m=self.center_learning_rate,
            active=self.active,
            separable=self.separable,
        )
