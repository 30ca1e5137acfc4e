"""The book of tasks in a run's folder: there from the first generation, and the same after a run was cut off."""

from __future__ import annotations

import json
from pathlib import Path

from algorithms.task_runs import GENOME, HiddenModules

from evo.algorithms.binary_tournament import BinaryTournament
from evo.campaign import Campaign
from evo.recorded import runs
from evo.run import Run, execute
from evo.task_record import task_record
from evo.transfer import transfers

TOURNAMENT = BinaryTournament(8, replicates=3, tasks=2, threshold=0.8, generations_per_task=40)


def files(folder: Path) -> dict[str, bytes]:
    names = ("journal.jsonl", "tasks.json", "champion.json", "archive.json")
    return {name: (folder / name).read_bytes() for name in names}


def test_a_run_that_is_resumed_leaves_the_same_bytes(tmp_path: Path) -> None:
    run = Run(HiddenModules(), GENOME, TOURNAMENT, 100, seed=2)
    execute(run, tmp_path / "whole")
    whole = files(tmp_path / "whole")
    lines = whole["journal.jsonl"].splitlines(keepends=True)
    assert 20 < len(lines) < 100
    for kept in (1, 2, len(lines) // 2, len(lines)):
        folder = tmp_path / f"cut-{kept}"
        folder.mkdir()
        (folder / "journal.jsonl").write_bytes(b"".join(lines[:kept]) + b"torn" * (kept < len(lines)))
        execute(run, folder)
        assert files(folder) == whole


def test_the_book_is_there_from_the_first_generation(tmp_path: Path) -> None:
    execute(Run(HiddenModules(), GENOME, TOURNAMENT, 1, seed=2), tmp_path)
    book = json.loads((tmp_path / "tasks.json").read_text())
    assert {name: value for name, value in book.items() if name != "courses"} == {
        "format": "evo.tasks/1",
        "objective": "accuracy",
        "maximize": True,
        "threshold": 0.8,
        "generations_per_task": 40,
        "contestants": 2,
        "replicates": 3,
        "tasks": 2,
    }
    assert [len(one["best"]) for one in book["courses"]] == [1, 1, 1]


def test_everyone_who_was_evaluated_is_born_in_the_journal(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    Campaign(HiddenModules(), GENOME, TOURNAMENT, 100, seeds=(0, 1)).run(out=folder, quiet=True)
    for one in runs(folder):
        born = {uid for _, uid, *_ in one.births}
        assert {parent for *_, first, second in one.births for parent in (first, second)} - {-1} <= born
        assert born == set(range(len(born)))
    record = task_record(folder)
    assert record is not None
    assert [found.runs for found in transfers(record)] == [6, 6]
