"""What the units of a user's network gave since the last step, collected by hooks where it is read."""

from __future__ import annotations

import contextlib
import math
import weakref
from typing import Any, final

import torch
from torch import nn

from evo.learning.attached.units import dimensions


@final
class Reading:
    """Running sums of what one layer's units gave, over all forward passes since the last step.

    Only passes in training mode and with gradients count: those that the next step learns from.

    Args:
        incoming: the layer that makes the units.
        reader: the layer that reads them.
        keep: whether values are kept until the next step, for their distance from a mean that is known only then.
    """

    def __init__(self, incoming: nn.Module, reader: nn.Module, keep: bool) -> None:
        self.units = len(incoming.get_parameter("weight"))
        self.spatial = dimensions(incoming)
        self.features = reader.in_features if isinstance(reader, nn.Linear) else None
        self.keep = keep
        self.clear()

    def clear(self) -> None:
        """Forget all passes."""
        self.cases = 0
        self.total: torch.Tensor | None = None
        self.size: torch.Tensor | None = None
        self.kept: list[torch.Tensor] = []

    def add(self, values: torch.Tensor) -> None:
        """Take in what units gave: `[..., features]`, or `[..., units, *pixels]`, whichever it is by its shape."""
        flat = values.shape[-1] == self.features
        place = values.dim() - 1 - (0 if flat else self.spatial)
        by_unit = torch.unflatten(values.detach().movedim(place, 0), 0, (self.units, -1)).flatten(1)
        kind = number_kind(values)
        total, size = by_unit.sum(1, dtype=kind), by_unit.abs().sum(1, dtype=kind)
        self.cases += by_unit.shape[1]
        self.total = total if self.total is None else self.total + total
        self.size = size if self.size is None else self.size + size
        if self.keep:
            self.kept.append(by_unit)

    def mean(self, like: torch.Tensor) -> torch.Tensor:
        """Return the mean value of each unit `[units]`; NaN where nothing was read."""
        return torch.full_like(like, math.nan) if self.total is None else self.total.to(like) / self.cases

    def magnitude(self, like: torch.Tensor) -> torch.Tensor:
        """Return the mean size of each unit's value `[units]`; 0 where nothing was read."""
        return torch.zeros_like(like) if self.size is None else self.size.to(like) / self.cases

    def distance(self, center: torch.Tensor) -> torch.Tensor:
        """Return the mean distance of each unit's values from `center` `[units]`; 0 where nothing was read."""
        sums = [(values - center[:, None]).abs().sum(1) for values in self.kept]
        return sum(sums, torch.zeros_like(center)) / max(1, self.cases)


@final
class Tap:
    """A forward pre-hook that hands a module's first argument to a `Reading`.

    A network with taps can be copied and saved: a copy's hook does nothing, and needs nothing of this package.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = weakref.ref(reading)

    def __call__(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Let what the module is called with be read, if the reading is still wanted."""
        reading = self.reading()
        if reading is not None and module.training and torch.is_grad_enabled():
            values = args[0] if args else next(iter(kwargs.values()))
            # what is kept must not be overwritten by the module itself
            reading.add(values.clone() if reading.keep and getattr(module, "inplace", False) else values)

    def __reduce__(self) -> tuple[Any, ...]:
        # a function of Python's own that takes anything and returns None
        return getattr, (contextlib.nullcontext(), "__exit__")


def number_kind(values: torch.Tensor) -> torch.dtype:
    """Return in which numbers units are kept account of: the values' own, but at least float32."""
    return torch.promote_types(values.dtype, torch.float32)
