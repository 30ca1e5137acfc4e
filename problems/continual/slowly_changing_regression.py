"""Follow a random function whose input drifts, a bit at a time: `slowly-changing-regression-v1`.

Inputs: 20 bits, 0 or 1: 15 slow ones, then 5 fast ones. Slow bits start at random and stay for 10,000 steps; then one
of them, chosen at random, flips. Fast bits are drawn anew at every step. So one segment, the 10,000 steps between two
flips, has only 2^5 = 32 different inputs.
Output: one number. The target is a network of 100 linear threshold units with all weights and biases -1 or 1, drawn
once per stream: y = c + sum v_i h_i, where h_i = 1 if w_i x + b_i > 0.7 (20 + 1) - S_i, else 0. There is no noise.
Objective: "squared_error", the mean over all steps of (output - y)^2 before each update; less is better. A linear
learner of step size 0.003 stays near 0.8 (0.88 with `flip_all`).
Start: number 0 of a stream. End: none; the published runs have 100 segments (README) or 300 (article).
Data: drawn; a stream is its number. Published comparisons run all settings on the same 100 streams.
Version: 1.

Two things differ between the article and its code, and both are settings. S_i is (20 - sum w_i + b_i) / 2 in the code;
the article's is the number of negative weights, bias included, (20 + 1 - sum w_i - b_i) / 2 (`paper_threshold`), with
which errors are about 1.4 times as large. The published curves are those of the code, so that is the default. The code
as released draws all slow bits anew (`flip_all`); the article flips one, which is the default.

Source: Dohare et al. 2024 (Loss of plasticity in deep continual learning, Nature 632), Extended Data Fig. 2; Dohare,
Sutton & Mahmood 2021 (arXiv:2108.06325), section 2 (bit flipping).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from evo import seeds
from evo.continual import ContinualProblem
from evo.problem import Objective
from evo.stream import Segment

MOST_FAST = 16
"""Fast bits; all their combinations are written out."""


@dataclass(frozen=True)
class SlowlyChangingRegression(ContinualProblem):
    """Follow a random function of bits of which one flips every 10,000 steps (Dohare et al. 2024).

    Attributes:
        bits: inputs.
        slow: how many of them stay between flips.
        flip_after: steps between flips, and in a segment.
        target_units: threshold units of the target.
        beta: the share of a unit's inputs that must be as its weights want them.
        flip_all: whether all slow bits are drawn anew, as in the released code; otherwise one flips.
        paper_threshold: whether thresholds are the article's; otherwise the code's.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "slowly-changing-regression-v1"

    bits: int = 20
    slow: int = 15
    flip_after: int = 10_000
    target_units: int = 100
    beta: float = 0.7
    flip_all: bool = False
    paper_threshold: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(bits=1, slow=1, flip_after=1, target_units=1)
        if not 0 <= self.bits - self.slow <= MOST_FAST:
            raise ValueError(
                f"SlowlyChangingRegression: slow: expected from {max(1, self.bits - MOST_FAST)} to {self.bits} of the "
                f"{self.bits} bits, because all combinations of the others are written out, got {self.slow}"
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The bits."""
        return (self.bits,)

    @property
    def output_count(self) -> int:
        """One number."""
        return 1

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The mean squared error."""
        return (Objective("squared_error", maximize=False),)

    def segment(self, streams: torch.Tensor, number: int) -> Segment:
        """Return the steps between two flips; see `ContinualProblem.segment`."""
        numbers = streams.tolist()
        inputs = np.stack([self._inputs(stream, number) for stream in numbers])
        targets = np.stack([self._targets(stream, table) for stream, table in zip(numbers, inputs, strict=True)])
        order = [
            seeds.rng(stream, "slowly changing regression: fast bits", number).integers(
                inputs.shape[1], size=(self.flip_after, 1)
            )
            for stream in numbers
        ]
        return Segment(
            streams=streams,
            inputs=torch.from_numpy(inputs.astype(np.float32)),
            targets=torch.from_numpy(targets.astype(np.float32)[..., None]),
            table=torch.arange(len(streams)),
            order=torch.from_numpy(np.stack(order)),
            loss="squared",
        )

    def slow_bits(self, stream: int, number: int) -> np.ndarray:
        """Return the slow bits `[slow]` of a segment, 0 or 1."""
        purpose = "slowly changing regression: slow bits"
        if self.flip_all:
            return seeds.rng(stream, purpose, number).integers(2, size=self.slow)
        bits = seeds.rng(stream, purpose).integers(2, size=self.slow)
        # numbers come one after the other, so the flips of fewer segments are the first of those of more
        chosen = seeds.rng(stream, "slowly changing regression: flips").random(number) * self.slow
        return np.asarray(bits ^ (np.bincount(chosen.astype(np.int64), minlength=self.slow) & 1))

    def _inputs(self, stream: int, number: int) -> np.ndarray:
        """Return all inputs that a segment has, `[2^fast, bits]`."""
        fast = self.bits - self.slow
        combinations = np.arange(2**fast)[:, None] >> np.arange(fast) & 1
        return np.hstack((np.tile(self.slow_bits(stream, number), (2**fast, 1)), combinations))

    def target(self, stream: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """Return the target's weights `[units, bits]`, biases `[units]`, outgoing weights `[units]` and offset."""
        draws = seeds.rng(stream, "slowly changing regression: target")
        weights = 2 * draws.integers(2, size=(self.target_units, self.bits)) - 1
        biases, outgoing = 2 * draws.integers(2, size=(2, self.target_units)) - 1
        return weights, biases, outgoing, 2 * int(draws.integers(2)) - 1

    def _targets(self, stream: int, inputs: np.ndarray) -> np.ndarray:
        """Return the stream's function of inputs `[cases, bits]`: `[cases]`."""
        weights, biases, outgoing, offset = self.target(stream)
        if self.paper_threshold:
            unwanted = (self.bits + 1 - weights.sum(1) - biases) / 2
        else:
            unwanted = (self.bits - weights.sum(1) + biases) / 2
        on = inputs @ weights.T + biases > self.beta * (self.bits + 1) - unwanted
        return np.asarray(on @ outgoing + offset)
