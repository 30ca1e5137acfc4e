"""How units of a user's network are replaced: what is written into the modules that make, normalize and read them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def by_unit(values: torch.Tensor, dimension: int, units: int) -> torch.Tensor:
    """Return a view in which a dimension of units, each a number of places in a row, is split into `units, places`."""
    return torch.unflatten(values, dimension, (units, -1))


def fill(values: torch.Tensor | None, dimension: int, units: int, chosen: torch.Tensor, value: float) -> None:
    """Set what belongs to the chosen units `[k]` to a value, in place; where there is nothing, nothing."""
    if values is not None:
        by_unit(values, dimension, units).index_fill_(dimension, chosen.to(values.device), value)


def take_over(reader: Any, after: Any, units: int, chosen: torch.Tensor, usual: torch.Tensor) -> None:
    """Give what chosen units `[k]` usually contribute, of values `usual` `[k]`, to the biases of their reader.

    A reader without biases, of which a BatchNorm subtracts a running mean, loses it from that mean instead: so much
    less is subtracted.

    Args:
        reader: a Linear or a convolution.
        after: the normalization right after it, or None.
        units: how many the reader reads.
        chosen: which are replaced.
        usual: what they give on average.
    """
    weights = by_unit(reader.weight, 1, units)[:, chosen].flatten(2).sum(2, dtype=usual.dtype)
    lost = (weights * usual).sum(1)
    if reader.bias is not None:
        reader.bias += lost.to(reader.bias)
    elif after is not None:
        after.running_mean -= lost.to(after.running_mean)


def restart(norm: Any, units: int, chosen: torch.Tensor) -> None:
    """Let a module's numbers of the chosen units start anew."""
    scale = norm.init if isinstance(norm, nn.PReLU) else 1.0
    for name, value in (("weight", scale), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
        fill(getattr(norm, name, None), 0, units, chosen, value)
