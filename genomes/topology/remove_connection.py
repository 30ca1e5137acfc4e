"""Remove a connection: the way back that NEAT and weight agnostic search lack (neat-python, `conn_delete_prob`)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields
from genomes.topology.indexing import choose


def remove_connection(fields: Fields, rng: np.random.Generator) -> None:
    """Remove one connection of each genome, chosen uniformly, enabled or not; a genome that has none stays as it is.

    A hidden node that has no connection left goes with it.

    Args:
        fields: views of the genomes' rows, changed in place.
        rng: where all draws come from.
    """
    used = ~fields.edge_source.isnan()
    edge, possible = choose(used, seeds.uniform(rng, (len(fields.node),), fields.node))
    removed = (torch.arange(used.shape[1], device=edge.device) == edge[:, None]) & possible[:, None]
    kept = used & ~removed
    orphaned = torch.zeros_like(fields.node, dtype=torch.bool)
    for ends in (fields.edge_source, fields.edge_target):
        end = ends.gather(1, edge[:, None])
        lonely = ~(((fields.edge_source == end) | (fields.edge_target == end)) & kept).any(1, keepdim=True)
        orphaned |= (fields.node == end) & lonely & possible[:, None]
    fields.keep(~orphaned, kept)
