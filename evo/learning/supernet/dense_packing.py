"""The weights of dense modules laid out for compiled code, and back: rows padded with zeros to whole vectors."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from evo import lanes
from evo.evaluation import compiled, compiled_lanes
from evo.learning import simd
from evo.learning.online import BORROWED
from evo.learning.online_state import zeros
from evo.learning.simd import WIDTH
from evo.learning.supernet import dense_kernel, dense_sums
from evo.learning.supernet.dense_sums import UNITS
from evo.learning.supernet.weights import Weights


class Shape(NamedTuple):
    """Layer by layer, `[layers + 1]` int64, the head last.

    Attributes:
        units: of a module.
        inputs: numbers that a unit reads, without the 1.
        places: of modules.
        begin: where a path's weights of the layer do.
        width: of a unit's row of weights.
        rows: of a module, `units` made even.
        span: places between modules in what a layer sums, `units` made a multiple of 16.
    """

    units: Any
    inputs: Any
    places: Any
    begin: Any
    width: Any
    rows: Any
    span: Any


class Scratch(NamedTuple):
    """What one mini-batch needs, zeros at first.

    Attributes:
        inputs: `[layers + 1, batch, columns]`, what layers read.
        sums: `[layers + 1, batch, columns]`, what units sum; then the loss's slope for that.
        back: `[batch, columns]`, the loss's slope for what the layer in front gives.
        listed: `[rows, batch]` int64, for each unit of a module the cases that change it.
        factors: `[rows, batch]`, what their inputs change it by.
        counts: `[rows]` int64, how many cases these are.
    """

    inputs: Any
    sums: Any
    back: Any
    listed: Any
    factors: Any
    counts: Any


@functools.cache
def kernel() -> compiled.Kernel:
    """Return `dense_kernel.train` compiled."""
    parts = (simd, dense_sums, dense_kernel, Shape, Scratch)
    mark = compiled.fingerprint(lanes, compiled_lanes, *parts, repr(BORROWED))
    return compiled.cached(dense_kernel.train, f"train_dense_{mark}", options=BORROWED)  # type: ignore[no-any-return]


def shape_of(active: Weights, layers: int) -> Shape:
    """Return how the weights of a path of so many layers are laid out."""
    each = [tuple(active[f"modules.{number}.0.weight"].shape[1:]) for number in range(layers)]
    each.append((1, *active["head.weight"].shape[1:]))
    places, units, inputs = (np.array(numbers, np.int64) for numbers in zip(*each, strict=True))
    rows, width, span = _padded(units, UNITS), _padded(inputs + 1, WIDTH), _padded(units, WIDTH)
    sizes = places * rows * width
    return Shape(units, inputs, places, np.cumsum(sizes) - sizes, width, rows, span)


def _padded(counts: np.ndarray, multiple: int) -> np.ndarray:
    """Return the next multiples of a number."""
    return -(-counts // multiple) * multiple


def pack(active: Weights, shape: Shape) -> torch.Tensor:
    """Return the weights of n paths as `[n, weights]`."""
    packed = torch.zeros(len(active["head.bias"]), int((shape.places * shape.rows * shape.width).sum()))
    for held, values in _pairs(packed, active, shape):
        held.copy_(values)
    return packed


def unpack(packed: torch.Tensor, active: Weights, shape: Shape) -> None:
    """Write packed weights over those that they were made of."""
    for held, values in _pairs(packed, active, shape):
        values.copy_(held)


def _pairs(packed: torch.Tensor, active: Weights, shape: Shape) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield parts of what is packed as views, each with the weights or biases that it is made of."""
    head = len(shape.inputs) - 1
    for layer in range(head + 1):
        units, inputs, places, begin, width, rows, _ = (int(numbers[layer]) for numbers in shape)
        held = packed[:, begin : begin + places * rows * width].view(len(packed), places, rows, width)[:, :, :units]
        name = "head" if layer == head else f"modules.{layer}.0"
        weight, bias = active[f"{name}.weight"], active[f"{name}.bias"]
        yield held[..., :inputs], weight.view(len(packed), places, units, inputs)
        yield held[..., inputs], bias.view(len(packed), places, units)


def scratch_for(shape: Shape, batch: int) -> Scratch:
    """Return zeros for mini-batches of so many cases."""
    layers, rows = len(shape.inputs), int(shape.rows.max())
    return Scratch(
        zeros((layers, batch, int(shape.width.max()))),
        zeros((layers, batch, int((shape.places * shape.span).max()))),
        zeros((batch, int(shape.width.max()))),
        zeros((rows, batch), np.int64),
        zeros((rows, batch)),
        zeros((rows,), np.int64),
    )
