"""Stateless randomness: every draw in a run comes from `rng(root_seed, purpose, generation, index)`.

Nobody touches global generators, and no generator outlives the step that uses it, so a run is the same
for any number of workers, any order of completion and any resume. Draws are made by numpy on the CPU
and moved to the rows' device, so a population on a GPU takes the same random steps as one on the CPU.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch


def rng(root_seed: int, purpose: str, generation: int = 0, index: int = 0) -> np.random.Generator:
    """Return the generator that belongs to one purpose of one step of one run.

    Args:
        root_seed: the run's seed, zero or more.
        purpose: what the draws are for, such as "variation"; different words give independent streams.
        generation: the generation that draws, zero or more.
        index: a further number, such as an individual's, zero or more.
    """
    if root_seed < 0:
        raise ValueError(f"seed: expected a whole number from 0 up, got {root_seed}")
    key = (zlib.crc32(purpose.encode()), generation, index)
    return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(root_seed, spawn_key=key)))


def torch_seed(root_seed: int, purpose: str, generation: int = 0) -> int:
    """Return a 63-bit seed for a library that keeps a generator of its own."""
    return int(rng(root_seed, purpose, generation).integers(2**63))


def uniform(draws: np.random.Generator, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Return numbers from [0, 1), of the shape given, with the type and device of `like`."""
    return torch.from_numpy(draws.random(shape)).to(like)


def normal(draws: np.random.Generator, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Return standard normal numbers, of the shape given, with the type and device of `like`."""
    return torch.from_numpy(draws.standard_normal(shape)).to(like)


def integers(draws: np.random.Generator, high: int, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Return whole numbers from 0 to high - 1 as int64, of the shape given, on the device of `like`."""
    return torch.from_numpy(draws.integers(high, size=shape)).to(like.device)
