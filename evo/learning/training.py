"""Teaching learners for a segment of their streams, by whichever engine can.

One update of a learner, in this order: forward pass and loss (which is what is recorded), gradient, decay, a step of
the optimiser, the pull to where earlier tasks ended, noise, and then neuron replacement, layer by layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from evo.learners import Learners
from evo.learning.consolidation.learner_consolidation import consolidating
from evo.stream import Segment


@dataclass(frozen=True)
class Record:
    """What was measured while learners lived through a segment.

    A learner whose loss stops being finite learns no more: its numbers are NaN from that step on.

    Attributes:
        loss: `[n, bins]` float64, means over equal stretches of the segment, each before its step's update.
        correct: `[n, bins]` float64, the share of cases that got their own class; NaN for squared errors.
        replaced: `[n, hidden layers]` int64, units replaced, by whichever operator.
        gradient_norm: `[n]` float64, the mean over steps of the length of the loss's gradient, decay left out.
    """

    loss: torch.Tensor
    correct: torch.Tensor
    replaced: torch.Tensor
    gradient_norm: torch.Tensor


def learn(learners: Learners, segment: Segment, bins: int = 1) -> tuple[Learners, Record]:
    """Return learners as they are after a segment, and what was measured on the way.

    The compiled engine teaches learners whose execution says "compiled" where it can (`compiled_can`); all others are
    taught by torch, on the device where they are. Both do the same within float32 rounding. What becomes of a learner
    depends on neither its neighbours nor the number of threads.

    Args:
        learners: n of them; they stay as they are.
        segment: with their streams among its own.
        bins: how many means are recorded, at most one for each step.

    Raises:
        ValueError: the segment does not fit the learners, there are none, or `bins` is out of its range.
    """
    _check(learners, segment, bins)
    if learners.execution.engine == "compiled" and compiled_can(learners, segment):
        from evo.learning.online import learn_online

        return _settled(*learn_online(learners, segment, bins))
    from evo.learning.batched import learn_batched

    return _settled(*learn_batched(learners, segment, bins))


def _settled(learned: Learners, record: Record) -> tuple[Learners, Record]:
    """Return learners of which those without momentum have none left; engines leave there what suits them."""
    moments = learned.first_moment
    if learned.rules.optimizer == "sgd" and moments.shape[1]:
        moving = learned.settings["momentum"][:, None] > 0
        learned = replace(learned, first_moment=torch.where(moving, moments, 0.0))
    return learned, record


def compiled_can(learners: Learners, segment: Segment) -> bool:
    """Return whether the compiled engine can teach these learners.

    It can where layers are dense, without normalization or concatenated ReLU, one case at a time, on the CPU, and no
    learner consolidates. Adam's steps are to be those of an unbroken life: a weight has made the fewer of those of the
    two units that it joins.
    """
    architecture = learners.architecture
    plain = not (architecture.convolutions or architecture.normalization or architecture.concatenated)
    plain = plain and (segment.columns is None or segment.columns.dim() == 2) and not consolidating(learners)
    return plain and segment.batch == 1 and learners.device.type == "cpu" and _steps_by_units(learners)


def _steps_by_units(learners: Learners) -> bool:
    """Return whether Adam's steps of all weights follow from those of the units' biases."""
    if not learners.moment_steps.shape[1]:
        return True
    before = torch.tensor(torch.inf)
    for layer in learners.architecture.layers:
        into = learners.moment_steps[:, layer.begin : layer.bias_begin].view(-1, layer.fan_in, layer.outputs)
        steps = learners.moment_steps[:, layer.bias_begin : layer.end]
        if not torch.equal(into, torch.minimum(before, steps[:, None]).expand_as(into)):
            return False
        before = steps[:, :, None]
    return True


def _check(learners: Learners, segment: Segment, bins: int) -> None:
    """Raise ValueError where learners and segment do not fit."""
    architecture = learners.architecture
    if not len(learners):
        raise ValueError("learners: expected at least one, got none")
    if not 1 <= bins <= segment.steps:
        raise ValueError(f"bins: expected 1 to {segment.steps}, the steps of the segment, got {bins}")
    shape = tuple(segment.inputs.shape[2:]) if segment.columns is None else tuple(segment.columns.shape[-1:])
    flat = not architecture.convolutions and math.prod(shape) == math.prod(architecture.inputs)
    if shape != architecture.inputs and not flat:
        raise ValueError(
            f"segment: expected inputs of shape {architecture.inputs}, as the learners read, got {shape}; make the "
            f"genome for this problem (genome.for_problem), or change its inputs"
        )
    outputs = segment.targets.shape[-1] if segment.loss == "squared" else segment.classes
    if outputs > architecture.outputs or (segment.loss == "squared" and outputs != architecture.outputs):
        raise ValueError(f"segment: expected targets for {architecture.outputs} outputs, got {outputs}")
