"""Insert a node into a connection (Stanley & Miikkulainen 2002, section 3.1; Gaier & Ha 2019, section 3.2)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields
from genomes.topology.identity import ATTEMPTS, split_identity
from genomes.topology.indexing import choose


def add_node(fields: Fields, activations: torch.Tensor, rng: np.random.Generator) -> None:
    """Split one enabled connection of each genome, chosen uniformly; a genome that has none stays as it is.

    The connection is disabled; one with weight 1 leads to the new node, one with the old weight on from it. The
    node's activation is drawn uniformly from `activations`. Needs room for one node and two connections.

    Args:
        fields: views of the genomes' rows, changed in place.
        activations: `[k]` activation ids to draw from.
        rng: where all draws come from.
    """
    draws = seeds.uniform(rng, (2, len(fields.node)), fields.node)
    edge, possible = choose(fields.edge_enabled > 0, draws[0])
    everyone = torch.arange(len(edge), device=edge.device)
    source, target = fields.edge_source[everyone, edge], fields.edge_target[everyone, edge]
    identity = _free_identity(fields.node, source, target)
    row = everyone[possible & ~identity.isnan()]
    node = fields.nodes()[row]
    first = fields.edges()[row]
    edge, source, target, identity = edge[row], source[row], target[row], identity[row]
    fields.node[row, node] = identity
    fields.node_activation[row, node] = activations[(draws[1][row] * len(activations)).long()].to(fields.node)
    fields.connect(row, first, source, identity, torch.ones_like(identity))
    fields.connect(row, first + 1, identity, target, fields.edge_weight[row, edge])
    fields.edge_enabled[row, edge] = 0.0


def _free_identity(nodes: torch.Tensor, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return identities `[n]` that no node of the same genome has, NaN where none was found."""
    found = torch.full_like(source, torch.nan)
    for attempt in reversed(range(ATTEMPTS)):  # the lowest attempt that is free stays
        identity = split_identity(source, target, attempt)
        taken = (nodes == identity[:, None]).any(1)
        found = torch.where(taken | identity.isnan(), found, identity)
    return found
