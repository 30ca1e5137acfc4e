"""Learn to add one, and then to add two: the first catastrophic forgetting that was described: `addition-facts-v1`.

Inputs: 28 units, 0 or 1: 12 for each number to add, 4 for the operation (here always the first of them). A digit is
three neighbouring units of 12, so that near digits look alike (`coded`).
Outputs: 24 units: 12 for the tens of the sum and 12 for the ones, coded in the same way. The loss is the mean squared
error.
Tasks: the 17 "ones" facts, 1 + 1 to 9 + 1 and 1 + 2 to 1 + 9, then the 17 "twos" facts, 2 + 1 to 2 + 9 and 1 + 2 to
9 + 2 without 2 + 2 twice. 1 + 2 and 2 + 1 are among both, so who has forgotten all else still knows two of 17.
Objective: "test_accuracy", the share of facts that are right, the mean over the tasks met so far; more is better. A
fact is right when both of its digits are those whose codes are nearest to the outputs. Measured too: `test_accuracies`
`[n, 2]`, NaN for the task to come. There are no other facts to test on: it is about forgetting alone.
A segment is a task: all of its facts, once per epoch in a new random order, `batch` per update.
Start: number 0 of a stream, the ones. End: none; ones and twos take turns.
Version: 1.

As published: the facts, and 28, 50 and 24 units with a code in which near digits share units. Not as published, or not
known to be: which three units a digit is, linear outputs (logistic ones there), step sizes, and a number of epochs in
place of training until all is right. Published: ones forgotten within a few passes through the twos, under all
variations tried.

Source: McCloskey & Cohen 1989 (Psychology of Learning and Motivation 24:109-165), the first simulations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from evo import seeds
from evo.continual import ContinualProblem
from evo.learners import Learners
from evo.lived import Lived
from evo.problem import Objective
from evo.stream import Segment
from problems.continual.orders import in_epochs

DIGIT, OPERATIONS, SHARED = 12, 4, 3
"""Units for a digit, units for the operation, and how many of a digit's are on."""
INPUTS, HIDDEN, OUTPUTS = 2 * DIGIT + OPERATIONS, 50, 2 * DIGIT
ADDENDS = (1, 2)
"""What each task adds."""


def facts(addend: int) -> list[tuple[int, int]]:
    """Return the pairs of numbers from 1 to 9 of which one is the addend, each once: 17 of them."""
    return [(number, addend) for number in range(1, 10)] + [
        (addend, number) for number in range(1, 10) if number != addend
    ]


def coded(digit: int) -> np.ndarray:
    """Return a digit from 0 to 9 as `[12]` float32: three neighbours on."""
    units = np.zeros(DIGIT, dtype=np.float32)
    units[digit : digit + SHARED] = 1.0
    return units


def inputs_of(pairs: list[tuple[int, int]]) -> torch.Tensor:
    """Return what networks read of pairs of numbers, `[pairs, 28]` float32."""
    operation = np.zeros(OPERATIONS, dtype=np.float32)
    operation[0] = 1.0
    return torch.from_numpy(np.stack([np.concatenate((coded(one), operation, coded(other))) for one, other in pairs]))


def targets_of(pairs: list[tuple[int, int]]) -> torch.Tensor:
    """Return what networks are to answer, `[pairs, 24]` float32."""
    sums = [divmod(one + other, 10) for one, other in pairs]
    return torch.from_numpy(np.stack([np.concatenate((coded(tens), coded(ones))) for tens, ones in sums]))


def right(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return which answers are nearest to the codes of both digits wanted, `[..., pairs]` bool.

    Args:
        outputs: `[..., pairs, 24]`.
        targets: `[pairs, 24]`, of `targets_of`.
    """
    codes = torch.from_numpy(np.stack([coded(digit) for digit in range(10)])).to(outputs)

    def read(values: torch.Tensor) -> torch.Tensor:
        two = values.view(*values.shape[:-1], 2, DIGIT)
        # all codes are of one length, so the nearest one is the one most in line
        return torch.argmax(two @ codes.T, -1)

    return (read(outputs) == read(targets.to(outputs))).all(-1)


@dataclass(frozen=True)
class AdditionFacts(ContinualProblem):
    """Learn the facts of adding one, then those of adding two (McCloskey & Cohen 1989).

    Attributes:
        epochs: how often a task shows each of its facts.
        batch: facts per update; what fills no batch at the end of an epoch is left out of it.
    """

    name: ClassVar[str] = "addition-facts-v1"

    epochs: int = 1000
    batch: int = 17

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(epochs=1, batch=1)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Two numbers and the operation."""
        return (INPUTS,)

    @property
    def output_count(self) -> int:
        """Two digits."""
        return OUTPUTS

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The mean share of facts that are right, over the tasks so far."""
        return (Objective("test_accuracy"),)

    def segment(self, streams: torch.Tensor, number: int) -> Segment:
        """Return one task; see `ContinualProblem.segment`."""
        pairs = facts(ADDENDS[number % len(ADDENDS)])
        order = [
            in_epochs(seeds.rng(stream, "addition facts: order", number), len(pairs), self.batch, self.epochs)
            for stream in streams.tolist()
        ]
        return Segment(
            streams=streams,
            inputs=inputs_of(pairs)[None],
            targets=targets_of(pairs)[None],
            table=torch.zeros(len(streams), dtype=torch.int64),
            order=torch.from_numpy(np.stack(order).reshape(len(streams), -1, self.batch)),
            loss="squared",
        )

    def live(self, learners: Learners, number: int) -> Lived:
        """Return what becomes of n learners in one segment, and how many facts they know then."""
        lived = super().live(learners, number)
        accuracies = known_facts(lived.learners, min(number + 1, len(ADDENDS)))
        accuracies[~lived.measured["loss"].isfinite().all(1).cpu()] = torch.nan  # who failed knows nothing
        scores = accuracies.nanmean(1).to(lived.scores)
        return replace(lived, scores=scores, measured={**lived.measured, "test_accuracies": accuracies})


def known_facts(learners: Learners, met: int) -> torch.Tensor:
    """Return the share of each task's facts that n learners know, `[n, tasks]` float64; NaN but for the first `met`."""
    from evo.learning.forward import forward

    found = torch.full((len(learners), len(ADDENDS)), torch.nan, dtype=torch.float64)
    for task, addend in enumerate(ADDENDS[:met]):
        pairs = facts(addend)
        outputs = forward(learners, inputs_of(pairs).to(learners.device)).cpu()
        found[:, task] = right(outputs, targets_of(pairs)).to(torch.float64).mean(1)
    return found
