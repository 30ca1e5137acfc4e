"""What is known of each task: asked of a state as the problem answers, read from what learners measured."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from study_folder import write_campaign, write_run

from evo import problem_state
from evo.cli import main
from evo.cohort_record import studies
from evo.loading import load_campaign
from evo.task_accuracy import MOST_SEGMENTS, measured_accuracy, state_accuracy

CAMPAIGN = """
from evo import Campaign
from evo.algorithms.binary_tournament import BinaryTournament
from evo.learning.supernet.supernet import dense_supernet
from genomes.pathway import Pathway
from problems.transfer.binary_digits import BinaryDigits

problem = BinaryDigits(digits="digits", replicates=3, supernet=dense_supernet(2, 4, 5), batches=4, after="AFTER")
tournament = BinaryTournament(population=4, replicates=3, tasks=2, generations_per_task=2)
campaign = Campaign(problem, Pathway.for_problem(problem, active=2), tournament, generations=GENERATIONS)
"""


def run(folder: Path, after: str = "freeze", generations: int = 4) -> Path:
    """A campaign of a file; return its run's folder."""
    source = folder / "tasks_campaign.py"
    source.write_text(textwrap.dedent(CAMPAIGN.replace("AFTER", after).replace("GENERATIONS", str(generations))))
    assert main(["run", str(source), "--out", str(folder / "c")]) == 0
    return folder / "c" / "default" / "seed-0"


@pytest.mark.parametrize("after", ["freeze", "keep"])
def test_it_is_what_the_problem_answers(tmp_path: Path, after: str) -> None:
    folder = run(tmp_path, after)
    found = state_accuracy(folder)
    assert found is not None
    problem = load_campaign(tmp_path / "tasks_campaign.py").runs()[0].problem
    state = problem_state.read(folder)
    known = np.array([[problem.accuracy(state, r, task) for task in range(2)] for r in range(3)]).mean(0)  # type: ignore[attr-defined]
    assert found.after == [1, 2]
    np.testing.assert_allclose(found.values[1], known)
    assert np.isnan(found.values[0, 1])
    assert (found.values[0, 0] == found.values[1, 0]) == (after == "freeze")
    assert ("to the bit" in found.said) == (after == "freeze")
    assert "mean over 3 replicates" in found.said


def test_tasks_to_come_are_unknown(tmp_path: Path) -> None:
    found = state_accuracy(run(tmp_path, generations=1))
    assert found is not None
    assert found.values.shape == (1, 1)


def test_show_and_figure_draw_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run(tmp_path).parents[1]
    assert main(["show", str(folder)]) == 0
    text = (folder / "champion.html").read_text()
    for words in ("Paths over generations", "Use of modules", "Score per task", "known of each task", "Overlap of"):
        assert words in text
    assert "Settings that evolve" not in text
    assert "cannot be asked" not in text
    capsys.readouterr()
    assert main(["figure", str(folder), "--width", "89"]) == 0
    written = [folder / f"tasks{ending}.png" for ending in ("", "-film", "-use")]
    assert capsys.readouterr().out.splitlines() == [f"figure: {path}" for path in written]
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert int.from_bytes(path.read_bytes()[16:20], "big") == pytest.approx(89 / 25.4 * 300, abs=1)
    (folder / "source.py").unlink()
    (tmp_path / "tasks_campaign.py").write_text("raise RuntimeError('gone wrong')")
    assert main(["show", str(folder)]) == 0
    assert "It cannot be asked here: " in (folder / "champion.html").read_text()


def test_learners_have_measured_it(tmp_path: Path) -> None:
    """Of two settings on two streams; the second task is met in the second segment."""
    rng = np.random.default_rng(0)
    accuracies = rng.random((60, 4, 2))
    accuracies[0, :, 1] = np.nan
    scores = rng.random((60, 4))
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", scores, {"test_accuracies": accuracies}, None, ("a", "b"), (0, 1))
    first, second = measured_accuracy(studies(tmp_path)[0])
    assert (first.label, second.label) == ("a", "b")
    assert len(first.after) == MOST_SEGMENTS
    assert (first.after[0], first.after[-1]) == (1, 60)
    rows = np.array(second.after) - 1
    np.testing.assert_allclose(second.values[1:], accuracies[rows[1:], 2:].mean(1))
    assert np.isnan(second.values[0]).tolist() == [False, True]
    assert main(["show", str(tmp_path)]) == 1, "no champion"
    assert main(["figure", str(tmp_path)]) == 0
    assert (tmp_path / "study-accuracy.png").is_file()
