"""A genome of paths that grow: whole numbers that say which component each layer uses, and which ones are trained.

Source: muNet (Gesmundo & Dean 2022, arXiv:2205.10937) and, for a mutation rate that evolves, mu2Net (2205.12755). Each
layer is cloned with the mutation rate, each hyper-parameter moves one step along its ordered list with the same. A
residual adapter is inserted as it is cloned: where the supernet has a layer of `Adapter`, its slot 0 adds nothing. So
adapters have one width, and stand where the supernet has a layer for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, final

import numpy as np
import torch

from evo import seeds
from evo.genome import Genome
from evo.grown_paths import GrownPaths
from evo.layout import Field, Layout
from evo.problem import Problem


@final
@dataclass(frozen=True)
class GrownPath(Genome):
    """Which component each layer uses, shared or cloned and trained, with a step size and a mutation rate.

    A child trains its clones where its parent's components are until `placed` gives them slots of their own.

    Attributes:
        layers: how many, but for the read-out; `for_problem` knows.
        slots: how many components a layer has room for; `for_problem` knows.
        step_sizes: in order; who is sampled has the middle one.
        mutation_rates: in order, likewise; a single one stays what it is.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "grown-path"
    expresses: ClassVar[type] = GrownPaths

    layers: int
    slots: int
    step_sizes: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2)
    mutation_rates: tuple[float, ...] = (0.1, 0.14, 0.2, 0.24, 0.3)

    def __post_init__(self) -> None:
        for name in ("step_sizes", "mutation_rates"):
            values = tuple(getattr(self, name))
            object.__setattr__(self, name, values)
            if not values or list(values) != sorted(set(values)) or values[0] <= 0:
                raise ValueError(f"GrownPath: {name}: expected numbers above 0 in increasing order, got {values}")
        if min(self.layers, self.slots) < 1 or self.mutation_rates[-1] > 1:
            raise ValueError(
                f"GrownPath: expected layers and slots from 1 up, and mutation_rates up to 1, got {self.layers}, "
                f"{self.slots} and {self.mutation_rates}"
            )

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a genome for a problem that grows."""
        layers, slots = (getattr(problem, name, None) for name in ("layers", "slots"))
        if layers is None or slots is None:
            raise TypeError(
                f"GrownPath: {problem.name or type(problem).__name__} has no slots for components; use "
                f"problems.transfer.growing.Growing, which makes one of any sequence of tasks"
            )
        return cls(layers, slots, **settings)

    @cached_property
    def layout(self) -> Layout:
        """The path, its hyper-parameters, and whom a row is for."""
        wide = (self.layers + 1,)
        return Layout(
            Field("component", wide, "slots used, the read-out's last"),
            Field("origin", wide, "slots that trained components begin as copies of; -1 for a new read-out"),
            Field("trained", wide, "1 for what is trained, 0 for what is shared"),
            Field("step_size", (), "number in the ordered list"),
            Field("mutation_rate", (), "number in the ordered list"),
            Field("replicate", (), "the independent run it belongs to"),
            Field("task", (), "of the sequence, from 0"),
        )

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows that all are the root: slot 0 of each layer, with a new read-out."""
        rows = self.layout.empty(count)
        self.layout.view(rows, "trained")[:, -1] = 1
        self.layout.view(rows, "origin")[:, -1] = -1
        self.layout.view(rows, "step_size")[...] = len(self.step_sizes) // 2
        self.layout.view(rows, "mutation_rate")[...] = len(self.mutation_rates) // 2
        return rows

    def assign(self, rows: torch.Tensor, replicate: int, task: int) -> torch.Tensor:
        """Return the rows `[n, L]` made out to a task of a replicate; for another task they get a new read-out."""
        assigned = rows.clone()
        moved = self.layout.view(rows, "task") != task
        self.layout.view(assigned, "origin")[moved, -1] = -1
        self.layout.view(assigned, "replicate")[...] = replicate
        self.layout.view(assigned, "task")[...] = task
        return assigned

    def heirs(self, rows: torch.Tensor, trained: bool) -> torch.Tensor:
        """Return children that train everything, or nothing but the read-out, and are else like their parents."""
        children = rows.clone()
        self.layout.view(children, "origin")[...] = self.layout.view(rows, "component")
        self.layout.view(children, "trained")[...] = trained
        self.layout.view(children, "trained")[:, -1] = 1
        return children

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that clone some layers, and the read-out, and may have other hyper-parameters."""
        children = self.heirs(rows, trained=False)
        rate = torch.tensor(self.mutation_rates).to(rows)[self.layout.view(rows, "mutation_rate").long()]
        cloned = seeds.uniform(rng, (len(rows), self.layers), rows) < rate[:, None]
        self.layout.view(children, "trained")[:, :-1] = cloned.to(rows)
        for name, values in (("step_size", self.step_sizes), ("mutation_rate", self.mutation_rates)):
            mutated = seeds.uniform(rng, (len(rows),), rows) < rate
            step = 2 * seeds.integers(rng, 2, (len(rows),), rows) - 1
            moved = (self.layout.view(rows, name) + step * mutated).clamp(0, len(values) - 1)
            self.layout.view(children, name)[...] = moved
        return children

    def placed(self, rows: torch.Tensor, living: torch.Tensor) -> torch.Tensor:
        """Return the rows with what they train in slots that neither the living rows `[m, L]` nor another row uses.

        Raises:
            ValueError: a layer has too few slots.
        """
        placed = rows.clone()
        component, trained = (self.layout.view(placed, name) for name in ("component", "trained"))
        for layer in range(self.layers + 1):
            used = set(self.layout.view(living, "component")[:, layer].long().tolist())
            free = [slot for slot in range(self.slots) if slot not in used]
            wanted = torch.nonzero(trained[:, layer]).flatten()
            if len(wanted) > len(free):
                raise ValueError(
                    f"GrownPath: slots: layer {layer} has {self.slots} slots, of which {len(used)} are in use, and "
                    f"{len(wanted)} more are needed; give the supernet's layers more modules"
                )
            component[wanted, layer] = torch.tensor(free[: len(wanted)]).to(placed)
        return placed

    def express(self, rows: torch.Tensor) -> GrownPaths:
        """Return the paths of the rows."""
        component, origin, step, replicate, task = (
            self.layout.view(rows, name).to(torch.int64)
            for name in ("component", "origin", "step_size", "replicate", "task")
        )
        sizes = torch.tensor(self.step_sizes, dtype=torch.float64, device=rows.device)
        trained = self.layout.view(rows, "trained") != 0
        return GrownPaths(component, origin, trained, sizes[step], self.slots, replicate, task)

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how many components each path trains, `[n]` float64."""
        return self.layout.view(rows, "trained").sum(1).to(torch.float64)

    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        """Return one row `[L]` as whole numbers; `modules` are the components without the read-out, for tables."""
        whole = row.reshape(1, -1).to(torch.int64)
        told = {field.name: self.layout.view(whole, field.name)[0].tolist() for field in self.layout.fields}
        return told | {"modules": [[slot] for slot in told["component"][:-1]]}

    def restore(self, described: dict[str, Any]) -> torch.Tensor:
        """Return the rows `[1, L]` that `describe` described."""
        return super().restore({name: values for name, values in described.items() if name != "modules"})
