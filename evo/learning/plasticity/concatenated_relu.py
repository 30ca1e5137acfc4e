"""Concatenated ReLU (Shang et al. 2016, definition 2.1): every unit gives two features, relu(z) and relu(-z).

No unit is ever silent, so none loses its gradient. For replacement a unit stays one unit: what it gives is
relu(z) - relu(-z) = z, the size of it relu(z) + relu(-z) = |z|. Its mean cannot go to the biases of its readers, which
weigh the two features differently, so there is no bias transfer.
"""

from __future__ import annotations

import torch


def concatenated_relu(sums: torch.Tensor) -> torch.Tensor:
    """Return features `[n, batch, 2 * units, ...]` of sums `[n, batch, units, ...]`: all relu(z), then all relu(-z)."""
    return torch.cat((torch.relu(sums), torch.relu(-sums)), 2)


def joined(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what units give and the size of it, `[n, batch, units, ...]` each, of their features."""
    positive, negative = features.chunk(2, 2)
    return positive - negative, positive + negative
