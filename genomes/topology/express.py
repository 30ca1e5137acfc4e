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
    fields: Fields, inputs: int, outputs: int, hidden_always_enabled: bool, by_depth: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return row and slot `[edges]` of every connection that is expressed, in the order of the networks' edges."""
    where = index(fields.node, fields.edge_source, fields.edge_target, inputs, outputs, by_depth)
    return _ordered(where, expressed(fields, hidden_always_enabled))


def _ordered(where: Index, used: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return row and slot of the connections marked `[n, connections]`: by row, then target, then source."""
    row, slot = torch.nonzero(used, as_tuple=True)
    nodes = where.identities.shape[1]
    order = torch.argsort((row * nodes + where.targets[row, slot]) * nodes + where.sources[row, slot])
    return row[order], slot[order]


def express(fields: Fields, inputs: int, outputs: int, hidden_always_enabled: bool, by_depth: bool) -> Networks:
    """Return the networks of the genomes.

    Args:
        fields: views of n genomes' rows.
        inputs, outputs: how many of each, the bias not counted.
        hidden_always_enabled: see `expressed`.
        by_depth: see `genomes.topology.indexing.index`.
    """
    where = index(fields.node, fields.edge_source, fields.edge_target, inputs, outputs, by_depth)
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
        _activations(fields, where, inputs),
        torch.cat((torch.zeros(1, dtype=torch.int64, device=device), counts.cumsum(0))),
        where.sources[row, slot],
        weight.to(torch.float32),
    )


def _activations(fields: Fields, where: Index, inputs: int) -> torch.Tensor:
    """Return the activation ids `[nodes]` (uint8) of all genomes' nodes in order, packed."""
    given = fields.interface_activation
    identities = torch.where(where.identities.isfinite(), where.identities, torch.nan)
    slot, hidden = _slots(identities, fields.node)
    kinds = torch.where(hidden, fields.node_activation.gather(1, slot), 1.0)
    place = torch.where(
        identities < 0, identities + inputs, identities - 1 + inputs
    )  # -1 is the last input, 1 an output
    interface = (identities > -inputs - 1) & ~hidden
    given = given.gather(1, torch.where(interface, place, 0.0).long())
    return torch.where(interface, given, kinds)[identities.isfinite()].to(torch.uint8)


def _slots(identities: torch.Tensor, nodes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for each identity `[n, k]` which of `nodes` `[n, hidden]` it is, and whether it is one."""
    order = nodes.nan_to_num(nan=torch.inf).sort(dim=1)
    spot = torch.searchsorted(order.values, identities.nan_to_num(nan=-torch.inf).contiguous())
    spot = spot.clamp(max=nodes.shape[1] - 1)
    return order.indices.gather(1, spot), order.values.gather(1, spot) == identities
