"""The vector genome: bounds, mutation and blend crossover as documented."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from evo import seeds
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective, Problem
from genomes.vector import Vector


class Sphere(Problem):
    name: ClassVar[str] = "sphere"
    objectives = (Objective("square", maximize=False),)
    size = 5

    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        return outcomes_of((phenotypes**2).sum(1, keepdim=True))


def test_samples_are_uniform_between_the_bounds() -> None:
    genome = Vector(4, low=-2.0, high=6.0)
    values = genome.express(genome.sample(4000, seeds.rng(0, "sample"))).numpy()
    assert values.min() >= -2.0
    assert values.max() <= 6.0
    counts = np.histogram(values, bins=8, range=(-2, 6))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 40


def test_mutation_moves_the_share_and_as_far_as_said() -> None:
    genome = Vector(10, low=0.0, high=100.0, mutation_rate=0.25, mutation_deviation=0.02)
    rows = genome.layout.rows(values=np.full((4000, 10), 50.0))
    by_row = genome.mutate(rows, seeds.rng(0, "mutate"))[:, :10] - 50.0
    assert float((by_row != 0).sum(1).double().var()) == pytest.approx(10 * 0.25 * 0.75, rel=0.1)  # each by itself
    moves = by_row.flatten()
    moved = moves[moves != 0]
    assert len(moved) / len(moves) == pytest.approx(0.25, abs=0.01)
    assert float(moved.mean()) == pytest.approx(0.0, abs=0.08)
    assert float(moved.std()) == pytest.approx(2.0, rel=0.05)


def test_mutation_and_expression_keep_the_bounds() -> None:
    genome = Vector(3, low=-1.0, high=1.0, mutation_deviation=10.0)
    children = genome.mutate(genome.sample(500, seeds.rng(0, "sample")), seeds.rng(1, "mutate"))
    values = children[:, :3]
    assert float(values.min()) == -1.0
    assert float(values.max()) == 1.0
    outside = genome.layout.rows(values=[[-5.0, 0.5, 9.0]])
    assert genome.express(outside).tolist() == [[-1.0, 0.5, 1.0]]


@pytest.mark.parametrize("blend", [0.0, 0.5])
def test_children_lie_in_their_parents_widened_interval_and_fill_it(blend: float) -> None:
    genome = Vector(1, low=-10.0, high=10.0, blend=blend)
    first = genome.layout.rows(values=np.full((5000, 1), 1.0))
    second = genome.layout.rows(values=np.full((5000, 1), 3.0))
    values = genome.crossover(first, second, seeds.rng(0, "cross"))[:, 0]
    low, high = 1.0 - 2.0 * blend, 3.0 + 2.0 * blend
    assert low <= float(values.min()) < low + 0.01 * (high - low)
    assert high >= float(values.max()) > high - 0.01 * (high - low)
    assert float(values.mean()) == pytest.approx(2.0, abs=0.05)


def test_crossover_draws_each_value_on_its_own_and_keeps_the_bounds() -> None:
    genome = Vector(2, low=0.0, high=1.0, blend=2.0)
    first, second = (genome.layout.rows(values=np.full((2000, 2), value)) for value in (0.1, 0.9))
    values = genome.crossover(first, second, seeds.rng(0, "cross"))[:, :2]
    assert float(values.min()) == 0.0
    assert float(values.max()) == 1.0
    assert abs(np.corrcoef(values.numpy().T)[0, 1]) < 0.1


def test_a_problem_with_a_size_shapes_a_vector() -> None:
    assert Vector.for_problem(Sphere(), low=-3.0) == Vector(5, low=-3.0)
    assert Vector.for_problem(Sphere(), size=2).size == 2


def test_a_problem_without_a_size_says_what_to_write() -> None:
    problem = Sphere()
    problem.size = None  # type: ignore[assignment]
    with pytest.raises(TypeError, match="Vector\\(size="):
        Vector.for_problem(problem)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 3, "low": 1.0, "high": 1.0}, {"size": 3, "low": 2.0}])
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="low below high"):
        Vector(**wrong)  # type: ignore[arg-type]
