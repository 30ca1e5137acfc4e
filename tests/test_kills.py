"""A run whose journal is cut off anywhere, or damaged, goes on to the same bytes.

`tests/benchmarks/kills.py` kills whole campaigns at random moments.
"""

import shutil

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
