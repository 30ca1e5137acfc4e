"""How deep the nodes of a topology lie: the longest path to each from the inputs."""

from __future__ import annotations

import torch

from genomes.topology.indexing import Index


def depths(where: Index, edges: torch.Tensor, inputs: int) -> torch.Tensor:
    """Return the depth of each node `[n, nodes]` (int64): bias and inputs 0, others at least 1.

    Args:
        where: the genomes' nodes and connections.
        edges: `[n, connections]` which connections count; those that lead backward never do.
        inputs: how many inputs there are, the bias not counted.
    """
    forward = edges & (where.sources < where.targets)
    place = torch.arange(where.identities.shape[1], device=forward.device)
    depth = (place > inputs).to(torch.int64).expand(len(forward), -1).contiguous()
    while True:
        reached = torch.where(forward, depth.gather(1, where.sources) + 1, 0)
        deeper = depth.scatter_reduce(1, where.targets, reached, "amax")
        if torch.equal(deeper, depth):
            return depth
        depth = deeper
