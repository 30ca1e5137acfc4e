"""From topologies to networks: nodes in order, enabled connections packed."""

from __future__ import annotations

import torch

from evo.networks import Networks
from genomes.topology.fields import Fields
from genomes.topology.indexing import Index, index


def expressed(fields: Fields, hidden_always_enabled: bool) -> torch.Tensor:
    """Return which connections `[n, connections]` a network has.

    Args:
        fields: views of the genomes' rows.
        hidden_always_enabled: express connections between hidden nodes even where disabled, as the published
            weight agnostic networks code does.
    """
    enabled = fields.edge_enabled > 0
    return enabled | _between_hidden(fields) if hidden_always_enabled else enabled


def _between_hidden(fields: Fields) -> torch.Tensor:
    inside = [(ends > 0.0) & (ends < 1.0) for ends in (fields.edge_source, fields.edge_target)]
    return inside[0] & inside[1]


def edge_order(
    fields: Fields, inputs: int, outputs: int, hidden_always_enabled: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return row and slot `[edges]` of every connection that is expressed, in the order of the networks' edges."""
    where = index(fields.node, fields.edge_source, fields.edge_target, inputs, outputs)
    return _ordered(where, expressed(fields, hidden_always_enabled))


def _ordered(where: Index, used: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return row and slot of the connections marked `[n, connections]`: by row, then target, then source."""
    row, slot = torch.nonzero(used, as_tuple=True)
    nodes = where.identities.shape[1]
    order = torch.argsort((row * nodes + where.targets[row, slot]) * nodes + where.sources[row, slot])
    return row[order], slot[order]


def express(fields: Fields, inputs: int, outputs: int, hidden_always_enabled: bool) -> Networks:
    """Return the networks of the genomes.

    Args:
        fields: views of n genomes' rows.
        inputs, outputs: how many of each, the bias not counted.
        hidden_always_enabled: see `expressed`.
    """
    where = index(fields.node, fields.edge_source, fields.edge_target, inputs, outputs)
    device = fields.node.device
    node_offsets = torch.cat((torch.zeros(1, dtype=torch.int64, device=device), where.sizes.cumsum(0)))
    row, slot = _ordered(where, expressed(fields, hidden_always_enabled))
    counts = torch.bincount(where.targets[row, slot] + node_offsets[row], minlength=int(node_offsets[-1]))
    weight = fields.edge_weight[row, slot]
    if hidden_always_enabled:  # the published code also sets these weights to 1
        weight = torch.where(_between_hidden(fields)[row, slot], 1.0, weight)
    return Networks(
        inputs,
        outputs,
        node_offsets,
        _activations(fields, where.identities, inputs),
        torch.cat((torch.zeros(1, dtype=torch.int64, device=device), counts.cumsum(0))),
        where.sources[row, slot],
        weight.to(torch.float32),
    )


def _activations(fields: Fields, identities: torch.Tensor, inputs: int) -> torch.Tensor:
    """Return the activation ids `[nodes]` (uint8) of all genomes' nodes in order, packed."""
    hidden = fields.node.nan_to_num(nan=torch.inf).argsort(dim=1, stable=True)
    bias = torch.ones(len(hidden), 1, dtype=identities.dtype, device=identities.device)
    given = fields.interface_activation
    inner = fields.node_activation.gather(1, hidden)
    exists = ~fields.node.isnan().gather(1, hidden)
    always = torch.ones_like(given, dtype=torch.bool)
    kinds = torch.cat((bias, given[:, :inputs], inner, given[:, inputs:]), dim=1)
    real = torch.cat((bias > 0, always[:, :inputs], exists, always[:, inputs:]), dim=1)
    return kinds[real].to(torch.uint8)
