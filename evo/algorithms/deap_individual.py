"""Our genomes as DEAP individuals: plain classes with the attributes DEAP's tools look for, and no `creator`.

An individual is one row. DEAP's own operators for lists work on it too, because it can be read and written like the
list of its genes. `Herd` breeds and evaluates individuals with the genome's operators and the search's problem.
"""

from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from evo.algorithms.global_random import LentGenerators
    from evo.search import Search


class OutOfGenerationsError(RuntimeError):
    """All generations of the search have been evaluated; a loop that goes on is ended by this."""


@functools.cache
def fitness_class(weights: tuple[float, ...]) -> Any:
    """Return a subclass of `deap.base.Fitness` with a weight per objective: 1 to maximise, -1 to minimise."""
    from deap import base

    return type("Fitness", (base.Fitness,), {"weights": weights, "__doc__": "Scores of one individual."})


class Individual:
    """One genome in DEAP's hands.

    Attributes:
        row: `[L]`, on the CPU; from variation to evaluation its lineage columns are those of the parent.
        fitness: a `deap.base.Fitness` in the problem's own directions, with minus infinity in all weighted values
            where the evaluation failed.
        varied: whether the genes have changed since the row got its identity.
        second_parent: `[2]`, the columns of the other parent's identity; -1 where there is none.
    """

    def __init__(self, herd: Herd, row: torch.Tensor) -> None:
        self._herd = herd
        self.row = row
        self.fitness = herd.fitness_class()
        self.varied = False
        self.second_parent = torch.full((2,), -1, dtype=row.dtype)
        herd.register(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Individual:
        copied = Individual(self._herd, self.row.clone())
        copied.fitness.wvalues = self.fitness.wvalues
        copied.varied, copied.second_parent = self.varied, self.second_parent
        return copied

    def replace(self, row: torch.Tensor) -> None:
        """Take the genes of `row` `[L]`; the identity follows when they are evaluated."""
        lineage = self.row[self._genes :]
        self.row = torch.cat((row[: self._genes], lineage))
        self.varied = True

    @property
    def _genes(self) -> int:
        return self._herd.genome.layout.genes

    def __len__(self) -> int:
        return self._genes

    def __getitem__(self, place: int | slice) -> Any:
        return self.row[: self._genes][place].tolist()

    def __setitem__(self, place: int | slice, values: float | Sequence[float]) -> None:
        row = self.row.clone()
        row[: self._genes][place] = torch.as_tensor(values, dtype=row.dtype)
        self.replace(row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Individual) and torch.equal(self.row[: self._genes], other.row[: other._genes])

    __hash__ = None  # type: ignore[assignment]


class Herd:
    """All individuals of one search: made, varied and evaluated here, in one layout.

    Args:
        search: whose genome and problem they have.
        generators: kept apart from the evaluations, where DEAP draws from the process's global ones.
    """

    def __init__(self, search: Search, generators: LentGenerators | None = None) -> None:
        self.search = search
        self.genome = search.genome
        self.fitness_class = fitness_class(tuple(1.0 if goal.maximize else -1.0 for goal in search.objectives))
        self._generators = generators
        self._living: weakref.WeakValueDictionary[int, Individual] = weakref.WeakValueDictionary()
        self._registered = 0
        self._drawn = 0

    def register(self, individual: Individual) -> None:
        """Remember an individual for as long as it lives, so that its row can be widened with all others."""
        self._living[self._registered] = individual
        self._registered += 1

    def population(self, n: int) -> list[Individual]:
        """Return `n` new individuals with identities and no parents."""
        rows = self.search.identify(self.genome, self.genome.sample(n, self._rng("sample")).cpu())
        return [Individual(self, row) for row in rows]

    def individual(self) -> Individual:
        """Return one new individual."""
        return self.population(1)[0]

    def clone(self, individual: Individual) -> Individual:
        """Return an independent copy of an individual, fitness included."""
        return individual.__deepcopy__({})

    def mate(self, first: Individual, second: Individual) -> tuple[Individual, Individual]:
        """Give each of two individuals the genes of a child of both, with itself as the first parent; return them."""
        self._make_room([first, second])
        layout, rng = self.genome.layout, self._rng("mate")
        rows = torch.stack((first.row, second.row))
        children = self.genome.crossover(rows, rows.flip(0), rng)
        parents = layout.view(rows, "uid")
        for individual, child, other in zip((first, second), children, parents.flip(0), strict=True):
            individual.replace(child)
            if not torch.equal(*parents):
                individual.second_parent = other.clone()
        return first, second

    def mutate(self, individual: Individual) -> tuple[Individual]:
        """Give an individual the genes of its mutant; return it in a tuple, as DEAP wants it."""
        self._make_room([individual])
        individual.replace(self.genome.mutate(individual.row[None], self._rng("mutate"))[0])
        return (individual,)

    def evaluate(self, individuals: Individual | Sequence[Individual]) -> Any:
        """Score a generation of individuals in one batch.

        Returns:
            A tuple of scores per individual, in the problem's own directions; infinitely bad where it failed. A single
            individual is a generation of its own, and gives its tuple.

        Raises:
            OutOfGenerationsError: the search's generations have all been evaluated.
        """
        if isinstance(individuals, Individual):
            return self.evaluate([individuals])[0]
        if self.search.generation >= self.search.generations:
            raise OutOfGenerationsError(
                f"all {self.search.generations} generations of this search have been evaluated: give it more "
                f"generations, or end the loop earlier; evaluating individuals one by one counts a generation for each"
            )
        self._identify([one for one in individuals if one.varied])
        rows = torch.stack([one.row for one in individuals]).to(self.search.device)
        with self._generators.swapped() if self._generators else nullcontext():
            scores = self.search.evaluate(self.genome, rows).scores.tolist()
        self._make_room(list(self._living.values()))
        worst = tuple(-math.inf * weight for weight in self.fitness_class.weights)
        return [worst if any(map(math.isnan, one)) else tuple(one) for one in scores]

    def map(self, function: Any, individuals: Sequence[Individual], *more: Any) -> Any:
        """Stand in for the built-in `map`: evaluate all individuals at once."""
        if getattr(function, "func", function) == self.evaluate:
            return self.evaluate(list(individuals)) if individuals else []
        return map(function, individuals, *more)

    def _identify(self, varied: list[Individual]) -> None:
        """Give individuals with new genes their identities; until here they carry their first parents'."""
        if not varied:
            return
        first = torch.stack([one.row for one in varied])
        second = first.clone()
        self.genome.layout.view(second, "uid")[...] = torch.stack([one.second_parent for one in varied])
        for one, row in zip(varied, self.search.identify(self.genome, first.clone(), first, second), strict=True):
            one.row, one.varied = row.clone(), False
            one.second_parent = torch.full_like(one.second_parent, -1)

    def _make_room(self, individuals: list[Individual]) -> None:
        """Widen all living individuals where the structures of these have outgrown the layout."""
        genome, _ = self.genome.fit(torch.stack([one.row for one in individuals]))
        if genome.layout == self.genome.layout:
            return
        everyone = list(self._living.values())
        self.genome, rows = self.genome.fit(torch.stack([one.row for one in everyone]))
        for one, row in zip(everyone, rows, strict=True):
            one.row = row.clone()

    def _rng(self, purpose: str) -> np.random.Generator:
        self._drawn += 1
        return self.search.rng(f"deap {purpose}", self._drawn)
