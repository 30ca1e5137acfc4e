"""One layer of hidden units of a user's network: what is known of each unit, and how one is replaced.

The definitions are those of `evo.learning.plasticity`, on modules and optimisers of torch instead of flat weights.
"""

from __future__ import annotations

import math
from typing import Any, final

import torch
from torch import nn

from evo.learners import Layer, Rules
from evo.learning.attached.optimizers import check_state, start_anew
from evo.learning.attached.readings import Reading, Tap, number_kind
from evo.learning.attached.renewal import fill, restart, take_over
from evo.learning.attached.rows import Rows
from evo.learning.attached.units import Units
from evo.learning.attached.utility import FACTORS, worth
from evo.learning.plasticity.initial_weights import GAINS, bound

STATE = ("ages", "utilities", "mean_activations", "observations")


@final
class AttachedLayer:
    """Units of one layer, numbered as the rows of the weights that make them.

    Attributes:
        units: by the names of modules.
        ages: `[units]` int64, steps since a unit was made.
        utilities: `[units]`, running means of what they are worth.
        mean_activations: `[readers, units]`, running means of what each reader is given by them.
        observations: `[readers, units]` int64, the steps that these are of; a reader may be used at some steps only.
        replaced: how many have been replaced.
        parameters: weights and biases of the layer.

    Args:
        network: with the modules that `units` names.
        units: by the names of modules.
        utility: one of `evo.learners.UTILITIES`.
        rules: the choices there are.
        traced: whether readers are as a trace showed them, each called as often as the layer itself.
    """

    def __init__(self, network: nn.Module, units: Units, utility: str, rules: Rules, traced: bool) -> None:
        self.units, self.factors, self.rules = units, FACTORS[utility], rules
        self.incoming: Any = network.get_submodule(units.incoming)
        self.readers: list[Any] = [network.get_submodule(name) for name in units.outgoing]
        self.norms: list[Any] = [network.get_submodule(name) for name in units.norm]
        self.after = [
            network.get_submodule(units.after[name]) if name in units.after else None for name in units.outgoing
        ]
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
        self.observations = torch.zeros_like(self.mean_activations, dtype=torch.int64)
        self.replaced = 0
        self.rows = Rows(network, units) if traced else None
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
        if self.rows is not None:
            self.rows.detach()

    def was_used(self) -> bool:
        """Return whether any of its units took part in a pass since the last step."""
        return any(reading.cases for reading in self.readings)

    def forget_passes(self) -> None:
        """Count no pass before now."""
        for reading in self.readings:
            reading.clear()
        if self.rows is not None:
            self.rows.clear()

    def check(self, optimizer: torch.optim.Optimizer) -> None:
        """Make sure that units can be replaced at this step.

        Raises:
            RuntimeError: who read them is not known, or weights are on several devices.
            ValueError: what the optimiser keeps for their weights is not known.
        """
        if self.rows is not None:
            self.rows.check()
        devices = {str(weight.device) for weight in self.weights() if weight is not None}
        if len(devices) > 1:
            raise RuntimeError(
                f"NeuronReplacement.step: units of {self.units.incoming!r} have weights on several devices "
                f"({', '.join(sorted(devices))}), which is not supported; keep a layer, its normalization and its "
                f"readers on one, or leave the layer out with units="
            )
        if self.rules.reset_optimizer:
            check_state(optimizer, self.weights())

    def weights(self) -> list[torch.Tensor | None]:
        """Return the parameters that are written when a unit is replaced, None where a module has none."""
        own = [getattr(module, name, None) for module in (self.incoming, *self.norms) for name in ("weight", "bias")]
        return own + [reader.weight for reader in self.readers]

    def to(self, device: torch.device) -> None:
        """Move what is known of the units to where the network is."""
        for name in STATE:
            setattr(self, name, getattr(self, name).to(device))

    def observe(self, decay: float) -> torch.Tensor:
        """Take in the passes since the last step, after ages have moved on; return the utilities to rank by `[units]`.

        What is not finite is passed over, so that one overflow does not stay in the running means.
        """
        means = torch.stack([reading.mean(self.utilities) for reading in self.readings])
        self.observations += means.isfinite()
        _follow(self.mean_activations, means, decay)
        _follow(self.utilities, worth(self, self.usual(decay)), decay)
        self.forget_passes()
        return self.utilities / self._correction(self.ages, decay)

    def usual(self, decay: float) -> torch.Tensor:
        """Return what each reader is usually given by each unit, `[readers, units]`."""
        return self.mean_activations / self._correction(self.observations, decay)

    def _correction(self, steps: torch.Tensor, decay: float) -> torch.Tensor | float:
        """Return what running means of so many steps are divided by, as they started from 0; of none, 1."""
        return (1 - decay ** steps.clamp(min=1).double()).to(self.utilities) if self.rules.corrected else 1.0

    def replace(
        self, chosen: torch.Tensor, fresh: torch.Tensor, decay: float, optimizer: torch.optim.Optimizer
    ) -> None:
        """Replace units.

        Args:
            chosen: `[k]` int64, which.
            fresh: `[k, fan_in]` from [0, 1), for their incoming weights.
            decay: of the running means.
            optimizer: whose state of their weights becomes that of new weights.
        """
        if self.rules.bias_transfer:
            for reader, after, usual in zip(self.readers, self.after, self.usual(decay)[:, chosen], strict=True):
                take_over(reader, after, self.count, chosen, usual)
        weight = self.incoming.weight
        weight[chosen] = (self.bound * (2 * fresh - 1)).view(-1, *weight.shape[1:]).to(weight)
        fill(self.incoming.bias, 0, self.count, chosen, 0.0)
        for norm in self.norms:
            restart(norm, self.count, chosen)
        for reader in self.readers:
            fill(reader.weight, 1, self.count, chosen, 0.0)
        if self.rules.reset_optimizer:
            parameters = self.weights()
            for place, parameter in enumerate(parameters):
                dimension = int(place >= len(parameters) - len(self.readers))
                start_anew(optimizer, parameter, (dimension, self.count, chosen))
        for name in STATE:
            getattr(self, name)[..., chosen] = 0
        self.replaced += len(chosen)


def _follow(mean: torch.Tensor, new: torch.Tensor, decay: float) -> None:
    """Move running means on in place, where what is new is finite."""
    mean.copy_(torch.where(new.isfinite(), decay * mean + (1 - decay) * new, mean))
