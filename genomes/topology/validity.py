"""Which settings of a topology make sense: checked when it is made, so that a campaign fails before it starts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evo.activations import activation_id

if TYPE_CHECKING:
    from genomes.topology.topology import Topology

WHOLE = ("inputs", "outputs", "hidden", "connections", "changes", "normalize_above")
SHARES = ("initial_connection_rate", "weight_perturbation_rate", "weight_replacement_rate", "disabled_inheritance_rate")
AMOUNTS = ("weight_range", "weight_deviation", "structure_coefficient", "weight_coefficient", "activation_coefficient")


def check(topology: Topology) -> None:
    """Raise ValueError where a topology's settings are outside their ranges, or contradict each other."""
    _check_numbers(topology)
    _check_mutation(topology)
    if topology.deeper_only and topology.recurrent:
        raise ValueError("Topology: with deeper_only no connection leads backward, so recurrent must be False")
    if not topology.activations:
        raise ValueError("Topology: expected activations for hidden nodes to draw from, got none")
    for activation in (*topology.activations, topology.output_activation):
        activation_id(activation)


def _check_numbers(topology: Topology) -> None:
    for name in WHOLE:
        value, least = getattr(topology, name), 0 if name in ("connections", "normalize_above") else 1
        if not isinstance(value, int) or value < least:
            raise ValueError(f"Topology: {name} is a whole number from {least} up, got {value!r}")
    for name in SHARES:
        if not 0 <= getattr(topology, name) <= 1:
            raise ValueError(f"Topology: {name} is a probability from 0 to 1, got {getattr(topology, name)}")
    for name in AMOUNTS:
        if not 0 <= getattr(topology, name) < math.inf:
            raise ValueError(f"Topology: {name} is a number from 0 up, got {getattr(topology, name)}")
    both = topology.weight_perturbation_rate + topology.weight_replacement_rate
    if both > 1 + 1e-9:  # decimals that add up to 1 may add up to a little more
        raise ValueError(
            f"Topology: a weight either moves or is drawn anew, so weight_perturbation_rate and "
            f"weight_replacement_rate are at most 1 together, got {both}"
        )


def _check_mutation(topology: Topology) -> None:
    rates, kind, changes = topology.rates, topology.mutation, topology.changes
    if not all(0 <= rate < math.inf for rate in rates) or not sum(rates):
        raise ValueError(f"Topology: mutation rates are 0 or more and not all 0, got {rates}")
    if kind not in ("one", "each") or (changes > 1 and kind == "each"):
        raise ValueError(
            f"Topology: mutation is 'one', with 1 change or more, or 'each', with 1; got {kind!r} and {changes} changes"
        )
    if kind == "each" and max(rates) > 1:
        raise ValueError(f"Topology: with mutation='each', rates are probabilities, at most 1; got {rates}")
