"""One layer of hidden units of a user's network: what is known of each unit, and how one is replaced.

The definitions are those of `evo.learning.plasticity`, on modules and optimisers of torch instead of flat weights.
"""

from __future__ import annotations

import math
from typing import Any, final

import torch
from torch import nn

from evo.learners import Layer, Rules
from evo.learning.attached_readings import Reading, Tap, number_kind
from evo.learning.attached_units import Units
from evo.learning.plasticity.initial_weights import GAINS, bound
from evo.learning.plasticity.utility import SMALLEST

FACTORS = {
    "contribution": frozenset(("outgoing", "magnitude")),
    "zero_contribution": frozenset(("outgoing", "distance")),
    "adaptable_contribution": frozenset(("outgoing", "distance", "incoming")),
    "adaptation": frozenset(("incoming",)),
    "weight": frozenset(("outgoing",)),
    "feature_by_input": frozenset(("distance", "incoming")),
    "random": frozenset(()),
}
"""What each utility is a product of; see `evo.learning.plasticity.utility`. Incoming weights divide."""

STATE = ("ages", "utilities", "mean_activations")


@final
class AttachedLayer:
    """Units of one layer, numbered as the rows of the weights that make them.

    Attributes:
        units: by the names of modules.
        ages: `[units]` int64, steps since a unit was made.
        utilities: `[units]`, running means of what they are worth.
        mean_activations: `[readers, units]`, running means of what each reader is given by them.
        replaced: how many have been replaced.
        parameters: weights and biases of the layer.
    """

    def __init__(self, network: nn.Module, units: Units, utility: str, rules: Rules) -> None:
        self.units, self.factors, self.rules = units, FACTORS[utility], rules
        self.incoming: Any = network.get_submodule(units.incoming)
        self.readers: list[Any] = [network.get_submodule(name) for name in units.outgoing]
        self.norms: list[Any] = [network.get_submodule(name) for name in units.norm]
        weight = self.incoming.get_parameter("weight")
        self.count = len(weight)
        self.fan_in = math.prod(weight.shape[1:])
        self.parameters = (self.fan_in + 1) * self.count
        self.bound = bound(
            rules.initial, Layer(None, self.fan_in, self.count, self.fan_in, 0, 0), GAINS[units.activation]
        )
        self.ages = torch.zeros(self.count, dtype=torch.int64, device=weight.device)
        self.utilities = torch.zeros(self.count, dtype=number_kind(weight), device=weight.device)
        self.mean_activations = self.utilities.new_zeros(len(self.readers), self.count)
        self.replaced = 0
        self._attach(network)

    def _attach(self, network: nn.Module) -> None:
        keep = "distance" in self.factors
        if self.units.dropout:
            taps = [(network.get_submodule(self.units.dropout), self.readers[0])]
        else:
            taps = [(reader, reader) for reader in self.readers]
        readings = [Reading(self.incoming, reader, keep) for _, reader in taps]
        self.handles = [
            module.register_forward_pre_hook(Tap(reading), with_kwargs=True)
            for (module, _), reading in zip(taps, readings, strict=True)
        ]
        self.readings = readings * (len(self.readers) // len(readings))

    def detach(self) -> None:
        """Remove all hooks."""
        for handle in self.handles:
            handle.remove()
        self.handles.clear()

    def was_used(self) -> bool:
        """Return whether any of its units took part in a pass since the last step."""
        return any(reading.cases for reading in self.readings)

    def forget_passes(self) -> None:
        """Count no pass before now."""
        for reading in self.readings:
            reading.clear()

    def to(self, device: torch.device) -> None:
        """Move what is known of the units to where the network is."""
        for name in STATE:
            setattr(self, name, getattr(self, name).to(device))

    def observe(self, decay: float) -> torch.Tensor:
        """Take in the passes since the last step, after ages have moved on; return the utilities to rank by `[units]`.

        What is not finite is passed over, so that one overflow does not stay in the running means.
        """
        means = torch.stack([reading.mean(self.utilities) for reading in self.readings])
        _follow(self.mean_activations, means, decay)
        _follow(self.utilities, self._worth(decay), decay)
        self.forget_passes()
        return self.utilities / self._correction(decay)

    def usual(self, decay: float) -> torch.Tensor:
        """Return what each reader is usually given by each unit, `[readers, units]`."""
        return self.mean_activations / self._correction(decay)

    def _correction(self, decay: float) -> torch.Tensor | float:
        """Return what running means are divided by, as they started from 0; ages are 1 at least."""
        return (1 - decay ** self.ages.double()).to(self.utilities) if self.rules.corrected else 1.0

    def _worth(self, decay: float) -> torch.Tensor:
        """Return what units are worth at this step, `[units]`; at random, 0: the ranking is drawn when one is due."""
        if not self.factors:
            return torch.zeros_like(self.utilities)
        given = self._given(decay)
        if "outgoing" in self.factors:
            weights = [_by_unit(reader.weight, 1, self.count).transpose(0, 1).flatten(1) for reader in self.readers]
            sizes = [one.abs().sum(1, dtype=self.utilities.dtype) for one in weights]
            total = torch.stack(sizes) if given is None else torch.stack(sizes) * given
            worth = total.sum(0) / sum(one.shape[1] for one in weights)
        else:
            worth = torch.ones_like(self.utilities) if given is None else given.mean(0)
        if "incoming" in self.factors:
            worth = worth / self.incoming.weight.abs().flatten(1).mean(1, dtype=worth.dtype).clamp(min=SMALLEST)
        return worth

    def _given(self, decay: float) -> torch.Tensor | None:
        """Return the size of what units gave to each reader, or its distance from the usual, `[readers, units]`."""
        if "magnitude" in self.factors:
            return torch.stack([reading.magnitude(self.utilities) for reading in self.readings])
        if "distance" in self.factors:
            usual = self.usual(decay)
            return torch.stack([reading.distance(one) for reading, one in zip(self.readings, usual, strict=True)])
        return None

    def replace(
        self, chosen: torch.Tensor, fresh: torch.Tensor, decay: float, optimizer: torch.optim.Optimizer
    ) -> None:
        """Replace units.

        Args:
            chosen: `[k]` int64, which.
            fresh: `[k, fan_in]` from [0, 1), for their incoming weights.
            decay: of the running means.
            optimizer: whose state of their weights is set to 0.
        """
        if self.rules.bias_transfer:
            self._transfer(chosen, self.usual(decay)[:, chosen])
        weight = self.incoming.weight
        weight[chosen] = (self.bound * (2 * fresh - 1)).view(-1, *weight.shape[1:]).to(weight)
        written = [(weight, 0), (self.incoming.bias, 0)]
        _fill(self.incoming.bias, 0, self.count, chosen, 0.0)
        for norm in self.norms:
            written += self._restart(norm, chosen)
        for reader in self.readers:
            written.append((reader.weight, 1))
            _fill(reader.weight, 1, self.count, chosen, 0.0)
        if self.rules.reset_optimizer:
            for parameter, dimension in written:
                self._forget(optimizer, parameter, dimension, chosen)
        for name in STATE:
            getattr(self, name)[..., chosen] = 0
        self.replaced += len(chosen)

    def _transfer(self, chosen: torch.Tensor, usual: torch.Tensor) -> None:
        """Give what units usually contribute, `usual` `[readers, k]`, to the biases of their readers."""
        for reader, values in zip(self.readers, usual, strict=True):
            if reader.bias is not None:
                weights = _by_unit(reader.weight, 1, self.count)[:, chosen].flatten(2).sum(2, dtype=values.dtype)
                reader.bias += (weights * values).sum(1).to(reader.bias)

    def _restart(self, norm: Any, chosen: torch.Tensor) -> list[tuple[torch.Tensor | None, int]]:
        """Let a module's numbers of the chosen units start anew; return its parameters."""
        scale = norm.init if isinstance(norm, nn.PReLU) else 1.0
        for name, value in (("weight", scale), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            _fill(getattr(norm, name, None), 0, self.count, chosen, value)
        return [(getattr(norm, name, None), 0) for name in ("weight", "bias")]

    def _forget(
        self, optimizer: torch.optim.Optimizer, parameter: torch.Tensor | None, dimension: int, chosen: torch.Tensor
    ) -> None:
        """Set to 0 what an optimiser keeps for each weight of the chosen units; a count for all weights stays."""
        if parameter is None or parameter not in optimizer.state:
            return
        for state in optimizer.state[parameter].values():
            if isinstance(state, torch.Tensor) and state.shape == parameter.shape:
                _fill(state, dimension, self.count, chosen, 0.0)


def _by_unit(values: torch.Tensor, dimension: int, units: int) -> torch.Tensor:
    """Return a view in which a dimension of units, each a number of places in a row, is split into `units, places`."""
    return torch.unflatten(values, dimension, (units, -1))


def _fill(values: torch.Tensor | None, dimension: int, units: int, chosen: torch.Tensor, value: float) -> None:
    if values is not None:
        _by_unit(values, dimension, units).index_fill_(dimension, chosen.to(values.device), value)


def _follow(mean: torch.Tensor, new: torch.Tensor, decay: float) -> None:
    """Move running means on in place, where what is new is finite."""
    mean.copy_(torch.where(new.isfinite(), decay * mean + (1 - decay) * new, mean))
