"""Tasks differ in their order of pixels alone, learners are tested on all that they have met, and a run goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import problems
from evo import journal
from evo.algorithms.cohort import Cohort
from evo.learners import Learners, Rules
from evo.learning.cases import Cases
from evo.run import Run, execute
from evo.study_table import tables
from genomes.learner import Learner
from problems import data
from problems.continual.class_incremental import ClassIncrementalImages
from problems.continual.permuted_tasks import PermutedTasks

SMALL = PermutedTasks(data="digits", tasks=3, images=100, test_images=50, epochs=2, batch=16)
Newborn = Callable[..., Learners]


def of(*streams: int) -> torch.Tensor:
    return torch.tensor(streams)


def test_a_task_shows_the_same_pictures_as_the_others_in_orders_of_its_own() -> None:
    segments = [SMALL.segment(of(4), number) for number in range(3)]
    shown = [set(segment.order.flatten().tolist()) for segment in segments]
    assert all(len(pictures) >= 96 for pictures in shown)
    assert len(set.union(*shown)) == 100
    orders = [segment.columns for segment in segments]
    assert all(columns is not None and columns[0].sort().values.tolist() == list(range(64)) for columns in orders)
    assert len({tuple(columns[0].tolist()) for columns in orders if columns is not None}) == 3
    assert [segment.steps for segment in segments] == [12] * 3 == [SMALL.steps(number) for number in range(3)]
    for segment in segments:  # each epoch shows what fills whole batches, once
        for epoch in segment.order[0].view(2, -1):
            assert len(epoch.unique()) == len(epoch) == 96


def test_after_the_last_task_the_first_comes_again_in_another_order_of_pictures() -> None:
    first, again = SMALL.segment(of(4), 0), SMALL.segment(of(4), 3)
    assert first.columns is not None
    assert again.columns is not None
    assert torch.equal(first.columns, again.columns)
    assert not torch.equal(first.order, again.order)


@pytest.mark.parametrize("joint", [False, True])
def test_a_stream_is_the_same_in_any_company_and_unlike_others(joint: bool) -> None:
    problem = replace(SMALL, joint=joint)
    together, alone = problem.segment(of(2, 5, 9), 2), problem.segment(of(5), 2)
    assert torch.equal(together.order[1:2], alone.order)
    assert together.columns is not None
    assert alone.columns is not None
    assert torch.equal(together.columns[1:2], alone.columns)
    assert len({tuple(sorted(set(order.flatten().tolist()))) for order in together.order}) == 3
    assert not torch.equal(together.columns[0], together.columns[1])


def test_joint_training_shows_every_picture_of_every_task_so_far(newborn: Newborn) -> None:
    problem = replace(SMALL, joint=True, epochs=1, batch=1)
    learners = newborn(problem, streams=(4, 7))
    for number in range(4):
        segment = problem.segment(of(4, 7), number)
        tasks = min(number + 1, 3)
        assert segment.steps == 100 * tasks == problem.steps(number)
        assert int(segment.lived(of(9))[0]) == (0, 100, 300, 600)[number]
        cases = Cases(segment, learners)
        met = {tuple(cases(step)[0][1, 0].tolist()): int(cases(step)[1][1, 0]) for step in range(segment.steps)}
        expected = {}
        for task in range(tasks):
            single = replace(SMALL, batch=1).segment(of(7), task)
            alone = Cases(single, learners[1:])
            expected |= {tuple(alone(step)[0][0, 0].tolist()): int(alone(step)[1][0, 0]) for step in range(100)}
        assert met == expected


def test_joint_training_is_what_the_first_task_is_at_first() -> None:
    plain, joint = SMALL.segment(of(4), 0), replace(SMALL, joint=True).segment(of(4), 0)
    assert torch.equal(plain.order, joint.order)
    assert plain.columns is not None
    assert joint.columns is not None
    assert torch.equal(plain.columns, joint.columns)


def test_accuracies_are_those_of_test_pictures_seen_through_each_task_so_far(newborn: Newborn) -> None:
    problem = replace(SMALL, test_images=0)
    learners = newborn(problem, streams=(3, 8), hidden=())
    learners = replace(learners, segments=torch.ones_like(learners.segments))
    lived = problem.live(learners, 1)
    found = lived.measured["test_accuracies"]
    assert found.shape == (2, 3)
    assert bool(found[:, 2].isnan().all())
    split = data.digits()
    pixels = split.x_test.reshape(-1, 64) / 16
    layer = learners.architecture.layers[0]
    for number, stream in enumerate((3, 8)):
        weights = lived.learners.kernel(layer)[number].double().numpy()
        for task in range(2):
            outputs = pixels[:, problem.columns(stream, task)] @ weights + lived.learners.bias(layer)[number].numpy()
            assert float(found[number, task]) == pytest.approx(np.mean(outputs.argmax(1) == split.y_test), abs=0.004)
    torch.testing.assert_close(lived.scores, found[:, :2].mean(1))


def test_who_fails_knows_nothing(newborn: Newborn) -> None:
    learners = newborn(SMALL, streams=(3, 8), step_size=0.05)
    learners.settings["step_size"][1] = 1e30
    lived = SMALL.live(learners, 0)
    assert lived.scores.isnan().tolist() == [False, True]
    assert lived.measured["test_accuracies"].isnan().tolist() == [[False, True, True], [True] * 3]


def test_learners_consolidate_when_a_task_ends(newborn: Newborn) -> None:
    learners = newborn(SMALL, rules=Rules(fisher_cases=20), consolidation=5.0, step_size=0.05)
    lived = SMALL.live(learners, 0).learners
    assert lived.precision is not None
    assert lived.pull is not None
    assert bool((lived.precision > 0).any())
    torch.testing.assert_close(lived.pull, lived.precision * lived.weights)
    mixed = replace(lived, segments=torch.tensor([1, 2]))
    outcomes = SMALL.evaluate(mixed, np.random.default_rng(0))
    assert isinstance(outcomes.learned, Learners)
    growing = ClassIncrementalImages(data="digits", images=10, batch=5, add_after=4, epochs=2)
    assert [growing.ends_task(number) for number in range(4)] == [False, True, False, True]


def test_learners_at_different_tasks_are_one_batch_again(newborn: Newborn) -> None:
    learners = newborn(SMALL, streams=(3, 8), step_size=0.05)
    learners.settings["consolidation"] = torch.tensor([5.0, 0.0])
    learners = replace(learners, segments=torch.tensor([0, 1]))
    learned = SMALL.evaluate(learners, np.random.default_rng(0)).learned
    assert isinstance(learned, Learners)
    assert learned.precision is not None
    assert learned.precision.any(1).tolist() == [True, False]


COHORT = Cohort(({"step_size": 0.1}, {"step_size": 0.1, "consolidation": 30.0}, {"anchoring": 0.1}), streams=2)


@pytest.mark.parametrize("rules", [Rules(fisher_cases=30), Rules(consolidate="online", fisher="sampled")])
def test_a_run_that_stopped_goes_on_to_the_same_bytes(tmp_path: Path, rules: Rules) -> None:
    run = Run(SMALL, Learner.for_problem(SMALL, hidden=(12,), rules=rules), COHORT, generations=4, seed=2)
    execute(run, tmp_path / "whole")
    execute(replace(run, generations=2), tmp_path / "stopped")
    shutil.copytree(tmp_path / "stopped", tmp_path / "on")
    execute(run, tmp_path / "on")
    names = sorted(path.name for path in (tmp_path / "whole").iterdir() if path.suffix in (".jsonl", ".npy", ".json"))
    for name in names:
        if name != "progress.jsonl":
            assert (tmp_path / "on" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert any(name.startswith("state-") for name in names)


def test_consolidation_keeps_what_plain_descent_forgets(tmp_path: Path) -> None:
    problem = PermutedTasks(data="digits", images=1000, test_images=0, epochs=12, batch=16)
    cohort = Cohort(({"step_size": 0.1}, {"step_size": 0.1, "consolidation": 100.0}), streams=3)
    run = Run(problem, Learner.for_problem(problem, hidden=(40,)), cohort, generations=3, seed=1)
    execute(run, tmp_path / "default" / "seed-1")
    last = journal.decode(
        (tmp_path / "default" / "seed-1" / "journal.jsonl").read_bytes().splitlines(keepends=True)[-1]
    )
    assert last is not None
    accuracies = np.array(last["measured"]["test_accuracies"], dtype=float).reshape(2, 3, 3)
    plain, held = accuracies.mean(1)
    assert held.mean() > plain.mean() + 0.03
    assert held[0] > plain[0] + 0.05
    printed = tables(tmp_path / "default" / "seed-1")
    assert all(head in printed for head in ("first task, %", "forgetting, %", "backward transfer, %"))
    assert f"{100 * held[0]:.0f}" in printed.splitlines()[-1]


def test_settings_are_checked_and_the_problem_has_a_name() -> None:
    assert problems.make("permuted-tasks-v1", tasks=5) == PermutedTasks(tasks=5)
    for wrong in ({"tasks": 0}, {"epochs": 0}, {"images": -1}, {"data": "letters"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            PermutedTasks(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="images: expected at most the 1442"):
        PermutedTasks(data="digits").segment(of(1), 0)
    with pytest.raises(ValueError, match="test_images: expected at most the 355"):
        PermutedTasks(data="digits", images=0)._drawn(1, 355, 4000, "test_images")
