"""Modules of a layer drawn evenly: how pathways begin, and a mutation that leaves one layer's choice to chance."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds


def drawn_modules(count: int, counts: tuple[int, ...], active: int, rng: np.random.Generator) -> torch.Tensor:
    """Return modules drawn evenly without repeats, `[count, layers, active]` int64.

    A layer with fewer modules than may be active has all of them, some twice, which counts once.
    """
    layers = []
    for size in counts:
        order = np.argsort(rng.random((count, size)), axis=1, kind="stable")
        layers.append(order[:, np.arange(active) % size])
    return torch.from_numpy(np.stack(layers, axis=1))


def redraw_layer(modules: torch.Tensor, counts: tuple[int, ...], rate: float, rng: np.random.Generator) -> torch.Tensor:
    """Return modules `[n, layers, active]`; with probability `rate`, a pathway has one of its layers drawn anew."""
    n, layers, active = modules.shape
    chosen = seeds.integers(rng, layers, (n,), modules)
    fresh = drawn_modules(n, counts, active, rng).to(modules)
    redrawn = torch.from_numpy(rng.random(n) < rate).to(modules.device)
    here = redrawn[:, None] & (torch.arange(layers, device=modules.device) == chosen[:, None])
    return torch.where(here[:, :, None], fresh, modules)
