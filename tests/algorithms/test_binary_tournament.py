"""The microbial contest: two distinct at random, and a mutated copy of the winner in the loser's place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from algorithms.task_runs import GENOME, hits, task_run, task_search
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.task_schedule import Schedule
from evo.lineage import identities


@given(seed=st.integers(0, 10_000), replicates=st.integers(1, 4), population=st.integers(2, 7))
@settings(max_examples=30, deadline=None)
def test_one_individual_of_each_replicate_gives_way(seed: int, replicates: int, population: int) -> None:
    run = task_search(seed=seed)
    schedule = Schedule(run.search, BinaryTournament(population, replicates=replicates))
    for _ in range(3):
        pairs = {number: list(chosen) for number, (_, _, chosen) in schedule.running.items()}
        before = schedule.rows.clone()
        schedule.generation()
        fitness = hits(GENOME.express(before))
        genes = GENOME.layout.genes
        for number, (first, second) in pairs.items():
            assert first != second
            start = number * population
            winner, loser = (first, second) if fitness[start + first] > fitness[start + second] else (second, first)
            others = [start + place for place in range(population) if place != loser]
            assert torch.equal(before[others, :genes], schedule.rows[others, :genes])
            kept, child = schedule.rows[start + winner][None], schedule.rows[start + loser][None]
            assert identities(GENOME.layout, child).item() == -1
            parent = identities(GENOME.layout, child, "first_parent")
            assert torch.equal(parent, identities(GENOME.layout, kept))
            steps = (child - kept)[:, GENOME.layout.columns("modules")].abs()
            assert float(steps.max()) <= 2


def test_pairs_are_drawn_evenly_in_either_order() -> None:
    run = task_search(generations=1200)
    schedule = Schedule(run.search, BinaryTournament(4))
    found = np.zeros((4, 4))
    for _ in range(1200):
        ((_, _, (first, second)),) = schedule.running.values()
        found[first, second] += 1
        schedule.generation()
    assert found.trace() == 0
    assert chisquare(found[~np.eye(4, dtype=bool)]).pvalue > 1e-4


def test_it_finds_hidden_modules() -> None:
    """Much sooner than chance: random pathways of the same number have a mean of 3 hits in 6."""
    run = task_run(BinaryTournament(16, replicates=5, threshold=0.99), generations=1500)
    needed = [course["generations"] for course in run.left["courses"]]
    assert all(needed)
    assert max(needed) < 1500


def test_it_needs_two() -> None:
    with pytest.raises(ValueError, match="got 2 of 1"):
        BinaryTournament(1)
