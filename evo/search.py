"""What an algorithm is handed: the genome, the objectives, the seed, and `evaluate`, its only door to the problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from evo import lineage, seeds
from evo.genome import Genome
from evo.outcome import Outcomes
from evo.problem import Objective

Evaluate = Callable[[Genome, torch.Tensor], Outcomes]


@dataclass
class Search:
    """One run of one algorithm.

    Attributes:
        genome: what evolves, with room for the first generation.
        objectives: the problem's, the most important first.
        stochastic: whether scores change from generation to generation with the same row.
        generations: how many times to call `evaluate`; once the target is reached, as often as it was called.
        seed: the root of every draw.
        evaluator: scores rows; given by the campaign.
        device: where rows live.
        generation: how many generations have been evaluated.
        born: how many individuals have been given an identity.
        target: the score of the first objective at which the search ends; None for no such end.
        left: what the run leaves in its folder beside the champion; see `leave`.
        standing: of a resumed run that need not go through its past, the genome and rows to go on from; see `begin`.
    """

    genome: Genome
    objectives: tuple[Objective, ...]
    stochastic: bool
    generations: int
    seed: int
    evaluator: Evaluate
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    generation: int = 0
    born: int = 0
    target: float | None = None
    left: dict[str, Callable[[], Any]] = field(default_factory=dict)
    standing: tuple[Genome, torch.Tensor] | None = None

    def rng(self, purpose: str, index: int = 0) -> np.random.Generator:
        """Return the generator for one purpose in the current generation."""
        return seeds.rng(self.seed, purpose, self.generation, index)

    def sample(self, count: int) -> torch.Tensor:
        """Return the first generation: `count` new rows `[count, L]` with identities and no parents."""
        rows = self.genome.sample(count, self.rng("sample")).to(self.device)
        return self.identify(self.genome, rows)

    def begin(self, count: int) -> tuple[Genome, torch.Tensor]:
        """Return a genome with room for one more variation, and the rows `[n, L]` to evaluate first.

        They are `count` new ones, as `sample` makes them; or those of the last generation stored, where a run goes on
        whose algorithm is `from_rows`: its outcomes come next.
        """
        return self.genome.fit(self.sample(count)) if self.standing is None else self.standing

    def breed(
        self, genome: Genome, first: torch.Tensor, second: torch.Tensor | None = None, purpose: str = "variation"
    ) -> torch.Tensor:
        """Return a mutated child `[n, L]` of each row, or of each pair of rows, with identities and parents.

        Args:
            genome: whose layout the rows have.
            first: parents `[n, L]`.
            second: the other parents `[n, L]`, which makes children by crossover first; rows equal to `first`'s
                have one parent.
            purpose: names the draws; give different words where a generation breeds more than once.
        """
        rng = self.rng(purpose)
        bred = first if second is None else genome.crossover(first, second, rng)
        return self.identify(genome, genome.mutate(bred, rng), first, second)

    def identify(
        self, genome: Genome, rows: torch.Tensor, first: torch.Tensor | None = None, second: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Give newly made rows their identities and their parents', in place; return them."""
        self.born += len(rows)
        return lineage.stamp(genome.layout, rows, self.born - len(rows), first, second)

    def evaluate(self, genome: Genome, rows: torch.Tensor) -> Outcomes:
        """Return the outcomes of a generation's rows, and count the generation.

        Go on with `outcomes.inherited(rows)`, which are others than `rows` where lifetimes are inherited.
        """
        genome.layout.check(rows)
        outcomes = self.evaluator(genome, rows)
        self.generation += 1
        if self.reached(outcomes):
            self.generations = self.generation
        return outcomes

    def reached(self, outcomes: Outcomes) -> bool:
        """Return whether the best first objective of a generation has reached the target."""
        if self.target is None:
            return False
        sign = 1.0 if self.objectives[0].maximize else -1.0
        return bool((sign * outcomes.scores[:, 0] >= sign * self.target).any())  # never so where it is NaN

    def leave(self, name: str, make: Callable[[], Any]) -> None:
        """Have the run write `name`.json into its folder, whenever it writes the champion.

        Args:
            name: a word; a later one of the same name takes its place.
            make: returns plain JSON data, the same whenever the run is in the same state.

        Raises:
            ValueError: the name is no word, or a run's own file has it.
        """
        if not name.isidentifier() or name in ("champion", "archive"):
            raise ValueError(f"leave: name is a word other than 'champion' and 'archive', got {name!r}")
        self.left[name] = make

    def fitness(self, outcomes: Outcomes) -> torch.Tensor:
        """Return scores `[n, objectives]` turned so that more is better; NaN where an evaluation failed."""
        signs = [1.0 if objective.maximize else -1.0 for objective in self.objectives]
        return outcomes.scores * outcomes.scores.new_tensor(signs)
