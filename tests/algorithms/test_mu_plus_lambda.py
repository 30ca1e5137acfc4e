"""The (mu + lambda) algorithm: its budget, its parents, its survivors, and rows that grow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from evo.algorithms.evotorch_problem import fitness_of, rows_of
from evo.algorithms.mu_plus_lambda import MuPlusLambda, survivors, tournaments


def two_goals(values: torch.Tensor) -> torch.Tensor:
    """Close to 1 and close to -1 everywhere: all between is a compromise."""
    return torch.stack(((values - 1).square().sum(1), (values + 1).square().sum(1)), dim=1).double()


def sizes(kept: Any) -> list[int]:
    return [len(rows) for rows in kept.rows]


def test_a_generation_is_one_evaluation(record: Any) -> None:
    assert sizes(record(MuPlusLambda(8), generations=4)) == [8, 8, 8, 8]
    assert sizes(record(MuPlusLambda(8, offspring=3), generations=3)) == [8, 3, 3]
    assert sizes(record(MuPlusLambda(8), generations=1)) == [8]
    assert sizes(record(MuPlusLambda(8), generations=0)) == []


def test_survivors_are_measured_again_where_scores_change(record: Any) -> None:
    assert sizes(record(MuPlusLambda(8, offspring=3), generations=3, stochastic=True)) == [8, 11, 11]
    assert sizes(record(MuPlusLambda(8, offspring=3, reevaluate=False), generations=3, stochastic=True)) == [8, 3, 3]
    again = record(MuPlusLambda(8, offspring=3, reevaluate=True), generations=3)
    assert sizes(again) == [8, 11, 11]
    assert again.uids(1)[:8] == again.uids(0)


def test_no_one_lives_on_a_lucky_measurement(record: Any) -> None:
    calls = []

    def once_lucky(values: torch.Tensor) -> torch.Tensor:
        calls.append(len(values))
        scores = torch.arange(len(values), dtype=torch.float64)[:, None]
        if len(calls) == 1:
            scores[0] = 100.0
        return scores

    kept = record(MuPlusLambda(4, crossover_rate=0), once_lucky, (True,), generations=4, stochastic=True)
    assert 0 not in kept.uids(3)


def test_it_finds_the_minimum(record: Any) -> None:
    kept = record(MuPlusLambda(30), generations=40)
    assert kept.fitness(0).max() < -1
    assert kept.fitness(39).max() > -0.2


def test_it_covers_the_compromises(record: Any) -> None:
    search = MuPlusLambda(30)
    last: list[Any] = []

    def run(one: Any) -> None:
        searcher = search.searcher(one)
        searcher.run(one.generations)
        last.append(searcher)

    record(run, two_goals, (False, False), generations=60)
    scores = -last[0].fitness
    assert scores[:, 0].min() < 2
    assert scores[:, 1].min() < 2
    middle = scores.sum(1)  # 10 at the compromises of five numbers is the least
    assert middle.median() < 18


def test_the_same_seed_makes_the_same_rows(record: Any) -> None:
    first, second = (record(MuPlusLambda(10), generations=6) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.rows, second.rows, strict=True))
    other = record(MuPlusLambda(10), generations=6, seed=2)
    assert not torch.equal(first.rows[0], other.rows[0])


def test_children_name_parents_that_were_evaluated_before(record: Any) -> None:
    kept = record(MuPlusLambda(10, crossover_rate=0.5), generations=6)
    known = set(kept.uids(0))
    for generation in range(1, 6):
        assert set(kept.uids(generation, "first_parent")) <= known
        assert set(kept.uids(generation, "second_parent")) <= known | {-1}
        assert known.isdisjoint(kept.uids(generation))
        known |= set(kept.uids(generation))
    pairs = list(zip(kept.uids(3, "first_parent"), kept.uids(3, "second_parent"), strict=True))
    assert any(a != b for a, b in pairs)
    assert any(a == b or b == -1 for a, b in pairs)


def test_without_crossover_there_is_one_parent(record: Any) -> None:
    kept = record(MuPlusLambda(10, crossover_rate=0), generations=3)
    assert set(kept.uids(2, "second_parent")) == {-1}


def test_rows_grow_when_structure_does(record: Any, growing: Any) -> None:
    def length(values: torch.Tensor) -> torch.Tensor:
        return (values > 0).sum(1, keepdim=True).double()

    kept = record(MuPlusLambda(6, crossover_rate=0), length, (True,), generations=9, genome=growing())
    widths = [layout.width for layout in kept.layouts]
    assert widths[-1] >= widths[0] + 5
    assert kept.fitness(8).max() == 8
    assert set(kept.uids(8, "first_parent")) <= {uid for generation in range(8) for uid in kept.uids(generation)}


def test_complexity_can_be_an_objective(record: Any, growing: Any) -> None:
    def length(values: torch.Tensor) -> torch.Tensor:
        return (values > 0).sum(1, keepdim=True).double()

    last: list[Any] = []

    def run(search: Any) -> None:
        last.append(MuPlusLambda(6, complexity=True, crossover_rate=0).searcher(search))
        last[0].run(search.generations)

    record(run, length, (True,), generations=7, genome=growing())
    searcher = last[0]
    assert searcher.fitness.shape == (6, 2)
    assert sorted(searcher.fitness[:, 0].tolist()) == sorted((-searcher.fitness[:, 1]).tolist())
    assert len(set(searcher.fitness[:, 0].tolist())) == 6, "each size from the empty one up has its place"


def test_evotorch_hooks_can_be_attached(record: Any) -> None:
    seen: list[int] = []

    def run(search: Any) -> None:
        searcher = MuPlusLambda(5).searcher(search)
        searcher.log_hook.append(lambda status: seen.append(status["iter"]))
        searcher.run(search.generations)
        assert torch.equal(rows_of(searcher.population), searcher.population.values.as_subclass(torch.Tensor))
        assert fitness_of(searcher.population).shape == (5, 1)

    record(run, generations=3)
    assert seen == [1, 2, 3]


def brute_survivors(fitness: np.ndarray, count: int) -> set[int]:
    """NSGA-II survival as its paper tells it, for distinct fitness."""

    def dominates(one: int, other: int) -> bool:
        return bool((fitness[one] >= fitness[other]).all() and (fitness[one] > fitness[other]).any())

    left, chosen = set(range(len(fitness))), []
    while left:
        front = sorted(i for i in left if not any(dominates(j, i) for j in left))
        distance = dict.fromkeys(front, 0.0)
        for column in fitness.T:
            order = sorted(front, key=lambda i, column=column: column[i])
            distance[order[0]] = distance[order[-1]] = math.inf
            span = column[order[-1]] - column[order[0]]
            for before, i, after in zip(order, order[1:], order[2:], strict=False):
                distance[i] += (column[after] - column[before]) / span
        chosen += sorted(front, key=lambda i: -distance[i])
        left -= set(front)
    return set(chosen[:count])


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_survival_is_that_of_nsga2(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    for _ in range(40):
        fitness = rng.standard_normal((24, objectives))
        if objectives == 2:
            fitness[:, 1] -= 2 * fitness[:, 0]
        genes = torch.from_numpy(rng.standard_normal((24, 3)))
        assert set(survivors(genes, torch.from_numpy(fitness), 12).tolist()) == brute_survivors(fitness, 12)


def test_copies_make_room_for_others() -> None:
    genes = torch.tensor([[0.0], [0.0], [0.0], [1.0], [2.0]])
    fitness = torch.tensor([[5.0, 0.0], [5.0, 0.0], [5.0, 0.0], [0.0, 5.0], [-1.0, -1.0]], dtype=torch.float64)
    assert set(survivors(genes, fitness, 3).tolist()) == {0, 3, 4}
    assert survivors(genes, fitness, 4).tolist()[-1] == 1


def test_equal_scores_of_different_genes_come_before_exact_copies() -> None:
    genes = torch.tensor([[0.0], [0.0], [3.0], [1.0]])
    fitness = torch.tensor([[5.0, 0.0], [5.0, 0.0], [5.0, 0.0], [0.0, 5.0]], dtype=torch.float64)
    assert survivors(genes, fitness, 4).tolist()[2:] == [2, 1]


def test_exact_copies_come_before_failures() -> None:
    genes = torch.tensor([[0.0], [9.0], [0.0]])
    fitness = torch.tensor([[5.0, 0.0], [math.nan, 0.0], [5.0, 0.0]], dtype=torch.float64)
    assert survivors(genes, fitness, 3).tolist() == [0, 2, 1]


def test_with_one_objective_equal_scores_are_ties() -> None:
    genes = torch.tensor([[0.0], [1.0], [1.0], [4.0], [2.0]])
    fitness = torch.tensor([[5.0], [5.0], [5.0], [5.0], [1.0]], dtype=torch.float64)
    assert survivors(genes, fitness, 5).tolist() == [0, 1, 3, 4, 2]


def test_a_crowd_of_empty_genomes_does_not_fill_the_population(record: Any, growing: Any) -> None:
    """An objective that is hard to improve, against size: the empty genome is never dominated."""

    def every_third(values: torch.Tensor) -> torch.Tensor:
        return ((values > 0).sum(1, keepdim=True) // 3).double()

    last: list[Any] = []

    def run(search: Any) -> None:
        last.append(MuPlusLambda(12, complexity=True, crossover_rate=0).searcher(search))
        last[0].run(search.generations)

    kept = record(run, every_third, (True,), generations=80, genome=growing())
    assert max(fitness.max() for fitness in map(kept.fitness, range(80))) >= 2
    assert (last[0].fitness[:, 1] == 0).sum() == 1


@pytest.mark.parametrize("objectives", [1, 2])
def test_failed_ones_win_no_tournament(objectives: int) -> None:
    fitness = torch.full((10, objectives), math.nan, dtype=torch.float64)
    fitness[3], fitness[7, 0] = -1e9, 5.0
    fitness[7, 1:] = -2e9
    winners = tournaments(fitness, 200, np.random.default_rng(1))
    assert set(winners.tolist()) <= {3, 7}
    everyone = tournaments(torch.full((4, objectives), math.nan), 100, np.random.default_rng(1))
    assert set(everyone.tolist()) == {0, 1, 2, 3}


def test_tournaments_prefer_the_better_and_are_fair_among_equals() -> None:
    fitness = torch.tensor([[3.0], [2.0], [1.0], [0.0]])
    counts = torch.bincount(tournaments(fitness, 4000, np.random.default_rng(1)), minlength=4) / 4000
    assert counts.tolist() == pytest.approx([7 / 16, 5 / 16, 3 / 16, 1 / 16], abs=0.03)
    counts = torch.bincount(tournaments(torch.zeros(4, 1), 4000, np.random.default_rng(1)), minlength=4) / 4000
    assert counts.tolist() == pytest.approx([0.25] * 4, abs=0.03)


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"population": 0}, "population"), ({"offspring": -1}, "offspring"), ({"crossover_rate": 1.5}, "crossover_rate")],
)
def test_settings_outside_their_range_are_refused(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        MuPlusLambda(**settings)
