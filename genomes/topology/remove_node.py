"""Remove a hidden node with all its connections (neat-python, `node_delete_prob`)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields
from genomes.topology.indexing import choose


def remove_node(fields: Fields, rng: np.random.Generator) -> None:
    """Remove one hidden node of each genome, chosen uniformly, with the connections from and to it.

    A genome without hidden nodes stays as it is.

    Args:
        fields: views of the genomes' rows, changed in place.
        rng: where all draws come from.
    """
    used = ~fields.node.isnan()
    node, possible = choose(used, seeds.uniform(rng, (len(fields.node),), fields.node))
    removed = (torch.arange(used.shape[1], device=node.device) == node[:, None]) & possible[:, None]
    identity = torch.where(possible, fields.node.gather(1, node[:, None])[:, 0], torch.nan)[:, None]
    fields.keep(~removed, (fields.edge_source != identity) & (fields.edge_target != identity))
