"""Exclusive or is scored as neat-python scores it, and solved when all outputs are on their side of 0.5."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import problems
from evo.activations import activation_id
from evo.networks import Execution, Networks, pack
from problems.xor import Xor

RNG = np.random.default_rng(0)
LINEAR, SIGMOID, MAGNITUDE = map(activation_id, ("linear", "sigmoid", "abs"))
KINDS = [LINEAR, LINEAR, LINEAR, MAGNITUDE, LINEAR]
"""Of bias, two inputs, a hidden node and the output."""
DIFFERENCE = [(1, 3, 1.0), (2, 3, -1.0)]


def between(low: float, high: float) -> Networks:
    """A network that says `high` where exactly one bit is set, and `low` elsewhere."""
    return pack(2, 1, [(KINDS, [*DIFFERENCE, (0, 4, low), (3, 4, high - low)])])


def random_networks(count: int) -> tuple[np.ndarray, Networks]:
    """Weights `[count, 3]` (of bias, first, second) and sigmoid networks that have them."""
    weights = np.random.default_rng(3).normal(0, 3, (count, 3))
    kinds = [LINEAR] * 3 + [SIGMOID]
    return weights, pack(2, 1, [(kinds, [(i, 3, float(w)) for i, w in enumerate(one)]) for one in weights])


@pytest.mark.parametrize(
    ("low", "high", "fitness", "solved"),
    [
        (0.0, 1.0, 4.0, True),
        (0.5, 0.5, 3.0, False),
        (0.4, 0.6, 4 - 4 * 0.16, True),
        (1.0, 0.0, 0.0, False),
        (0.0, 0.49, 4 - 2 * 0.51**2, False),
        (-2.0, 1.0, 4 - 2 * 4.0, True),
    ],
)
def test_fitness_is_4_minus_the_squared_errors(low: float, high: float, fitness: float, solved: bool) -> None:
    problem = Xor()
    for engine in ("compiled", "torch"):
        networks = between(low, high).on(Execution(engine))
        assert float(problem.evaluate(networks, RNG).scores) == pytest.approx(fitness, abs=1e-6)
        assert problem.solved(networks).tolist() == [solved]


def test_random_networks_score_as_a_plain_loop_says() -> None:
    weights, networks = random_networks(20)
    expected = []
    for bias, first, second in weights:
        fitness = 4.0
        for x, y in ((0, 0), (0, 1), (1, 0), (1, 1)):
            fitness -= (1 / (1 + np.exp(-(bias + first * x + second * y))) - (x ^ y)) ** 2
        expected.append(fitness)
    outcomes = Xor().evaluate(networks, RNG)
    np.testing.assert_allclose(outcomes.scores[:, 0], expected, atol=1e-5)
    assert not Xor().solved(networks).any()  # no single sigmoid can


def test_shared_weights_are_tried_in_turn() -> None:
    problem = Xor(shared_weights=(-1.0, 1.0, 3.0))
    networks = pack(2, 1, [(KINDS, [*DIFFERENCE, (3, 4, 1.0)]), (KINDS, [])])
    outcomes = problem.evaluate(networks, RNG)
    # every edge has the shared weight w: |w x - w y| w, the signs of the edges' own weights being lost
    said = {
        weight: [0.0, weight * abs(weight), weight * abs(weight), 2 * weight * abs(weight)] for weight in (-1, 1, 3)
    }
    expected = [
        4 - sum((one - target) ** 2 for one, target in zip(row, (0, 1, 1, 0), strict=True)) for row in said.values()
    ]
    assert outcomes.trials["fitness"].shape == (2, 3, 1)
    np.testing.assert_allclose(outcomes.trials["fitness"][0, :, 0], expected)
    np.testing.assert_allclose(outcomes.scores[0], [np.mean(expected), max(expected)])
    assert [objective.name for objective in problem.objectives] == ["fitness", "best_weight_fitness"]


def test_one_shared_weight_that_solves_it_will_do() -> None:
    wave = pack(2, 1, [([LINEAR] * 3 + [activation_id("sin")], [(1, 3, 9.0), (2, 3, 9.0)])])  # sin(pi w (x + y))
    assert Xor(shared_weights=(0.1, 0.5)).solved(wave).tolist() == [True]
    assert Xor(shared_weights=(0.1, 0.3)).solved(wave).tolist() == [False]
    assert not Xor().solved(wave).any()  # with its own weights


def test_training_lowers_what_fitness_lacks() -> None:
    problem = Xor()
    _, networks = random_networks(5)
    inputs, loss = problem.training_batch(RNG)
    fitness = problem.evaluate(networks, RNG).scores[:, 0]
    for outputs, score in zip(networks.forward(inputs), fitness, strict=True):
        assert float(loss(outputs)) == pytest.approx(4 - float(score), abs=1e-6)


def test_networks_of_another_interface_are_refused() -> None:
    with pytest.raises(ValueError, match="2 inputs and 1 output, got 1 and 1"):
        Xor().evaluate(pack(1, 1, [([1, 1, 1], [])]), RNG)


def test_it_is_made_by_name() -> None:
    assert problems.make("xor-v1") == Xor()
    assert not Xor().stochastic
    assert torch.equal(Xor().training_batch(RNG)[0].sum(0), torch.tensor([2.0, 2.0]))
