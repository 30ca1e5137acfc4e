"""What must hold for every algorithm, with a genome, on a tiny problem. `check_algorithm` runs all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import torch

from evo import lineage, seeds
from evo.algorithm import Algorithm
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.outcome import Outcome, Outcomes, outcomes_of
from evo.problem import Objective
from evo.search import Search
from evo.testing import Check, Finding, check_settings, global_random_untouched, label, require, run_checks

GENERATIONS = 4


@dataclass(frozen=True)
class Numbers(Genome):
    """Three real numbers: what algorithms are tried with where there is no other genome."""

    name: ClassVar[str] = "numbers"
    weights: ClassVar[str | None] = "values"
    layout = Layout(Field("values", (3,)))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows of normal numbers."""
        return self.layout.rows(values=rng.standard_normal((count, 3)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with normal noise on each number."""
        children = rows.clone()
        children[:, :3] += 0.3 * seeds.normal(rng, (len(rows), 3), rows)
        return children

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return rows that take each number from either parent."""
        children = first.clone()
        children[:, :3] = torch.where(seeds.uniform(rng, (len(first), 3), first) < 0.5, first[:, :3], second[:, :3])
        return children


Score = Callable[[torch.Tensor], Outcomes]
"""Outcomes for the plain scores `[n]` of a generation, more is better."""


@dataclass
class Recorded:
    """One run of an algorithm: the genome and the rows of each evaluation."""

    genomes: list[Genome] = field(default_factory=list)
    rows: list[torch.Tensor] = field(default_factory=list)

    def genes(self) -> list[bytes]:
        """Return the bits of each generation's rows, lineage included."""
        return [rows.cpu().numpy().tobytes() for rows in self.rows]


def plain_scores(genome: Genome, rows: torch.Tensor) -> torch.Tensor:
    """Return scores `[n]` of the tiny problem: minus the sum of squares of the weights, or else of all genes."""
    genes = rows[:, : genome.layout.genes] if genome.weights is None else genome.layout.view(rows, genome.weights)
    return -(genes.flatten(1).nan_to_num(nan=0.0).to(torch.float64) ** 2).sum(1)


def succeed(scores: torch.Tensor) -> Outcomes:
    """Return outcomes that all are OK."""
    return outcomes_of(scores[:, None])


def fail_half(scores: torch.Tensor) -> Outcomes:
    """Return outcomes of which every other one has failed."""
    failed = [number % 2 == 1 for number in range(len(scores))]
    return _failing(scores, failed)


def fail_all(scores: torch.Tensor) -> Outcomes:
    """Return outcomes that have all failed."""
    return _failing(scores, [True] * len(scores))


def _failing(scores: torch.Tensor, failed: list[bool]) -> Outcomes:
    scores = scores.clone()[:, None]
    scores[torch.tensor(failed)] = torch.nan
    kinds = tuple(Outcome.RAISED if each else Outcome.OK for each in failed)
    return Outcomes(scores, kinds, {number: "as the check wants" for number, each in enumerate(failed) if each})


def record(
    algorithm: Algorithm, genome: Genome, seed: int = 0, score: Score = succeed, maximize: bool = True
) -> Recorded:
    """Run an algorithm for a few generations of the tiny problem and return what it had evaluated."""
    recorded = Recorded()

    def evaluate(evaluated: Genome, rows: torch.Tensor) -> Outcomes:
        recorded.genomes.append(evaluated)
        recorded.rows.append(rows.clone())
        outcomes = score(plain_scores(evaluated, rows))
        if algorithm.state_in_rows:  # it goes on with what was learned; here, nothing was
            outcomes = replace(outcomes, rows=rows.clone())
        return outcomes if maximize else replace(outcomes, scores=-outcomes.scores)

    search = Search(genome, (Objective("score", maximize),), False, GENERATIONS, seed, evaluate)
    algorithm.run(search)
    return recorded


def check_algorithm_settings(algorithm: Algorithm, _genome: Genome) -> None:
    """What the algorithm was made with can be recorded as JSON."""
    check_settings(algorithm)


def check_generations(algorithm: Algorithm, genome: Genome) -> None:
    """`run` evaluates exactly `search.generations` times, each time some rows of the genome's type."""
    recorded = record(algorithm, genome)
    require(
        len(recorded.rows) == GENERATIONS,
        f"run evaluates {len(recorded.rows)} times where search.generations is {GENERATIONS}: loop while "
        f"search.generation < search.generations",
    )
    for made, rows in zip(recorded.genomes, recorded.rows, strict=True):
        require(len(rows) > 0, "run evaluates no rows at all: is the population 0?")
        require(
            rows.dtype == made.layout.dtype,
            f"rows are {rows.dtype}, the layout says {made.layout.dtype}: is something converted on the way?",
        )


def check_identities(algorithm: Algorithm, genome: Genome) -> None:
    """Every row has an identity of its own, its parents are older, and the same identity always has the same genes."""
    recorded = record(algorithm, genome)
    known: dict[int, str] = {}
    for made, rows in zip(recorded.genomes, recorded.rows, strict=True):
        uids = lineage.identities(made.layout, rows).tolist()
        require(
            min(uids) >= 0 and len(set(uids)) == len(uids),
            "rows are evaluated without an identity of their own: make them with search.sample and search.breed, or "
            "give them one with search.identify; after a choice with repeats, breed",
        )
        for parent in ("first_parent", "second_parent"):
            parents = lineage.identities(made.layout, rows, parent).tolist()
            older = all(one < uid for one, uid in zip(parents, uids, strict=True))
            require(older, f"a row's {parent} is not older than itself: give search.breed the parents' rows")
        for uid, row in zip(uids, rows, strict=True):
            genes = str(made.describe(row))
            require(
                known.setdefault(uid, genes) == genes,
                f"individual {uid} has other genes than a generation ago: changed rows need search.identify",
            )


def check_repeatable(algorithm: Algorithm, genome: Genome) -> None:
    """The same seed gives the same rows, bit by bit, and another seed others: that is how campaigns resume."""
    first, again, other = (record(algorithm, genome, seed).genes() for seed in (0, 0, 1))
    require(
        first == again,
        "a second run with the same seed evaluates other rows, so a campaign could not resume: take all chance from "
        "search.rng, and keep no state on the algorithm",
    )
    require(first != other, "another seed gives the same rows: take chance from search.rng, not from a fixed seed")


def check_directions(algorithm: Algorithm, genome: Genome) -> None:
    """Minimising is maximising the negative."""
    same = record(algorithm, genome).genes() == record(algorithm, genome, maximize=False).genes()
    require(same, "minimising -score takes other steps than maximising score: compare search.fitness(outcomes)")


def check_failures(algorithm: Algorithm, genome: Genome) -> None:
    """Runs go on where half of the evaluations fail, and where all do."""
    for score, which in ((fail_half, "half of"), (fail_all, "all")):
        try:
            recorded = record(algorithm, genome, score=score)
        except Exception as error:
            hint = "sort NaN last, as evo.algorithms.ranking does"
            raise type(error)(f"{error} (with {which} evaluations failed, their scores NaN: {hint})") from error
        require(len(recorded.rows) == GENERATIONS, f"with {which} evaluations failed, the run ends early")


def check_algorithm_global_random(algorithm: Algorithm, genome: Genome) -> None:
    """Nothing is drawn from global random generators."""
    with global_random_untouched("run"):
        record(algorithm, genome)


algorithm_checks: tuple[Check, ...] = (
    Check("settings", "what the algorithm was made with can be recorded as JSON", check_algorithm_settings),
    Check("generations", "run evaluates as many generations as it should", check_generations, first=True),
    Check("identities", "every row has an identity and older parents", check_identities),
    Check("repeatable", "the same seed gives the same rows, another seed others", check_repeatable),
    Check("directions", "minimising is maximising the negative", check_directions),
    Check("failures", "runs survive failed evaluations", check_failures),
    Check("global-random", "nothing is drawn from global random generators", check_algorithm_global_random),
)
"""Each takes an algorithm and a genome."""


def check_algorithm(algorithm: Algorithm, genome: Genome | None = None) -> list[Finding]:
    """Return what every check says of an algorithm, tried with a genome; None for a small one of its own."""
    genome = genome or Numbers()
    subject = f"algorithm {label(algorithm)} with genome {label(genome)}"
    return run_checks(subject, algorithm_checks, algorithm, genome)
