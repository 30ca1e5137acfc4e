"""A topology's nodes in order, and its connections' ends as places in that order."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from genomes.topology.identity import input_identities, output_identities


@dataclass(frozen=True)
class Index:
    """Places of nodes and connections; `nodes` counts bias, inputs, hidden and outputs of the widest genome.

    Attributes:
        identities: `[n, nodes]` sorted; infinite behind a genome's last node.
        sizes: `[n]` how many nodes each genome has.
        sources, targets: `[n, connections]` the ends of connections as places among the nodes; 0 where `used` is not.
        used: `[n, connections]` which slots hold a connection.
    """

    identities: torch.Tensor
    sizes: torch.Tensor
    sources: torch.Tensor
    targets: torch.Tensor
    used: torch.Tensor


def index(
    nodes: torch.Tensor, edge_sources: torch.Tensor, edge_targets: torch.Tensor, inputs: int, outputs: int
) -> Index:
    """Return the index of genomes given as identities, NaN in empty slots.

    Args:
        nodes: `[n, hidden]` identities of hidden nodes.
        edge_sources, edge_targets: `[n, connections]` identities of the connections' ends.
        inputs, outputs: how many of each, the bias not counted.
    """
    count = len(nodes)
    known = [ids.to(nodes.device).expand(count, -1) for ids in (input_identities(inputs), output_identities(outputs))]
    identities = torch.cat((known[0], nodes.nan_to_num(nan=torch.inf), known[1]), dim=1).sort(dim=1).values
    used = ~edge_sources.isnan()
    sources, targets = (
        torch.where(used, torch.searchsorted(identities, ends.nan_to_num(nan=0.0).contiguous()), 0)
        for ends in (edge_sources, edge_targets)
    )
    return Index(identities, identities.isfinite().sum(1), sources, targets, used)


def choose(allowed: torch.Tensor, fraction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose one allowed column per row, uniformly.

    Args:
        allowed: `[n, columns]` booleans.
        fraction: `[n]` draws from [0, 1).

    Returns:
        The columns chosen `[n]` (0 where a row allows none), and whether a row allows any `[n]`.
    """
    running = allowed.cumsum(1)
    count = running[:, -1]
    rank = (fraction * count).to(torch.int64).clamp(max=(count - 1).clamp(min=0))
    return (running > rank[:, None]).to(torch.int8).argmax(1), count > 0
