"""The operators of pathways draw what they say, against exact probabilities, and never leave the network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from evo import seeds
from genomes.pathway.crossover import crossover
from genomes.pathway.duplicate_module import duplicate_module, usefulness
from genomes.pathway.offset import offset
from genomes.pathway.redraw_layer import drawn_modules, redraw_layer

ROWS = 20_000
UNLIKELY = 1e-4
"""Of chi-square tests with fixed seeds: right code passes for ever, and nearly any wrong one does not."""


def rng(seed: int = 0) -> np.random.Generator:
    return seeds.rng(seed, "test")


def moved(start: int, count: int, radius: int, bounds: str, rate: float = 1.0) -> torch.Tensor:
    """Return where numbers that began at `start` are after one mutation."""
    modules = torch.full((ROWS, 1, 2), start)
    return offset(modules, torch.tensor([count]), rate, radius, bounds, rng())


def frequencies(values: torch.Tensor, count: int) -> np.ndarray:
    return np.bincount(values.flatten().numpy(), minlength=count)


@pytest.mark.parametrize(
    ("start", "bounds", "expected"),
    [
        (5, "clamp", {3: 1, 4: 1, 5: 1, 6: 1, 7: 1}),
        (5, "wrap", {3: 1, 4: 1, 5: 1, 6: 1, 7: 1}),
        (0, "clamp", {0: 3, 1: 1, 2: 1}),
        (8, "clamp", {6: 1, 7: 1, 8: 1, 9: 2}),
        (0, "wrap", {8: 1, 9: 1, 0: 1, 1: 1, 2: 1}),
        (9, "wrap", {7: 1, 8: 1, 9: 1, 0: 1, 1: 1}),
    ],
)
def test_steps_are_even_from_minus_the_radius_to_the_radius(start: int, bounds: str, expected: dict[int, int]) -> None:
    found = frequencies(moved(start, 10, 2, bounds), 10)
    assert set(np.flatnonzero(found)) == set(expected)
    places = sorted(expected)
    shares = np.array([expected[place] for place in places]) / 5
    assert chisquare(found[places], shares * found.sum()).pvalue > UNLIKELY


def test_each_number_moves_by_itself_with_the_rate() -> None:
    """Of 9 numbers, each changes with 1/9 x 4/5 (a step may be 0): binomial, so neither one always nor all at once."""
    modules = torch.full((ROWS, 3, 3), 5)
    after = offset(modules, torch.tensor([10, 10, 10]), 1 / 9, 2, "clamp", rng())
    changed = (after != modules).sum((1, 2))
    found = np.bincount(changed.numpy(), minlength=10)[:5]
    expected = binom.pmf(np.arange(5), 9, 4 / 45)
    shares = np.array([*expected, 1 - expected.sum()]) * ROWS
    assert chisquare([*found, ROWS - found.sum()], shares).pvalue > UNLIKELY
    per_place = (after != modules).sum(0).flatten().numpy()
    assert chisquare(per_place).pvalue > UNLIKELY


@given(
    counts=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    active=st.integers(1, 5),
    radius=st.integers(1, 9),
    bounds=st.sampled_from(["clamp", "wrap"]),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None)
def test_nothing_leaves_the_network(counts: list[int], active: int, radius: int, bounds: str, seed: int) -> None:
    draws = rng(seed)
    sizes = tuple(counts)
    first, second = (drawn_modules(6, sizes, active, draws) for _ in range(2))
    weights = torch.from_numpy(draws.random((len(sizes), max(sizes)))) * (
        torch.arange(max(sizes)) < torch.tensor(sizes)[:, None]
    )
    for made in (
        first,
        offset(first, torch.tensor(sizes), 0.7, radius, bounds, draws),
        redraw_layer(first, sizes, 0.7, draws),
        duplicate_module(first, weights, 0.7, draws),
        crossover(first, second, draws),
    ):
        assert made.shape == first.shape
        assert made.dtype == first.dtype
        assert bool((made >= 0).all())
        assert bool((made < torch.tensor(sizes)[:, None]).all())


def test_first_modules_are_even_and_never_twice_in_a_layer() -> None:
    modules = drawn_modules(ROWS, (10, 4, 2), 3, rng())
    assert {len(set(row)) for row in modules[:, 0].tolist()} == {3}
    assert {len(set(row)) for row in modules[:, 1].tolist()} == {3}
    assert {tuple(sorted(set(row))) for row in modules[:, 2].tolist()} == {(0, 1)}
    for layer, size in ((0, 10), (1, 4)):
        for slot in range(3):
            assert chisquare(frequencies(modules[:, layer, slot], size)).pvalue > UNLIKELY


def test_one_layer_is_drawn_anew() -> None:
    modules = torch.full((ROWS, 3, 2), 5)
    after = redraw_layer(modules, (50, 50, 50), 0.25, rng())
    changed = (after != modules).any(2)
    assert set(changed.sum(1).tolist()) == {0, 1}
    unlucky = 49 / 50 * 48 / 49  # neither of two drawn without repeats is 5, the only way that both slots change
    both = int((after != modules).all(2).any(1).sum())
    assert chisquare([both, ROWS - both], [ROWS * 0.25 * unlucky, ROWS * (1 - 0.25 * unlucky)]).pvalue > UNLIKELY
    assert chisquare(changed.sum(0).numpy()).pvalue > UNLIKELY


def test_usefulness_is_the_mean_fitness_of_those_who_have_a_module() -> None:
    modules = drawn_modules(40, (5, 3), 3, rng())
    modules[::2, 0, 1] = modules[::2, 0, 0]  # twice counts once
    fitness = torch.from_numpy(rng(1).random(40))
    fitness[3] = math.nan
    modules[modules == 4] = 3
    found = usefulness(modules, (5, 3), fitness)
    for layer, size in enumerate((5, 3)):
        for module in range(5):
            having = [
                float(fitness[number])
                for number in range(40)
                if number != 3 and module in modules[number, layer].tolist() and module < size
            ]
            if having:
                assert float(found[layer, module]) == pytest.approx(np.mean(having), rel=1e-12)
            else:
                assert math.isnan(float(found[layer, module]))


def test_modules_are_duplicated_in_proportion_to_their_weights() -> None:
    modules = torch.zeros((ROWS, 2, 3), dtype=torch.int64)
    weights = torch.tensor([[0.0, 1.0, 0.0, 3.0], [0.0, 0.0, 0.0, 0.0]])
    after = duplicate_module(modules, weights, 0.5, rng())
    assert not after[:, 1].any(), "a layer without weights stays"
    assert int((after != 0).sum((1, 2)).max()) == 1, "one slot at most"
    found = frequencies(after[:, 0], 4)
    assert found[2] == 0
    taken = found[1] + found[3]
    assert chisquare([taken, ROWS - taken], [ROWS / 4, ROWS * 3 / 4]).pvalue > UNLIKELY  # the layer, times the rate
    assert chisquare(found[[1, 3]], taken * np.array([0.25, 0.75])).pvalue > UNLIKELY
    assert chisquare((after[:, 0] != 0).sum(0).numpy()).pvalue > UNLIKELY  # slots


def test_children_of_two_have_each_layer_whole() -> None:
    first, second = torch.zeros((ROWS, 3, 2), dtype=torch.int64), torch.ones((ROWS, 3, 2), dtype=torch.int64)
    made = crossover(first, second, rng())
    assert bool((made[:, :, 0] == made[:, :, 1]).all())
    patterns = np.bincount((made[:, :, 0] * torch.tensor([1, 2, 4])).sum(1).numpy(), minlength=8)
    assert chisquare(patterns).pvalue > UNLIKELY


def test_a_module_without_weight_is_never_taken_even_by_the_smallest_draw() -> None:
    class Lowest:
        def random(self, shape: int | tuple[int, ...]) -> np.ndarray:
            return np.zeros(shape)

        def integers(self, high: int, size: tuple[int, ...]) -> np.ndarray:
            return np.zeros(size, dtype=np.int64)

    draws: Any = Lowest()
    after = duplicate_module(torch.full((1, 1, 2), 2), torch.tensor([[0.0, 1.0, 1.0]]), 1.0, draws)
    assert after.tolist() == [[[1, 2]]]
