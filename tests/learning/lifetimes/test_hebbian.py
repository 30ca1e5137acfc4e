"""Networks whose connections change, beside the articles' formulas written out connection by connection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from learning.lifetimes.plain_walks import CORNERS, NEAR, plain_returns

from evo import seeds
from evo.learning.lifetimes.hebbian import Hebbian, born, living
from evo.plastic import PlasticNetworks, connection_count
from evo.points import PointTasks
from genomes.plasticity import Plasticity

KINDS = {
    "abcd": Plasticity(6, 2, hidden=(4,)),
    "abcd, weights evolved": Plasticity(6, 2, hidden=(3, 4), evolved_weights=True),
    "no hidden layer": Plasticity(6, 2, hidden=()),
    "trace": Plasticity(6, 2, hidden=(4,), rule="trace"),
}
every_kind = pytest.mark.parametrize("genome", KINDS.values(), ids=KINDS.keys())


class PlainNetwork:
    """One network on one task, a connection at a time, in float64."""

    def __init__(self, networks: PlasticNetworks, number: int, weights: np.ndarray, normalized: bool) -> None:
        self.rule, self.sizes, self.normalized = networks.rule, networks.sizes, normalized
        self.coefficients = networks.coefficients[number].double().numpy()
        self.weights = weights.astype(np.float64)
        self.trace = np.zeros_like(self.weights)

    def __call__(self, seen: np.ndarray) -> np.ndarray:
        values, first = np.asarray(seen, np.float64), 0
        for inputs, units in zip(self.sizes, self.sizes[1:], strict=False):
            before = np.array([1.0, *values])
            places = first + np.arange(units * (1 + inputs)).reshape(units, 1 + inputs)
            behind = np.zeros(units)
            for j in range(units):
                for i in range(1 + inputs):
                    place, counts = places[j, i], self.weights[places[j, i]]
                    if self.rule == "trace":
                        counts += self.coefficients[0, place] * self.trace[place]
                    behind[j] += counts * before[i]
            values = np.tanh(behind)
            for j in range(units):
                for i in range(1 + inputs):
                    self.learn(places[j, i], before[i], values[j])
            if self.normalized and self.rule == "abcd":
                self.weights[places] /= np.abs(self.weights[places]).max()
            first += units * (1 + inputs)
        return values

    def learn(self, place: int, before: float, behind: float) -> None:
        if self.rule == "abcd":
            a, b, c, d, rate = self.coefficients[:, place]
            self.weights[place] += rate * (a * before * behind + b * before + c * behind + d)
        else:
            rate = self.coefficients[1, place]
            self.trace[place] = rate * before * behind + (1 - rate) * self.trace[place]


def individuals(genome: Plasticity, count: int = 3, seed: int = 0) -> PlasticNetworks:
    return genome.express(genome.sample(count, np.random.default_rng(seed)))


def weights_at_birth(networks: PlasticNetworks, number: int, task: int, tasks: int, seed: int) -> np.ndarray:
    if networks.weights is not None:
        return networks.weights[number].double().numpy()
    drawn = seeds.rng(seed, "weights at birth").random((tasks, connection_count(networks.sizes)))
    return (0.1 * (2.0 * drawn.astype(np.float32) - 1.0))[task]


@pytest.mark.parametrize(
    ("kind", "normalized"),
    [(kind, normalized) for kind in KINDS for normalized in (False, True) if not (normalized and kind == "trace")],
)
@pytest.mark.parametrize("tasks", [NEAR, CORNERS], ids=["near", "corners"])
def test_lives_are_those_of_connections_one_by_one(kind: str, normalized: bool, tasks: PointTasks) -> None:
    networks = individuals(KINDS[kind])
    lives = Hebbian(normalized=normalized).live(networks, tasks, seed=6)

    def make(number: int, task: int) -> Any:
        return PlainNetwork(networks, number, weights_at_birth(networks, number, task, len(tasks), 6), normalized)

    expected = plain_returns(make, 3, tasks)
    np.testing.assert_allclose(lives.measured["returns"], expected, rtol=1e-5, atol=1e-5)
    assert np.abs(expected[..., 0] - expected[..., -1]).max() > 1e-3  # what changed stays from episode to episode


@settings(max_examples=25, deadline=None)
@given(
    sizes=some.lists(some.integers(1, 5), min_size=2, max_size=4),
    rule=some.sampled_from(["abcd", "trace"]),
    seed=some.integers(0, 2**32 - 1),
)
def test_networks_of_any_shape_answer_as_their_connections_one_by_one(sizes: list[int], rule: str, seed: int) -> None:
    genome = Plasticity(sizes[0], sizes[-1], tuple(sizes[1:-1]), rule, evolved_weights=True)
    networks, draws = individuals(genome, 2, seed), np.random.default_rng(seed)
    act = living(networks, born(networks, 2, seed=0))
    own = [
        [PlainNetwork(networks, n, weights_at_birth(networks, n, t, 2, 0), False) for t in range(2)] for n in range(2)
    ]
    for _ in range(4):
        seen = draws.standard_normal((2, 2, sizes[0]))
        found = act(torch.from_numpy(seen).float(), torch.ones(2, 2, dtype=torch.bool))
        expected = [[own[n][t](seen[n, t]) for t in range(2)] for n in range(2)]
        np.testing.assert_allclose(found, np.array(expected), rtol=1e-5, atol=1e-5)


@every_kind
def test_who_sleeps_does_not_change(genome: Plasticity) -> None:
    networks = individuals(genome, 2)
    draws = torch.Generator().manual_seed(0)
    first, second, third = torch.randn(3, 2, 1, 6, generator=draws)
    awake, asleep = torch.tensor([[True], [True]]), torch.tensor([[True], [False]])
    slept, plain = (living(networks, born(networks, 1, seed=0)) for _ in range(2))
    slept(first, awake), plain(first, awake)
    slept(second, asleep)
    after, without = slept(third, awake), plain(third, awake)
    assert torch.equal(after[1], without[1])
    assert not torch.equal(after[0], without[0])


def test_weights_are_drawn_for_each_task_and_life_and_are_the_same_for_all_individuals() -> None:
    networks = individuals(KINDS["abcd"], 1)[[0, 0, 0]]
    weights = born(networks, 4, seed=1)
    assert weights.shape == (1, 4, 38)
    assert weights.unique().numel() == 4 * 38
    assert 0.09 < weights.abs().max() <= 0.1
    scores = [Hebbian().live(networks, NEAR, seed=seed).scores for seed in (0, 1)]
    assert torch.equal(scores[0], scores[0][:1].expand(3, -1, -1))
    assert not torch.equal(*scores)


def test_without_a_rate_nothing_is_learned_and_with_one_a_coincidence_is() -> None:
    networks = individuals(KINDS["abcd, weights evolved"], 1)
    networks.coefficients[:, 4] = 0.0
    act, seen = living(networks, born(networks, 1, seed=0)), torch.ones(1, 1, 6)
    awake = torch.ones(1, 1, dtype=torch.bool)
    first = act(seen, awake)
    assert torch.equal(act(seen, awake), first)
    networks.coefficients[:, 0], networks.coefficients[:, 1:4], networks.coefficients[:, 4] = 1.0, 0.0, 0.1
    act = living(networks, born(networks, 1, seed=0))
    assert act(seen, awake).abs().max() < act(seen, awake).abs().max()  # fires together, wires together


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rule": "oja"}, "rule is one of abcd, trace, got 'oja'"),
        ({"coefficients": torch.zeros(2, 4, 38)}, r"are \[n, 5, 38\], got \[2, 4, 38\]"),
        ({"weights": torch.zeros(3, 38)}, r"weights: expected \[2, 38\], got \[3, 38\]"),
        ({"rule": "trace", "coefficients": torch.zeros(2, 2, 38)}, "weights stay as they are: give them"),
    ],
)
def test_impossible_networks_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(individuals(KINDS["abcd"], 2), **changed)


def test_weights_that_do_not_change_are_not_normalized() -> None:
    with pytest.raises(ValueError, match=r"normalized: expected .* of rule 'abcd', got rule 'trace'"):
        Hebbian(normalized=True).live(individuals(KINDS["trace"]), NEAR, seed=0)
