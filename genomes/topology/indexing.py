"""A topology's nodes in order, and its connections' ends as places in that order."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from genomes.topology.identity import input_identities, output_identities


@dataclass(frozen=True)
class Index:
    """Places of nodes and connections; `nodes` counts bias, inputs, hidden and outputs of the widest genome.

    Attributes:
        identities: `[n, nodes]` in order of computation; infinite behind a genome's last node.
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
    nodes: torch.Tensor,
    edge_sources: torch.Tensor,
    edge_targets: torch.Tensor,
    inputs: int,
    outputs: int,
    by_depth: bool = False,
) -> Index:
    """Return the index of genomes given as identities, NaN in empty slots.

    Args:
        nodes: `[n, hidden]` identities of hidden nodes.
        edge_sources, edge_targets: `[n, connections]` identities of the connections' ends.
        inputs, outputs: how many of each, the bias not counted.
        by_depth: order nodes by the longest path to them, and identity only among equals; else by identity.
    """
    count = len(nodes)
    known = [ids.to(nodes.device).expand(count, -1) for ids in (input_identities(inputs), output_identities(outputs))]
    identities = torch.cat((known[0], nodes.nan_to_num(nan=torch.inf), known[1]), dim=1).sort(dim=1).values
    used = ~edge_sources.isnan()
    sources, targets = (
        torch.where(used, torch.searchsorted(identities, ends.nan_to_num(nan=0.0).contiguous()), 0)
        for ends in (edge_sources, edge_targets)
    )
    where = Index(identities, identities.isfinite().sum(1), sources, targets, used)
    return _by_depth(where, inputs, outputs) if by_depth else where


def layers(where: Index, inputs: int, outputs: int) -> torch.Tensor:
    """Return each node's layer `[n, nodes]`: its depth; for outputs one behind all others, for empty places the last.

    The connections must not close a cycle.
    """
    size = where.identities.shape[1]
    place = torch.arange(size, device=where.sizes.device)
    first_output = where.sizes[:, None] - outputs
    depth = depths(where.sources, where.targets, where.used, size, inputs)
    depth = torch.where(place < first_output, depth, size + 1)
    return torch.where(place < where.sizes[:, None], depth, size + 2)


def depths(sources: torch.Tensor, targets: torch.Tensor, edges: torch.Tensor, nodes: int, inputs: int) -> torch.Tensor:
    """Return the longest path to each node `[n, nodes]` (int64): 0 to bias and inputs, at least 1 to all others.

    Args:
        sources, targets: `[n, connections]` places of the connections' ends, bias and inputs first.
        edges: `[n, connections]` which connections count; they must not close a cycle.
        nodes, inputs: how many, the bias counted among the nodes alone.
    """
    place = torch.arange(nodes, device=sources.device)
    depth = (place > inputs).to(torch.int64).expand(len(sources), -1).contiguous()
    while True:
        reached = torch.where(edges, depth.gather(1, sources) + 1, 0)
        deeper = depth.scatter_reduce(1, targets, reached, "amax")
        if torch.equal(deeper, depth):
            return depth
        depth = deeper


def _by_depth(where: Index, inputs: int, outputs: int) -> Index:
    size = where.identities.shape[1]
    order = torch.argsort(layers(where, inputs, outputs) * size + torch.arange(size, device=where.sizes.device), dim=1)
    place = torch.argsort(order, dim=1)
    sources, targets = (torch.where(where.used, place.gather(1, e), 0) for e in (where.sources, where.targets))
    return Index(where.identities.gather(1, order), where.sizes, sources, targets, where.used)


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
