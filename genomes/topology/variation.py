"""The kinds of mutation that a topology knows, by name, and how its settings reach the operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from evo.activations import activation_id
from genomes.topology.add_connection import add_connection
from genomes.topology.add_node import add_node
from genomes.topology.change_activation import change_activation
from genomes.topology.change_interface import change_interface
from genomes.topology.enable_connection import enable_connection
from genomes.topology.fields import Fields
from genomes.topology.perturb_weights import perturb_weights
from genomes.topology.remove_connection import remove_connection
from genomes.topology.remove_node import remove_node

if TYPE_CHECKING:
    from genomes.topology.topology import Topology

KINDS = (
    "add_node",
    "add_connection",
    "enable_connection",
    "activation",
    "weight",
    "remove_connection",
    "remove_node",
    "input_activation",
    "output_activation",
)
"""Kinds of mutation; a topology's setting `KIND_rate` says how often each happens."""


def vary(kind: str, topology: Topology, fields: Fields, rng: np.random.Generator) -> None:
    """Make one change of a kind in each genome, in place; one that is not possible leaves a genome as it is."""
    inputs, outputs = topology.inputs, topology.outputs
    allowed = torch.tensor([activation_id(name) for name in topology.activations], device=fields.node.device)
    match kind:
        case "add_node":
            add_node(fields, allowed, rng)
        case "add_connection":
            span, deeper = topology.weight_range, topology.deeper_only
            add_connection(fields, inputs, outputs, span, topology.recurrent, rng, deeper)
        case "enable_connection":
            enable_connection(fields, rng)
        case "activation":
            change_activation(fields, allowed, rng)
        case "weight":
            rate, deviation = topology.weight_perturbation_rate, topology.weight_deviation
            perturb_weights(fields, rate, deviation, rng, topology.weight_replacement_rate, topology.weight_range)
        case "remove_connection":
            remove_connection(fields, rng)
        case "remove_node":
            remove_node(fields, rng)
        case "input_activation":
            change_interface(fields, 0, inputs, allowed, rng)
        case "output_activation":
            change_interface(fields, inputs, inputs + outputs, allowed, rng)
