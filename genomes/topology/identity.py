"""A node's identity is a coordinate: no registry of innovations, and no cycle that could close unseen.

Inputs have negative whole numbers (the bias the lowest), outputs 1, 2, 3 ... A hidden node lies strictly between 0
and 1, and strictly between the two nodes whose connection was split to make it, at a place computed from their
identities. So the same split has the same identity in every genome, sorting by identity is a topological order, and
a connection from a lower to a higher identity can never close a cycle.
"""

from __future__ import annotations

import torch

ATTEMPTS = 8
"""Places tried for a node before a split is given up; each is free unless the same connection was split before."""
_MASK = 2**53 - 1


def input_identities(inputs: int) -> torch.Tensor:
    """Return the identities `[inputs + 1]` of the bias and the inputs, in order, float64."""
    return torch.arange(-(inputs + 1), 0, dtype=torch.float64)


def output_identities(outputs: int) -> torch.Tensor:
    """Return the identities `[outputs]` of the outputs, in order, float64."""
    return torch.arange(1, outputs + 1, dtype=torch.float64)


def mix(first: torch.Tensor, second: torch.Tensor, salt: int = 0) -> torch.Tensor:
    """Return 53 well-mixed bits (int64) of two float64 tensors' bits: the splitmix64 finaliser (Steele et al. 2014)."""
    mixed = first.contiguous().view(torch.int64) * -7046029254386353131 + second.contiguous().view(torch.int64) + salt
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        mixed = (mixed ^ ((mixed >> shift) & (2 ** (64 - shift) - 1))) * factor
    return (mixed ^ ((mixed >> 31) & (2**33 - 1))) & _MASK


def split_identity(source: torch.Tensor, target: torch.Tensor, attempt: int) -> torch.Tensor:
    """Return the identities `[n]` of the nodes that split connections, NaN where no number is left between the ends.

    A connection that goes backward is split between the same two ends; one from a node to itself, or between
    outputs, behind its source (or anywhere, behind an output).

    Args:
        source, target: identities `[n]`, float64, of the connections' ends.
        attempt: 0, and 1, 2 ... for further splits of the same connection.
    """
    ends = torch.stack((source, target)).clamp(0.0, 1.0)
    low, high = ends.min(0).values, ends.max(0).values
    loop = low == high
    low = torch.where(loop & (low >= 1.0), 0.0, low)
    high = torch.where(loop, 1.0, high)
    place = mix(source, target, attempt).to(torch.float64) / (_MASK + 1)
    identity = low + (high - low) * ((1.0 + place) / 3.0)  # the middle third: both halves keep room
    return torch.where((identity > low) & (identity < high), identity, torch.nan)
