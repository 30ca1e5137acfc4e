"""Nodes that no output depends on are not computed: in a champion after removals, a third of the nodes."""

from __future__ import annotations

from dataclasses import replace

import torch

from evo.networks import Networks


def without_dead_ends(networks: Networks) -> Networks:
    """Return networks that give the same outputs, to the bit, without the hidden nodes that no output depends on.

    Bias, inputs and outputs stay, and so does the order of nodes and edges.
    """
    if len(networks) > 1 and networks.alike and without_dead_ends(first := networks[:1]) is first:
        return networks  # one stands for all; on 64 perceptrons of 2,400 weights this takes a tenth of the time
    begins = networks.node_offsets[:-1].repeat_interleave(networks.node_offsets.diff())
    targets = torch.arange(len(begins), device=networks.device).repeat_interleave(networks.edge_offsets.diff())
    sources = networks.edge_sources + begins[targets]
    interface = _interface(networks, begins)
    read = interface.clone()
    read[sources] = True
    if bool(read.all()) and not networks.recurrent:
        return networks  # where every node is read and none reads backward, every path ends in an output
    return _only(networks, _live(networks, begins, sources, targets) | interface, begins, sources, targets)


def _interface(networks: Networks, begins: torch.Tensor) -> torch.Tensor:
    """Return which nodes `[nodes]` are bias, inputs or outputs."""
    place = torch.arange(len(begins), device=networks.device)
    ends = networks.node_offsets[1:].repeat_interleave(networks.node_offsets.diff())
    return (place - begins <= networks.inputs) | (ends - place <= networks.outputs)


def _live(networks: Networks, begins: torch.Tensor, sources: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return which nodes `[nodes]` an output depends on, the outputs among them."""
    ends = networks.node_offsets[1:].repeat_interleave(networks.node_offsets.diff())
    live = ends - torch.arange(len(begins), device=networks.device) <= networks.outputs
    while True:
        reached = sources[live[targets] & ~live[sources]]
        if not len(reached):
            return live
        live[reached] = True


def _only(
    networks: Networks, kept: torch.Tensor, begins: torch.Tensor, sources: torch.Tensor, targets: torch.Tensor
) -> Networks:
    """Return the networks with the nodes `kept` and the edges into them."""
    before = torch.cat((kept.new_zeros(1, dtype=torch.int64), kept.cumsum(0)))
    edges = kept[targets]
    into = networks.edge_offsets.diff()[kept]
    return replace(
        networks,
        node_offsets=before[networks.node_offsets],
        activations=networks.activations[kept],
        edge_offsets=torch.cat((into.new_zeros(1), into.cumsum(0))),
        edge_sources=(before[sources] - before[begins[targets]])[edges],
        edge_weights=networks.edge_weights[edges],
    )
