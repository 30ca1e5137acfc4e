"""Test accuracies of tasks in the end: against the states that runs left, and the demonstration of forgetting."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evo.cli import main
from evo.loading import load_campaign
from evo.problem_state import read
from evo.run import CampaignError, execute
from evo.tested_tasks import accuracies, accuracy_table
from evo.testing.algorithm_checks import Numbers

SOURCE = """
import numpy as np

from evo import Campaign
from evo.algorithms.fixed_pathway import FixedPathway
from evo.learning.supernet.supernet import dense_supernet
from genomes.pathway import Pathway
from problems.transfer.classification_tasks import ClassificationTasks


def task(number):
    rng = np.random.default_rng(number)
    centres, made = rng.normal(size=(3, 6)), []
    for cases in (60, 50):
        targets = np.arange(cases) % 3
        made += [centres[targets] + 0.5 * rng.normal(size=(cases, 6)), targets]
    return (f"task {number}", *made)


def tasks(**settings):
    supernet = dense_supernet(layers=1, modules=4, units=5)
    return ClassificationTasks(
        sets=(task(0), task(1)), supernet=supernet, replicates=2, batches=20, batch=8, step_size=0.3, **settings
    )


fixed = FixedPathway(replicates=2, tasks=2, generations_per_task=3)
variants = {"frozen": {}, "plain": {"problem": tasks(after="keep")}}
campaign = Campaign(tasks(), Pathway.for_problem(tasks(), active=2), fixed, 6, seeds=(0, 1), variants=variants)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("accuracy")
    (made / "mine.py").write_text(SOURCE)
    load_campaign(made / "mine.py").run(out=made / "out", source=made / "mine.py", quiet=True)
    return made / "out"


def test_shares_are_those_of_the_last_states(folder: Path) -> None:
    found = accuracies(folder)
    assert set(found) == {"frozen", "plain"}
    campaign = load_campaign(folder / "source.py")
    for name, shares in found.items():
        assert shares.shape == (4, 2)
        assert not np.isnan(shares).any()
        for seed in (0, 1):
            state, problem = read(folder / name / f"seed-{seed}"), campaign.variants[name].get("problem")
            problem = problem or campaign.problem
            for replicate in (0, 1):
                for task in (0, 1):
                    inputs, targets = problem.data(task, 0).test_cases()
                    right = problem.predict(state, replicate, task, inputs).argmax(1) == targets
                    assert shares[2 * seed + replicate, task] == pytest.approx(right.double().mean().item())


def test_the_table_has_means_over_replicates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, table = accuracies(folder), accuracy_table(folder)
    assert [row[:2] for row in table.rows] == [["frozen", "4 of 4"], ["plain", "4 of 4"]]
    for row, shares in zip(table.rows, found.values(), strict=True):
        parts = (shares.mean(), shares[:, 0].mean(), shares[:, 1].mean(), shares.min(1).mean())
        for cell, part in zip(row[2:], parts, strict=True):
            assert float(cell.split(" ")[0]) == pytest.approx(100 * part, abs=0.6)
    assert main(["table", str(folder), "--test"]) == 0
    assert "the task is known" in capsys.readouterr().out
    assert main(["table", str(folder), "--test", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == table.rows


def test_tasks_that_have_not_ended_are_no_part_of_it(folder: Path) -> None:
    book = folder / "plain" / "seed-0" / "tasks.json"
    before = book.read_text()
    courses = json.loads(before)
    courses["courses"][1]["ended"] = False
    try:
        book.write_text(json.dumps(courses))
        assert np.isnan(accuracies(folder)["plain"]).tolist() == [[False, True], *[[False, False]] * 3]
        assert accuracy_table(folder).rows[1][1] == "3 of 4"
        book.write_text(json.dumps({**courses, "courses": []}))
        for state in book.parent.glob("*.state"):
            state.rename(state.with_suffix(".away"))
        assert np.isnan(accuracies(folder)["plain"])[:2].all()
    finally:
        book.write_text(before)
        for state in book.parent.glob("*.away"):
            state.rename(state.with_suffix(".state"))


def test_what_cannot_be_tested_is_told(folder: Path, tmp_path: Path) -> None:
    bare = SOURCE.replace("tasks(), Pathway.for_problem(tasks(), active=2)", "plain, Numbers()")
    extra = "from evo import fitness\nfrom evo.testing.algorithm_checks import Numbers\n"
    extra += "plain = fitness(maximize='sum', batch=True)(lambda values: values.sum(1))\n"
    made = bare.replace("fixed = FixedPathway(replicates=2, tasks=2,", extra + "fixed = FixedPathway(")
    made = made.replace(", variants=variants)", ")").replace("seeds=(0, 1)", "seeds=(0,)")
    (tmp_path / "mine.py").write_text(made)
    campaign = load_campaign(tmp_path / "mine.py")
    assert isinstance(campaign.genome, Numbers)
    campaign.run(out=tmp_path / "out", source=tmp_path / "mine.py", quiet=True)
    with pytest.raises(CampaignError, match="cannot test what was learned"):
        accuracies(tmp_path / "out")
    (tmp_path / "out" / "default" / "seed-0" / "tasks.json").unlink()
    with pytest.raises(CampaignError, match=r"no run has left a tasks\.json"):
        accuracies(tmp_path / "out")


def test_frozen_pathways_keep_what_plain_training_forgets(tmp_path: Path) -> None:
    """The demonstration of adding one and two, with fewer replicates: each answers its own task by its number."""
    known = {}
    for run in load_campaign(Path(__file__).parents[1] / "runs" / "pathways_add_one.py").runs():
        few = replace(run, problem=replace(run.problem, replicates=3), algorithm=replace(run.algorithm, replicates=3))
        execute(few, tmp_path / run.variant)
        state = read(tmp_path / run.variant)
        known[run.variant] = [[few.problem.accuracy(state, one, task) for one in range(3)] for task in (0, 1)]
    for name in ("pathways", "random-pathways"):
        assert known[name][0] == [1.0, 1.0, 1.0], "the first task, after the second"
    assert known["plain"][1] == [1.0, 1.0, 1.0]
    assert max(known["plain"][0]) < 0.95
