"""A problem whose solutions are to stay near weights that learned something before: `anchored-v1`.

Inputs, outputs, start, end, data: those of the problem inside.
Objectives: the first of the problem inside, made worse by strength / 2 sum_i F_i (theta_i - anchor_i)^2; with
`front=True`, that sum's half as a second one, to be minimised: stability, against the plasticity that the first is.
What else the problem inside scores is measured and recorded, and is no part of selection, as is the sum's half
("penalty").
Version: 1.

The weights theta are the phenotype's own: those of networks, of one structure all, or numbers `[n, parameters]`.

Source: elastic weight consolidation, Kirkpatrick et al. 2017 (PNAS 114, eq. 3), as part of a fitness; two objectives in
place of one strength, after Deb et al. 2002 (NSGA-II).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np
import torch

from evo.function_problem import FunctionProblem
from evo.learning.consolidation.importance import Importance
from evo.networks import Networks
from evo.outcome import Outcome, Outcomes, outcomes_of
from evo.problem import Objective, Problem


@final
@dataclass(frozen=True)
class Anchored(Problem):
    """Solve a problem near the weights that solved another.

    Attributes:
        problem: what is to be learned now; it scores networks, or rows of numbers.
        importance: of the weights, `[parameters]`, around those that learned before.
        strength: lambda, in units of the first objective; 0 for none.
        front: whether the penalty is a second objective.

    Raises:
        TypeError: the problem scores something else, or individuals one by one.
        ValueError: the strength is negative, or the importance is of several tasks at once.
    """

    name: ClassVar[str] = "anchored-v1"

    problem: Problem
    importance: Importance
    strength: float = 0.0
    front: bool = False

    def __post_init__(self) -> None:
        inside = self.problem
        fits = isinstance(inside, Problem) and inside.accepts in (Networks, torch.Tensor)
        if not fits or isinstance(inside, FunctionProblem):
            raise TypeError(
                f"Anchored: problem: expected one that scores batches of networks or of numbers, got {inside!r}; a "
                f"function of one individual becomes one with @evo.fitness(batch=True, ...)"
            )
        if getattr(inside, "shared_weights", ()):
            raise ValueError(f"Anchored: networks keep weights of their own: make {inside.name} without shared ones")
        if not 0.0 <= self.strength < float("inf"):
            raise ValueError(f"Anchored: strength: expected a number from 0 up, got {self.strength}")
        if self.importance.precision.dim() != 1:
            raise ValueError(
                f"Anchored: importance: expected one of weights [parameters], got "
                f"{list(self.importance.precision.shape)}; add tasks with `joined` or `online`"
            )
        object.__setattr__(self, "accepts", inside.accepts)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The first of the problem inside, and with `front` the penalty."""
        penalty = (Objective("penalty", maximize=False),) if self.front else ()
        return (self.problem.objectives[0], *penalty)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Those of the problem inside."""
        return self.problem.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Those of the problem inside."""
        return self.problem.outputs

    @property
    def stochastic(self) -> bool:
        """As the problem inside."""
        return self.problem.stochastic

    def provenance(self) -> dict[str, Any]:
        """Return which data the problem inside rests on."""
        return self.problem.provenance()

    def source_digest(self) -> str:
        """Return what tells it from others with the same settings: the importance's digest."""
        return self.importance.source_digest()

    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Score the phenotypes on the problem inside, and take off what they have moved; see `Problem.evaluate`."""
        inside = self.problem.evaluate(phenotypes, rng)
        penalty = self._penalty(phenotypes).to(inside.scores)
        first, *others = self.problem.objectives
        worse = -self.strength if first.maximize else self.strength
        columns = [inside.scores[:, 0] + worse * penalty, *([penalty] if self.front else [])]
        scored = outcomes_of(torch.stack(columns, 1))
        kinds = tuple(new if old is Outcome.OK else old for old, new in zip(inside.kinds, scored.kinds, strict=True))
        measured = {one.name: inside.scores[:, place] for place, one in enumerate(others, 1)}
        return replace(
            scored,
            kinds=kinds,
            messages={**scored.messages, **inside.messages},
            measured={**inside.measured, **measured, first.name: inside.scores[:, 0], "penalty": penalty},
        )

    def _penalty(self, phenotypes: Any) -> torch.Tensor:
        """Return half of sum F (theta - anchor)^2 of each phenotype, `[n]` float64."""
        count, size = len(phenotypes), len(self.importance.anchor)
        theta = phenotypes.edge_weights if isinstance(phenotypes, Networks) else phenotypes
        if theta.numel() != count * size or (isinstance(phenotypes, Networks) and not _alike(phenotypes)):
            raise ValueError(
                f"phenotypes: expected {size} weights each, as the importance has, got {theta.numel()} for {count} of "
                f"them; make the importance of a network of the genome's own structure"
            )
        theta = theta.reshape(count, size).to(torch.float64)
        return self.importance.to(theta).penalty(theta)


def _alike(networks: Networks) -> bool:
    """Return whether all networks have as many edges."""
    counts = networks.edge_offsets[networks.node_offsets].diff()
    return not len(counts) or bool((counts == counts[0]).all())
