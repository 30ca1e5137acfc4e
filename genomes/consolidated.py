"""Any genome with real weights, searched around the weights that learned something before.

The weights are searched in coordinates z, where theta = anchor + scale * z. What mattered for what was learned before
has a small scale, so that a move of the same size in z moves it less. Mutations, search distributions and crossovers
work on z and know nothing of it; scales have a root mean square of 1, so that their settings keep their meaning.

Sources: elastic weight consolidation, Kirkpatrick et al. 2017 (PNAS 114); moves scaled by sensitivity, Lehman et al.
2018 (safe mutations, section 3), with the Fisher information as sensitivity; decay to an anchor, Schweighofer et al.
2026 (anchored weight decay), here with a strength per weight; frozen weights, Mallya & Lazebnik 2018 (PackNet).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, final

import networkx
import numpy as np
import torch

from evo import seeds
from evo.genome import Genome
from evo.layout import Layout
from evo.learning.consolidation.importance import Importance
from evo.networks import Networks

_GROWS = (
    "Consolidated: {}: its structure changes, so that its columns would not go on belonging to the weights that "
    "learned; make a FixedNetwork of the champion, and consolidate that"
)


@final
@dataclass(frozen=True)
class Consolidated(Genome):
    """A genome whose weights are searched around an anchor, those that matter in smaller moves.

    Its rows have the layout of the genome inside, with z in place of the weights, and express to the same phenotypes.
    All start at the anchor. Its complexity is half of sum F (theta - anchor)^2, how far it has gone from what was
    learned: an algorithm with `complexity=True` finds the Pareto front of the new score against that.

    Attributes:
        genome: what is searched; it names the field of its `weights`, and its structure stays.
        importance: of these weights, `[parameters]`; see `evo.learning.consolidation`.
        damping: what is added to F before scales are taken; see `Importance.scales`.
        scaled: whether moves are scaled; without, z is theta less the anchor.
        mask: the share of the most important weights that stay at the anchor.
        decay: k, by which each mutation draws z back to z / (1 + k F): more, where F is more. Search distributions do
            not mutate; their own `anchored_decay` draws all z back alike.
        shuffle_seed: for a control, draws which weight gets which F; None for its own.
        uniform: for a control, whether all weights get the mean F.
        initial_deviation: the standard deviation of z at the start.

    Raises:
        TypeError: the genome names no weights, or its structure changes.
        ValueError: the importance is of another number of weights, or a setting is outside its range.
    """

    name: ClassVar[str] = "consolidated"

    genome: Genome
    importance: Importance
    damping: float = 1e-4
    scaled: bool = True
    mask: float = 0.0
    decay: float = 0.0
    shuffle_seed: int | None = None
    uniform: bool = False
    initial_deviation: float = 0.0

    def __post_init__(self) -> None:
        if self.genome.weights is None:
            raise TypeError(
                f"Consolidated: {type(self.genome).__name__} names no field in `weights`, so there is nothing to "
                f"consolidate; use a genome of real weights, such as Perceptron or FixedNetwork"
            )
        columns = self.genome.layout.columns(self.genome.weights)
        expected = [columns.stop - columns.start]
        if self.genome.expresses is Networks and self._edges() != expected[0]:
            raise TypeError(_GROWS.format(type(self.genome).__name__))
        if list(self.importance.precision.shape) != expected:
            raise ValueError(
                f"Consolidated: importance: expected one of {expected} weights, as the genome has, got "
                f"{list(self.importance.precision.shape)}; is it of another network, or of several tasks at once?"
            )
        if self.decay < 0 or self.initial_deviation < 0:
            raise ValueError(
                f"Consolidated: decay and initial_deviation: expected numbers from 0 up, got {self.decay} and "
                f"{self.initial_deviation}"
            )
        # which phenotypes and weights it has depends on the genome inside
        object.__setattr__(self, "expresses", self.genome.expresses)
        object.__setattr__(self, "weights", self.genome.weights)
        _ = self.scale  # refuses damping and mask out of range here, not in the middle of a search

    @property
    def layout(self) -> Layout:
        """That of the genome inside."""
        return self.genome.layout

    @cached_property
    def used(self) -> Importance:
        """The importance as it is used: its own, or that of a control."""
        used = self.importance.uniform() if self.uniform else self.importance
        return used if self.shuffle_seed is None else used.shuffled(seed=self.shuffle_seed)

    @cached_property
    def scale(self) -> torch.Tensor:
        """How far a weight goes when its z goes by 1, `[parameters]`; 0 where it is frozen."""
        if self.scaled:
            return self.used.scales(self.damping, self.mask)
        return self.used.least_important(self.mask).to(self.used.precision)

    def unwrapped(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows `[n, L]` of the genome inside: theta = anchor + scale * z."""
        inside = rows.clone()
        z = self._weights(inside)
        z[...] = self.importance.anchor.to(z) + self.scale.to(z) * z
        return inside

    def wrapped(self, inside: torch.Tensor) -> torch.Tensor:
        """Return rows `[n, L]` of this genome for rows of the one inside; frozen weights stay at the anchor."""
        rows = inside.clone()
        theta, scale = self._weights(rows), self.scale.to(rows)
        theta[...] = torch.where(scale > 0, (theta - self.importance.anchor.to(theta)) / scale, 0.0)
        return rows

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows at the anchor, with normal noise on z."""
        rows = self.genome.sample(count, rng)
        z = self._weights(rows)
        z[...] = self.initial_deviation * seeds.normal(rng, tuple(z.shape), z) * (self.scale.to(z) > 0)
        return rows

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that the genome inside mutates; its moves of weights are scaled, and z decays."""
        inside = self.unwrapped(rows)
        children = self.genome.mutate(inside, rng).clone()
        moves = self._weights(children) - self._weights(inside)
        scale, precision = self.scale.to(moves), self.used.precision.to(moves)
        z = self._weights(rows) + torch.where(scale > 0, moves, 0.0)
        self._weights(children)[...] = z / (1.0 + self.decay * precision)
        return children

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that the genome inside makes of both parents; weights taken from one keep its z exactly."""
        mother, father = self.unwrapped(first), self.unwrapped(second)
        born = self.genome.crossover(mother, father, rng)
        children = self.wrapped(born)
        z, theta = self._weights(children), self._weights(born)
        z[...] = torch.where(theta == self._weights(father), self._weights(second), z)
        z[...] = torch.where(theta == self._weights(mother), self._weights(first), z)
        return children

    def express(self, rows: torch.Tensor) -> Any:
        """Return what the genome inside expresses to."""
        return self.genome.express(self.unwrapped(rows))

    def absorb(self, rows: torch.Tensor, phenotypes: Any) -> torch.Tensor:
        """Return rows that have taken over what their phenotypes learned; frozen weights stay at the anchor."""
        return self.wrapped(self.genome.absorb(self.unwrapped(rows), phenotypes))

    def penalty(self, rows: torch.Tensor) -> torch.Tensor:
        """Return half of sum F (theta - anchor)^2 of each row, `[n]` float64, with the importance as it is used."""
        theta = self._weights(self.unwrapped(rows)).to(torch.float64)
        return self.used.to(theta).penalty(theta)

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the penalty `[n]` float64: how far each is from what was learned."""
        return self.penalty(rows)

    def features(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the features of the genome inside, and the penalty, which is the complexity too."""
        penalty = self.penalty(rows)
        return {**self.genome.features(self.unwrapped(rows)), "complexity": penalty, "penalty": penalty}

    @property
    def recorded_features(self) -> tuple[str, ...]:
        """Those of the genome inside, and the penalty."""
        return (*self.genome.recorded_features, "penalty")

    def distance(self, rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """Return how different the genomes inside are, `[n, m]` float64."""
        return self.genome.distance(self.unwrapped(rows), self.unwrapped(others))

    def fit(self, rows: torch.Tensor) -> tuple[Self, torch.Tensor]:
        """Return itself and the rows.

        Raises:
            TypeError: the genome inside grows, so that its weights are no longer those that learned.
        """
        fitted, _ = self.genome.fit(self.unwrapped(rows))
        if fitted.layout != self.layout:
            raise TypeError(_GROWS.format(type(self.genome).__name__))
        return self, rows

    def hold(self, rows: torch.Tensor) -> None:
        """Pass on that these rows are still wanted."""
        self.genome.hold(self.unwrapped(rows))

    def graph(self, row: torch.Tensor) -> networkx.DiGraph[Any] | None:
        """Return the graph of the genome inside."""
        return self.genome.graph(self.unwrapped(row.reshape(1, -1))[0])

    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        """Return z under "searched", and what the genome inside says of theta under "expressed"."""
        inside = self.unwrapped(row.reshape(1, -1))[0]
        return {"searched": self.genome.describe(row), "expressed": self.genome.describe(inside)}

    def restore(self, described: dict[str, Any]) -> torch.Tensor:
        """Return the rows `[1, L]` that `describe` described; "expressed" can be restored by the genome inside."""
        return self.genome.restore(described["searched"])

    def _edges(self) -> int:
        """Return how many connections a network of the genome inside has."""
        return len(self.genome.express(self.genome.sample(1, seeds.rng(0, "edges"))).edge_weights)

    def _weights(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the columns of the weights, a view `[n, parameters]`."""
        return rows[:, self.layout.columns(str(self.genome.weights))]
