"""Continual backprop on a user's own network: the replacement of its least useful hidden units, after each step.

Dohare et al. 2024 ("Loss of plasticity in deep continual learning", Nature 632), algorithm 1, on any torch network and
optimiser. Populations of learners have the same operator in `evo.learning.plasticity`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, final

import torch
from torch import nn

from evo.learners import Rules
from evo.learning import draws
from evo.learning.attached.checks import check_alone, check_bare, check_settings
from evo.learning.attached.layer import STATE, AttachedLayer
from evo.learning.attached.obstacles import usable_units
from evo.learning.attached.optimizers import check_state
from evo.learning.attached.units import Units
from evo.learning.plasticity.neuron_replacement import numbers_due


@final
class NeuronReplacement:
    """Replaces hidden units of a network while it learns: call `step()` after each `optimizer.step()`.

    A replaced unit gets new incoming weights and none going out, so the network computes what it computed before, less
    what the unit contributed; its usual contribution goes to the biases of its readers, or out of the running mean of a
    BatchNorm right after a reader without biases. Numbers of its own that a unit has in a BatchNorm, LayerNorm or
    PReLU start anew too; what LayerNorm and GroupNorm share among units changes a little.

    What the optimiser keeps for its weights becomes that of new ones: 0 for momentum and moments. torch's Adam counts
    its steps once for all weights of a layer, and that count stays: after thousands of steps, and with the usual betas,
    a new weight whose gradients have one sign moves 3.2 times as far as usual at its first step, 5.8 times at its 5th,
    6.5 at its 10th, 4.5 at its 50th; where gradients are noise 17, 12, 9.7 and 4.6 times.
    `evo.learning.per_weight_adam.PerWeightAdam` counts for each weight, so that new weights start as all once did.

    Only forward passes in training mode and with gradients count; several before one step count as one larger
    batch, so gradients may be accumulated. Utilities with a distance from the mean ("zero_contribution",
    "adaptable_contribution", "feature_by_input") keep what units gave until the next step.

    Units are found with optional arguments of forward at their defaults. Where a network is run in another way as well,
    so that a layer gives more cases than a known reader was given, `step` raises; named units are taken as named. One
    process trains the network: several would replace different units.

    Attributes:
        units: the layers whose units are replaced, in order.
        skipped: by module name, why the units of other layers are left alone.

    Args:
        network: any module on one device, as it is before `torch.compile` is put around it.
        optimizer: the one that trains it.
        rate: the share of the eligible units of a layer that is replaced per step.
        maturity_threshold: steps before a new unit may be replaced.
        utility: one of `evo.learners.UTILITIES`, by which units are ranked.
        utility_decay: of the running means that utilities are made from.
        rules: the choices there are; `optimizer` and `released_adam` play no part here.
        units: where the units are, as `evo.learning.attached.units.Units` that name all their readers; None to find
            them by tracing the network's forward once.
        seed: what all draws are made from; the same on any device.

    Raises:
        ValueError: a setting is outside its range, the network has no units that can be replaced, it cannot be traced,
            `units` do not fit it, or the optimiser keeps something for each weight that is not known.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        seed: int,
        rate: float = 1e-4,
        maturity_threshold: int = 100,
        utility: str = "contribution",
        utility_decay: float = 0.99,
        rules: Rules | None = None,
        units: Sequence[Units] | None = None,
    ) -> None:
        check_settings(rate, maturity_threshold, utility, utility_decay)
        check_bare(network)
        self.network, self.optimizer, self.rules = network, optimizer, rules or Rules()
        self.rate, self.maturity_threshold = rate, maturity_threshold
        self.utility, self.utility_decay = utility, utility_decay
        self.units, self.skipped = usable_units(network, optimizer, units)
        if self.rules.reset_optimizer:
            check_state(optimizer, network.parameters())
        self._layers = [AttachedLayer(network, one, utility, self.rules, units is None) for one in self.units]
        self._due = torch.zeros(1, len(self._layers), dtype=torch.float64)
        self._seed, self._steps = seed, 0

    @property
    def replaced(self) -> dict[str, int]:
        """How many units of each layer have been replaced so far."""
        return {layer.units.incoming: layer.replaced for layer in self._layers}

    @torch.no_grad()
    def step(self) -> dict[str, torch.Tensor]:
        """Replace the units that are due, after the optimiser's step; return which, by layer; most often none.

        A layer whose units took no part in any pass since the last step stays as it is, ages included.

        Raises:
            RuntimeError: no layer took part in any pass, one that took part was read by others than is known, its
                weights are on several devices, several processes train together, or `detach` was called.
            ValueError: the optimiser keeps something for each weight that is not known.
        """
        self._check_passes()
        if not self.rate:
            for layer in self._layers:
                layer.forget_passes()
            return {}
        counts = self._numbers()
        chosen: dict[str, torch.Tensor] = {}
        for index, layer in enumerate(self._layers):
            if not layer.was_used():
                continue
            ranking = layer.observe(self.utility_decay)
            if counts[index]:
                chosen[layer.units.incoming] = self._replace(index, layer, ranking, counts[index])
        self._steps += 1
        return chosen

    def _numbers(self) -> list[int]:
        """Let units age, and return how many of each layer are to be replaced now."""
        eligible = []
        for layer in self._layers:
            layer.to(layer.incoming.weight.device)
            layer.ages += layer.was_used()
            eligible.append(layer.was_used() * (layer.ages > self.maturity_threshold).sum())
        here = self._layers[0].ages.device
        numbers = numbers_due(
            self.rules,
            torch.full((1, 1), self.rate, dtype=torch.float64),
            torch.stack([number.to(here) for number in eligible])[None].cpu(),  # the only wait for an accelerator
            torch.tensor([layer.count for layer in self._layers]),
            self._due,
            None if self.rules.accumulate else self._moment(draws.BERNOULLI, torch.device("cpu")),
        )
        return [int(number) for number in numbers[0]]

    def _replace(self, index: int, layer: AttachedLayer, ranking: torch.Tensor, count: int) -> torch.Tensor:
        """Replace the `count` least useful units of a layer, and return which, in order."""
        device = ranking.device
        if self.utility == "random":
            first = sum(before.count for before in self._layers[:index])
            places = first + torch.arange(layer.count, device=device)
            ranking = draws.uniform(self._moment(draws.UTILITY, device), places)[0]
        ranking = ranking.masked_fill(layer.ages <= self.maturity_threshold, torch.inf)
        chosen = ranking.sort(stable=True).indices[:count].sort().values
        # a weight has the number that it would have in a learner of the same layers: `evo.learners.Layer.begin`
        begin = sum(before.parameters for before in self._layers[:index])
        places = begin + torch.arange(layer.fan_in, device=device) * layer.count + chosen[:, None]
        start = self._moment(draws.REPLACED_WEIGHTS, device).expand(len(chosen))
        layer.replace(chosen, draws.uniform(start, places), self.utility_decay, self.optimizer)
        return chosen

    def _moment(self, purpose: int, device: torch.device) -> torch.Tensor:
        """Return what all draws of one purpose at this step start from, `[1]`."""
        key, segments = torch.tensor([self._seed], device=device), torch.zeros(1, dtype=torch.int64, device=device)
        return draws.moment(key, segments, self._steps, purpose)

    def _check_passes(self) -> None:
        if not all(layer.handles for layer in self._layers):
            raise RuntimeError("NeuronReplacement.step: detached from its network; make a new one to go on")
        check_alone()
        for layer in self._layers:
            layer.check(self.optimizer)
        if not any(layer.was_used() for layer in self._layers):
            raise RuntimeError(
                "NeuronReplacement.step: no hidden unit took part in a forward pass since the last step; passes count "
                "in training mode and with gradients: call network.train(), and step() once after optimizer.step()"
            )

    def detach(self) -> None:
        """Remove all hooks from the network; it stays as it is, and `step` may not be called again."""
        for layer in self._layers:
            layer.detach()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(
            "NeuronReplacement: cannot be copied or pickled, as its hooks are in one network; copy the network and the "
            "optimizer, make a new NeuronReplacement for them, and hand on the state: "
            "new.load_state_dict(old.state_dict())"
        )

    def _settings(self) -> dict[str, Any]:
        """Return what a state depends on, as plain values; how the optimiser works plays no part."""
        rules = {
            name: value for name, value in asdict(self.rules).items() if name not in ("optimizer", "released_adam")
        }
        return {"utility": self.utility, "utility_decay": self.utility_decay, **rules}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on to the same bits, if made between a `step()` and the next forward pass.

        It has numbers and tensors only, so `torch.load` reads it with `weights_only=True`.
        """
        layers = {
            layer.units.incoming: {"replaced": layer.replaced, **{name: getattr(layer, name).clone() for name in STATE}}
            for layer in self._layers
        }
        return {
            "settings": self._settings(),
            "seed": self._seed,
            "steps": self._steps,
            "due": self._due.clone(),
            "layers": layers,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state that `state_dict` returned, its seed included; passes since the last step are forgotten.

        Raises:
            ValueError: the state is of another network, or was made with another utility, decay or rules.
        """
        own_settings, settings = self._settings(), state.get("settings", {})
        if settings != own_settings:
            raise ValueError(
                f"NeuronReplacement.load_state_dict: the state was made with other settings, so its running means are "
                f"of something else: expected {own_settings}, got {settings}; make the NeuronReplacement with those"
            )
        sizes = {name: tuple(values["mean_activations"].shape) for name, values in state["layers"].items()}
        own = {layer.units.incoming: tuple(layer.mean_activations.shape) for layer in self._layers}
        if sizes != own:
            raise ValueError(
                f"NeuronReplacement.load_state_dict: expected layers {own}, as (readers, units), got {sizes}; the "
                f"state is of another network, or of one with other layers left out"
            )
        self._seed, self._steps = int(state["seed"]), int(state["steps"])
        self._due = state["due"].to("cpu", torch.float64).clone()
        for layer in self._layers:
            values = state["layers"][layer.units.incoming]
            layer.replaced = int(values["replaced"])
            for name in STATE:
                getattr(layer, name).copy_(values[name])
            layer.forget_passes()
