"""A genome is a row: what its columns are called and how they are shaped.

A population is one tensor `[n, L]`. A `Layout` names blocks of its columns and hands out shaped views:
`layout.weights(rows)` is the tensor `[n, *shape]` of that block, and writing to it writes to the rows.
Behind the genome's own fields every layout has the lineage columns (`evo.lineage`), so that parentage
survives every slice and concatenation of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from evo.catalogue import did_you_mean

LINEAGE_FIELDS = ("uid", "first_parent", "second_parent")


@dataclass(frozen=True)
class Field:
    """A named block of columns.

    Attributes:
        name: how the layout's view is called; a Python identifier.
        shape: the shape of one genome's block; `()` is a single number.
        description: what the numbers mean, for people.
    """

    name: str
    shape: tuple[int, ...] = ()
    description: str = ""

    @property
    def width(self) -> int:
        """How many columns the field takes."""
        return math.prod(self.shape)


class Layout:
    """The columns of a row, in order: the fields given, then the lineage.

    Args:
        fields: the genome's own fields.
        dtype: the rows' type: float32, or float64 where numbers must be told apart exactly.

    Raises:
        ValueError: two fields share a name, or a name is not an identifier.
    """

    def __init__(self, *fields: Field, dtype: torch.dtype = torch.float32) -> None:
        lineage = tuple(Field(name, (2,), "identity, see evo.lineage") for name in LINEAGE_FIELDS)
        self.fields = fields
        self.dtype = dtype
        self._places: dict[str, tuple[int, Field]] = {}
        start = 0
        for field in (*fields, *lineage):
            if field.name in self._places or not field.name.isidentifier():
                fault = "used twice" if field.name in self._places else "no identifier"
                raise ValueError(
                    f"Layout: field name {field.name!r} is {fault}; "
                    f"give every field a name of its own (uid, first_parent and second_parent are taken)"
                )
            self._places[field.name] = (start, field)
            start += field.width
        self.width = start
        self.genes = start - sum(field.width for field in lineage)

    def columns(self, name: str) -> slice:
        """Return the columns of the field called `name`."""
        if name not in self._places:
            names = ", ".join(self._places)
            raise AttributeError(f"Layout has no field {name!r}, only {names}{did_you_mean(name, self._places)}")
        start, field = self._places[name]
        return slice(start, start + field.width)

    def view(self, rows: torch.Tensor, name: str) -> torch.Tensor:
        """Return the field called `name` of every row: a view `[n, *shape]`; writing to it writes to the rows."""
        self.check(rows)
        columns = rows[:, self.columns(name)]
        return columns.view(len(rows), *self._places[name][1].shape)

    def __getattr__(self, name: str) -> Callable[[torch.Tensor], torch.Tensor]:
        if name.startswith("_"):
            raise AttributeError(name)
        self.columns(name)
        return partial(self.view, name=name)

    def empty(self, count: int, fill: float = 0.0) -> torch.Tensor:
        """Return `count` rows `[count, L]` filled with `fill`, of unknown lineage."""
        rows = torch.full((count, self.width), fill, dtype=self.dtype)
        rows[:, self.genes :] = -1
        return rows

    def rows(self, **fields: Any) -> torch.Tensor:
        """Return rows made of one array `[n, *shape]` per field, in any order, with all fields given.

        Raises:
            ValueError: a field is missing, or unknown, or of another shape.
        """
        missing = {field.name for field in self.fields} ^ set(fields)
        if missing:
            names = [field.name for field in self.fields]
            raise ValueError(f"Layout.rows: give exactly {names}; too few or too many: {sorted(missing)}")
        arrays = {name: torch.as_tensor(values, dtype=self.dtype) for name, values in fields.items()}
        count = len(next(iter(arrays.values())))
        for field in self.fields:
            if tuple(arrays[field.name].shape) != (count, *field.shape):
                raise ValueError(
                    f"Layout.rows: {field.name}: expected an array {[count, *field.shape]}, got "
                    f"{list(arrays[field.name].shape)}"
                )
        rows = self.empty(count)
        for name, values in arrays.items():
            self.view(rows, name)[...] = values
        return rows

    def check(self, rows: torch.Tensor) -> None:
        """Raise ValueError unless `rows` is a tensor `[n, L]` of this layout."""
        if rows.dim() != 2 or rows.shape[1] != self.width:
            raise ValueError(
                f"rows: expected shape [n, {self.width}] (columns {', '.join(self._places)}), got {list(rows.shape)}; "
                f"were they made with another layout, or is one row given without its first dimension?"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and (self.fields, self.dtype) == (other.fields, other.dtype)

    def __hash__(self) -> int:
        return hash((self.fields, self.dtype))

    def __repr__(self) -> str:
        fields = ", ".join(f"{field.name}{list(field.shape)}" for field in self.fields)
        return f"Layout({fields}; {self.width} columns)"
