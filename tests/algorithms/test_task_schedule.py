"""Tasks one after another in replicates side by side, whatever the tournament: ends, draws, identities, the book."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from algorithms.task_runs import GENOME, TaskRun, hits, task_run, task_search
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.defending_champion import DefendingChampion
from evo.algorithms.fine_tuned_pathway import FineTunedPathway
from evo.algorithms.fixed_pathway import FixedPathway
from evo.algorithms.group_tournament import GroupTournament
from evo.algorithms.random_pathways import RandomPathways
from evo.algorithms.task_schedule import TaskAlgorithm
from evo.pathways import Pathways
from evo.testing.algorithm_checks import Numbers, check_algorithm
from genomes.vector import Vector

Maker = Callable[..., TaskAlgorithm]


def binary(**options: Any) -> TaskAlgorithm:
    return BinaryTournament(8, **options)


def group(**options: Any) -> TaskAlgorithm:
    return GroupTournament(6, opponents=3, **options)


def defending(**options: Any) -> TaskAlgorithm:
    return DefendingChampion(8, contestants=3, **options)


def fine_tuned(**options: Any) -> TaskAlgorithm:
    return FineTunedPathway(8, **options)


MAKERS: list[Maker] = [binary, group, defending, fine_tuned, FixedPathway, RandomPathways]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("genome", [Numbers(), Vector(3), GENOME], ids=["numbers", "vector", "pathway"])
def test_with_one_task_they_are_ordinary_algorithms(make: Maker, genome: Any) -> None:
    findings = check_algorithm(make(), genome)
    assert [finding for finding in findings if finding.status == "FAILED"] == []


@pytest.mark.parametrize("make", MAKERS)
def test_growing_genomes_are_given_room(make: Maker, growing: Any, record: Any) -> None:
    kept = record(make(), genome=growing(), maximize=(True,), generations=12)
    assert len(kept.rows) == 12


@pytest.mark.parametrize("make", MAKERS)
def test_a_replicates_course_is_its_own(make: Maker) -> None:
    """It does not depend on how many others there are, though each ends its tasks in its own time."""
    options: dict[str, Any] = {"tasks": 2, "generations_per_task": 9, "threshold": 0.7}
    few, many = (task_run(make(replicates=count, **options)) for count in (2, 5))
    for replicate in range(2):
        one, other = few.of(replicate), many.of(replicate)
        assert [each for each in one if each[0]] == [each for each in other if each[0]]
    assert few.of(0) != few.of(1)
    assert task_run(make(replicates=2, **options), seed=4).of(0) != few.of(0)


@pytest.mark.parametrize("make", MAKERS)
def test_as_many_are_evaluated_in_each_generation_of_a_replicate(make: Maker) -> None:
    algorithm = make(replicates=3, tasks=2, generations_per_task=7)
    run = task_run(algorithm)
    assert len(run.generations) == 14
    for one in run.generations:
        assert one.pathways.replicate.tolist() == [number for number in range(3) for _ in range(algorithm.contestants)]
    assert {course["evaluations"] for course in run.left["courses"]} == {7 * algorithm.contestants}


def test_controls_take_as_many_steps_as_a_tournament() -> None:
    tournaments = [BinaryTournament(), DefendingChampion(), FixedPathway(), RandomPathways(), FineTunedPathway()]
    assert {one.contestants for one in tournaments} == {2}
    assert FixedPathway(contestants=64).contestants == GroupTournament().contestants


@pytest.mark.parametrize("make", MAKERS)
def test_identities_are_told_when_they_are_evaluated(make: Maker) -> None:
    """Journals tell of births from the last identity known on: none may be given to who is not evaluated."""
    run = task_run(make(replicates=3, tasks=2, generations_per_task=7))
    known = 0
    genes: dict[int, str] = {}
    for one in run.generations:
        assert len(set(one.uids)) == len(one.uids)
        new = [uid for uid in one.uids if uid >= known]
        assert sorted(new) == list(range(known, known + len(new)))
        assert all(parent < uid for parent, uid in zip(one.parents, one.uids, strict=True))
        for number, uid in enumerate(one.uids):
            text = str((one.pathways.modules[number], one.pathways.replicate[number], one.pathways.task[number]))
            assert genes.setdefault(uid, text) == text
        known += len(new)
    assert run.search.born == known


@pytest.mark.parametrize("maximize", [True, False])
def test_a_task_ends_when_its_winner_passes_the_threshold(maximize: bool) -> None:
    sign = 1.0 if maximize else -1.0
    algorithm = BinaryTournament(12, replicates=4, tasks=3, threshold=sign * 0.7, generations_per_task=200)
    run = task_run(algorithm, generations=600, score=lambda pathways: sign * hits(pathways), maximize=maximize)
    courses = run.left["courses"]
    assert len(courses) == 12
    assert run.search.generation < 600, "the run ends with the last replicate"
    for course in courses:
        scores = [
            sign * max(sign * score for score in scores)
            for modules, scores in run.of(course["replicate"])
            if modules and modules[0][1] == course["task"]
        ]
        passed = [sign * score > 0.7 for score in scores]
        assert passed.index(True) == len(passed) - 1, "the first that passes is the last of the task"
        assert course["generations"] == len(scores) == course["last"] - course["first"] + 1
        assert course["best"] == pytest.approx(scores, rel=1e-5)
        assert course["fitness"] == course["best"][-1]
    for replicate in range(4):
        firsts = [(course["first"], course["last"]) for course in courses if course["replicate"] == replicate]
        assert firsts[0][0] == 0
        assert [first for first, _ in firsts[1:]] == [last + 1 for _, last in firsts[:-1]]
    assert len({course["last"] for course in courses if course["task"] == 2}) > 1, "the last ones go on alone"
    assert [one.pathways.replicate.unique().tolist() for one in run.generations][-1] != [0, 1, 2, 3]


def test_reaching_the_threshold_exactly_is_not_passing_it() -> None:
    def always(pathways: Pathways) -> torch.Tensor:
        return torch.full((len(pathways),), 0.5, dtype=torch.float64)

    run = task_run(BinaryTournament(4, threshold=0.5, generations_per_task=5), score=always)
    (course,) = run.left["courses"]
    assert (course["generations"], course["ended"], len(course["best"])) == (None, True, 5)


def test_time_ends_a_task_and_the_best_is_kept() -> None:
    run = task_run(BinaryTournament(8, replicates=2, tasks=2, generations_per_task=6))
    assert run.search.generation == run.search.generations == 12
    for course in run.left["courses"]:
        seen = [
            (score, one)
            for modules, scores in run.of(course["replicate"])
            for one, score in zip(modules, scores, strict=True)
            if one[1] == course["task"]
        ]
        highest = max(score for score, _ in seen)
        latest = [one for score, one in seen if score == highest][-1]
        assert course["kept"] == {"modules": latest[0], "replicate": course["replicate"], "task": course["task"]}
        assert course["generations"] is None


def test_a_run_that_is_cut_short_says_so() -> None:
    run = task_run(BinaryTournament(8, tasks=2, generations_per_task=30), generations=35)
    first, second = run.left["courses"]
    assert (first["ended"], second["ended"]) == (True, False)
    assert len(second["best"]) == 5
    assert second["last"] == 34
    (only,) = task_run(BinaryTournament(8, tasks=2, generations_per_task=30), generations=30).left["courses"]
    assert only == first, "a task without a generation has not begun"


def test_failed_evaluations_are_no_scores() -> None:
    def failing(pathways: Pathways) -> torch.Tensor:
        return torch.where(pathways.modules[:, 0, 0] == 5, math.nan, hits(pathways))

    run = task_run(BinaryTournament(8, replicates=3, tasks=1, generations_per_task=20), score=failing)
    for course in run.left["courses"]:
        assert course["kept"]["modules"][0][0] != 5
        assert len(course["best"]) == 20
    nothing = task_run(BinaryTournament(8, generations_per_task=3), score=lambda one: hits(one) * math.nan)
    (course,) = nothing.left["courses"]
    assert (course["kept"], course["fitness"], course["best"]) == (None, None, [None] * 3)


@given(seed=st.integers(0, 1000), replicates=st.integers(1, 4), tasks=st.integers(1, 3), limit=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_the_book_is_complete(seed: int, replicates: int, tasks: int, limit: int) -> None:
    algorithm = BinaryTournament(5, replicates=replicates, tasks=tasks, generations_per_task=limit, threshold=0.6)
    run: TaskRun = task_run(algorithm, seed=seed, generations=replicates * tasks * limit + 1)
    courses = run.left["courses"]
    assert [(one["replicate"], one["task"]) for one in courses] == [
        (replicate, task) for replicate in range(replicates) for task in range(tasks)
    ]
    assert sum(one["evaluations"] for one in courses) == sum(len(one.uids) for one in run.generations)
    assert all(one["ended"] for one in courses)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"replicates": 0}, "from 1 up"),
        ({"tasks": 0}, "from 1 up"),
        ({"generations_per_task": 0}, "from 1 up"),
        ({"tasks": 2}, "nothing ends the first of 2 tasks"),
        ({"population": 1}, "up to the population"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        BinaryTournament(**changes)


def test_genomes_that_know_of_no_tasks_have_one() -> None:
    search = task_search().search
    search.genome = Vector(3)
    with pytest.raises(TypeError, match="no `assign`"):
        BinaryTournament(replicates=2).run(search)


@pytest.mark.parametrize("make", [FixedPathway, fine_tuned])
def test_a_second_of_the_same_genes_is_trained_but_does_not_count(make: Maker) -> None:
    def trained(pathways: Pathways) -> torch.Tensor:
        second = [torch.equal(one, before) for before, one in zip(pathways.modules, pathways.modules[1:], strict=False)]
        return torch.tensor([0.5, *(0.9 if again else 0.5 for again in second)], dtype=torch.float64)

    algorithm = make(tasks=2, generations_per_task=4, threshold=0.8)
    run = task_run(algorithm, score=trained)
    later = run.left["courses"][1]
    assert later["best"] == [0.5] * 4
    assert later["generations"] is None
    assert later["evaluations"] == 8


def test_a_replicate_that_fails_throughout_a_task_rests_and_the_others_go_on() -> None:
    def failing(pathways: Pathways) -> torch.Tensor:
        return torch.where(pathways.replicate == 1, math.nan, hits(pathways))

    run = task_run(BinaryTournament(8, replicates=3, tasks=2, generations_per_task=4), score=failing)
    courses = run.left["courses"]
    assert [(one["replicate"], one["task"]) for one in courses] == [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1)]
    assert courses[2]["kept"] is None
    assert len(run.generations) == 8
