"""The contract of a genome: one candidate solution, encoded as a row of numbers whose layout names the columns."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch

from evo.layout import Layout

if TYPE_CHECKING:
    import networkx

    from evo.problem import Problem


class Genome(ABC):
    """A kind of genome: its layout, how rows are first made, how they vary and what they express to.

    Subclasses give `layout`, `sample` and `mutate`; the rest has defaults. Make subclasses frozen dataclasses: their
    fields are then the settings that campaigns and champions record. Everything works on whole populations of rows
    `[n, L]`; what is given is never changed in place; every draw comes from the generator handed in.

    Class attributes:
        name: what the command line and champion files call it.
        expresses: the type of `express`'s result; problems say what they accept.
        weights: the field that distribution-based algorithms (CMA-ES, PGPE ...) move; None where there is none.
    """

    name: ClassVar[str] = ""
    expresses: ClassVar[type] = torch.Tensor
    weights: ClassVar[str | None] = None

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """The columns of a row. A class attribute will do."""

    @abstractmethod
    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return `count` new rows `[count, L]`, the first generation."""

    @abstractmethod
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return a child `[n, L]` of each row."""

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return a child `[n, L]` of each pair of rows; by default a copy of the first parent."""
        return first.clone()

    def express(self, rows: torch.Tensor) -> Any:
        """Return the phenotypes of the rows; by default the values of the layout's first field, `[n, *shape]`."""
        return self.layout.view(rows, self.layout.fields[0].name)

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how large each genome is, `[n]` float64; by default 0. A topology counts its connections."""
        return torch.zeros(len(rows), dtype=torch.float64, device=rows.device)

    def features(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return numbers `[n]` float64 that tell genomes apart, by name; by default the complexity alone.

        Quality-diversity algorithms keep the best genome for each combination of them.
        """
        return {"complexity": self.complexity(rows)}

    @property
    def recorded_features(self) -> tuple[str, ...]:
        """The names of those `features` that journals hold, generation by generation; none by default.

        For settings that evolve: who looks at a run later sees where they went.
        """
        return ()

    def distance(self, rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """Return how different the genes of `rows` `[n, L]` and `others` `[m, L]` are, `[n, m]` float64.

        By default the root of the mean squared difference of all genes. Algorithms that keep species use it.
        """
        genes = self.layout.genes
        mine, theirs = rows[:, :genes].to(torch.float64), others[:, :genes].to(torch.float64)
        return torch.cdist(mine, theirs) / math.sqrt(genes)

    def absorb(self, rows: torch.Tensor, phenotypes: Any) -> torch.Tensor:
        """Return rows `[n, L]` that have taken over what their phenotypes learned in a lifetime (Lamarck).

        Raises:
            TypeError: the genome cannot take anything over.
        """
        raise TypeError(
            f"{type(self).__name__} cannot take over what its phenotypes learned: it has no `absorb`; "
            f"use inheritance='baldwinian', or write the method"
        )

    def fit(self, rows: torch.Tensor) -> tuple[Self, torch.Tensor]:
        """Return a genome with room for these rows and one more variation of each, and the rows in its layout.

        Algorithms call it once a generation. A genome of fixed size returns itself and the rows.
        """
        return self, rows

    def hold(self, rows: torch.Tensor) -> None:
        """Take note that these rows are still wanted; for a genome that keeps something outside its rows."""
        return

    def graph(self, row: torch.Tensor) -> networkx.DiGraph[Any] | None:
        """Return one row `[L]` as a graph to look at, or None where a genome is no graph."""
        return None

    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        """Return one row `[L]` as plain lists and numbers, field by field: what a champion file holds."""
        one = row.reshape(1, -1)
        return {field.name: self.layout.view(one, field.name)[0].tolist() for field in self.layout.fields}

    def restore(self, described: dict[str, Any]) -> torch.Tensor:
        """Return the rows `[1, L]` that `describe` described."""
        return self.layout.rows(**{name: [values] for name, values in described.items()})

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a genome whose phenotypes fit the problem; genomes that can, override this."""
        raise TypeError(f"{cls.__name__} cannot be shaped by a problem: make it with its own settings")
