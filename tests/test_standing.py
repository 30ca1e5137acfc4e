"""A resumed search goes on from where it stood, not from its first generation, and writes the same bytes."""

from pathlib import Path

import pytest

from evo import Campaign
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from evo.problem_state import StoredStates
from evo.search import Search
from genomes.topology import Topology
from problems.xor import Xor

GENERATIONS, STOPPED = 12, 8
FILES = ("journal.jsonl", "champion.json", "archive.json")


def campaign() -> Campaign:
    problem = Xor(shared_weights=(-1.0, 1.0))
    genome = Topology.for_problem(problem, mutation="each", add_connection_rate=0.9, add_node_rate=0.9)
    return Campaign(problem, genome, WeightAgnosticSearch(population=20), generations=GENERATIONS, seeds=(0,))


def run(folder: Path, resume: bool = False) -> dict[str, bytes]:
    campaign().run(out=folder, resume=resume, quiet=True)
    return {name: (folder / "default" / "seed-0" / name).read_bytes() for name in FILES}


def stop_after(monkeypatch: pytest.MonkeyPatch, generation: int) -> None:
    """Let the search be interrupted when so many generations are done."""
    evaluate = Search.evaluate

    def interrupted(search, genome, rows):
        if search.generation == generation:
            raise KeyboardInterrupt
        return evaluate(search, genome, rows)

    monkeypatch.setattr(Search, "evaluate", interrupted)


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """Return a run's folder that was stopped after some generations, with its state stored after each, and the bytes
    that the whole run has."""
    with monkeypatch.context() as patch:
        whole = run(tmp_path / "whole")
        patch.setattr("evo.run.PAUSE", 0.0)
        patch.setattr(StoredStates, "due", True)
        stop_after(patch, STOPPED)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "stopped")
    return tmp_path / "stopped", whole


def steps(monkeypatch) -> list[int]:
    """Return a list that fills with the generations that are bred."""
    bred, breed = [], Search.breed

    def noted(search, *arguments, **options):
        bred.append(search.generation)
        return breed(search, *arguments, **options)

    monkeypatch.setattr(Search, "breed", noted)
    return bred


def test_it_goes_on_from_the_last_generation_and_writes_the_same_bytes(stopped, monkeypatch):
    folder, whole = stopped
    assert not list((folder.parent / "whole").rglob("*.state"))  # a short run stores nothing
    bred = steps(monkeypatch)
    assert run(folder, resume=True) == whole
    assert bred == list(range(STOPPED, GENERATIONS))


def test_an_earlier_state_serves_where_the_last_is_damaged_or_of_another_run(stopped, monkeypatch):
    folder, whole = stopped
    last, before = sorted(folder.rglob("search-*.state"), reverse=True)
    content = bytearray(last.read_bytes())
    content[-20] ^= 1
    last.write_bytes(content)
    bred = steps(monkeypatch)
    assert run(folder, resume=True) == whole
    assert bred == list(range(int(before.stem.removeprefix("search-")) + 1, GENERATIONS))


def test_without_any_state_it_goes_through_its_past(stopped, monkeypatch):
    folder, whole = stopped
    for path in folder.rglob("*.state"):
        path.unlink()
    bred = steps(monkeypatch)
    assert run(folder, resume=True) == whole
    assert bred == list(range(1, GENERATIONS))


def test_a_journal_that_lost_its_end_is_served_by_what_fits_it(stopped, monkeypatch):
    folder, whole = stopped
    journal = folder / "default" / "seed-0" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))  # the last generation's record is gone, and its state fits nothing
    bred = steps(monkeypatch)
    assert run(folder, resume=True) == whole
    assert bred == list(range(STOPPED - 1, GENERATIONS))
