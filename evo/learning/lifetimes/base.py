"""The contract of a lifetime: individuals meet tasks, change, and are scored on the way.

`fitness(genome) = mean over tasks of score(lifetime(express(genome), task))`. A lifetime knows neither genomes nor
algorithms: phenotypes and tasks go in, what became of each individual on each task comes out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import torch

from evo.tasks import Tasks


@final
@dataclass(frozen=True)
class Lives:
    """What became of n individuals on each of the tasks.

    Attributes:
        scores: `[n, tasks, horizons]`, at each horizon that counts, in the problem's own direction.
        before: `[n, tasks]`, the same score at birth; None where nobody could be scored then.
        learned: `[n, parameters]`, what individuals have become in the end, as the mean over tasks; None where that
            cannot be inherited.
        measured: what else was seen, by name, `[n, tasks, ...]`: recorded as means over tasks.
    """

    scores: torch.Tensor
    before: torch.Tensor | None = None
    learned: torch.Tensor | None = None
    measured: dict[str, torch.Tensor] = field(default_factory=dict)


def sliced(lives: Lives, which: slice) -> Lives:
    """Return the lives of some of the individuals."""
    return Lives(
        scores=lives.scores[which],
        before=None if lives.before is None else lives.before[which],
        learned=None if lives.learned is None else lives.learned[which],
        measured={name: values[which] for name, values in lives.measured.items()},
    )


def together(parts: Sequence[Lives]) -> Lives:
    """Return the lives of several batches of individuals, in order, as those of one."""
    before = [part.before for part in parts if part.before is not None]
    learned = [part.learned for part in parts if part.learned is not None]
    return Lives(
        scores=torch.cat([part.scores for part in parts]),
        before=torch.cat(before) if before else None,
        learned=torch.cat(learned) if learned else None,
        measured={name: torch.cat([part.measured[name] for part in parts]) for name in parts[0].measured},
    )


@dataclass(frozen=True)
class Lifetime(ABC):
    """How individuals change on tasks. Subclasses give `live_together`.

    Class attributes:
        lives_on: the type of tasks that it can be lived on.
        inheritable: whether `learned` is there, so that genomes may take it over.

    Attributes:
        chunk: individuals that live at a time, which bounds memory and keeps them in the cache; it changes no bit.

    Raises:
        ValueError: a chunk is less than one individual.
    """

    lives_on: ClassVar[type[Tasks]] = Tasks
    inheritable: ClassVar[bool] = False

    chunk: int = field(default=64, kw_only=True)

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise ValueError(f"{type(self).__name__}: chunk: expected 1 individual or more, got {self.chunk}")

    @abstractmethod
    def live_together(self, phenotypes: Any, tasks: Any, *, seed: int) -> Lives:
        """Return what becomes of at most `chunk` individuals, each on all tasks.

        What becomes of one must not depend on its place, nor on its neighbours: noise is drawn from `seed` once, for
        all individuals alike (common random numbers), and nothing is summed over individuals. A batch of one may run
        through other code, and so to other bits, than a larger one: see that it does not.

        Args:
            phenotypes: n of them; never changed in place.
            tasks: an `evo.tasks.Tasks`, on the phenotypes' device.
            seed: the root of all draws; see `evo.seeds.rng`.
        """

    @final
    def live(self, phenotypes: Any, tasks: Any, *, seed: int) -> Lives:
        """Return what becomes of n individuals, each on all tasks, a chunk of individuals at a time."""
        starts = range(0, len(phenotypes), self.chunk)
        return together(
            [self.live_together(phenotypes[start : start + self.chunk], tasks, seed=seed) for start in starts]
        )
