"""A lifetime of a search rule: it searches each task's function for some generations, and is scored by what it found.

Score, to be minimised: the logarithm (base 10) of the least value evaluated, noise left out, over that at the start. So
-3 is a thousandth. Values count from 1e-8, the target of Hansen et al. 2009. Lange et al. 2023 (arXiv:2211.11260,
section 4) standardise a task's least value over the population of rules; here a rule must score the same alone and
among others, and a logarithm makes tasks of any scale count alike too.

All rules meet the same noise: that of samples, of choices and of values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from evo import learned_genetics, learned_recombination, seeds
from evo.black_box import BlackBoxes
from evo.learning.lifetimes.base import Lifetime, Lives
from evo.search_rules import SearchRules
from evo.tasks import Tasks

LEAST = 1e-8


@final
@dataclass(frozen=True)
class SearchBlackBox(Lifetime):
    """Search with the rule that the individual is.

    Attributes:
        population: samples per generation.
        generations: of a search; the first of the form "lga" is drawn around the start.
        standard_deviation: of every coordinate at the start.

    Raises:
        ValueError: a setting is outside its range.
    """

    lives_on: ClassVar[type[Tasks]] = BlackBoxes

    population: int = 16
    generations: int = 50
    standard_deviation: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.population < 2 or self.generations < 1 or not self.standard_deviation > 0:
            raise ValueError(
                f"SearchBlackBox: expected population >= 2, generations >= 1 and standard_deviation above 0, got "
                f"{self.population}, {self.generations} and {self.standard_deviation}"
            )

    def live_together(self, phenotypes: SearchRules, tasks: BlackBoxes, *, seed: int) -> Lives:
        """Return how far down each search came, and, as measured, the least value halfway, `half`."""
        least = self.least(phenotypes, tasks, seed=seed)
        at_start = tasks.values(tasks.starts[None, :, :, None])[..., 0].clamp(min=LEAST)
        down = (least.clamp(min=LEAST) / at_start[..., None]).to(torch.float64).log10()
        return Lives(down[..., -1:], measured={"half": down[..., (self.generations - 1) // 2]})

    def least(self, rules: SearchRules, tasks: BlackBoxes, *, seed: int) -> torch.Tensor:
        """Return the least value evaluated up to each generation, noise left out, `[rules, tasks, generations]`."""
        search = self._genetic if rules.form == "lga" else self._distribution
        values = torch.stack([found.amin(-1) for found in search(rules, tasks, seed)], -1)
        return values.cummin(-1).values

    def _distribution(self, rules: SearchRules, tasks: BlackBoxes, seed: int) -> Iterator[torch.Tensor]:
        """Yield each generation's values."""
        rules = SearchRules(rules.form, rules.parameters.to(tasks.starts))
        start = tasks.starts.repeat(len(rules), 1, 1)
        now = learned_recombination.begin(start, self.standard_deviation)
        for generation in range(self.generations):
            places = now.places(self._normal(tasks, seed, generation))
            values = tasks.values(places)
            yield values
            seen = tasks.disturbed(values, self._disturbance(tasks, seed, generation))
            now = learned_recombination.update(rules, now, places, seen, generation)

    def _genetic(self, rules: SearchRules, tasks: BlackBoxes, seed: int) -> Iterator[torch.Tensor]:
        """Yield each generation's values."""
        rules = SearchRules(rules.form, rules.parameters.to(tasks.starts))
        start = tasks.starts.repeat(len(rules), 1, 1)[..., None]
        places = start + self.standard_deviation * self._normal(tasks, seed, 0)
        values = tasks.values(places)
        yield values
        seen = tasks.disturbed(values, self._disturbance(tasks, seed, 0))
        parents = learned_genetics.begin(seen, self.standard_deviation)
        for generation in range(1, self.generations):
            draws = seeds.rng(seed, "choices", generation)
            uniform = seeds.uniform(draws, (len(tasks), self.population), places)
            gumbel = learned_genetics.gumbel(draws, (len(tasks), self.population, self.population + 1), places)
            born = learned_genetics.births(rules, parents, uniform, generation)
            children = born.places(places, self._normal(tasks, seed, generation))
            values = tasks.values(children)
            yield values
            seen = tasks.disturbed(values, self._disturbance(tasks, seed, generation))
            which = learned_genetics.successors(rules, parents, seen, gumbel)
            parents = learned_genetics.succeeded(parents, born, seen, which)
            places = learned_genetics.taken(torch.cat((children, places), -1), _source(which, self.population))

    def _normal(self, tasks: BlackBoxes, seed: int, generation: int) -> torch.Tensor:
        """Return the samples' noise, `[tasks, coordinates, population]`."""
        shape = (*tasks.starts.shape, self.population)
        return seeds.normal(seeds.rng(seed, "samples", generation), shape, tasks.starts)

    def _disturbance(self, tasks: BlackBoxes, seed: int, generation: int) -> torch.Tensor:
        """Return the values' noise, `[tasks, population]`."""
        return seeds.normal(seeds.rng(seed, "values", generation), (len(tasks), self.population), tasks.starts)


def _source(which: torch.Tensor, children: int) -> torch.Tensor:
    """Return where a place's next holder stands among children and then parents, for who succeeds to it."""
    parents = torch.arange(which.shape[-1], device=which.device)
    return torch.where(which == children, children + parents, which)
