"""Give a hidden node another activation (Gaier & Ha 2019, section 3.2)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields
from genomes.topology.indexing import choose


def change_activation(fields: Fields, activations: torch.Tensor, rng: np.random.Generator) -> None:
    """Change one hidden node of each genome, chosen uniformly, to an activation it does not have.

    A genome without hidden nodes stays as it is.

    Args:
        fields: views of the genomes' rows, changed in place.
        activations: `[k]` activation ids to draw from, uniformly but for the node's own.
        rng: where all draws come from.
    """
    draws = seeds.uniform(rng, (2, len(fields.node)), fields.node)
    node, possible = choose(~fields.node.isnan(), draws[0])
    row = torch.arange(len(node), device=node.device)[possible]
    node = node[row]
    others = activations != fields.node_activation[row, node].to(activations)[:, None]
    chosen, changed = choose(others, draws[1][row])
    row, node, chosen = row[changed], node[changed], chosen[changed]
    fields.node_activation[row, node] = activations[chosen].to(fields.node)
