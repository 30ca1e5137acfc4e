"""Every check of algorithms passes for a good one, and fails, with advice, for one that breaks what it is about."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo.algorithm import Algorithm
from evo.search import Search
from evo.testing import Check
from evo.testing.algorithm_checks import Numbers, algorithm_checks, check_algorithm


@dataclass(frozen=True)
class Climb(Algorithm):
    """The best of a generation has all the children; subclasses below each break one thing."""

    name: ClassVar[str] = "climb"
    population: int = 6

    def run(self, search: Search) -> None:
        genome, rows = search.genome.fit(self.start(search))
        for _ in range(self.generations(search)):
            outcomes = search.evaluate(genome, rows)
            best = self.best(search, outcomes)
            genome, rows = genome.fit(self.next(search, genome, rows[best], rows))

    def start(self, search: Search) -> torch.Tensor:
        return search.sample(self.population)

    def generations(self, search: Search) -> int:
        return search.generations

    def best(self, search: Search, outcomes: Any) -> int:
        return int(search.fitness(outcomes)[:, 0].nan_to_num(nan=-1e9).argmax())

    def next(self, search: Search, genome: Any, best: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return search.breed(genome, best.repeat(self.population, 1))


@dataclass(frozen=True)
class OddSetting(Climb):
    state: object = object()


class TooLong(Climb):
    def generations(self, search: Search) -> int:
        return search.generations + 1


class Nobody(Climb):
    def start(self, search: Search) -> torch.Tensor:
        return search.sample(0)

    def best(self, search: Search, outcomes: Any) -> Any:
        return slice(0, 1)


class Doubles(Climb):
    def start(self, search: Search) -> torch.Tensor:
        return super().start(search).double()


class NoIdentity(Climb):
    def start(self, search: Search) -> torch.Tensor:
        return search.genome.sample(self.population, search.rng("sample"))


class Copies(Climb):
    def next(self, search: Search, genome: Any, best: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return best.repeat(self.population, 1)


class SecretChange(Climb):
    def next(self, search: Search, genome: Any, best: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return genome.mutate(rows, search.rng("variation"))  # type: ignore[no-any-return]


class YoungParents(Climb):
    def next(self, search: Search, genome: Any, best: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        bred = super().next(search, genome, best, rows)
        genome.layout.view(bred, "first_parent")[...] = genome.layout.view(bred, "uid")
        return bred


class OwnRandom(Climb):
    def start(self, search: Search) -> torch.Tensor:
        rows = super().start(search)
        rows[:, 0] += np.random.default_rng().random()
        return rows


class FixedSeed(Climb):
    def run(self, search: Search) -> None:
        search.seed = 5
        super().run(search)


class RawScores(Climb):
    def best(self, search: Search, outcomes: Any) -> int:
        return int(outcomes.scores[:, 0].nan_to_num(nan=-1e9).argmax())


class Fragile(Climb):
    def best(self, search: Search, outcomes: Any) -> int:
        scores = search.fitness(outcomes)[:, 0]
        if scores.isnan().any():
            raise ArithmeticError("a score is NaN")
        return int(scores.argmax())


class GlobalRandom(Climb):
    def start(self, search: Search) -> torch.Tensor:
        torch.rand(1)
        return super().start(search)


BROKEN: list[tuple[type[Climb], str, str]] = [
    (OddSetting, "settings", "'state'"),
    (TooLong, "generations", "evaluates 5 times where search.generations is 4"),
    (Nobody, "generations", "no rows"),
    (Doubles, "generations", "float64"),
    (NoIdentity, "identities", "search.identify"),
    (Copies, "identities", "identity of their own"),
    (SecretChange, "identities", "other genes than a generation ago"),
    (YoungParents, "identities", "first_parent is not older"),
    (OwnRandom, "repeatable", "could not resume"),
    (FixedSeed, "repeatable", "another seed gives the same rows"),
    (RawScores, "directions", "search.fitness"),
    (Fragile, "failures", "sort NaN last"),
    (GlobalRandom, "global-random", "generator of torch"),
]


def failed(algorithm: Algorithm) -> dict[str, str]:
    return {finding.check: finding.message for finding in check_algorithm(algorithm) if finding.status == "FAILED"}


@pytest.mark.parametrize("check", algorithm_checks, ids=str)
def test_each_check_passes_for_a_good_algorithm(check: Check) -> None:
    check.run(Climb(), Numbers())


@pytest.mark.parametrize(("kind", "check", "advice"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_broken_algorithm_is_told_what_is_wrong(kind: type[Climb], check: str, advice: str) -> None:
    messages = failed(kind())
    assert check in messages, messages
    assert advice in messages[check]


def test_every_check_is_seen_to_fail() -> None:
    assert {check for _, check, _ in BROKEN} == {check.name for check in algorithm_checks}
