"""Tournaments on a problem that trains a supernet: both keep the same book, and transfer, cuts and tables work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.defending_champion import DefendingChampion
from evo.algorithms.fine_tuned_pathway import FineTunedPathway
from evo.algorithms.fixed_pathway import FixedPathway
from evo.algorithms.group_tournament import GroupTournament
from evo.algorithms.random_pathways import RandomPathways
from evo.algorithms.task_schedule import TaskAlgorithm
from evo.campaign import Campaign
from evo.problem_state import read
from evo.run import Run, execute
from evo.task_record import task_record
from evo.transfer import transfers
from genomes.pathway import Pathway
from problems.transfer.binary_digits import BinaryDigits

REPLICATES = 3
PROBLEM: dict[str, Any] = {"digits": "digits", "replicates": REPLICATES, "fixed_window": True, "batches": 10}
TASKS: dict[str, Any] = {"replicates": REPLICATES, "tasks": 2, "threshold": 0.97, "generations_per_task": 25}
ALGORITHMS: dict[str, TaskAlgorithm] = {
    "binary": BinaryTournament(8, **TASKS),
    "group": GroupTournament(4, opponents=2, **TASKS),
    "defending": DefendingChampion(8, contestants=3, **TASKS),
    "fixed": FixedPathway(**TASKS),
    "fine-tuned": FineTunedPathway(8, **TASKS),
    "random": RandomPathways(**TASKS),
}


def run_of(algorithm: TaskAlgorithm, **changes: Any) -> Run:
    problem = BinaryDigits(**{**PROBLEM, **changes})
    return Run(problem, Pathway.for_problem(problem, active=2), algorithm, 60, seed=1)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_problem_keeps_the_same_paths(name: str, tmp_path: Path) -> None:
    """Which path is a task's is found by the algorithm from scores and by the problem while it trains: one answer."""
    execute(run_of(ALGORITHMS[name], after="keep" if name == "fine-tuned" else "freeze"), tmp_path)
    state = read(tmp_path)
    courses = json.loads((tmp_path / "tasks.json").read_text())["courses"]
    assert len(courses) == 2 * REPLICATES
    for course in courses:
        replicate, task = course["replicate"], course["task"]
        held = state["best"][replicate] if task == int(state["task"][replicate]) else state["paths"][replicate, task]
        kept = {(layer, module) for layer, chosen in enumerate(course["kept"]["modules"]) for module in chosen}
        assert {(int(layer), int(module)) for layer, module in held.nonzero()} == kept
    assert state["windows"].tolist() == [
        sum(len(one["best"]) for one in courses if one["replicate"] == number) for number in range(REPLICATES)
    ]


def test_a_replicate_trains_the_same_in_any_company(tmp_path: Path) -> None:
    """Seeds of replicates are drawn in their order, so the first two are the same with a third or without."""
    books = []
    for count in (2, 3):
        algorithm = BinaryTournament(8, **{**TASKS, "replicates": count})
        execute(run_of(algorithm, replicates=count), tmp_path / str(count))
        books.append(json.loads((tmp_path / str(count) / "tasks.json").read_text())["courses"])
    assert books[0] == [course for course in books[1] if course["replicate"] < 2]


def test_a_run_cut_off_in_the_second_task_comes_to_the_same_bytes(tmp_path: Path) -> None:
    run = run_of(ALGORITHMS["binary"])
    execute(run, tmp_path / "whole")
    lines = (tmp_path / "whole" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    first = json.loads((tmp_path / "whole" / "tasks.json").read_text())["courses"][1]["first"]
    short = Run(run.problem, run.genome, run.algorithm, first + 3, run.seed)
    execute(short, tmp_path / "cut")
    execute(run, tmp_path / "cut")
    assert len(lines) > first + 4
    for name in ("journal.jsonl", "tasks.json", "champion.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    ours, theirs = read(tmp_path / "cut"), read(tmp_path / "whole")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_conditions_are_compared(tmp_path: Path) -> None:
    """Until the second task begins, transfer and learning from nothing are the same run."""
    folder = tmp_path / "campaign"
    problem = BinaryDigits(**PROBLEM)
    genome = Pathway.for_problem(problem, active=2)
    variants = {"pathnet": {}, "de-novo": {"problem": BinaryDigits(**PROBLEM, after="renew")}}
    campaign = Campaign(problem, genome, ALGORITHMS["binary"], 60, seeds=(0, 1), variants=variants)
    campaign.run(out=folder, quiet=True)
    record = task_record(folder)
    assert record is not None
    found = {(one.condition, one.task): one for one in transfers(record, "de-novo")}
    assert {one.runs for one in found.values()} == {2 * REPLICATES}
    assert found["pathnet", 0].generations == found["de-novo", 0].generations
    gain = found["pathnet", 0].gain_in_generations
    assert gain is not None
    assert gain.value == 1.0
    assert found["pathnet", 1].area != found["de-novo", 1].area
    assert 0 <= found["pathnet", 1].overlap.value <= 6
