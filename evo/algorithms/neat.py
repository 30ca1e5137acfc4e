"""NEAT, neuroevolution of augmenting topologies, for any genome.

Source: Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", Evolutionary Computation
10(2), sections 3 and 4.1.

Structures start minimal and grow; new ones are kept alive long enough to improve by competing within their species
only. What the paper says of genes (their alignment, mutation and crossover) is the genome's part, so this algorithm
works with any genome that has a distance; `genomes.topology.Topology.neat` is the paper's.

Where the paper is silent, this does as the authors' program: a share of a species survives, plus one. Unlike in the
paper, of two parents of equal fitness the simpler gives the structure, as in that program (section 3.2 draws each
disjoint and excess gene); fitness is shared counting from the generation's worst
(`evo.algorithms.species.Members.offspring`); a species without offspring is gone at once; and the best species are
certain of a place, and of keeping their best genome. The paper's problems always score a genome the same. Where scores
are chance too, whether a species and the whole population get better is judged by means, not by the luckiest score:
that is not in the paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms.species import Members, Species, pick
from evo.search import Search


@dataclass(frozen=True)
class Neat(Algorithm):
    """NEAT: species that share fitness, of genomes that grow (Stanley & Miikkulainen 2002). Only one objective counts.

    Attributes:
        population: genomes in a generation.
        compatibility_threshold: genomes closer than this are of one species; the start value where `target_species`
            is given. Distances are the genome's, so another genome needs another threshold.
        target_species: so many species are aimed at by moving the threshold; 0 for a threshold that stays.
        survival_ratio: the share of a species, its best, that may have offspring.
        champion_above: species with more members than this keep their best one unchanged.
        crossover_rate: the probability that a child has two parents; all are mutated.
        interspecies_mating_rate: the probability that the second of them is of any species.
        stagnation: how many generations without improvement end a species.
        narrowing: after more generations than this without a new best fitness, only the best species have offspring.
        species_elitism: how many species, those with the best members, have offspring and keep their best one in any
            case.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "neat"

    population: int = 150
    compatibility_threshold: float = 3.0
    target_species: int = 0
    survival_ratio: float = 0.2
    champion_above: int = 5
    crossover_rate: float = 0.75
    interspecies_mating_rate: float = 0.001
    stagnation: int = 15
    narrowing: int = 20
    species_elitism: int = 2

    def __post_init__(self) -> None:
        least_one = {name: getattr(self, name) for name in ("population", "stagnation", "narrowing", "species_elitism")}
        least_none = (self.target_species, self.champion_above)
        whole = all(isinstance(number, int) for number in (*least_one.values(), *least_none))
        if not whole or min(least_one.values()) < 1 or min(least_none) < 0:
            raise ValueError(
                f"Neat: {', '.join(least_one)} are whole numbers, at least 1, and target_species and champion_above "
                f"at least 0 (no target, always); got {least_one}, {self.target_species} and {self.champion_above}"
            )
        rates = (self.survival_ratio, self.crossover_rate, self.interspecies_mating_rate)
        if not all(0 <= rate <= 1 for rate in rates):
            raise ValueError(
                f"Neat: survival_ratio, crossover_rate and interspecies_mating_rate are from 0 to 1, got {rates}"
            )
        if not 0 < self.compatibility_threshold < math.inf:
            raise ValueError(
                f"Neat: compatibility_threshold is a distance above 0, got {self.compatibility_threshold}; with 0 "
                f"every genome would be a species of its own"
            )

    def run(self, search: Search) -> None:
        """Evolve for `search.generations` generations."""
        genome, rows = search.genome.fit(search.sample(self.population))
        species = Species.none(rows, self.compatibility_threshold)
        outcomes = search.evaluate(genome, rows)
        while search.generation < search.generations:
            rows, fitness = outcomes.inherited(rows), search.fitness(outcomes)[:, 0].cpu()
            species, labels = species.divide(rows, genome.distance, search.generation)
            members = Members(fitness, labels)
            species = species.judged(members, search.generation, search.stochastic)
            certain = species.protected(members, self.species_elitism) & (members.best() > -math.inf)
            counts = self._offspring(search, species, members, certain)
            champions = self._champions(members, counts, certain)
            first, second = self._parents(search, members, genome.complexity(rows).cpu(), counts, champions)
            children = search.breed(genome, rows[first], rows[second])
            species = self._represented(search, species, rows, members, counts)
            genome, fitted = genome.fit(torch.cat((rows[champions], children, species.representatives)))
            rows, species = fitted[: self.population], replace(species, representatives=fitted[self.population :])
            outcomes = search.evaluate(genome, rows)

    def _offspring(self, search: Search, species: Species, members: Members, certain: torch.Tensor) -> torch.Tensor:
        """Return how many of the next generation each species gets `[k]`, its champion among them.

        Those that are `certain` `[k]`, protected and not all failed, get at least one.
        """
        allowed = species.reproducing(members, search.generation, self.stagnation, self.narrowing, self.species_elitism)
        return members.offspring(allowed, certain, self.population)

    def _champions(self, members: Members, counts: torch.Tensor, certain: torch.Tensor) -> torch.Tensor:
        """Return the places of those that live on unchanged: the best of each certain or large species that goes on.

        They never fill the whole generation, or nothing would change any more.
        """
        kept = (certain | (members.sizes() > self.champion_above)) & (counts > 0)
        if int(kept.sum()) == self.population:
            kept[torch.where(kept, members.best(), math.inf).argmin()] = False
        return members.champions()[kept]

    def _parents(
        self, search: Search, members: Members, complexity: torch.Tensor, counts: torch.Tensor, champions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the places of each child's parents, the better one first; twice the same where it has but one.

        They are drawn evenly from the survivors of a species. Champions fill a place of `counts` themselves.
        """
        pool, sizes = members.survivors(self.survival_ratio)
        bred = counts - torch.bincount(members.labels[champions], minlength=len(counts))
        kin = torch.repeat_interleave(torch.arange(len(counts)), bred)
        draws = seeds.uniform(search.rng("parents"), (5, len(kin)), members.fitness)
        first, second = (pool[pick(kin, sizes, draw)] for draw in draws[:2])
        stranger = pool[(draws[2] * len(pool)).to(torch.int64)]
        second = torch.where(draws[3] < self.interspecies_mating_rate, stranger, second)
        second = torch.where(draws[4] < self.crossover_rate, second, first)
        fitness = members.fitness.nan_to_num(nan=-torch.inf)
        simpler = (fitness[second] == fitness[first]) & (complexity[second] < complexity[first])
        swap = (fitness[second] > fitness[first]) | simpler
        return torch.where(swap, second, first), torch.where(swap, first, second)

    def _represented(
        self, search: Search, species: Species, rows: torch.Tensor, members: Members, counts: torch.Tensor
    ) -> Species:
        """Return the species that go on, each represented by one of its members, drawn evenly."""
        species = species.towards(self.target_species) if self.target_species else species
        living = torch.nonzero(counts).flatten()
        draws = seeds.uniform(search.rng("representatives"), (len(living),), members.fitness)
        chosen = members.ranked()[pick(living, members.sizes(), draws)]
        return replace(species.only(living), representatives=rows[chosen])
