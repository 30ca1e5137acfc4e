"""The contract of a stream as a problem: learners live on it, segment after segment, and are scored on the way.

There are two ways of living. Where it is lifelong, a generation is a segment: learners go on from where the last one
left them, and what they have become is handed back for their genomes to take over. Otherwise an evaluation is a whole
life on a stream drawn for the generation, and what was learned dies with the learner.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from evo.learners import Learners
from evo.lived import Lived, joined
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Problem
from evo.stream import Segment

if TYPE_CHECKING:
    from evo.learning.training import Record

PROBED = 2000
"""Cases that diagnostics look at; so many in Dohare et al. 2024."""
VALUES = 2**25
"""Numbers that the inputs of diagnostics and tests may have at a time, so that memory stays bounded."""
STREAMS = 2**24
"""Rows name streams below this number, so those from it up are free for lives that are drawn."""


def first_stream(rng: np.random.Generator) -> int:
    """Draw the number of the first stream that a search uses; all searches of one seed use it and those after it.

    From the lower half of the numbers, so that as many again follow.
    """
    return int(rng.integers(STREAMS // 2))


@dataclass(frozen=True)
class ContinualProblem(Problem):
    """An endless stream that learners live on.

    Subclasses give `input_shape`, `output_count`, `objectives` and `segment`.

    Measured, besides scores: `loss` and, of classes, `accuracy` `[n, bins]`, both before each update; `replaced`
    `[n, hidden layers]`, units; `gradient_norm` `[n]`; and what `evo.learning.diagnostics` sees before the segment, on
    inputs of that segment. Of a whole life, each has its segments as a second dimension: `[n, lifetime, ...]`.

    Attributes:
        lifelong: whether an evaluation is the next segment of learners that live on; otherwise it is a whole life on
            a stream drawn for it, which begins with the weights that learners are handed in with.
        lifetime: segments of a whole life; a lifelong one has as many as there are generations.
        bins: equal stretches of a segment that loss and accuracy are recorded for.
        diagnostics: whether units are looked at before each segment, which costs singular values of each layer.
    """

    accepts: ClassVar[type] = Learners

    lifelong: bool = True
    lifetime: int = 10
    bins: int = 1
    diagnostics: bool = True

    def __post_init__(self) -> None:
        self.at_least(lifetime=1, bins=1)

    def at_least(self, **lowest: int) -> None:
        """Raise ValueError where a setting is below the number given for it."""
        for name, low in lowest.items():
            value = getattr(self, name)
            if value < low:
                raise ValueError(f"{type(self).__name__}: {name}: expected a number from {low} up, got {value!r}")

    @property
    def stochastic(self) -> bool:
        """Whether scores depend on the generator: a lifelong stream is its learners' own, that of a life is drawn."""
        return not self.lifelong

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input: `(features,)`, or `(channels, height, width)`."""

    @property
    @abstractmethod
    def output_count(self) -> int:
        """How many outputs learners have."""

    @abstractmethod
    def segment(self, streams: torch.Tensor, number: int) -> Segment:
        """Return a segment of some streams.

        It depends on nothing but its arguments: draw from `evo.seeds.rng(stream, purpose, number)`, and a stream is
        the same in any company.

        Args:
            streams: `[m]` int64, on the CPU, each once, in increasing order.
            number: how many segments of its stream a learner has behind it, from 0.
        """

    def score(self, learned: Learners, record: Record, number: int) -> torch.Tensor:
        """Return the scores `[n]` of a segment: by default the mean loss, or the accuracy where more is better.

        Args:
            learned: n learners as they are after the segment.
            record: of how they learned.
            number: of the segment.
        """
        return (record.correct if self.objectives[0].maximize else record.loss).mean(1)

    def ends_task(self, number: int) -> bool:
        """Return whether a task ends with the segment of that number: then learners that can consolidate do so."""
        return True

    def probe(self, segment: Segment, streams: torch.Tensor) -> torch.Tensor:
        """Return inputs `[n, cases, *shape]` to look at learners with, for the streams `[n]` that they live on.

        All of a stream's cases where there are no more than 2,000, else the first 2,000 that it will meet.
        """
        places = segment.places(streams.cpu())
        return segment.read(places, segment.first(places, PROBED))[0]

    def evaluate(self, phenotypes: Learners, rng: np.random.Generator) -> Outcomes:
        """Let learners live on, or live a whole life; see `Problem.evaluate`.

        Learners whose numbers stop being finite fail; a lifelong one's genome stays as it was before the segment.

        Raises:
            ValueError: the learners are of another shape than the stream.
        """
        self._check(phenotypes)
        if self.lifelong:
            lived = self._live_on(phenotypes)
            outcomes = replace(outcomes_of(lived.scores[:, None]), learned=lived.learners)
        else:
            lived = self._live_whole(phenotypes, rng)
            outcomes = outcomes_of(lived.scores[:, None])
        return replace(outcomes, measured=lived.measured)

    def live(self, learners: Learners, number: int) -> Lived:
        """Return what becomes of n learners in one segment, all of the same number."""
        from evo.learning.consolidation.learner_consolidation import consolidated
        from evo.learning.training import learn

        segment = self.segment(torch.unique(learners.stream).cpu(), number)
        seen = self._diagnosed(learners, segment) if self.diagnostics else {}
        learned, record = learn(learners, segment, self.bins)
        learned = replace(learned, segments=learners.segments + 1)
        if self.ends_task(number):
            learned = consolidated(learned, segment)
        scores = self.score(learned, record, number).to(torch.float64)
        measured = {"loss": record.loss, "replaced": record.replaced, "gradient_norm": record.gradient_norm, **seen}
        if segment.loss == "cross_entropy":
            measured["accuracy"] = record.correct
        return Lived(learned, scores.masked_fill(~record.loss.isfinite().all(1).to(scores.device), math.nan), measured)

    def _live_on(self, learners: Learners) -> Lived:
        """Return what becomes of learners in the next segment of each; some may have stayed behind, having failed."""
        from evo.learning.consolidation.learner_consolidation import with_room

        learners = with_room(learners)  # all of them, so that groups fit together again
        numbers = torch.unique(learners.segments).tolist()
        if len(numbers) == 1:
            return self.live(learners, numbers[0])
        groups = [torch.nonzero(learners.segments == number).flatten() for number in numbers]
        lived = [self.live(learners[group], number) for group, number in zip(groups, numbers, strict=True)]
        return joined(lived, torch.cat(groups).argsort())

    def _live_whole(self, learners: Learners, rng: np.random.Generator) -> Lived:
        """Return what becomes of learners in a whole life; those of one stream stay together on a new one."""
        drawn = STREAMS * (1 + int(rng.integers(2**38)))
        now = replace(learners, stream=learners.stream + drawn, segments=torch.zeros_like(learners.segments))
        lives: list[Lived] = []
        for number in range(self.lifetime):
            lives.append(self.live(now, number))
            now = lives[-1].learners
        measured = {name: torch.stack([life.measured[name] for life in lives], 1) for name in lives[0].measured}
        return Lived(now, torch.stack([life.scores for life in lives]).mean(0), measured)

    def _diagnosed(self, learners: Learners, segment: Segment) -> dict[str, torch.Tensor]:
        """Return what diagnostics see of the learners, some learners at a time."""
        from evo.learning.diagnostics import diagnose

        size = max(1, VALUES // (PROBED * math.prod(self.input_shape)))
        parts = [
            diagnose(some, self.probe(segment, some.stream).to(some.device))
            for some in (learners[first : first + size] for first in range(0, len(learners), size))
        ]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _check(self, learners: Learners) -> None:
        found = (learners.architecture.inputs, learners.architecture.outputs)
        if found != (self.input_shape, self.output_count):
            raise ValueError(
                f"phenotypes: {self.name} is for learners with inputs of shape {self.input_shape} and "
                f"{self.output_count} outputs, got {found[0]} and {found[1]}; make the genome with its for_problem"
            )
