"""Initial weights moved by gradients through lifetimes: learning to learn without selection, beside evolution.

Sources: MAML and its first-order form, Finn, Abbeel & Levine 2017 (arXiv:1703.03400), algorithms 1 and 2; Meta-SGD, Li
et al. 2017 (arXiv:1707.09835), algorithm 1; Reptile, Nichol, Achiam & Schulman 2018 (arXiv:1803.02999), algorithm 2.

Its parts say which of them it is: first-order MAML is a lifetime with `first_order=True`, Meta-SGD a genome with a step
size per weight, and joint pretraining, the control, a lifetime with `horizons=(0,)`: no step at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from evo.algorithm import Algorithm
from evo.learning.lifetimes.few_shot import FewShotLifetime, mean_of_tasks
from evo.meta import LifetimeProblem

if TYPE_CHECKING:
    from evo.genome import Genome
    from evo.search import Search

METHODS = ("gradient", "reptile")


@dataclass(frozen=True)
class MetaGradient(Algorithm):
    """Each individual goes down the gradient of its score after a lifetime, on tasks drawn for each update.

    Nobody is selected. Between two evaluations there are many updates, whose tasks come from the search's generators,
    and are counted: the run leaves `meta_gradient.json` with its totals.

    Attributes:
        problem: whose tasks and lifetime updates use; as a rule the campaign's.
        method: "gradient", through all of the lifetime, or "reptile", towards the mean of what was learned.
        learning_rate: of Adam; for Reptile the share of the way.
        annealed: whether the learning rate falls evenly to zero over the generations.
        population: how many individuals, each on its own; all meet the same tasks.
        updates: per generation.

    Raises:
        ValueError: a setting is outside its range, or the problem's individuals inherit.
        TypeError: the lifetime is none that can be differentiated, or none that method can use.
    """

    name: ClassVar[str] = "meta-gradient"

    problem: LifetimeProblem
    method: str = "gradient"
    learning_rate: float = 1e-3
    annealed: bool = False
    population: int = 1
    updates: int = 100

    def __post_init__(self) -> None:
        if self.method not in METHODS or not self.learning_rate > 0 or min(self.population, self.updates) < 1:
            raise ValueError(
                f"MetaGradient: expected method {' or '.join(METHODS)}, learning_rate above 0, and population and "
                f"updates from 1 up, got {self.method!r}, {self.learning_rate}, {self.population} and {self.updates}"
            )
        if not hasattr(getattr(self.problem, "lifetime", None), "losses"):
            raise TypeError(
                f"MetaGradient: problem is a LifetimeProblem whose lifetime has `losses` to differentiate, as "
                f"GradientSteps and Comparison have, got {self.problem!r}"
            )
        if self.method == "reptile" and not isinstance(self.problem.lifetime, FewShotLifetime):
            raise TypeError(
                f"MetaGradient: reptile goes towards what a lifetime of steps has learned, as GradientSteps leaves it, "
                f"and {type(self.problem.lifetime).__name__} learns no weights; use method='gradient'"
            )
        if self.problem.inheritance != "baldwinian":
            raise ValueError(
                f"MetaGradient: moves rows itself, and takes over nothing else: expected a problem with "
                f"inheritance='baldwinian', got {self.problem.inheritance!r}; for a share of what was learned use "
                f"method='reptile'"
            )

    def run(self, search: Search) -> None:
        """Update and evaluate, `search.generations` times."""
        genome, rows = search.genome.fit(search.sample(self.population))
        adam = torch.optim.Adam([rows.requires_grad_()], lr=self.learning_rate)
        totals = {"updates": 0, "task_evaluations": 0}
        search.leave("meta_gradient", lambda: dict(totals))
        while search.generation < search.generations:
            left = 1 - search.generation / search.generations if self.annealed else 1.0
            for number in range(self.updates):
                self._update(search, genome, rows, adam, self.learning_rate * left, number)
            totals["updates"] += self.updates
            totals["task_evaluations"] += self.updates * self.population * self.problem.count
            with torch.no_grad():
                search.identify(genome, rows, rows.clone())
            search.evaluate(genome, rows.detach().clone())

    def _update(
        self, search: Search, genome: Genome, rows: torch.Tensor, adam: torch.optim.Adam, rate: float, number: int
    ) -> None:
        """Move the rows `[n, L]`, in place, on tasks of their own."""
        rng = search.rng("meta-gradient", number)
        tasks = self.problem.tasks.sample(self.problem.count, rng).to(rows.device)
        seed = int(rng.integers(2**63))
        if self.method == "reptile":
            with torch.no_grad():
                rows += rate * (self.learned(genome, rows, tasks, seed) - rows)
            return
        rows.grad = self.slopes(genome, rows, tasks, seed)
        adam.param_groups[0]["lr"] = rate
        adam.step()

    def slopes(self, genome: Genome, rows: torch.Tensor, tasks: Any, seed: int) -> torch.Tensor:
        """Return the gradient `[n, L]` of each row's own mean loss over tasks and horizons, through its lifetimes.

        A row whose gradient is not finite stays where it is for once: 0 stands in.
        """
        leaves = rows.detach().requires_grad_()
        lifetime: Any = self.problem.lifetime
        losses = lifetime.losses(genome.express(leaves), tasks, seed=seed)
        sign = -1.0 if self.problem.objectives[0].maximize else 1.0
        (slopes,) = torch.autograd.grad(sign * losses.mean((1, 2)).sum(), leaves)
        return torch.where(slopes.isfinite().all(1, keepdim=True), slopes, 0.0)

    def learned(self, genome: Genome, rows: torch.Tensor, tasks: Any, seed: int) -> torch.Tensor:
        """Return the rows `[n, L]` as they would be had they gone all the way to the mean of what they learned."""
        phenotypes = genome.express(rows)
        lifetime: Any = self.problem.lifetime
        with torch.no_grad():
            path = lifetime.lived(phenotypes, tasks, seed=seed)  # nobody is scored
        return genome.absorb(rows, replace(phenotypes, parameters=mean_of_tasks(path[-1])))
