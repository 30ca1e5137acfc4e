"""Chance inside a lifetime: every draw is a function of a learner's key, its segment, the step, a purpose and a place.

Counting draws instead of keeping a generator makes them the same for any number of learners in a batch, on any device,
and in compiled code: a hash of five whole numbers, mixed by the finaliser of SplitMix64 (Steele, Lea & Flood 2014,
variant 13 of Stafford's). Tensors and compiled code compute the same bits.
"""

from __future__ import annotations

import math

import torch

GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed number
FIRST = -4658895280553007687  # 0xBF58476D1CE4E5B9
SECOND = -7723592293110705685  # 0x94D049BB133111EB

REPLACED_WEIGHTS, BERNOULLI, UTILITY, NOISE, DROPOUT, DORMANT_WEIGHTS, FISHER = range(7)
"""Purposes."""


def mix(number: torch.Tensor) -> torch.Tensor:
    """Return int64 `number` hashed, element by element; sums and products wrap around."""
    number = (number ^ _shifted(number, 30)) * FIRST
    number = (number ^ _shifted(number, 27)) * SECOND
    return number ^ _shifted(number, 31)


def _shifted(number: torch.Tensor, bits: int) -> torch.Tensor:
    """Return `number` shifted right with zeros moving in."""
    return (number >> bits) & ((1 << (64 - bits)) - 1)


def moment(key: torch.Tensor, segments: torch.Tensor, step: int, purpose: int) -> torch.Tensor:
    """Return what all draws of one purpose at one step start from, `[n]` int64, for learners' keys and segments."""
    number = mix(key + GOLDEN)
    number = mix(number + segments * GOLDEN)
    return mix(number + step * 8 + purpose)


def uniform(start: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return numbers from [0, 1) float32 with 24 bits, `[n, m]` for `moment` `[n]` and places `[m]`, or `[n, m]`."""
    bits = _shifted(mix(start[:, None] + (places + 1) * GOLDEN), 40)
    return bits.to(torch.float32) * 2.0**-24


def normals(start: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two independent standard normal numbers for each place, float32, each shaped as `uniform`'s.

    One hash has bits for both (Box & Muller 1958: the cosine and the sine of an angle, times a radius).
    """
    bits = mix(start[:, None] + (places + 1) * GOLDEN)
    share, turn = (((bits >> shift) & 0xFFFFFF).to(torch.float32) * 2.0**-24 for shift in (40, 16))
    radius, angle = (-2.0 * torch.log1p(-share)).sqrt(), 2.0 * math.pi * turn
    return radius * torch.cos(angle), radius * torch.sin(angle)
