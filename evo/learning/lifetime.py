"""A lifetime between a genome and its score: `fitness(genome) = score(lifetime(express(genome)))`.

A lifetime is a problem around a problem: networks first change in it, and are then scored on the problem inside. What
they learned dies with them, and only guides selection (the Baldwin effect: Hinton & Nowlan 1987), or their genomes take
it over and pass it on (Lamarck; both compared by Whitley, Gordon & Mathias 1994).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from evo.catalogue import Catalogue
from evo.function_problem import FunctionProblem
from evo.networks import Networks
from evo.outcome import Outcomes
from evo.problem import Objective, Problem

CATALOGUE = Catalogue(
    "lifetime",
    {
        "trained-weights-v1": "evo.learning.weight_training:TrainedWeights",
        "tuned-weights-v1": "evo.learning.weight_tuning:TunedWeights",
    },
)
INHERITANCE = ("baldwinian", "lamarckian")


def check_inheritance(kind: str, inheritance: str, share: float) -> None:
    """Raise ValueError unless a problem called `kind` can have these settings."""
    if inheritance not in INHERITANCE:
        raise ValueError(f"{kind}: inheritance is one of {', '.join(INHERITANCE)}, got {inheritance!r}")
    if not 0 < share <= 1:
        raise ValueError(
            f"{kind}: inheriting_share is more than 0, up to 1, got {share}; for nobody to inherit, use "
            f"inheritance='baldwinian'"
        )
    if share < 1 and inheritance == "baldwinian":
        raise ValueError(f"{kind}: inheriting_share is {share}, but with inheritance='baldwinian' nobody inherits")


@dataclass(frozen=True)
class Lifetime(Problem):
    """A problem for networks that change before they are scored.

    Subclasses give `live`.

    Attributes:
        problem: what networks learn on and are scored on, with their own weights.
        inheritance: "baldwinian", genomes stay as they were, or "lamarckian", they take over what was learned: the
            genome needs `absorb`, and the algorithm goes on with `Outcomes.inherited`, as weight agnostic search,
            MuPlusLambda, MapElites and Neat do. With other algorithms it is recorded, but not passed on.
        inheriting_share: the probability that an individual takes it over, above 0; below 1, inheritance is partial
            (Houck, Joines, Kay & Wilson 1997).

    Raises:
        ValueError: the inheritance is unknown, or the problem's networks have no weights of their own to change.
        TypeError: the problem does not score batches of networks, or is a lifetime itself.
    """

    accepts: ClassVar[type] = Networks

    problem: Problem
    inheritance: str = "baldwinian"
    inheriting_share: float = field(default=1.0, kw_only=True, metadata={"later": True})

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if not isinstance(self.problem, Problem) or isinstance(self.problem, Lifetime | FunctionProblem):
            raise TypeError(
                f"{kind}: problem is one that scores batches of networks and is no lifetime itself, got "
                f"{self.problem!r}; a function of one network becomes one with @evo.fitness(batch=True, ...)"
            )
        if not issubclass(Networks, self.problem.accepts):
            raise TypeError(f"{kind}: {self.problem.name} scores {self.problem.accepts.__name__}, not Networks")
        if getattr(self.problem, "shared_weights", ()):
            raise ValueError(
                f"{kind}: networks learn weights of their own: make {self.problem.name} without shared ones"
            )
        check_inheritance(kind, self.inheritance, self.inheriting_share)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Those of the problem inside."""
        return self.problem.objectives

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
        """True: what is learned depends on chance."""
        return True

    def provenance(self) -> dict[str, Any]:
        """Return which data the problem inside rests on."""
        return self.problem.provenance()

    @abstractmethod
    def live(self, networks: Networks, seed: int) -> Networks:
        """Return the n networks as they are after their lifetimes.

        What becomes of a network must not depend on its place, nor on its neighbours: all have the same chance.

        Args:
            networks: n of them, at birth.
            seed: the root of all draws; see `evo.seeds.rng`.
        """

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        """Score the networks as they are after their lifetimes, on draws apart from those they learned from."""
        learned = self.live(phenotypes, int(rng.integers(2**63)))
        outcomes = self.problem.evaluate(learned, rng)
        return replace(outcomes, learned=learned) if self.inheritance == "lamarckian" else outcomes
