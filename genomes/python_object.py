"""A genome that is any Python object: a string, a tree, a dictionary of settings, a graph.

Rows hold only a handle, 72 random bits in three columns; the objects live in a table of the genome's, where the least
recently used are forgotten. Handles are drawn from the generator handed in, so runs with the same seed have the same
rows, and a run that is replayed finds the same objects again. Everything that works by sampling, mutation and
crossover runs on it; search distributions do not, because there are no numbers to move. It is slow beside real rows:
every child is a deep copy and a call of the user's function.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, Self

import numpy as np
import torch

from evo.genome import Genome
from evo.layout import Field, Layout

Handle = tuple[int, int, int]


@dataclass(frozen=True)
class PythonObject(Genome):
    """Python objects with the user's own sampling and variation.

    The user's functions get deep copies, so changing an object in place and returning it is fine. All their chance
    must come from the generator handed in.

    Attributes:
        sample_one: returns a new object: `sample_one(rng)`.
        mutate_one: returns a mutant: `mutate_one(individual, rng)`.
        mate_two: returns a child of two parents: `mate_two(first, second, rng)`; None for a copy of the first.
        encode: turns an object into what JSON can hold, for champion files; None where it already is.
        decode: turns what JSON held back into an object; None where nothing is to be done.
        capacity: how many objects are kept; several times the individuals of a generation, archives included.

    Raises:
        ValueError: capacity is less than 1.
    """

    name: ClassVar[str] = "python-object"
    expresses: ClassVar[type] = list
    layout: ClassVar[Layout] = Layout(Field("handle", (3,), "which object, 72 bits"))

    sample_one: Callable[[np.random.Generator], Any]
    mutate_one: Callable[[Any, np.random.Generator], Any]
    mate_two: Callable[[Any, Any, np.random.Generator], Any] | None = None
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None
    capacity: int = 100_000

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise ValueError(f"PythonObject: capacity must be 1 or more, got {self.capacity}")

    @cached_property
    def _objects(self) -> OrderedDict[Handle, Any]:
        """The table, the least recently used object first; no field, because it is no setting."""
        return OrderedDict()

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows `[count, L]` of new objects."""
        return self._keep(self.layout.empty(count), (partial(self.sample_one, rng) for _ in range(count)), rng)

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return rows `[n, L]` of a mutant of each object."""
        return self._keep(rows.clone(), (partial(self.mutate_one, one, rng) for one in self.express(rows)), rng)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return rows `[n, L]` of a child of each pair of objects; a pair of the same object has it as its child."""
        if self.mate_two is None:
            return first.clone()
        children = first.clone()
        pairs = (self.layout.handle(first) != self.layout.handle(second)).any(1)
        objects = zip(self.express(first[pairs]), self.express(second[pairs]), strict=True)
        makers = (partial(self.mate_two, *pair, rng) for pair in objects)
        children[pairs] = self._keep(children[pairs], makers, rng)
        return children

    def express(self, rows: torch.Tensor) -> list[Any]:
        """Return a deep copy of each row's object.

        Raises:
            ValueError: an object has been forgotten, or never was in this genome's table.
        """
        return [copy.deepcopy(self._find(handle)) for handle in self._handles(rows)]

    def fit(self, rows: torch.Tensor) -> tuple[Self, torch.Tensor]:
        """Return this genome and the rows, whose objects now count as used, so that others are forgotten first."""
        for handle in self._handles(rows):
            self._find(handle)
        return self, rows

    def hold(self, rows: torch.Tensor) -> None:
        """Count the rows' objects as used, so that others are forgotten first."""
        self.fit(rows)

    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        """Return one row's object as what JSON can hold.

        Raises:
            TypeError: JSON cannot hold the object, or would give back another.
        """
        return {"object": json.loads(self._text(self._find(self._handles(row.reshape(1, -1))[0])))}

    def restore(self, described: dict[str, Any]) -> torch.Tensor:
        """Return the row `[1, L]` of an object described, whose handle comes from what it holds."""
        plain = described["object"]
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).digest()
        first, second, third = (int.from_bytes(digest[start : start + 3]) for start in (0, 3, 6))
        self._store((first, second, third), self.decode(plain) if self.decode else plain)
        return self.layout.rows(handle=[[first, second, third]])

    def _keep(self, rows: torch.Tensor, makers: Iterable[Callable[[], Any]], rng: np.random.Generator) -> torch.Tensor:
        """Give `rows` new handles in place, drawn before the makers draw anything, and store what the makers make."""
        handles = rng.integers(2**24, size=(len(rows), 3))
        self.layout.handle(rows)[...] = torch.from_numpy(handles).to(rows)
        for handle, make in zip(self._handles(rows), makers, strict=True):
            self._store(handle, make())
        return rows

    def _handles(self, rows: torch.Tensor) -> list[Handle]:
        return [(int(a), int(b), int(c)) for a, b, c in self.layout.handle(rows).tolist()]

    def _store(self, handle: Handle, individual: Any) -> None:
        self._objects[handle] = individual
        self._objects.move_to_end(handle)
        while len(self._objects) > self.capacity:
            self._objects.popitem(last=False)

    def _find(self, handle: Handle) -> Any:
        if handle not in self._objects:
            raise ValueError(
                f"PythonObject: no object with handle {handle} among the {len(self._objects)} kept; it was forgotten "
                f"because capacity={self.capacity} is too small for the populations and archives in use (raise it), or "
                f"the row comes from another genome or process (describe and restore it there)"
            )
        self._objects.move_to_end(handle)
        return self._objects[handle]

    def _text(self, individual: Any) -> str:
        plain = self.encode(individual) if self.encode else individual
        advice = "give PythonObject the functions encode (to lists, numbers, strings, dicts of these) and decode"
        try:
            text = json.dumps(plain, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TypeError(f"PythonObject: JSON cannot hold {plain!r:.200}: {error}; {advice}") from error
        if json.loads(text) != plain:
            raise TypeError(
                f"PythonObject: JSON would turn {plain!r:.200} into {text:.200}, as it turns tuples into lists and "
                f"keys into strings; {advice}"
            )
        return text
