"""An evolution strategy whose recombination is learned: weights for samples by their scores, rates by its own path.

A generation is `population` samples of independent normal distributions. A rule of the form "des" weighs them by rank
and moves centre and deviations at two fixed rates; one of the form "les" weighs them by attention among their scores,
and sets the rates of each weight anew in every generation. The columns of the field that `genome.weights` names are
moved; all others stay those of the first row sampled. `center.json` has the genes that it has come to.

Without parameters the rule is one that people made: for "des" the strategy that was read off a learned one, weights
softmax(-20 sigmoid(12.5 (rank / (n - 1) - 1/2))) with rates 1 and 0.1; for "les" one that comes close to it. Rules
evolve as genomes (`genomes.evolved_search`) on `problems.meta.black_box`; `from_champion` reads one.

"des" sees ranks alone, so nothing changes where scores change without changing their order. "les" sees standardised
scores too, and is indifferent to their scale and zero only.

Source: Lange et al. 2023 (Discovering evolution strategies via meta-black-box optimization, ICLR, arXiv:2211.11260),
sections 3 and 5; see `evo.learned_recombination`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import torch

from evo import learned_recombination, search_rules, seeds
from evo.algorithm import Algorithm
from evo.algorithms.distribution import weight_columns, with_weights, worst_for_failed
from evo.center import described
from evo.search_rules import SearchRules

if TYPE_CHECKING:
    from evo.search import Search


@final
@dataclass(frozen=True)
class LearnedEvolutionStrategy(Algorithm):
    """An evolution strategy with a learned rule of recombination (Lange et al. 2023); for any number of weights.

    Attributes:
        population: samples per generation.
        standard_deviation: of every weight at the start.
        form: "des" or "les".
        parameters: of the rule, as `evo.search_rules` orders them; empty for the rule of people.

    Raises:
        ValueError: a setting is outside its range, or parameters do not fit the form.
    """

    name: ClassVar[str] = "learned-evolution-strategy"
    population: int = 16
    standard_deviation: float = 1.0
    form: str = "des"
    parameters: tuple[float, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.form not in ("des", "les"):
            raise ValueError(
                f"LearnedEvolutionStrategy: form is 'des' or 'les', got {self.form!r}; for 'lga' there is "
                f"LearnedGeneticAlgorithm"
            )
        if self.population < 2 or not self.standard_deviation > 0:
            raise ValueError(
                f"LearnedEvolutionStrategy: expected population of 2 or more and standard_deviation above 0, got "
                f"{self.population} and {self.standard_deviation}"
            )
        self.rule()

    @classmethod
    def from_champion(cls, path: Path, **settings: Any) -> Self:
        """Return the strategy whose rule a champion file holds; nothing in the file is run.

        Raises:
            ValueError: it holds no such rule.
        """
        form, parameters = search_rules.read(path)
        return cls(form=form, parameters=parameters, **settings)

    def rule(self) -> SearchRules:
        """Return the rule, in double precision."""
        return search_rules.one_rule(self.form, self.parameters)

    def run(self, search: Search) -> None:
        """Sample, evaluate and move the distribution, a generation per step.

        Raises:
            TypeError: the genome has no weights to move.
        """
        columns, rule = weight_columns(search), self.rule()
        template = search.sample(1)
        rule = SearchRules(self.form, rule.parameters.to(template.device))
        now = learned_recombination.begin(template[None, :, columns].to(torch.float64), self.standard_deviation)

        def rows(weights: torch.Tensor) -> torch.Tensor:
            return with_weights(template, columns, weights)

        search.leave("center", lambda: described(search, rows(now.center[0])))
        while search.generation < search.generations:
            generation = search.generation
            noise = seeds.normal(search.rng("noise"), (self.population, now.center.shape[2]), now.center)
            places = now.places(noise.T)
            samples = search.identify(search.genome, rows(places[0, 0].T))
            scores = worst_for_failed(search.fitness(search.evaluate(search.genome, samples))[:, 0])
            now = learned_recombination.update(rule, now, places, -scores[None, None], generation)
