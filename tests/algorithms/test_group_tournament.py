"""PathNet's parallel form: nobody copies who has not been evaluated, and the fittest stays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from algorithms.task_runs import GENOME, hits, task_run, task_search
from hypothesis import given, settings
from hypothesis import strategies as st

from evo import seeds
from evo.algorithms.group_tournament import GroupTournament
from evo.algorithms.task_schedule import Schedule
from evo.lineage import identities
from genomes.vector import Vector

FITNESS = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, math.nan]), min_size=2, max_size=9)


@given(fitness=FITNESS, data=st.data())
@settings(max_examples=150, deadline=None)
def test_who_gives_way(fitness: list[float], data: st.DataObject) -> None:
    count = len(fitness)
    opponents = data.draw(st.integers(1, count - 1))
    order = data.draw(st.permutations(range(count)))
    algorithm = GroupTournament(count, opponents=opponents)
    scores = torch.tensor(fitness, dtype=torch.float64)
    losers, winners = algorithm.replaced(order, scores, seeds.rng(data.draw(st.integers(0, 99)), "test"))
    assert [place for place in order if place in losers] == losers, "everyone once, in order"
    for number, (loser, winner) in enumerate(zip(losers, winners, strict=True)):
        assert loser != winner
        assert winner not in losers[:number], "a copy that has not been evaluated"
        assert fitness[winner] >= fitness[loser] or math.isnan(fitness[loser])
    known = [score for score in fitness if not math.isnan(score)]
    if known:
        left = [fitness[place] for place in range(count) if place not in losers]
        assert max(known) in left, "one of the fittest stays"
    else:
        assert losers == []


@given(fitness=FITNESS)
@settings(max_examples=60, deadline=None)
def test_who_sees_all_gives_way_to_the_fittest_of_those_present(fitness: list[float]) -> None:
    """With all others as opponents nothing is left to chance: the reference is a plain loop."""
    count = len(fitness)
    present = dict(enumerate(fitness))
    expected = []
    for place in range(count):
        others = [other for other in present if other != place and not math.isnan(present[other])]
        highest = max((present[other] for other in others), default=-math.inf)
        own = present[place]
        if others and (math.isnan(own) or highest >= own):
            expected.append((place, highest))
            present[place] = math.nan
    algorithm = GroupTournament(count, opponents=count - 1)
    scores = torch.tensor(fitness, dtype=torch.float64)
    losers, winners = algorithm.replaced(range(count), scores, seeds.rng(0, "test"))
    assert [(loser, fitness[winner]) for loser, winner in zip(losers, winners, strict=True)] == expected


def test_opponents_are_drawn_evenly_from_the_others() -> None:
    """One who cannot win looks around: the fittest of 2 in 5 others is the best with 2/5, the second with 3/10 ..."""
    algorithm = GroupTournament(6, opponents=2)
    fitness = torch.tensor([0.5, 0.4, 0.0, 0.3, 0.2, 0.1], dtype=torch.float64)
    draws = seeds.rng(0, "test")
    found = np.zeros(6)
    for _ in range(4000):
        found[algorithm.replaced([2], fitness, draws)[1][0]] += 1
    from scipy.stats import chisquare

    assert found[[2, 5]].tolist() == [0, 0]
    assert chisquare(found[[0, 1, 3, 4]], 4000 * np.array([0.4, 0.3, 0.2, 0.1])).pvalue > 1e-4


def test_everyone_is_evaluated_once_in_each_generation_in_random_order() -> None:
    run = task_search()
    schedule = Schedule(run.search, GroupTournament(6, opponents=2, replicates=2))
    orders = set()
    for _ in range(5):
        before = schedule.rows.clone()
        for _, _, chosen in schedule.running.values():
            assert sorted(chosen) == list(range(6))
            orders.add(tuple(chosen))
        schedule.generation()
        born = identities(GENOME.layout, schedule.rows) == -1
        same = (schedule.rows == before)[:, : GENOME.layout.genes].all(1)
        assert bool((same | born).all()), "who stays, stays as it was"
    assert len(orders) == 10


def test_in_a_run_children_descend_from_those_as_fit_as_who_gave_way() -> None:
    run = task_search()
    schedule = Schedule(run.search, GroupTournament(6, opponents=2, replicates=2))
    given_way = 0
    for _ in range(10):
        fitness = hits(GENOME.express(schedule.rows)).tolist()
        chosen = [6 * number + place for number, (_, _, order) in schedule.running.items() for place in order]
        schedule.generation()
        place_of = dict(zip(run.generations[-1].uids, chosen, strict=True))
        born = (identities(GENOME.layout, schedule.rows) == -1).nonzero().flatten().tolist()
        parents = identities(GENOME.layout, schedule.rows, "first_parent").tolist()
        for place in born:
            assert place // 6 == place_of[parents[place]] // 6
            assert fitness[place_of[parents[place]]] >= fitness[place]
        given_way += len(born)
    assert given_way > 20


def test_useful_modules_are_taken_in() -> None:
    """With no other way to vary, what spreads is what fits."""
    from genomes.pathway import Pathway

    genome = Pathway((6, 6, 6), active=2, offset_rate=0.0)
    found = []
    for rate in (0.0, 0.5):
        run = task_run(GroupTournament(12, opponents=4, duplication_rate=rate, replicates=4), genome=genome)
        found.append(np.mean([course["fitness"] for course in run.left["courses"]]))
        begun = hits(run.generations[0].pathways).max()
        assert rate or float(run.generations[-1].scores[0]) <= float(begun)
    assert found[1] > found[0]


@pytest.mark.parametrize("changes", [{"opponents": 0}, {"opponents": 64}, {"duplication_rate": 1.5}])
def test_impossible_settings_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="opponents are from 1"):
        GroupTournament(**changes)


def test_only_modules_are_duplicated(record: Any) -> None:
    with pytest.raises(TypeError, match="no modules to duplicate"):
        record(GroupTournament(6, opponents=2, duplication_rate=0.1), genome=Vector(2))
