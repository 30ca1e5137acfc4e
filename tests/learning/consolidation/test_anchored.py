"""Problems whose solutions are to stay near an anchor: the penalty in the score, and as a second objective."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from evo import seeds
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.campaign import Campaign
from evo.function_problem import fitness
from evo.learning.consolidation.importance import Importance
from evo.networks import Networks, pack
from evo.outcome import Outcome
from evo.problem import Objective
from evo.testing.problem_checks import problem_checks
from genomes.perceptron import Perceptron
from genomes.vector import Vector
from problems.digits import Digits
from problems.transfer.anchored import Anchored
from problems.xor import Xor

GENOME = Perceptron(64, 10, ())
IMPORTANCE = Importance(torch.linspace(0.0, 1.0, 650), torch.linspace(-1.0, 1.0, 650))
DIGITS = Digits(batch=30)


@fitness(maximize="sum", minimize="first", batch=True)
def total(vectors: torch.Tensor) -> torch.Tensor:
    return torch.stack((vectors.sum(1), vectors[:, 0]), 1)


def networks(count: int = 4) -> Networks:
    return GENOME.express(GENOME.sample(count, seeds.rng(0, "sample")))


@pytest.mark.parametrize("check", problem_checks, ids=str)
@pytest.mark.parametrize("problem", [Anchored(DIGITS, IMPORTANCE, 0.1), Anchored(DIGITS, IMPORTANCE, front=True)])
def test_it_is_a_problem(problem: Anchored, check: Any) -> None:
    from evo.testing import CheckSkipped

    try:
        check.run(problem, networks())
    except CheckSkipped:
        return


def test_the_first_objective_is_made_worse_in_its_own_direction() -> None:
    importance = Importance(torch.tensor([2.0, 0.0]), torch.tensor([1.0, 5.0]))
    vectors = torch.tensor([[1.0, 9.0], [4.0, 9.0]])
    more = Anchored(total, importance, strength=10.0).evaluate(vectors, seeds.rng(0, "e"))
    assert more.scores.tolist() == [[10.0], [13.0 - 10.0 * 9.0]]
    assert {name: values.tolist() for name, values in more.measured.items()} == {
        "sum": [10.0, 13.0],
        "first": [1.0, 4.0],
        "penalty": [0.0, 9.0],
    }
    fewer = Anchored(DIGITS, IMPORTANCE, strength=2.0)
    assert fewer.objectives == (Objective("cross_entropy", maximize=False),)
    scores = fewer.evaluate(networks(), seeds.rng(0, "e"))
    inside = DIGITS.evaluate(networks(), seeds.rng(0, "e"))
    theta = networks().edge_weights.view(4, 650).double()
    penalty = 0.5 * (IMPORTANCE.precision.double() * (theta - IMPORTANCE.anchor.double()) ** 2).sum(1)
    torch.testing.assert_close(scores.scores[:, 0], inside.scores[:, 0] + 2.0 * penalty)
    torch.testing.assert_close(scores.measured["accuracy"], inside.scores[:, 1])
    assert bool((penalty > 0).all())


def test_failures_inside_stay_failures() -> None:
    @fitness(maximize="root", batch=True)
    def root(vectors: torch.Tensor) -> torch.Tensor:
        return vectors[:, 0].sqrt()

    importance = Importance(torch.ones(1), torch.zeros(1))
    outcomes = Anchored(root, importance, 1.0, front=True).evaluate(torch.tensor([[4.0], [-1.0]]), seeds.rng(0, "e"))
    assert outcomes.kinds == (Outcome.OK, Outcome.NAN)
    assert outcomes.scores[0].tolist() == [2.0 - 8.0, 8.0]
    assert bool(outcomes.scores[1].isnan().all())


def test_stability_against_plasticity_is_a_front(tmp_path: Path) -> None:
    importance = Importance(torch.ones(3), torch.zeros(3))
    problem = Anchored(total, importance, front=True)
    assert problem.objectives == (Objective("sum"), Objective("penalty", maximize=False))
    genome = Vector(3, -2.0, 2.0)
    Campaign(problem, genome, MuPlusLambda(population=40), generations=60).run(out=tmp_path / "run", quiet=True)
    front = json.loads((tmp_path / "run/default/seed-0/archive.json").read_text())["front"]
    pairs = [(one["fitness"]["sum"], one["fitness"]["penalty"]) for one in front]
    assert max(score for score, _ in pairs) > 5.5  # of 6
    assert len(pairs) > 30
    spoiled = [penalty - score**2 / 6 for score, penalty in pairs if score > 0.5]  # the least for a sum: all alike
    assert min(spoiled) > -1e-4
    assert sorted(spoiled)[len(spoiled) // 2] < 0.1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"problem": 3}, "expected one that scores batches"),
        ({"problem": Digits(shared_weights=(1.0,))}, "without shared ones"),
        ({"strength": -1.0}, "strength: expected"),
        ({"importance": Importance(torch.ones(2, 3), torch.ones(2, 3))}, "one of weights"),
    ],
)
def test_what_cannot_be_anchored_is_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises((TypeError, ValueError), match=reason):
        Anchored(**{"problem": DIGITS, "importance": IMPORTANCE, **arguments})


def test_functions_of_one_individual_are_refused() -> None:
    @fitness(maximize="first")
    def one(vector: Any) -> float:
        return float(vector[0])

    with pytest.raises(TypeError, match="batch=True"):
        Anchored(one, IMPORTANCE)


def test_networks_of_another_structure_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 650 weights each"):
        Anchored(DIGITS, IMPORTANCE).evaluate(Perceptron(64, 10, (2,)).express(
            Perceptron(64, 10, (2,)).sample(2, seeds.rng(0, "s"))
        ), seeds.rng(0, "e"))  # fmt: skip
    one = (0, 3, 1.0)
    uneven = pack(2, 1, [([1] * 4, [one]), ([1] * 4, [one, (1, 3, 1.0), (2, 3, 1.0)])])
    even = Importance(torch.ones(2), torch.ones(2))
    with pytest.raises(ValueError, match="expected 2 weights each"):
        Anchored(Xor(), even).evaluate(uneven, seeds.rng(0, "e"))
