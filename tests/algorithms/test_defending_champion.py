"""The last winner takes part in every contest, and all who lose become copies of who wins."""

from __future__ import annotations

import pytest
import torch
from algorithms.task_runs import GENOME, hits, task_search
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.algorithms.defending_champion import DefendingChampion
from evo.algorithms.task_schedule import Schedule
from evo.lineage import identities


@given(seed=st.integers(0, 10_000), contestants=st.integers(2, 5), replicates=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_the_champion_defends(seed: int, contestants: int, replicates: int) -> None:
    run = task_search(seed=seed)
    schedule = Schedule(run.search, DefendingChampion(7, contestants=contestants, replicates=replicates))
    champions: dict[int, int] = {}
    for _ in range(5):
        chosen = {number: list(places) for number, (_, _, places) in schedule.running.items()}
        before = schedule.rows.clone()
        schedule.generation()
        fitness = hits(GENOME.express(before))
        for number, places in chosen.items():
            assert len(set(places)) == contestants
            assert number not in champions or champions[number] in places
            best = max(reversed(places), key=lambda place: float(fitness[number * 7 + place]))
            champions[number] = best
            crowned = identities(GENOME.layout, schedule.rows[number * 7 + best][None])
            for place in range(7):
                row = schedule.rows[number * 7 + place][None]
                if place in places and place != best:
                    assert identities(GENOME.layout, row).item() == -1
                    assert torch.equal(identities(GENOME.layout, row, "first_parent"), crowned)
                else:
                    genes = GENOME.layout.genes
                    assert torch.equal(row[0, :genes], before[number * 7 + place, :genes])


def test_the_champion_is_not_always_first() -> None:
    schedule = Schedule(task_search().search, DefendingChampion(7, contestants=2))
    places = set()
    champion = None
    for _ in range(30):
        ((_, _, chosen),) = schedule.running.values()
        if champion is not None:
            places.add(list(chosen).index(champion))
        fitness = hits(GENOME.express(schedule.rows))
        champion = max(reversed(chosen), key=lambda place: float(fitness[place]))
        schedule.generation()
    assert places == {0, 1}


def test_it_needs_a_challenger() -> None:
    with pytest.raises(ValueError, match="2 contestants or more"):
        DefendingChampion(contestants=1)
