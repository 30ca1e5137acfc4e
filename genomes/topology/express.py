"""From topologies to networks: nodes in order, enabled connections packed."""

from __future__ import annotations

import torch

from evo.networks import Networks
from genomes.topology.fields import Fields
from genomes.topology.indexing import index


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


def express(fields: Fields, inputs: int, outputs: int, output_activation: int, hidden_always_enabled: bool) -> Networks:
    """Return the networks of the genomes.

    Args:
        fields: views of n genomes' rows.
        inputs, outputs: how many of each, the bias not counted.
        output_activation: the outputs' activation id.
        hidden_always_enabled: see `expressed`.
    """
    where = index(fields.node, fields.edge_source, fields.edge_target, inputs, outputs)
    device = fields.node.device
    node_offsets = torch.cat((torch.zeros(1, dtype=torch.int64, device=device), where.sizes.cumsum(0)))
    row, slot = torch.nonzero(expressed(fields, hidden_always_enabled), as_tuple=True)
    source, target = where.sources[row, slot], where.targets[row, slot] + node_offsets[row]
    order = torch.argsort(target * where.identities.shape[1] + source)
    total = int(node_offsets[-1])
    counts = torch.bincount(target, minlength=total)
    weight = fields.edge_weight[row, slot]
    if hidden_always_enabled:  # the published code also sets these weights to 1
        weight = torch.where(_between_hidden(fields)[row, slot], 1.0, weight)
    return Networks(
        inputs,
        outputs,
        node_offsets,
        _activations(fields, where.identities, inputs, output_activation),
        torch.cat((torch.zeros(1, dtype=torch.int64, device=device), counts.cumsum(0))),
        source[order],
        weight[order].to(torch.float32),
    )


def _activations(fields: Fields, identities: torch.Tensor, inputs: int, output_activation: int) -> torch.Tensor:
    """Return the activation ids `[nodes]` (uint8) of all genomes' nodes in order, packed."""
    hidden = fields.node.nan_to_num(nan=torch.inf).argsort(dim=1, stable=True)
    kinds = torch.full_like(identities, 1.0)
    kinds[:, inputs + 1 : inputs + 1 + hidden.shape[1]] = fields.node_activation.gather(1, hidden)
    kinds = torch.where(identities >= 1.0, float(output_activation), kinds)
    return kinds[identities.isfinite()].to(torch.uint8)
