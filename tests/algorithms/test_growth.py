"""Growth of paths: who becomes a parent and who lives, what is kept for ever, and runs that come to the same bytes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evo import seeds
from evo.algorithms.growth import Candidate, Growth, admit, chosen
from evo.lineage import identities
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective
from evo.problem_state import read
from evo.run import Run, execute
from evo.search import Search
from genomes.grown_path import GrownPath
from genomes.vector import Vector
from problems.transfer.classification_tasks import ClassificationTasks
from problems.transfer.growing import Growing

TASKS, REPLICATES = 3, 2
SETTINGS: dict[str, Any] = {"children": 3, "living": 4, "replicates": REPLICATES, "tasks": TASKS}
GROWTH = Growth(generations_per_task=6, **SETTINGS)
NOWHERE = torch.empty(0)


def growing() -> Growing:
    from evo.learning.supernet.supernet import dense_supernet

    rng, sets = np.random.default_rng(0), []
    for number in range(TASKS):
        centres, made = rng.normal(size=(3, 6)), []
        for cases in (60, 30):
            targets = np.arange(cases) % 3
            made += [centres[targets] + rng.normal(size=(cases, 6)), targets]
        sets.append((f"task {number}", *made))
    supernet = dense_supernet(layers=2, modules=GROWTH.slots, units=5)
    sequence = ClassificationTasks(sets=tuple(sets), supernet=supernet, batches=5, batch=6, replicates=REPLICATES)
    return Growing(sequence, validation=20)


PROBLEM = growing()
GENOME = GrownPath.for_problem(PROBLEM, mutation_rates=(0.4,))


def grown(algorithm: Growth = GROWTH, score: Any = None, generations: int = 100) -> list[Any]:
    """Return for each generation its rows, scores and the state that it left; scores may be others."""
    made: list[Any] = []
    state = PROBLEM.begin(seeds.rng(5, "begin"))

    def evaluate(genome: Any, rows: torch.Tensor) -> Outcomes:
        nonlocal state
        if score is None:
            outcomes, state = PROBLEM.evaluate_from(genome.express(rows), seeds.rng(0, "unused"), state)
        else:
            outcomes = outcomes_of(score(rows, len(made))[:, None])
        made.append((rows.clone(), outcomes.scores[:, 0].clone(), state))
        return outcomes

    algorithm.run(Search(GENOME, (Objective("score"),), True, generations, 5, evaluate))
    return made


def test_parents_are_drawn_by_half_to_the_offspring_in_decreasing_score() -> None:
    living = [Candidate(NOWHERE, 0.5, 2), Candidate(NOWHERE, 0.9, 1)]
    seed = Candidate(NOWHERE, offspring=3)
    rng, count = np.random.default_rng(0), 8000
    drawn = [chosen(living, [seed], rng) for _ in range(count)]
    none = 0.5 * 0.75 * 0.875
    expected = {1: 0.5 + none / 3, 0: 0.5 * 0.25 + none / 3, 2: 0.5 * 0.75 * 0.125 + none / 3}
    for place, share in expected.items():
        found = sum(one is [*living, seed][place] for one in drawn) / count
        assert found == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / count))


def test_who_has_no_offspring_is_never_passed_over() -> None:
    living = [Candidate(NOWHERE, 0.1, 0), Candidate(NOWHERE, 0.9, 0)]
    assert chosen(living, [Candidate(NOWHERE)], np.random.default_rng(0)) is living[1]


@pytest.mark.parametrize(("score", "lives"), [(0.6, True), (0.5, False), (0.4, False), (math.nan, False)])
def test_a_child_lives_if_it_is_better_than_its_parent(score: float, lives: bool) -> None:
    parent = Candidate(NOWHERE, 0.5)
    living = [parent]
    admit(living, Candidate(NOWHERE, score), parent, most=5)
    assert len(living) == 1 + lives
    seed: list[Candidate] = []
    admit(seed, Candidate(NOWHERE, score), Candidate(NOWHERE), most=5)
    assert len(seed) == (not math.isnan(score)), "a parent of another task is below all"


def test_the_worst_makes_way_and_of_equals_the_latest() -> None:
    first, second = Candidate(NOWHERE, 0.5), Candidate(NOWHERE, 0.5)
    living = [first]
    admit(living, second, Candidate(NOWHERE), most=1)
    assert living == [first]
    better = Candidate(NOWHERE, 0.7)
    admit(living, better, first, most=1)
    assert living == [better]


def test_only_those_better_than_their_parents_have_children() -> None:
    """Found again from identities and scores alone, with many equal scores."""

    def score(rows: torch.Tensor, generation: int) -> torch.Tensor:
        return torch.from_numpy(np.random.default_rng(generation).integers(4, size=len(rows)) / 4.0)

    entered: dict[tuple[int, int], dict[int, float]] = {}
    kept: dict[int, set[int]] = {0: set(), 1: set()}
    for rows, scores, _ in grown(score=score):
        uids, parents = (identities(GENOME.layout, rows, name).tolist() for name in ("uid", "first_parent"))
        owners, tasks = (GENOME.layout.view(rows, name).long().tolist() for name in ("replicate", "task"))
        for parent, owner, task in zip(parents, owners, tasks, strict=True):
            if (owner, task) not in entered:
                if task:
                    before = entered[owner, task - 1]
                    kept[owner].add(max(before, key=lambda one: (before[one], -one)))
                entered[owner, task] = {}
            living = entered[owner, task]
            assert parent == -1 or parent in living or parent in kept[owner]
        for uid, parent, owner, task, own in zip(uids, parents, owners, tasks, scores.tolist(), strict=True):
            if own > entered[owner, task].get(parent, -math.inf):
                entered[owner, task][uid] = own
    assert len(entered) == REPLICATES * TASKS
    assert max(map(len, entered.values())) > 2


def test_a_task_begins_with_a_child_of_each_seed() -> None:
    rows = next(one for one, _, _ in grown() if int(GENOME.layout.view(one, "task")[0]) == 2)
    mine = rows[GENOME.layout.view(rows, "replicate") == 0]
    assert GENOME.layout.view(mine, "trained").tolist() == [[0, 0, 1]] * 3, "of the root, and of two tasks"
    assert GENOME.layout.view(mine, "origin")[:, -1].tolist() == [-1] * 3
    assert GENOME.layout.view(mine[-1:], "component")[:, :-1].tolist() == [[0, 0]]
    first = grown(generations=1)[0][0]
    assert GENOME.layout.view(first, "trained")[0].tolist() == [1, 1, 1], "nobody has trained the root yet"
    untouched = grown(replace(GROWTH, trained_root=True), generations=1)[0][0]
    assert GENOME.layout.view(untouched, "trained")[0].tolist() == [0, 0, 1]


def test_components_that_are_kept_never_change() -> None:
    """Of the path of every ended task, to the bit, and so what it answers; and of whoever lives, while it does."""
    inputs = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))
    held: dict[tuple[int, int], Any] = {}
    for _, _, state in grown():
        for replicate in range(REPLICATES):
            for task in range(int(state["task"][replicate])):
                path = state["kept"][replicate, task]
                found = [
                    state[f"modules.{layer}.0.{name}"][replicate, path[layer]]
                    for layer in (0, 1)
                    for name in ("weight", "bias")
                ]
                found += [state["head.weight"][replicate, path[-1]], PROBLEM.predict(state, replicate, task, inputs)]
                before = held.setdefault((replicate, task), [values.clone() for values in found])
                assert all(map(torch.equal, before, found))
    assert len(held) == REPLICATES * (TASKS - 1)


def test_living_paths_are_overwritten_by_nobody() -> None:
    """A child of a living path begins with the weights that its parent had when it was scored."""
    weights: dict[int, Any] = {}
    compared, before = 0, None
    for rows, _, state in grown():
        uids, parents = (identities(GENOME.layout, rows, name).tolist() for name in ("uid", "first_parent"))
        origins, components = (GENOME.layout.view(rows, name).long() for name in ("origin", "component"))
        for row, (uid, parent) in enumerate(zip(uids, parents, strict=True)):
            replicate = int(GENOME.layout.view(rows, "replicate")[row])
            if parent in weights and before is not None:
                for layer in (0, 1):
                    now = before[f"modules.{layer}.0.weight"][replicate, origins[row, layer]]
                    assert torch.equal(now, weights[parent][layer])
                    compared += 1
            weights[uid] = [
                state[f"modules.{layer}.0.weight"][replicate, components[row, layer]].clone() for layer in (0, 1)
            ]
        before = state
    assert compared > 40


def test_the_problem_keeps_the_same_paths_and_a_cut_run_comes_to_the_same_bytes(tmp_path: Path) -> None:
    run = Run(PROBLEM, GENOME, GROWTH, 18, seed=1)
    execute(run, tmp_path / "whole")
    state = read(tmp_path / "whole")
    courses = json.loads((tmp_path / "whole" / "tasks.json").read_text())["courses"]
    assert len(courses) == REPLICATES * TASKS
    for course in courses:
        replicate, task = course["replicate"], course["task"]
        last = task == int(state["task"][replicate])
        held = state["best"][replicate] if last else state["kept"][replicate, task]
        assert held.tolist() == course["kept"]["component"]
    execute(replace(run, generations=10), tmp_path / "cut")
    execute(run, tmp_path / "cut")
    for name in ("journal.jsonl", "tasks.json", "champion.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert all(torch.equal(values, state[name]) for name, values in read(tmp_path / "cut").items())


def test_replicates_do_the_same_in_any_company() -> None:
    alone = grown(replace(GROWTH, replicates=1))
    for (rows, scores, _), (ours, own, _) in zip(grown(), alone, strict=True):
        mine = (GENOME.layout.view(rows, "replicate") == 0).flatten()
        genes = GENOME.layout.genes
        assert torch.equal(rows[mine][:, :genes], ours[:, :genes])
        assert torch.equal(scores[mine], own)


def test_too_few_slots_are_told_before_anything_is_run() -> None:
    search = Search(replace(GENOME, slots=9), (Objective("score"),), True, 5, 0, lambda *_: outcomes_of(NOWHERE))
    with pytest.raises(ValueError, match=r"at least 10 in each layer \(1 for the root, 2 for other tasks"):
        GROWTH.run(search)
    with pytest.raises(TypeError, match="Vector has no components to clone"):
        GROWTH.run(replace(search, genome=Vector(3)))
    with pytest.raises(ValueError, match="living: expected a number from 1 up"):
        Growth(living=0)
