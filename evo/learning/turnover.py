"""The units of a population on their way: their running means, and who is replaced when.

One step of neuron replacement (`evo.learning.plasticity.neuron_replacement`) and of ReDo (`dormant_units`), layer by
layer from the first, so that a layer meets the weights that an earlier one left.
"""

from __future__ import annotations

from typing import final

import torch

from evo.learners import UTILITIES, Learners
from evo.learning import draws
from evo.learning.plasticity.connections import units
from evo.learning.plasticity.dormant_units import dormant, renewal_due
from evo.learning.plasticity.neuron_replacement import least, numbers_due
from evo.learning.plasticity.renewal import renew
from evo.learning.plasticity.utility import LayerSigns, correction, follow, new_utility


@final
class Turnover:
    """What happens to the units of n learners during a segment; the learners' tensors change in place.

    Args:
        learners: n of them.
        lived: `[n]` int64, steps that they have made.

    Attributes:
        replaced: `[n, hidden layers]` int64, units replaced so far.
        due: `[n, hidden layers]` float64, fractions of units.
    """

    def __init__(self, learners: Learners, lived: torch.Tensor) -> None:
        self.learners = learners
        self.hidden = learners.architecture.layers[:-1]
        settings = {name: values[:, None] for name, values in learners.settings.items()}
        self.rate = settings["replacement_rate"].to(torch.float64)
        self.maturity, self.decay = settings["maturity_threshold"], settings["utility_decay"]
        self.share = 1 - self.decay
        self.threshold, self.period = settings["dormancy_threshold"], learners.settings["dormancy_period"].long()
        self.lived = lived
        active = (self.rate > 0) | (self.period[:, None] > 0)
        replacing, renewing, some, all_ = torch.stack(
            ((self.rate > 0).any(), (self.period > 0).any(), active.any(), active.all())
        ).tolist()
        self.replacing, self.renewing, self.idle = replacing, renewing, not some or not self.hidden
        self.active = None if all_ else active
        self.names = tuple(UTILITIES[kind] for kind in torch.bincount(learners.utility).nonzero()[:, 0].tolist())
        self.transfers = learners.rules.bias_transfer and not learners.architecture.concatenated
        self.due = learners.due.to(torch.float64)
        self.replaced = torch.zeros_like(learners.due, dtype=torch.int64)
        self.sizes = torch.tensor([layer.outputs for layer in self.hidden], device=learners.device)

    def step(self, features: list[torch.Tensor], step: int) -> bool:
        """Live through one step, after the weights have changed; returns whether any unit was replaced.

        Args:
            features: what each hidden layer gave before the change, `[n, batch, copies * units, ...]`.
            step: of the segment.
        """
        if self.idle:
            return False
        learners = self.learners
        signs = [LayerSigns(learners, index, given) for index, given in enumerate(features)]
        learners.ages.add_(1.0 if self.active is None else self.active)
        follow(learners.mean_activations, torch.cat([s.activation for s in signs], 1), self.share, self.active)
        follow(learners.mean_magnitudes, torch.cat([s.magnitude for s in signs], 1), self.share, self.active)
        corrected = correction(learners.ages, self.decay, learners.rules.corrected)
        usual = learners.mean_activations / corrected
        eligible, numbers = self._due(step)
        hit = (numbers > 0).any(0).tolist() if self.replacing else [False] * len(signs)
        for index, layer in enumerate(self.hidden):
            worth = new_utility(self.names, learners.utility, signs[index], units(usual, layer))
            follow(units(learners.utilities, layer), worth, self.share, self.active)
            if hit[index]:
                ranking = self._ranking(index, units(corrected, layer), step)
                chosen = least(ranking, units(eligible, layer), numbers[:, index])
                self._renew(index, chosen, step, draws.REPLACED_WEIGHTS, units(usual, layer))
        return self._renew_dormant(step) or any(hit)

    def _due(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return which units are old enough `[n, units]`, and how many to replace `[n, hidden layers]`."""
        learners = self.learners
        eligible = learners.ages > self.maturity
        if not self.replacing:
            return eligible, torch.zeros_like(self.replaced)
        counts = torch.stack([units(eligible, layer).sum(1) for layer in self.hidden], 1)
        start = None if learners.rules.accumulate else self._start(step, draws.BERNOULLI)
        return eligible, numbers_due(learners.rules, self.rate, counts, self.sizes, self.due, start)

    def _ranking(self, index: int, corrected: torch.Tensor, step: int) -> torch.Tensor:
        """Return what units of a layer are ranked by, `[n, units]`."""
        layer, learners = self.hidden[index], self.learners
        ranking = units(learners.utilities, layer) / corrected
        if "random" not in self.names:
            return ranking
        places = torch.arange(layer.first_unit, layer.first_unit + layer.outputs, device=ranking.device)
        drawn = draws.uniform(self._start(step, draws.UTILITY), places)
        return torch.where((learners.utility == UTILITIES.index("random"))[:, None], drawn, ranking)

    def _renew_dormant(self, step: int) -> bool:
        """Renew dormant units where that is due, and return whether it was."""
        if not self.renewing:
            return False
        now = renewal_due(self.period, self.lived, step)
        if not now.any():
            return False
        learners = self.learners
        corrected = correction(learners.ages, self.decay, learners.rules.corrected)
        magnitudes = learners.mean_magnitudes / corrected
        for index, layer in enumerate(self.hidden):
            chosen = dormant(units(magnitudes, layer), units(learners.ages, layer), self.threshold) & now[:, None]
            self._renew(index, chosen, step, draws.DORMANT_WEIGHTS, None)
        return True

    def _renew(self, index: int, chosen: torch.Tensor, step: int, purpose: int, usual: torch.Tensor | None) -> None:
        """Replace the chosen units `[n, units]` of a layer."""
        renew(self.learners, index, chosen, self._start(step, purpose), usual if self.transfers else None)
        self.replaced[:, index] += chosen.sum(1)

    def _start(self, step: int, purpose: int) -> torch.Tensor:
        """Return what this step's draws for one purpose start from, `[n]`."""
        return draws.moment(self.learners.key, self.learners.segments, step, purpose)
