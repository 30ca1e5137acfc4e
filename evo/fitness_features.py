"""What a learned search is shown of its samples' losses, whatever their scale; less is better.

Source: Lange et al. 2023 (arXiv:2211.11260), section 3, and its published code: whether a sample is better than all
before, its centred rank and its standardised loss. Equal losses share their mean rank here, so that the order in which
samples stand never counts.
"""

from __future__ import annotations

import torch


def features(losses: torch.Tensor, best: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
    """Return `[..., 4 + more, n]`: 1 for better than all before, rank, standardised loss, what else is given, and 1.

    Args:
        losses: `[..., n]`, finite.
        best: `[...]`, the least loss of earlier generations.
        more: further features `[..., n]`.
    """
    better = (losses < best[..., None]).to(losses)
    return torch.stack((better, centred_ranks(losses), standardised(losses), *more, torch.ones_like(losses)), -2)


def centred_ranks(losses: torch.Tensor) -> torch.Tensor:
    """Return ranks `[..., n]` from -1/2 for the least loss to 1/2 for the largest."""
    more = (losses[..., :, None] > losses[..., None, :]).sum(-1)
    same = (losses[..., :, None] == losses[..., None, :]).sum(-1)
    return (more + (same - 1).to(losses) / 2) / max(losses.shape[-1] - 1, 1) - 0.5


def standardised(values: torch.Tensor) -> torch.Tensor:
    """Return values `[..., n]` less their mean, in units of their standard deviation; 0 where all are equal."""
    away = values - values.mean(-1, keepdim=True)
    return away / (away.square().mean(-1, keepdim=True).sqrt() + 1e-10)


def from_zero_to_one(values: torch.Tensor) -> torch.Tensor:
    """Return values `[..., n]` such that the least is 0 and the largest 1; 0 where all are equal."""
    least = values.amin(-1, keepdim=True)
    return (values - least) / (values.amax(-1, keepdim=True) - least + 1e-10)
