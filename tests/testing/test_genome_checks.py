"""Every check of genomes passes for a good genome, and fails, with advice, for one that breaks what it is about."""

import random
from dataclasses import dataclass
from typing import Any, ClassVar

import networkx
import numpy as np
import pytest
import torch

from evo import seeds
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.testing import Check, Finding
from evo.testing.genome_checks import check_genome, genome_checks


@dataclass(frozen=True)
class Word(Genome):
    """A genome of four letters as numbers; subclasses below each break one thing."""

    name: ClassVar[str] = "word"
    weights: ClassVar[str | None] = "letters"
    layout = Layout(Field("letters", (4,)))
    rate: float = 0.5

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return self.layout.rows(letters=rng.standard_normal((count, 4)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        children = rows.clone()
        children[:, :4] += self.rate * seeds.normal(rng, (len(rows), 4), rows)
        return children


def failed(genome: Genome) -> dict[str, str]:
    return {finding.check: finding.message for finding in check_genome(genome) if finding.status == "FAILED"}


@pytest.mark.parametrize("check", genome_checks, ids=str)
def test_each_check_passes_for_a_good_genome(check: Check) -> None:
    (finding,) = [finding for finding in check_genome(Word()) if finding.check == check.name]
    assert finding.status == ("skipped" if check.name == "graph" else "ok"), finding.message


def test_checks_have_names_of_their_own_and_say_what_must_hold() -> None:
    assert len({check.name for check in genome_checks}) == len(genome_checks)
    assert all(check.what for check in genome_checks)


class NoLayout(Word):
    layout = (4,)  # type: ignore[assignment]


class EmptyLayout(Word):
    layout = Layout()


class ShiftingLayout(Word):
    seen: ClassVar[list[int]] = []

    @property
    def layout(self) -> Layout:  # type: ignore[override]
        self.seen.append(0)
        return Layout(Field("letters", (len(self.seen),)))


@dataclass(frozen=True)
class OddSetting(Word):
    generator: object = object()


@dataclass(frozen=True)
class InfiniteSetting(Word):
    limit: float = float("inf")


class NoLineage(Word):
    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return super().sample(count, rng)[:, :4]


class WrongType(Word):
    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return super().sample(count, rng).double()


class FixedSample(Word):
    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return super().sample(count, np.random.default_rng(0))


class SameStart(Word):
    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return self.layout.rows(letters=torch.ones(count, 4))


class GlobalSample(Word):
    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return self.layout.rows(letters=torch.randn(count, 4))


class CachedSample(Word):
    kept: ClassVar[dict[Any, torch.Tensor]] = {}

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        rows = super().sample(count, rng)
        return self.kept.setdefault((count, float(rows[0, 0])), rows)


class InPlace(Word):
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        rows[:, :4] += seeds.normal(rng, (len(rows), 4), rows)
        return rows


class SharedMemory(Word):
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return rows if rng.random() < 0.5 else super().mutate(rows, rng)


class OwnGenerator(Word):
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return super().mutate(rows, np.random.default_rng())


class FixedGenerator(Word):
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return super().mutate(rows, np.random.default_rng(0))


class FewerChildren(Word):
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return super().mutate(rows, rng)[:1]


class ChangedLineage(Word):
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return super().mutate(rows, rng) + 1.0


class RaisingMutate(Word):
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return rows.no_such_method()  # type: ignore[operator,no-any-return]


class GlobalMutate(Word):
    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return super().mutate(rows, rng).mul_(1.0 + random.random() + np.random.rand())


class CrossoverInPlace(Word):
    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        second[:, 0] = 7.0
        return first.clone()


class CrossoverShares(Word):
    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return first


class CrossoverOfBoth(Word):
    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return torch.cat((first, second))


class CrossoverMixesLineage(Word):
    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        return (first + second) / 2


class CrossoverOwnGenerator(Word):
    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        children = first.clone()
        children[:, 0] = np.random.default_rng().random()
        return children


class ExpressesOther(Word):
    def express(self, rows: torch.Tensor) -> list[list[float]]:
        return rows[:, :4].tolist()  # type: ignore[no-any-return]


class ExpressesOne(Word):
    def express(self, rows: torch.Tensor) -> torch.Tensor:
        return rows[:1, :4]


class ExpressesInPlace(Word):
    def express(self, rows: torch.Tensor) -> torch.Tensor:
        return rows[:, :4].mul_(2.0)


class ExpressesTogether(Word):
    def express(self, rows: torch.Tensor) -> torch.Tensor:
        return rows[:, :4] - rows[:, :4].mean(0)


class ExpressesByChance(Word):
    expresses: ClassVar[type] = list

    def express(self, rows: torch.Tensor) -> list[float]:
        return np.random.default_rng().random(len(rows)).tolist()  # type: ignore[no-any-return]


class DescribesTensors(Word):
    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        return {"letters": row[:4]}


class DescribesNaN(Word):
    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        return {"letters": [float("nan")] * 4}


class DescribesPart(Word):
    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        return {"letters": [round(value, 1) for value in row[:4].tolist()]}


class ComplexityIsNaN(Word):
    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.full((len(rows),), torch.nan, dtype=torch.float64)


class ComplexityIsOne(Word):
    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        return rows[:, :4].sum().to(torch.float64)


class ComplexityIsInteger(Word):
    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.ones(len(rows), dtype=torch.int64)


class FeaturesOfFloat32(Word):
    def features(self, rows):
        return {"length": torch.ones(len(rows))}


class RecordsWhatIsNot(Word):
    recorded_features = ("complexity", "step_size")


class FitsInPlace(Word):
    def fit(self, rows: torch.Tensor) -> tuple[Any, torch.Tensor]:
        rows[:, 0] = 0.0
        return self, rows


class FitsToOther(Word):
    def fit(self, rows: torch.Tensor) -> tuple[Any, torch.Tensor]:
        fitted = rows.clone()
        fitted[:, :4] = fitted[:, :4].flip(1)
        return self, fitted


class FitsWithoutLineage(Word):
    def fit(self, rows: torch.Tensor) -> tuple[Any, torch.Tensor]:
        return self, self.layout.rows(letters=rows[:, :4])


class GraphOfEdges(Word):
    def graph(self, row: torch.Tensor) -> Any:
        return [(0, 1)]


@dataclass(frozen=True)
class CyclicGraph(Word):
    recurrent: bool = False

    def graph(self, row: torch.Tensor) -> Any:
        return networkx.DiGraph([(0, 1), (1, 0)])


class WeightsElsewhere(Word):
    weights: ClassVar[str | None] = "weights"


BROKEN: list[tuple[type[Word], str, str]] = [
    (NoLayout, "layout", "not an evo.Layout"),
    (EmptyLayout, "layout", "no fields"),
    (ShiftingLayout, "layout", "differs from one look to the next"),
    (OddSetting, "settings", "setting 'generator' is a object"),
    (InfiniteSetting, "settings", "no JSON"),
    (NoLineage, "sample", "layout.rows"),
    (WrongType, "sample", "float64"),
    (FixedSample, "sample-seeds", "same rows whatever the generator"),
    (GlobalSample, "sample-seeds", "other rows for the same generator"),
    (GlobalSample, "global-random", "sample draws from the global generator of torch"),
    (CachedSample, "sample-seeds", "same memory twice"),
    (InPlace, "mutate-keeps-input", "mutate changes its input in place: start with rows.clone()"),
    (SharedMemory, "mutate-keeps-input", "parents' own memory"),
    (OwnGenerator, "mutate-seeds", "other children with the same generator"),
    (FixedGenerator, "mutate-seeds", "same children whatever the generator"),
    (FewerChildren, "mutate", "shape"),
    (ChangedLineage, "mutate-lineage", "lineage columns"),
    (RaisingMutate, "mutate", "no_such_method"),
    (GlobalMutate, "global-random", "global generator of random and numpy.random"),
    (CrossoverInPlace, "crossover-keeps-input", "crossover changes its input"),
    (CrossoverShares, "crossover-keeps-input", "parent's own memory"),
    (CrossoverOfBoth, "crossover", "shape"),
    (CrossoverMixesLineage, "crossover-lineage", "lineage columns"),
    (CrossoverOwnGenerator, "crossover-seeds", "other children"),
    (ExpressesOther, "express", "expresses: ClassVar[type] = list"),
    (ExpressesOne, "express", "1 phenotypes for 8 rows"),
    (ExpressesInPlace, "express-repeatable", "express changes the rows"),
    (ExpressesTogether, "express-repeatable", "rows must not mix"),
    (ExpressesByChance, "express-repeatable", "the second time"),
    (DescribesTensors, "describe", "JSON cannot hold"),
    (DescribesNaN, "describe", "JSON cannot hold"),
    (DescribesPart, "describe", "another phenotype"),
    (ComplexityIsNaN, "complexity", "finite numbers"),
    (ComplexityIsOne, "complexity", "a number per row"),
    (ComplexityIsInteger, "complexity", "float64"),
    (FeaturesOfFloat32, "features", "float64"),
    (RecordsWhatIsNot, "features", "recorded_features names what features does not return: step_size"),
    (FitsInPlace, "fit", "fit changes the rows"),
    (FitsToOther, "fit", "changes what rows express to"),
    (FitsWithoutLineage, "fit", "lineage columns"),
    (GraphOfEdges, "graph", "not a networkx.DiGraph"),
    (CyclicGraph, "graph", "a graph has a cycle"),
    (WeightsElsewhere, "weights", "no field of the layout"),
]


@pytest.mark.parametrize(("kind", "check", "advice"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_broken_genome_is_told_what_is_wrong(kind: type[Word], check: str, advice: str) -> None:
    messages = failed(kind())
    assert check in messages, messages
    assert advice in messages[check]


def test_every_check_is_seen_to_fail() -> None:
    assert {check for _, check, _ in BROKEN} == {check.name for check in genome_checks}


def test_all_genomes_may_start_alike() -> None:
    assert not failed(SameStart())


def test_what_makes_no_sense_behind_a_failure_is_skipped() -> None:
    findings = check_genome(NoLineage())
    position = [check.name for check in genome_checks].index("sample")
    assert findings[position].status == "FAILED"
    assert {finding.status for finding in findings[position + 1 :]} == {"skipped"}
    assert all(isinstance(finding, Finding) and "sample" in finding.message for finding in findings[position + 1 :])


def test_an_exception_in_a_genome_is_told_with_its_line() -> None:
    message = failed(RaisingMutate())["mutate"]
    assert "AttributeError" in message
    assert "test_genome_checks.py, line" in message
    assert "rows.no_such_method()" in message
