"""Some learners on their way through a segment, update by update, all at once and in place."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import final

import torch

from evo.learners import Layer, Learners
from evo.learning import draws
from evo.learning.cases import Cases
from evo.learning.consolidation.learner_consolidation import approach, hold, let_go
from evo.learning.forward import Network
from evo.learning.losses import cross_entropy, squared
from evo.learning.plasticity.decay import add_decay, add_initial_decay, shrink
from evo.learning.plasticity.dropout import left_in, thinned
from evo.learning.plasticity.optimizers import adam, sgd
from evo.learning.plasticity.shrink_and_perturb import perturb
from evo.learning.turnover import Turnover
from evo.stream import Segment


@final
class Lesson:
    """A segment in the lives of n learners.

    Args:
        learners: n of them, in order of activation, with room for the optimiser's state; they change in place.
        segment: with their streams among its own.

    Attributes:
        losses, right: `[n, steps]` float32, before each step's update; NaN from where a loss is no longer finite.
        length: `[n]` float64, the sum over steps of the lengths of gradients.
        turnover: counts replaced units.
    """

    def __init__(self, learners: Learners, segment: Segment) -> None:
        self.learners, self.segment = learners, segment
        self.cases = Cases(segment, learners)
        state = learners.normalization_state
        self.after = None if state is None else state.clone()
        self.network = Network(learners, self.after)
        self.turnover = Turnover(learners, segment.lived(learners.segments))
        self.settings = {name: values[:, None] for name, values in learners.settings.items()}
        on = torch.stack([values.any() for values in learners.settings.values()]).tolist()
        self.on = dict(zip(learners.settings, on, strict=True))
        steps = learners.moment_steps
        self.together = bool((steps == steps[:, :1]).all())
        self.losses = torch.full((len(learners), segment.steps), torch.nan, device=learners.device)
        self.right = torch.full_like(self.losses, torch.nan)
        self.length = torch.zeros(len(learners), dtype=torch.float64, device=learners.device)
        self.lost = torch.zeros(len(learners), dtype=torch.bool, device=learners.device)
        self.left: list[tuple[torch.Tensor, Learners, torch.Tensor]] = []

    def live(self) -> None:
        """Make all updates of the segment."""
        if self.segment.reset_head:
            head = self.learners.architecture.layers[-1]
            self.learners.weights[:, head.begin :] = 0
            let_go(self.learners, slice(head.begin, head.end))
        self.held = hold(self.learners)
        for step in range(self.segment.steps):
            self._update(step)
        self.learners.due.copy_(self.turnover.due)
        if self.left:
            self._bring_back()
        self.learners.segments.add_(1)

    def _update(self, step: int) -> None:
        inputs, targets = self.cases(step)
        features = self.network.hidden(inputs, self._thin(step))
        slope = self._judge(step, targets)
        self._leave(self.losses[:, step])
        gradient = self.network.gradient(slope)
        with torch.no_grad():
            self.length += torch.linalg.vector_norm(gradient, dim=1)
            if self.after is not None and self.learners.normalization_state is not None:
                self.learners.normalization_state.copy_(self.after)
            self._descend(gradient)
            if self.held is not None:
                approach(self.learners.weights, self.held)
            if self.on["noise"]:
                start = self._start(step, draws.NOISE)
                perturb(self.learners.weights, self.settings["noise"], start, self.learners.architecture)
            if self.turnover.step([given.detach() for given in features], step):
                self.together = False
                self.held = hold(self.learners)

    def _thin(self, step: int) -> Callable[[torch.Tensor, Layer], torch.Tensor] | None:
        """Return this step's dropout."""
        if not self.on["dropout"]:
            return None
        dropout, units = self.settings["dropout"], self.learners.architecture.units
        taking_part = left_in(self._start(step, draws.DROPOUT), self.segment.batch, units, dropout)

        def thin(features: torch.Tensor, layer: Layer) -> torch.Tensor:
            own = taking_part[..., layer.first_unit : layer.first_unit + layer.outputs]
            return thinned(features, own, dropout)

        return thin

    def _judge(self, step: int, targets: torch.Tensor) -> torch.Tensor:
        """Note a step's losses, and return their gradient by the outputs."""
        outputs = self.network.outputs.detach()
        if self.segment.loss == "squared":
            self.losses[:, step], slope = squared(outputs, targets)
        else:
            classes = self.segment.classes or outputs.shape[2]
            self.losses[:, step], slope, self.right[:, step] = cross_entropy(outputs, targets, classes)
        return slope

    def _leave(self, loss: torch.Tensor) -> None:
        """Keep learners whose loss is no longer finite as they are now: they learn no more in this segment."""
        if math.isfinite(float(loss.sum())):
            return
        lost = ~loss.isfinite() & ~self.lost
        index = lost.nonzero()[:, 0]
        if len(index):
            self.learners.due.copy_(self.turnover.due)
            self.left.append((index, self.learners[index], self.turnover.replaced[index]))
            self.lost |= lost
            loss[index] = torch.nan

    def _bring_back(self) -> None:
        """Put learners that were left behind back as they were; nothing that came after counts."""
        after = self.losses.isnan().cumsum(1) > 0
        self.losses[after] = self.right[after] = torch.nan
        self.length[self.lost] = torch.nan
        for index, as_they_were, replaced in self.left:
            self.turnover.replaced[index] = replaced
            for field in fields(Learners):
                values = getattr(self.learners, field.name)
                if isinstance(values, torch.Tensor):
                    values[index] = getattr(as_they_were, field.name)

    def _descend(self, gradient: torch.Tensor) -> None:
        """Change the weights by the optimiser's rule."""
        learners, settings, on = self.learners, self.settings, self.on
        if on["weight_decay"]:
            add_decay(gradient, learners.weights, settings["weight_decay"])
        if on["initial_decay"]:
            add_initial_decay(gradient, learners.weights, learners.initial_weights, settings["initial_decay"])
        if on["decoupled_decay"]:
            shrink(learners.weights, settings["step_size"], settings["decoupled_decay"])
        if learners.rules.optimizer == "sgd":
            size, momentum = settings["step_size"], settings["momentum"]
            sgd(learners.weights, gradient, learners.first_moment, step_size=size, momentum=momentum)
            return
        adam(
            learners.weights,
            gradient,
            (learners.first_moment, learners.second_moment, learners.moment_steps),
            step_size=settings["step_size"],
            decays=(settings["first_moment_decay"], settings["second_moment_decay"]),
            together=self.together,
            released=learners.rules.released_adam,
        )

    def _start(self, step: int, purpose: int) -> torch.Tensor:
        """Return what this step's draws for one purpose start from, `[n]`."""
        return draws.moment(self.learners.key, self.learners.segments, step, purpose)
