"""DEAP's evolutionary loops, stock or the user's own, run unchanged on any genome and problem.

Source: DEAP, Fortin et al. 2012; its `eaSimple` (Back, Fogel & Michalewicz 2000, chapter 7), `eaMuPlusLambda` and
`eaMuCommaLambda`; selections: NSGA-II, Deb et al. 2002; NSGA-III, Deb & Jain 2014; lexicase, Spector 2012; automatic
epsilon lexicase, La Cava et al. 2016.

What is built around here: DEAP evaluates one by one (a batch `map` evaluates a generation at once), draws from global
generators (lent to it, and put back), lets NaN win (a failed evaluation is infinitely bad, and never selected while
any other succeeded), sorts slowly by default (`nd="log"`), and may put one object into a population twice (NSGA-II and
NSGA-III take each object once, if that is enough). Survivors are not measured again, whether or not scores are noisy.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, ClassVar

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms.deap_individual import Herd, Individual, OutOfGenerationsError
from evo.algorithms.global_random import LentGenerators

if TYPE_CHECKING:
    from evo.search import Search

Population = list[Individual]
Select = Callable[[Population, int], Population]

LOOPS = ("eaSimple", "eaMuPlusLambda", "eaMuCommaLambda")
DRAWING = ("tournament", "lexicase", "epsilon_lexicase")
TRUNCATING = ("nsga2", "nsga3")


@dataclass(frozen=True)
class DeapLoop(Algorithm):
    """A loop of `deap.algorithms`, or one with the same habits.

    It ends when `search.generations` generations have been evaluated. A generation in which nothing has varied
    evaluates nothing and does not count: a stock loop goes on for as long as anything varies at all. A user's own loop
    may also end by itself.

    Attributes:
        loop: "eaSimple", "eaMuPlusLambda" or "eaMuCommaLambda"; in Python also a function of the population, the
            toolbox (see `toolbox_for`) and the search.
        population: individuals, mu.
        offspring: children per generation in the mu-lambda loops; 0 for as many as the population.
        crossover_probability: of mating; in the mu-lambda loops a child is either mated, or mutated, or copied.
        mutation_probability: of mutating.
        select: "tournament" (the first objective decides, later ones break ties), "lexicase", "epsilon_lexicase" (each
            objective is a case), "nsga2" (with one objective: the best) or "nsga3".
        tournament_size: contestants in a tournament.

    Raises:
        ValueError: a setting is unknown or outside its range, or the selection does not fit the loop.
    """

    name: ClassVar[str] = "deap-loop"
    loop: str | Callable[[Population, Any, Search], object] = "eaMuPlusLambda"
    population: int = 100
    offspring: int = 0
    crossover_probability: float = 0.5
    mutation_probability: float = 0.5
    select: str = "nsga2"
    tournament_size: int = 3

    def __post_init__(self) -> None:
        if isinstance(self.loop, str) and self.loop not in LOOPS:
            raise ValueError(f"DeapLoop: loop must be one of {', '.join(LOOPS)} or a function, got {self.loop!r}")
        if self.select not in DRAWING + TRUNCATING:
            raise ValueError(f"DeapLoop: select must be one of {', '.join(DRAWING + TRUNCATING)}, got {self.select!r}")
        if self.population < 2 or self.offspring < 0 or self.tournament_size < 1:
            raise ValueError(
                f"DeapLoop: expected population >= 2, offspring >= 0 (0: as many as the population) and "
                f"tournament_size >= 1, got {self.population}, {self.offspring} and {self.tournament_size}"
            )
        self._check_probabilities()
        self._check_selection()

    def _check_probabilities(self) -> None:
        both = (self.crossover_probability, self.mutation_probability)
        if not all(0 <= one <= 1 for one in both):
            raise ValueError(f"DeapLoop: probabilities lie between 0 and 1, got crossover and mutation {both}")
        if self.loop in LOOPS[1:] and sum(both) > 1:
            raise ValueError(
                f"DeapLoop: in {self.loop} a child is mated or mutated, never both, so crossover_probability + "
                f"mutation_probability must be at most 1, got {both}"
            )

    def _check_selection(self) -> None:
        children = self.offspring or self.population
        if self.loop == "eaMuCommaLambda" and children < self.population:
            raise ValueError(
                f"DeapLoop: eaMuCommaLambda selects its {self.population} survivors among the children, but there are "
                f"only {children}; raise offspring"
            )
        comma_without_choice = self.loop == "eaMuCommaLambda" and children == self.population
        if self.select in TRUNCATING and (self.loop == "eaSimple" or comma_without_choice):
            raise ValueError(
                f"DeapLoop: {self.loop} selects {self.population} of {self.population}, which {self.select} does by "
                f"taking all: choose select='tournament'"
                + (", or raise offspring to several times the population" if comma_without_choice else "")
            )

    def run(self, search: Search) -> None:
        """Sample a population and hand it to the loop, with DEAP's generators seeded from the search's seed."""
        if search.generations < 1:
            return
        generators = LentGenerators(seeds.torch_seed(search.seed, "deap"))
        toolbox = toolbox_for(search, self.select, self.tournament_size, generators)
        with generators.swapped():
            try:
                self._run(toolbox.population(n=self.population), toolbox, search)
            except OutOfGenerationsError:
                return  # a loop of the user's own need not count its generations

    def _run(self, population: Population, toolbox: Any, search: Search) -> None:
        if callable(self.loop):
            self.loop(population, toolbox, search)
            return
        evaluated = -1
        while evaluated < search.generation < search.generations:
            evaluated = search.generation
            self._run_stock(population, toolbox, search.generations - 1)

    def _run_stock(self, population: Population, toolbox: Any, generations: int) -> None:
        from deap import algorithms

        sizes = {} if self.loop == "eaSimple" else {"mu": self.population, "lambda_": self.offspring or self.population}
        getattr(algorithms, str(self.loop))(
            population,
            toolbox,
            cxpb=self.crossover_probability,
            mutpb=self.mutation_probability,
            ngen=generations,
            verbose=False,
            **sizes,
        )


def toolbox_for(
    search: Search, select: str = "nsga2", tournament_size: int = 3, generators: LentGenerators | None = None
) -> Any:
    """Return a `deap.base.Toolbox` for a search: scripts written for DEAP run with it unchanged.

    Registered are `individual()`, `population(n=...)`, `clone`, `mate`, `mutate`, `evaluate`, `map` and `select`. `map`
    of `evaluate` scores all individuals in one call and counts one generation. Mating and mutating are the genome's and
    draw from the search; only the loop and the selection draw from DEAP's global generators. Register `mate`, `mutate`
    or `select` anew for others; individuals read and write like lists of genes.

    Args:
        search: whose genome and problem are used.
        select: see `DeapLoop`.
        tournament_size: contestants in a tournament.
        generators: what to keep apart from the evaluations; None where the caller seeds DEAP himself.
    """
    from deap import base

    herd = Herd(search, generators)
    toolbox = base.Toolbox()
    for name in ("individual", "population", "clone", "mate", "mutate", "evaluate", "map"):
        toolbox.register(name, getattr(herd, name))
    toolbox.register("select", selection(select, tournament_size, len(search.objectives)))
    return toolbox


def selection(name: str, tournament_size: int, objectives: int) -> Select:
    """Return a DEAP selection by name, made safe against failed evaluations.

    Raises:
        ValueError: NSGA-III is asked for with a single objective.
    """
    from deap import tools

    if name == "nsga3" and objectives < 2:
        raise ValueError("select='nsga3' spreads survivors over several objectives, but there is one: choose 'nsga2'")
    if name == "nsga3":
        points = tools.uniform_reference_points(objectives, p=_reference_divisions(objectives))
        return partial(_truncate, partial(tools.selNSGA3, ref_points=points, nd="log"))
    if name == "nsga2":  # of one objective the log sort makes an IndexError, and there are no fronts to spread over
        return partial(_truncate, partial(tools.selNSGA2, nd="log") if objectives > 1 else tools.selBest)
    if name == "tournament":
        return partial(_draw, partial(tools.selTournament, tournsize=tournament_size))
    return partial(_draw, tools.selLexicase if name == "lexicase" else tools.selAutomaticEpsilonLexicase)


def _reference_divisions(objectives: int) -> int:
    """Return how finely NSGA-III divides each objective: Deb & Jain 2014, table I."""
    return 12 if objectives <= 3 else 6 if objectives <= 5 else 3


def _succeeded(individual: Individual) -> bool:
    return all(map(math.isfinite, individual.fitness.wvalues))


def _draw(select: Select, individuals: Population, k: int) -> Population:
    """Draw `k` individuals, with repetition, among those whose evaluation succeeded if there are any."""
    succeeded = [one for one in individuals if _succeeded(one)]
    if succeeded:
        return select(succeeded, k)
    return random.choices(individuals, k=k)  # noqa: S311 (DEAP's generator, no secrets)


def _truncate(select: Select, individuals: Population, k: int) -> Population:
    """Select `k` individuals among those whose evaluation succeeded if there are any: each once, if that is enough."""
    distinct = list({id(one): one for one in individuals}.values())
    succeeded = [one for one in distinct if _succeeded(one)]
    return select(succeeded, k) if len(succeeded) >= k else list(islice(cycle(succeeded or distinct), k))
