"""The activation functions of network nodes, by the ids of the weight agnostic networks code (Gaier & Ha 2019).

Each is written once, with the functions of `evo.lanes`, and runs on tensors and in compiled kernels.
"""

from __future__ import annotations

from collections.abc import Callable

from evo.lanes import INFINITY, PI, Lanes, absolute, clip, cos, exp, sin, tanh, where


def linear(x: Lanes) -> Lanes:
    """X"""
    return x


def step(x: Lanes) -> Lanes:
    """1 where x is above 0, else 0"""
    return where(x > 0, 1.0, 0.0 * x)


def sine(x: Lanes) -> Lanes:
    """sin(pi x)"""
    return sin(PI * x)


def gaussian(x: Lanes) -> Lanes:
    """exp(-x^2 / 2)"""
    return exp(-0.5 * x * x)


def hyperbolic_tangent(x: Lanes) -> Lanes:
    """tanh(x)"""
    return tanh(x)


def sigmoid(x: Lanes) -> Lanes:
    """(tanh(x / 2) + 1) / 2, the logistic function"""
    return 0.5 * tanh(0.5 * x) + 0.5


def inverse(x: Lanes) -> Lanes:
    """-x"""
    return -x


def magnitude(x: Lanes) -> Lanes:
    """|x|"""
    return absolute(x)


def rectifier(x: Lanes) -> Lanes:
    """max(0, x)"""
    return clip(x, 0.0, INFINITY)


def cosine(x: Lanes) -> Lanes:
    """cos(pi x)"""
    return cos(PI * x)


def squared(x: Lanes) -> Lanes:
    """x^2"""
    return x * x


FUNCTIONS: tuple[tuple[str, Callable[[Lanes], Lanes]], ...] = (
    ("linear", linear),
    ("step", step),
    ("sin", sine),
    ("gaussian", gaussian),
    ("tanh", hyperbolic_tangent),
    ("sigmoid", sigmoid),
    ("inverse", inverse),
    ("abs", magnitude),
    ("relu", rectifier),
    ("cos", cosine),
    ("squared", squared),
)
"""Names and functions; a function's id is its place, counted from 1."""

IDS = {name: number for number, (name, _) in enumerate(FUNCTIONS, start=1)}
NAMES = {number: name for name, number in IDS.items()}


def activation_id(name: str) -> int:
    """Return the id of the activation called `name`; raises ValueError for unknown names."""
    if name not in IDS:
        raise ValueError(f"activation: expected one of {', '.join(IDS)}, got {name!r}")
    return IDS[name]
