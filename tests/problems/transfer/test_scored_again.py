"""`evo eval` of champions of task sequences: a score, or one line that says why there is none."""

import shutil
from pathlib import Path

import pytest

from evo.cli import main

CAMPAIGN = """
import numpy as np

from evo import Campaign
from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.growth import Growth
from evo.learning.supernet.supernet import dense_supernet
from genomes.grown_path import GrownPath
from genomes.pathway import Pathway
from problems.transfer.binary_digits import BinaryDigits
from problems.transfer.classification_tasks import ClassificationTasks
from problems.transfer.growing import Growing

digits = BinaryDigits(digits="digits", batches=3)
cases = np.random.default_rng(0).random((40, 4)).astype(np.float32)
own = ClassificationTasks(
    sets=[("own", cases, np.arange(40) % 2, cases, np.arange(40) % 2)], supernet=dense_supernet(2, 4, 5), batches=3
)
growing = Growing(digits, validation=20)


def tournament(tasks):
    return BinaryTournament(population=4, tasks=tasks, generations_per_task=2)


CAMPAIGNS = {
    "first": (digits, Pathway.for_problem(digits), tournament(1)),
    "second": (digits, Pathway.for_problem(digits), tournament(2)),
    "arrays": (own, Pathway.for_problem(own), tournament(1)),
    "growing": (growing, GrownPath.for_problem(growing), Growth(2, 2, tasks=1, generations_per_task=2)),
}
problem, genome, algorithm = CAMPAIGNS["KIND"]
campaign = Campaign(problem, genome=genome, algorithm=algorithm, generations=4, seeds=(0,))
"""


def champion(folder: Path, kind: str) -> Path:
    """Return the champion of a campaign of one kind."""
    (folder / "file.py").write_text(CAMPAIGN.replace("KIND", kind))
    assert main(["run", str(folder / "file.py"), "--out", str(folder / "run")]) == 0
    return folder / "run" / "champion.json"


@pytest.mark.parametrize("kind", ["first", "arrays", "growing"])
def test_a_champion_of_the_first_task_is_scored_on_a_new_state(kind, tmp_path, capsys):
    path = champion(tmp_path, kind)
    assert main(["eval", str(path)]) == 0, capsys.readouterr().err
    assert ("score" if kind == "growing" else "accuracy") in capsys.readouterr().out


def test_one_of_a_later_task_is_told_where_to_ask(tmp_path, capsys):
    path = champion(tmp_path, "second")
    assert main(["eval", str(path)]) == 1
    assert "evo table DIR --test" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["arrays", "growing"])
def test_without_its_campaign_one_line_says_what_is_missing(kind, tmp_path, capsys):
    alone = tmp_path / "alone.json"
    shutil.copy(champion(tmp_path, kind), alone)
    shutil.rmtree(tmp_path / "run")
    assert main(["eval", str(alone)]) == 1
    assert "no campaign folder around the file" in capsys.readouterr().err
