"""Every check of problems and of pairs passes where it should, and fails, with advice, where something is broken."""

import random
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo.genome import Genome
from evo.networks import Networks
from evo.outcome import Outcome, Outcomes, outcomes_of
from evo.problem import NetworkProblem, Objective, Problem
from evo.testing import Check, Finding
from evo.testing.algorithm_checks import Numbers
from evo.testing.genome_checks import draws
from evo.testing.problem_checks import (
    check_pair,
    check_problem,
    made_up_networks,
    mismatch,
    pair_checks,
    problem_checks,
)

PHENOTYPES = torch.from_numpy(draws().standard_normal((6, 3)))


@dataclass(frozen=True)
class Sphere(Problem):
    """Three numbers' squares, with noise if wanted; subclasses below each break one thing."""

    name: ClassVar[str] = "sphere"
    objectives = (Objective("square", maximize=False), Objective("largest"))
    noise: float = 0.0

    @property
    def stochastic(self) -> bool:
        return self.noise > 0

    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        trials = (phenotypes.to(torch.float64) ** 2)[:, None, :] + self.noise * rng.standard_normal()
        return outcomes_of(torch.stack((trials.mean((1, 2)), phenotypes.amax(1)), 1), {"square": trials})


def failed(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.message for finding in findings if finding.status == "FAILED"}


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("check", problem_checks, ids=str)
def test_each_check_passes_for_a_good_problem(check: Check, noise: float) -> None:
    check.run(Sphere(noise), PHENOTYPES.clone())


@pytest.mark.parametrize("check", pair_checks, ids=str)
def test_each_check_passes_for_a_good_pair(check: Check) -> None:
    check.run(Numbers(), Sphere())


def test_a_good_pair_has_a_finding_per_check_and_none_fails() -> None:
    findings = check_pair(Numbers(), Sphere())
    assert [finding.check for finding in findings] == [check.name for check in (*pair_checks, *problem_checks)]
    assert not failed(findings)


class NoObjectives(Sphere):
    objectives = ()


class OneObjective(Sphere):
    objectives = Objective("square")  # type: ignore[assignment]


class TwinObjectives(Sphere):
    objectives = (Objective("square"), Objective("square"))


@dataclass(frozen=True)
class OddSetting(Sphere):
    data: Any = field(default_factory=object)


class Numbers2(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Any:
        return phenotypes.sum(1)


class OneColumn(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        return outcomes_of(phenotypes.sum(1, keepdim=True))


class InfiniteButOK(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        scores = super().evaluate(phenotypes, rng).scores
        scores[0] = torch.inf
        return Outcomes(scores, (Outcome.OK,) * len(scores))


class Float32(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        outcomes = super().evaluate(phenotypes, rng)
        return replace(outcomes, scores=outcomes.scores.float())


class AllFail(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        return outcomes_of(torch.full((len(phenotypes), 2), torch.nan))


class Raises(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        raise RuntimeError("no data")


class StrayTrials(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        outcomes = super().evaluate(phenotypes, rng)
        return replace(outcomes, trials={"speed": outcomes.trials["square"]})


class FlatTrials(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        outcomes = super().evaluate(phenotypes, rng)
        return replace(outcomes, trials={"square": outcomes.scores[:, 0]})


class OtherTrials(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        outcomes = super().evaluate(phenotypes, rng)
        return replace(outcomes, trials={"square": outcomes.trials["square"] + 1.0})


class GlobalNoise(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        return super().evaluate(phenotypes * (1 + random.random()), rng)


class SecretlyStochastic(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        return super().evaluate(phenotypes + rng.random(), rng)


class Counting(Sphere):
    calls: ClassVar[list[int]] = []

    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        self.calls.append(1)
        return super().evaluate(phenotypes + len(self.calls), rng)


@dataclass(frozen=True)
class NoisePerPlace(Sphere):
    noise: float = 1.0

    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        return super().evaluate(phenotypes + torch.from_numpy(rng.random((len(phenotypes), 1))), rng)


class Normalised(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        return super().evaluate(phenotypes - phenotypes.mean(), rng)


class InPlace(Sphere):
    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        outcomes = super().evaluate(phenotypes, rng)
        phenotypes[0, 0] = phenotypes[0, 0] + 1.0
        return outcomes


BROKEN: list[tuple[type[Sphere], str, str]] = [
    (NoObjectives, "objectives", "empty"),
    (OneObjective, "objectives", "comma"),
    (TwinObjectives, "objectives", "share a name"),
    (OddSetting, "settings", "'data'"),
    (Numbers2, "outcomes", "not evo.Outcomes"),
    (OneColumn, "outcomes", "a column per objective"),
    (InfiniteButOK, "outcomes", "not finite"),
    (Float32, "outcomes", "float32"),
    (Raises, "outcomes", "RuntimeError: no data"),
    (AllFail, "scores", "look for 0/0"),
    (StrayTrials, "trials", "no objective"),
    (FlatTrials, "trials", "shape"),
    (OtherTrials, "trials", "mean of the trials"),
    (GlobalNoise, "seeds", "same generator"),
    (GlobalNoise, "global-random", "generator of random"),
    (Counting, "seeds", "kept from call to call"),
    (SecretlyStochastic, "seeds", "stochastic is False"),
    (NoisePerPlace, "place", "place in the batch"),
    (Normalised, "neighbours", "normalised over the batch"),
    (InPlace, "phenotypes-kept", "in place"),
]


@pytest.mark.parametrize(("kind", "check", "advice"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_broken_problem_is_told_what_is_wrong(kind: type[Sphere], check: str, advice: str) -> None:
    messages = failed(check_problem(kind(), PHENOTYPES.clone()))
    assert check in messages, messages
    assert advice in messages[check]


def test_every_check_of_problems_is_seen_to_fail() -> None:
    assert {check for _, check, _ in BROKEN} == {check.name for check in problem_checks}


def test_rounding_and_failures_that_repeat_are_no_fault() -> None:
    class Rounded(Sphere):
        def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
            outcomes = super().evaluate(phenotypes * (1 + 1e-6 * len(phenotypes)), rng)
            failing = phenotypes[:, 0] == PHENOTYPES[1, 0]
            return outcomes_of(torch.where(failing[:, None], torch.nan, outcomes.scores))

    assert not failed(check_problem(Rounded(), PHENOTYPES.clone()))


# Pairs


class ReversedNumbers(Numbers):
    def express(self, rows: torch.Tensor) -> torch.Tensor:
        return rows[:, :3] * torch.arange(1.0, len(rows) + 1)[:, None]


class ForgetfulNumbers(Numbers):
    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        return {"values": [0.0, *row[1:3].tolist()]}


class Listed(Numbers):
    expresses: ClassVar[type] = list


@pytest.mark.parametrize(
    ("genome", "problem", "check", "advice"),
    [
        (Listed(), Sphere(), "fits", "it expresses to list, the problem scores Tensor"),
        (Numbers(), InPlace(), "rows-kept", "population's rows"),
        (ReversedNumbers(), Sphere(), "rows-place", "reverse order"),
        (ForgetfulNumbers(), Sphere(), "restored-scores", "describe"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_pair_is_told_what_is_wrong(genome: Genome, problem: Problem, check: str, advice: str) -> None:
    messages = failed(check_pair(genome, problem))
    assert check in messages, messages
    assert advice in messages[check]


class Wired(NetworkProblem):
    """Networks of two inputs and one output, on one case."""

    name: ClassVar[str] = "wired"
    inputs = ("a", "b")
    outputs = ("c",)
    objectives = (Objective("sum"),)

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        return outcomes_of(phenotypes.forward(torch.tensor([[0.3, -0.7]]))[:, :, 0])


@dataclass(frozen=True)
class Wiring(Numbers):
    """Three numbers as the weights of a network."""

    expresses: ClassVar[type] = Networks
    inputs: int = 2

    def express(self, rows: torch.Tensor) -> Networks:
        networks = made_up_networks(self.inputs, 1, len(rows), draws())
        return replace(networks, edge_weights=rows[:, 0].repeat_interleave(_edges(networks)).float())


def _edges(networks: Networks) -> torch.Tensor:
    return networks.edge_offsets[networks.node_offsets].diff()


def test_a_network_of_another_interface_does_not_fit() -> None:
    assert mismatch(Wiring(), Wired()) == ""
    assert "it has (3, 1) inputs and outputs, the problem (2, 1)" in mismatch(Wiring(inputs=3), Wired())
    findings = check_pair(Wiring(inputs=3), Wired())
    assert findings[0].status == "FAILED"
    assert {finding.status for finding in findings[1:]} == {"skipped"}


def test_made_up_networks_try_a_network_problem() -> None:
    networks = made_up_networks(2, 1, 8, draws())
    assert len(networks) == 8
    assert networks.largest > 5
    assert not failed(check_problem(Wired(), networks))
