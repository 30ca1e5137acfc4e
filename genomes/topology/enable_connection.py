"""Enable a connection that is disabled (Gaier & Ha 2019, published code)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields
from genomes.topology.indexing import choose


def enable_connection(fields: Fields, rng: np.random.Generator) -> None:
    """Enable one disabled connection of each genome, chosen uniformly; a genome that has none stays as it is."""
    edge, possible = choose(fields.edge_enabled == 0, seeds.uniform(rng, (len(fields.node),), fields.node))
    row = torch.arange(len(edge), device=edge.device)[possible]
    fields.edge_enabled[row, edge[row]] = 1.0
