"""Test functions of black-box optimisation, their least value 0 at the optimum; a batch of instances at a time.

Source: Hansen, Finck, Ros & Auger 2009 (Real-parameter black-box optimization benchmarking 2009: noiseless functions
definitions, INRIA research report 6829); numbers such as f10 are those of the report. Different here: instances
(rotations, optima) are drawn at random, nothing is added to the least value, leaving [-5, 5] costs nothing, and the
rotated Rosenbrock function, and its composition with Griewank's, have their optimum where the instance says.

Coordinates of smaller instances are padded: where the mask is 0, nothing counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch


@final
@dataclass(frozen=True)
class Points:
    """Points of instances of one function, relative to the optimum.

    Attributes:
        away: `[rules, tasks, coordinates, n]`, x - x_opt.
        first, second: rotations R and Q, `[tasks, coordinates, coordinates]`.
        optima: x_opt, `[tasks, coordinates]`.
        mask: `[tasks, coordinates]`, 1 for coordinates that an instance has, which are the first.
    """

    away: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    optima: torch.Tensor
    mask: torch.Tensor

    @property
    def sizes(self) -> torch.Tensor:
        """How many coordinates, `[tasks, 1]`."""
        return self.mask.sum(1, keepdim=True)

    @property
    def kept(self) -> torch.Tensor:
        """The mask, `[tasks, coordinates, 1]`."""
        return self.mask[:, :, None]

    @property
    def pairs(self) -> torch.Tensor:
        """The mask of neighbours, `[tasks, coordinates - 1, 1]`."""
        return self.kept[:, 1:]

    @property
    def ladder(self) -> torch.Tensor:
        """(i - 1) / (D - 1) for the i-th of D coordinates, `[tasks, coordinates, 1]`."""
        places = torch.arange(self.mask.shape[1], device=self.mask.device).to(self.mask)
        return (places / (self.sizes - 1.0))[:, :, None] * self.kept

    def rotated(self) -> torch.Tensor:
        """R (x - x_opt)."""
        return _turned(self.first, self.away)

    def turned(self, values: torch.Tensor) -> torch.Tensor:
        """Q times values."""
        return _turned(self.second, values)

    def scaled(self, values: torch.Tensor, alpha: float) -> torch.Tensor:
        """The diagonal matrix Lambda^alpha times values (section 0.2)."""
        return values * alpha ** (0.5 * self.ladder)

    def asymmetric(self, values: torch.Tensor, beta: float) -> torch.Tensor:
        """T_asy^beta (section 0.2)."""
        exponents = 1.0 + beta * self.ladder * values.clamp(min=0.0).sqrt()
        return torch.where(values > 0, power(values, exponents), values)


def power(values: torch.Tensor, exponents: torch.Tensor | float) -> torch.Tensor:
    """Return values, 0 or more, to a power; by logarithms, whose bits do not depend on how many values there are."""
    return (exponents * values.clamp(min=1e-30).log()).exp()


def oscillating(values: torch.Tensor) -> torch.Tensor:
    """T_osz (section 0.2)."""
    logarithm = values.abs().clamp(min=1e-30).log()
    one, other = (torch.where(values > 0, up, down) for up, down in ((10.0, 5.5), (7.9, 3.1)))
    waves = (one * logarithm).sin() + (other * logarithm).sin()
    return values.sign() * (logarithm + 0.049 * waves).exp()


def _turned(matrices: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return products of matrices, term after term, because those of a batch have other last bits in another batch."""
    total = torch.zeros_like(values)
    for place in range(values.shape[2]):
        total = total + matrices[:, :, place, None] * values[:, :, None, place]
    return total


def sphere(points: Points) -> torch.Tensor:
    """f1."""
    return points.away.square().sum(2)


def ellipsoid(points: Points) -> torch.Tensor:
    """f10: a condition of a million."""
    return (1e6**points.ladder * oscillating(points.rotated()).square() * points.kept).sum(2)


def discus(points: Points) -> torch.Tensor:
    """f11: one direction a thousand times as sensitive as all others."""
    squares = oscillating(points.rotated()).square()
    return 1e6 * squares[:, :, 0] + squares[:, :, 1:].sum(2)


def different_powers(points: Points) -> torch.Tensor:
    """f14."""
    return (power(points.rotated().abs(), 2.0 + 4.0 * points.ladder) * points.kept).sum(2).sqrt()


def rosenbrock(points: Points) -> torch.Tensor:
    """f9: a bent valley."""
    return _rosenbrock(points).sum(2)


def rastrigin(points: Points) -> torch.Tensor:
    """f15: some 10^D optima."""
    bent = points.asymmetric(oscillating(points.rotated()), 0.2)
    values = _turned(points.first, points.scaled(points.turned(bent), 10.0))
    return ((10.0 - 10.0 * (2.0 * math.pi * values).cos()) * points.kept + values.square()).sum(2)


def attractive_sector(points: Points) -> torch.Tensor:
    """f6: only a narrow sector leads down."""
    values = points.turned(points.scaled(points.rotated(), 10.0))
    steep = torch.where(values * points.optima[:, :, None] > 0, 100.0, 1.0)
    total = (steep * values).square().sum(2)
    return power(oscillating(total), 0.9)


def bent_cigar(points: Points) -> torch.Tensor:
    """f12: a narrow ridge that bends."""
    squares = _turned(points.first, points.asymmetric(points.rotated(), 0.5)).square()
    return squares[:, :, 0] + 1e6 * squares[:, :, 1:].sum(2)


def sharp_ridge(points: Points) -> torch.Tensor:
    """f13: a ridge without a slope to its side that gets flatter."""
    squares = points.turned(points.scaled(points.rotated(), 10.0)).square()
    return squares[:, :, 0] + 100.0 * squares[:, :, 1:].sum(2).sqrt()


def schaffers(points: Points) -> torch.Tensor:
    """f17: Schaffer's F7, many optima whose depths and frequencies change."""
    values = points.scaled(points.turned(points.asymmetric(points.rotated(), 0.5)), 10.0).square()
    lengths = (values[:, :, :-1] + values[:, :, 1:]).sqrt()
    terms = lengths.sqrt() * (1.0 + (50.0 * power(lengths, 0.2)).sin().square())
    return ((terms * points.pairs).sum(2) / (points.sizes - 1.0)).square()


def griewank_rosenbrock(points: Points) -> torch.Tensor:
    """f19: Griewank's waves on the Rosenbrock function."""
    terms = _rosenbrock(points)
    waves = terms / 4000.0 - terms.cos() + 1.0  # 0 where a coordinate is none
    return 10.0 * waves.sum(2) / (points.sizes - 1.0)


def _rosenbrock(points: Points) -> torch.Tensor:
    """Return the terms of the Rosenbrock function, `[rules, tasks, coordinates - 1, n]`."""
    scale = (points.sizes.sqrt() / 8.0).clamp(min=1.0)[:, :, None]
    values = scale * points.rotated() + 1.0
    here, there = values[:, :, :-1], values[:, :, 1:]
    return (100.0 * (here.square() - there).square() + (here - 1.0).square()) * points.pairs


FUNCTIONS: dict[str, Callable[[Points], torch.Tensor]] = {
    "sphere": sphere,
    "ellipsoid": ellipsoid,
    "discus": discus,
    "different powers": different_powers,
    "rosenbrock": rosenbrock,
    "rastrigin": rastrigin,
    "attractive sector": attractive_sector,
    "bent cigar": bent_cigar,
    "sharp ridge": sharp_ridge,
    "schaffers": schaffers,
    "griewank-rosenbrock": griewank_rosenbrock,
}
NAMES = tuple(FUNCTIONS)
