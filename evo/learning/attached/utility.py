"""What units of a user's network are worth at a step: the utilities of `evo.learning.plasticity`, for any readers."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from evo.learning.attached.readings import Reading
from evo.learning.attached.renewal import by_unit
from evo.learning.plasticity.utility import SMALLEST

FACTORS = {
    "contribution": frozenset(("outgoing", "magnitude")),
    "zero_contribution": frozenset(("outgoing", "distance")),
    "adaptable_contribution": frozenset(("outgoing", "distance", "incoming")),
    "adaptation": frozenset(("incoming",)),
    "weight": frozenset(("outgoing",)),
    "feature_by_input": frozenset(("distance", "incoming")),
    "random": frozenset(()),
}
"""What each utility is a product of; see `evo.learning.plasticity.utility`. Incoming weights divide."""


class Measured(Protocol):
    """What is needed of a layer: its modules, what each reader was given, and its running utilities `[units]`."""

    factors: frozenset[str]
    count: int
    incoming: Any
    readers: list[Any]
    readings: list[Reading]
    utilities: torch.Tensor


def worth(layer: Measured, usual: torch.Tensor) -> torch.Tensor:
    """Return what units are worth at this step, `[units]`; at random, 0: the ranking is drawn when one is due.

    Args:
        layer: the units.
        usual: `[readers, units]`, what each reader is given on average.
    """
    if not layer.factors:
        return torch.zeros_like(layer.utilities)
    given = _given(layer, usual)
    if "outgoing" in layer.factors:
        weights = [by_unit(reader.weight, 1, layer.count).transpose(0, 1).flatten(1) for reader in layer.readers]
        sizes = torch.stack([one.abs().sum(1, dtype=usual.dtype) for one in weights])
        total = sizes if given is None else sizes * given
        value = total.sum(0) / sum(one.shape[1] for one in weights)
    else:
        value = torch.ones_like(layer.utilities) if given is None else given.mean(0)
    if "incoming" in layer.factors:
        value = value / layer.incoming.weight.abs().flatten(1).mean(1, dtype=value.dtype).clamp(min=SMALLEST)
    return value


def _given(layer: Measured, usual: torch.Tensor) -> torch.Tensor | None:
    """Return the size of what units gave to each reader, or its distance from the usual, `[readers, units]`."""
    if "magnitude" in layer.factors:
        return torch.stack([reading.magnitude(layer.utilities) for reading in layer.readings])
    if "distance" in layer.factors:
        return torch.stack([reading.distance(one) for reading, one in zip(layer.readings, usual, strict=True)])
    return None
