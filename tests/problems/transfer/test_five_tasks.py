"""Five tasks: what was learned stays, to the bit, and a run killed in the third resumes to the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evo import problem_state
from evo.algorithms.binary_tournament import BinaryTournament
from evo.learning.supernet.supernet import dense_supernet
from evo.run import Run, execute
from genomes.pathway import Pathway
from problems.transfer.binary_digits import BinaryDigits

TASKS, EACH = 5, 3
PROBLEM = BinaryDigits(
    digits="digits",
    pairs=((0, 1), (2, 3), (4, 5), (6, 7), (8, 9)),
    supernet=dense_supernet(layers=3, modules=10, units=8),
    replicates=2,
    batches=10,
)
RUN = Run(
    PROBLEM,
    Pathway.for_problem(PROBLEM, active=2),
    BinaryTournament(population=8, replicates=2, tasks=TASKS, generations_per_task=EACH),
    generations=TASKS * EACH,
    seed=4,
)
RESULTS = ("journal.jsonl", "champion.json", "archive.json", "tasks.json")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    execute(RUN, folder)
    return folder


def answers(folder: Path, task: int) -> list[torch.Tensor]:
    """Return both replicates' outputs for a task, on inputs that are always the same."""
    state = problem_state.read(folder)
    seeds = state["seeds"].tolist()
    return [
        PROBLEM.predict(state, replicate, task, PROBLEM.data(task, seed).test_cases()[0])
        for replicate, seed in enumerate(seeds)
    ]


def test_outputs_for_tasks_that_ended_stay_the_same_bits(tmp_path: Path) -> None:
    when_ended = []
    for task in range(TASKS):
        execute(replace(RUN, generations=(task + 1) * EACH), tmp_path)
        when_ended.append(answers(tmp_path, task))
    for task in range(TASKS - 1):
        for now, then in zip(answers(tmp_path, task), when_ended[task], strict=True):
            assert torch.equal(now, then), f"task {task} of {TASKS}"
    state = problem_state.read(tmp_path)
    assert bool(state["frozen"].any(2).all()), "modules of every layer are frozen by then"


KILLED = """
    import os, signal
    from pathlib import Path
    from test_five_tasks import RUN, EACH
    from evo import problem_state
    from evo.run import execute
    from evo.problem_state import StoredStates
    StoredStates.due = True
    import evo.run as run
    append = run.Journal.append
    def dying(journal, record):
        append(journal, record)
        if record["generation"] == 2 * EACH + 1:
            os.kill(os.getpid(), signal.SIGKILL)
    run.Journal.append = dying
    execute(RUN, Path({folder!r}))
"""


def test_a_run_killed_in_its_third_task_goes_on_to_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    program = textwrap.dedent(KILLED).format(folder=str(folder))
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (folder / "champion.json").exists()
    assert int(problem_state.read(folder)["task"][0]) == 2
    execute(RUN, folder)
    for name in RESULTS:
        assert (folder / name).read_bytes() == (finished / name).read_bytes(), name
    last = f"problem-{TASKS * EACH - 1:09d}.state"
    assert (folder / last).read_bytes() == (finished / last).read_bytes()
