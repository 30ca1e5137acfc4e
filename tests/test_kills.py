"""A run whose journal is cut off anywhere, or damaged, goes on to the same bytes.

`tests/benchmarks/kills.py` kills whole campaigns at random moments.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.function_problem import fitness
from evo.run import Run, execute
from genomes.vector import Vector

FILES = ("journal.jsonl", "champion.json", "archive.json")
LAST = 2000
"""Bytes of the journal, among which it is cut."""
CUTS, FLIPS = 41, 211
"""Bytes between two cuts, and between two flipped bits; 1 for all of them, which takes minutes."""


@fitness(minimize="cost", batch=True)
def cost(x):
    return x.square().sum(1)


RUN = Run(cost, Vector(2), MuPlusLambda(population=4), generations=12, seed=3)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Do not wait for the disk: nothing here is about power cuts."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the files of a run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    execute(RUN, folder)
    found = {name: (folder / name).read_bytes() for name in FILES}
    assert len(found["journal.jsonl"]) > LAST
    return found


def gone_on(folder, journal: bytes) -> dict[str, bytes]:
    """Return the files of a run that goes on with a journal."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(journal)
    execute(RUN, folder)
    return {name: (folder / name).read_bytes() for name in FILES}


def test_a_run_goes_on_from_a_journal_cut_at_any_of_its_last_bytes(whole, tmp_path):
    journal = whole["journal.jsonl"]
    for cut in range(len(journal) - LAST, len(journal), CUTS):
        assert gone_on(tmp_path / "run", journal[:cut]) == whole, cut


def test_a_flipped_bit_is_found_and_what_it_spoiled_is_made_again(whole, tmp_path):
    journal = whole["journal.jsonl"]
    begin = journal.index(b"\n") + 1  # the first line says whose journal it is: damaged, nothing is gone on with
    for place in range(begin, len(journal), FLIPS):
        flipped = bytearray(journal)
        flipped[place] ^= 1 << (place % 8)
        assert gone_on(tmp_path / "run", bytes(flipped)) == whole, place


APART = """
import os
import time

import evo
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from genomes.vector import Vector


@evo.fitness(minimize="cost", batch=True)
def cost(x):
    with open("{folder}/" + str(os.getpid()), "w"):
        time.sleep(0.05)
    return x.square().sum(1)


campaign = evo.Campaign(cost, Vector(2), MuPlusLambda(population=4), generations=10_000, seeds=(0, 1))
"""


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_of_runs_apart_end_when_their_parent_is_killed(tmp_path):
    (tmp_path / "pids").mkdir()
    source = tmp_path / "file.py"
    source.write_text(APART.format(folder=tmp_path / "pids"))
    command = [sys.executable, "-m", "evo.cli", "run", str(source), "--workers", "2", "--out", str(tmp_path / "run")]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(workers := [int(path.name) for path in (tmp_path / "pids").iterdir()]) < 2:
        assert time.monotonic() < deadline, "no worker has begun"
        time.sleep(0.1)
    assert parent.pid not in workers
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 30
    while any(map(alive, workers)):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.1)
