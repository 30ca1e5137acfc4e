"""Ranking against definitions written out, over drawn fitness with ties and failures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evo.algorithms.ranking import crowding, fronts, pareto_order, repeats, score_order

SMALL = st.sampled_from([0.0, 1.0, 2.0, 3.0, 0.5, -1.0])
WITH_FAILURES = st.one_of(SMALL, st.just(math.nan))


def tables(elements: st.SearchStrategy[float]) -> st.SearchStrategy[torch.Tensor]:
    shapes = st.tuples(st.integers(0, 14), st.integers(1, 3))
    arrays = shapes.flatmap(lambda shape: hnp.arrays(np.float64, shape, elements=elements))
    return arrays.map(torch.from_numpy)


def brute_fronts(fitness: torch.Tensor) -> list[int]:
    rows = fitness.tolist()
    failed = [any(map(math.isnan, row)) for row in rows]

    def dominates(one: list[float], other: list[float]) -> bool:
        return all(a >= b for a, b in zip(one, other, strict=True)) and one != other

    ranks = [-1] * len(rows)
    left = {index for index in range(len(rows)) if not failed[index]}
    rank = 0
    while left:
        best = {i for i in left if not any(dominates(rows[j], rows[i]) for j in left)}
        for index in best:
            ranks[index] = rank
        left -= best
        rank += 1
    return [rank if failed[index] else ranks[index] for index in range(len(rows))]


def brute_crowding(fitness: torch.Tensor, front: list[int]) -> list[float]:
    distance = [0.0] * len(front)
    for rank in set(front):
        members = [index for index in range(len(front)) if front[index] == rank]
        for column in fitness.T.tolist():
            order = sorted(members, key=lambda index, column=column: column[index])
            low, high = column[order[0]], column[order[-1]]
            distance[order[0]] = distance[order[-1]] = math.inf
            for before, index, after in zip(order, order[1:], order[2:], strict=False):
                gap = column[after] - column[before]
                distance[index] += gap / (high - low) if high > low else 0.0
    return distance


@settings(max_examples=200, deadline=None)
@given(tables(WITH_FAILURES))
def test_fronts_are_those_of_the_definition(fitness: torch.Tensor) -> None:
    assert fronts(fitness).tolist() == brute_fronts(fitness)


@settings(max_examples=200, deadline=None)
@given(tables(SMALL))
def test_crowding_is_that_of_the_definition(fitness: torch.Tensor) -> None:
    front = brute_fronts(fitness)
    torch.testing.assert_close(
        crowding(fitness, torch.tensor(front, dtype=torch.int64)),
        torch.tensor(brute_crowding(fitness, front), dtype=torch.float64),
    )


def test_crowding_in_closed_form() -> None:
    fitness = torch.tensor([[10.0], [20.0], [40.0], [100.0]], dtype=torch.float64)
    one_front = torch.zeros(4, dtype=torch.int64)
    assert crowding(fitness, one_front).tolist() == pytest.approx([math.inf, 30 / 90, 80 / 90, math.inf])


def test_published_crowding_keeps_its_slip() -> None:
    fitness = torch.tensor([[10.0], [20.0], [40.0], [100.0]], dtype=torch.float64)
    one_front = torch.zeros(4, dtype=torch.int64)
    assert crowding(fitness, one_front, published=True).tolist() == pytest.approx([math.inf, 299.7, 799.2, math.inf])


def test_published_crowding_survives_a_highest_value_of_zero() -> None:
    fitness = torch.tensor([[-2.0], [-1.0], [-1.0], [-1.0], [0.0]], dtype=torch.float64)
    distance = crowding(fitness, torch.zeros(5, dtype=torch.int64), published=True)
    assert not distance.isnan().any()
    assert distance[2] == 0


@settings(max_examples=200, deadline=None)
@given(tables(WITH_FAILURES))
def test_pareto_order_puts_better_fronts_first_and_failures_last(fitness: torch.Tensor) -> None:
    order = pareto_order(fitness)
    assert sorted(order.tolist()) == list(range(len(fitness)))
    ranks = torch.tensor(brute_fronts(fitness), dtype=torch.int64)[order]
    assert (ranks.diff() >= 0).all()
    assert (fitness[order].isnan().any(1).long().diff() >= 0).all()


def test_pareto_order_prefers_the_lonely_and_then_the_earlier() -> None:
    fitness = torch.tensor([[0.0, 4.0], [1.0, 3.0], [1.1, 2.9], [4.0, 0.0]], dtype=torch.float64)
    assert pareto_order(fitness).tolist() == [0, 3, 2, 1]


@pytest.mark.parametrize("place", range(4))
def test_nan_is_last_wherever_it_stands(place: int) -> None:
    scores = torch.tensor([1.0, 3.0, 2.0])
    scores = torch.cat((scores[:place], torch.tensor([math.nan]), scores[place:]))
    assert score_order(scores).tolist()[-1] == place
    assert scores[score_order(scores)][:3].tolist() == [3.0, 2.0, 1.0]
    assert pareto_order(scores[:, None]).tolist()[-1] == place


def test_score_order_keeps_the_order_of_ties() -> None:
    assert score_order(torch.tensor([1.0, 2.0, 1.0, 2.0])).tolist() == [1, 3, 0, 2]


@settings(max_examples=100, deadline=None)
@given(tables(SMALL))
def test_repeats_counts_earlier_equals(values: torch.Tensor) -> None:
    rows = values.tolist()
    assert repeats(values).tolist() == [rows[:index].count(row) for index, row in enumerate(rows)]
