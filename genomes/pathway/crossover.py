"""Crossover of pathways, layer by layer: what a layer's modules do together is kept together."""

from __future__ import annotations

import numpy as np
import torch


def crossover(first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return modules `[n, layers, active]` that have each layer whole from either parent, evenly drawn."""
    theirs = torch.from_numpy(rng.random(tuple(first.shape[:2])) < 0.5).to(first.device)
    return torch.where(theirs[:, :, None], second, first)
