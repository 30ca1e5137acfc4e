"""A problem whose individuals learn before they count: `fitness(genome) = mean over tasks of score(lifetime(...))`.

What is learned dies with the individual and only guides selection (the Baldwin effect: Hinton & Nowlan 1987; Fernando
et al. 2018, arXiv:1806.07917), or the genome takes it over, all of it or a share (Lamarck), and all genomes do or
some (partial). A share of the way to where learning led, averaged over tasks, is Reptile (Nichol, Achiam & Schulman
2018, arXiv:1803.02999, algorithm 2).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.learning.lifetime import check_inheritance
from evo.learning.lifetimes.base import Lifetime, Lives
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Problem
from evo.tasks import TaskDistribution


@dataclass(frozen=True)
class LifetimeProblem(Problem):
    """Score what individuals become on tasks drawn for the generation, the same tasks and noise for all of them.

    Subclasses give `objectives` and `accepts`, and defaults for tasks and lifetime. Measured, besides scores: `before`
    `[n]` and `after` `[n, horizons]`, the score at birth and at each horizon, whose difference is what a lifetime is
    worth; what the lifetime measured, as means over tasks; and `task_evaluations` `[n]`, tasks that each one lived on.

    Attributes:
        tasks: where tasks come from; those of the split "test" are frozen.
        lifetime: what happens on them.
        count: tasks per generation.
        inheritance: "baldwinian", genomes stay as they were, or "lamarckian", they take over what was learned.
        lamarckian_rate: the share of the way from birth to the mean over tasks of what was learned, more than 0, up
            to 1.
        inheriting_share: the probability that an individual takes it over, above 0; below 1, inheritance is partial
            (Houck, Joines, Kay & Wilson 1997).

    Raises:
        ValueError: a setting is outside its range.
        TypeError: tasks or lifetime are none, or nothing is left to inherit.
    """

    tasks: TaskDistribution
    lifetime: Lifetime
    count: int = 25
    inheritance: str = "baldwinian"
    lamarckian_rate: float = 1.0
    inheriting_share: float = field(default=1.0, kw_only=True, metadata={"later": True})

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if not isinstance(self.tasks, TaskDistribution) or not isinstance(self.lifetime, Lifetime):
            raise TypeError(
                f"{kind}: tasks is an evo.tasks.TaskDistribution and lifetime one of evo.learning.lifetimes, got "
                f"{self.tasks!r} and {self.lifetime!r}"
            )
        check_inheritance(kind, self.inheritance, self.inheriting_share)
        if self.inheritance == "lamarckian" and not self.lifetime.inheritable:
            raise TypeError(
                f"{kind}: {type(self.lifetime).__name__} leaves nothing that a genome could take over; use "
                f"inheritance='baldwinian'"
            )
        if self.count < 1 or not 0 < self.lamarckian_rate <= 1:
            raise ValueError(
                f"{kind}: expected count >= 1 and lamarckian_rate above 0, up to 1, got {self.count} and "
                f"{self.lamarckian_rate}"
            )

    @property
    def stochastic(self) -> bool:
        """True: tasks are drawn for the generation, or else the noise on frozen ones is."""
        return True

    def provenance(self) -> dict[str, Any]:
        """Return which data the tasks are made of."""
        return self.tasks.provenance()

    def charts(self, phenotypes: Any) -> list[Chart]:
        """Return pictures of the first individual's life on frozen test tasks; by default none. The same every time."""
        return []

    def score(self, lives: Lives) -> torch.Tensor:
        """Return the scores `[n, objectives]`; by default the mean over tasks and horizons, for one objective."""
        return lives.scores.mean((1, 2))[:, None]

    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Let individuals live on the generation's tasks and score them; see `Problem.evaluate`."""
        tasks = self.tasks.sample(self.count, rng)
        if not isinstance(tasks, self.lifetime.lives_on):
            raise TypeError(
                f"{self.name}: tasks of {type(self.tasks).__name__} are {type(tasks).__name__}, and "
                f"{type(self.lifetime).__name__} is a lifetime on {self.lifetime.lives_on.__name__}; choose another "
                f"lifetime, or the problem that the tasks are for"
            )
        device = getattr(phenotypes, "device", torch.device("cpu"))
        lives = self.lifetime.live(phenotypes, tasks.to(device), seed=int(rng.integers(2**63)))
        scores = self.score(lives)
        scores = torch.where(finite(phenotypes, len(scores)).to(scores.device)[:, None], scores, torch.nan)
        outcomes = replace(outcomes_of(scores), measured=self.measured(lives))
        if self.inheritance == "baldwinian":
            return outcomes
        return replace(outcomes, learned=self.inherited(phenotypes, lives))

    def measured(self, lives: Lives) -> dict[str, torch.Tensor]:
        """Return what a generation's record holds of lives, by name, `[n, ...]`."""
        seen = {name: values.mean(1) for name, values in lives.measured.items()}
        seen["after"] = lives.scores.mean(1)
        if lives.before is not None:
            seen["before"] = lives.before.mean(1)
        seen["task_evaluations"] = torch.full((len(lives.scores),), float(lives.scores.shape[1]))
        return seen

    def inherited(self, phenotypes: Any, lives: Lives) -> Any:
        """Return the phenotypes whose parameters have gone their share of the way to what was learned, over tasks.

        Raises:
            TypeError: the lifetime left nothing.
        """
        if lives.learned is None:
            raise TypeError(f"{type(self.lifetime).__name__} says that it is inheritable, and gives no `learned`")
        # Reptile, algorithm 2: theta + rate * mean over tasks of (learned - theta)
        return replace(phenotypes, parameters=torch.lerp(phenotypes.parameters, lives.learned, self.lamarckian_rate))


def finite(phenotypes: Any, count: int) -> torch.Tensor:
    """Return which individuals have no number that is not finite, `[n]`: those that have fail, whatever they score.

    A policy of NaN, say, takes the first action for ever, and would be paid for it.
    """
    sound = torch.ones(count, dtype=torch.bool)
    for values in vars(phenotypes).values():
        if isinstance(values, torch.Tensor) and values.is_floating_point() and values.shape[:1] == (count,):
            sound &= values.flatten(1).isfinite().all(1).cpu()
    return sound
