"""A genetic algorithm whose selection and step sizes are learned: attention among scores makes all choices.

A generation is `population` children. Attention among the parents gives each its chance to have children; each child's
step size is its parent's times a factor, by attention among the children-to-be; it moves every weight by normal noise
of that size. Then each parent's place goes to one of the children or stays, drawn by attention between the two
generations. The columns of the field that `genome.weights` names are moved, all others are inherited; the first
parents are sampled. There is no crossover.

Without parameters the rule is one that people made: parents by rank, step sizes that stay as they are, and places that
mostly go to the best children where these rank better. Rules evolve as genomes (`genomes.evolved_search`, form "lga").

Scores of parents are those of their birth, as published, also where scores are noisy. The order of individuals, and
the scale and the zero of scores, do not count.

Source: Lange et al. 2023 (Discovering attention-based genetic algorithms via meta-black-box optimization, GECCO,
arXiv:2304.03995), section 3; see `evo.learned_genetics`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import torch

from evo import learned_genetics, search_rules, seeds
from evo.algorithm import Algorithm
from evo.algorithms.distribution import weight_columns, worst_for_failed
from evo.search_rules import SearchRules

if TYPE_CHECKING:
    from evo.search import Search


@final
@dataclass(frozen=True)
class LearnedGeneticAlgorithm(Algorithm):
    """A genetic algorithm with learned selection and step sizes (Lange et al. 2023); for any number of weights.

    Attributes:
        population: parents, and children per generation.
        standard_deviation: the first parents' step size.
        parameters: of the rule, as `evo.search_rules` orders those of "lga"; empty for the rule of people.

    Raises:
        ValueError: a setting is outside its range, or parameters are not as many as there are.
    """

    name: ClassVar[str] = "learned-genetic-algorithm"
    population: int = 16
    standard_deviation: float = 1.0
    parameters: tuple[float, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.population < 2 or not self.standard_deviation > 0:
            raise ValueError(
                f"LearnedGeneticAlgorithm: expected population of 2 or more and standard_deviation above 0, got "
                f"{self.population} and {self.standard_deviation}"
            )
        self.rule()

    @classmethod
    def from_champion(cls, path: Path, **settings: Any) -> Self:
        """Return the algorithm whose rule a champion file holds; nothing in the file is run.

        Raises:
            ValueError: it holds no such rule.
        """
        form, parameters = search_rules.read(path)
        if form != "lga":
            raise ValueError(f"{path}: expected a rule of the form 'lga', got {form!r}; use LearnedEvolutionStrategy")
        return cls(parameters=parameters, **settings)

    def rule(self) -> SearchRules:
        """Return the rule, in double precision."""
        return search_rules.one_rule("lga", self.parameters)

    def run(self, search: Search) -> None:
        """Sample parents and evaluate them, then breed, evaluate and select until `search.generations` are done.

        Raises:
            TypeError: the genome has no weights to move.
        """
        columns = weight_columns(search)
        rows = search.sample(self.population)
        rule = SearchRules("lga", self.rule().parameters.to(rows.device))
        parents = learned_genetics.begin(self._losses(search, rows), self.standard_deviation)
        while search.generation < search.generations:
            uniform = seeds.uniform(search.rng("parents"), (self.population,), parents.losses)
            shape = (self.population, self.population + 1)
            gumbel = learned_genetics.gumbel(search.rng("successors"), shape, parents.losses)
            born = learned_genetics.births(rule, parents, uniform, search.generation)
            weights = rows[:, columns].T.to(torch.float64)[None, None]
            noise = seeds.normal(search.rng("noise"), (self.population, weights.shape[2]), weights)
            fathers = rows[born.parents[0, 0]]
            children = fathers.clone()
            children[:, columns] = born.places(weights, noise.T)[0, 0].T.to(rows)
            search.identify(search.genome, children, fathers)
            losses = self._losses(search, children)
            which = learned_genetics.successors(rule, parents, losses, gumbel)
            parents = learned_genetics.succeeded(parents, born, losses, which)
            stays, child = which[0, 0, :, None] == self.population, which[0, 0].clamp(max=self.population - 1)
            rows = torch.where(stays, rows, children[child])

    def _losses(self, search: Search, rows: torch.Tensor) -> torch.Tensor:
        """Return the losses of rows, `[1, 1, population]`; a failed one's is that of the worst."""
        return -worst_for_failed(search.fitness(search.evaluate(search.genome, rows))[:, 0])[None, None]
