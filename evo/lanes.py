"""The elementwise functions that a problem's physics and a network's activations are written with.

One source, three ways to run: on torch tensors they call torch, on any device; on Python numbers they call
`math`; inside a compiled kernel they become SIMD lanes (`evo.evaluation.compiled_lanes` gives numba its
versions). Whatever is written with these functions, tuples and arithmetic is therefore written once.
"""

from __future__ import annotations

import math
from typing import Any

import torch

Lanes = Any
"""A float, a tensor of any shape, or a compiled lane."""

PI = math.pi
INFINITY = math.inf


def sin(x: Lanes) -> Lanes:
    """Sine of x, in radians."""
    return torch.sin(x) if isinstance(x, torch.Tensor) else math.sin(x)


def cos(x: Lanes) -> Lanes:
    """Cosine of x, in radians."""
    return torch.cos(x) if isinstance(x, torch.Tensor) else math.cos(x)


def exp(x: Lanes) -> Lanes:
    """E to the x; the compiled float32 version saturates at 3e38 instead of overflowing."""
    return torch.exp(x) if isinstance(x, torch.Tensor) else math.exp(x)


def tanh(x: Lanes) -> Lanes:
    """Hyperbolic tangent of x."""
    return torch.tanh(x) if isinstance(x, torch.Tensor) else math.tanh(x)


def sqrt(x: Lanes) -> Lanes:
    """Square root of x."""
    return torch.sqrt(x) if isinstance(x, torch.Tensor) else math.sqrt(x)


def absolute(x: Lanes) -> Lanes:
    """X without its sign."""
    return abs(x)


def where(condition: Lanes, yes: Lanes, no: Lanes) -> Lanes:
    """`yes` where the condition holds, else `no`; both are computed."""
    if not isinstance(condition, torch.Tensor):
        return yes if condition else no
    like = next((value for value in (yes, no) if isinstance(value, torch.Tensor)), None)
    if like is None:
        return torch.where(condition, float(yes), float(no))
    yes, no = (value if isinstance(value, torch.Tensor) else like.new_tensor(value) for value in (yes, no))
    return torch.where(condition, yes, no)


def clip(x: Lanes, low: float, high: float) -> Lanes:
    """x, but at least `low` and at most `high`."""
    return x.clamp(low, high) if isinstance(x, torch.Tensor) else min(max(x, low), high)
