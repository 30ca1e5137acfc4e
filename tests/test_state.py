"""Runs whose genomes go on learning: their last rows are kept as a file, and a run that stopped goes on from there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from evo import journal
from evo.algorithm import Algorithm
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective, Problem
from evo.run import Run, execute
from evo.search import Search
from evo.state import KEPT, StateFiles
from genomes.vector import Vector

GENERATIONS = 12


@dataclass(frozen=True)
class Growing(Vector):
    """Numbers that take over what they became."""

    name: ClassVar[str] = "growing"

    def absorb(self, rows: torch.Tensor, phenotypes: torch.Tensor) -> torch.Tensor:
        learned = rows.clone()
        self.layout.view(learned, "values")[...] = phenotypes
        return learned


@dataclass(frozen=True)
class Walk(Problem):
    """Moves numbers by chance, counts how often it was called, and scores their sum."""

    name: ClassVar[str] = "walk-v1"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("sum"),)
    calls: ClassVar[list[int]] = []

    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        self.calls.append(len(phenotypes))
        learned = phenotypes * 0.9 + torch.from_numpy(rng.normal(0.0, 0.01, tuple(phenotypes.shape))).to(phenotypes)
        scores = outcomes_of(learned.sum(1, keepdim=True))
        return Outcomes(scores.scores, scores.kinds, learned=learned, measured={"first": learned[:, :2]})


@dataclass(frozen=True)
class Exploit(Algorithm):
    """The better half takes the place of the other half, with new noise."""

    name: ClassVar[str] = "exploit"
    state_in_rows: ClassVar[bool] = True

    def run(self, search: Search) -> None:
        rows = search.sample(6)
        while search.generation < search.generations:
            outcomes = search.evaluate(search.genome, rows)
            best = search.fitness(outcomes)[:, 0].argsort(descending=True)[:3]
            kept = outcomes.inherited(rows)[best]
            rows = torch.cat((kept, search.breed(search.genome, kept)))


RUN = Run(Walk(), Growing(4), Exploit(), generations=GENERATIONS, seed=3)
RESULTS = ("journal.jsonl", "champion.json", "archive.json")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    execute(RUN, folder)
    return folder


def cut(lines: int) -> Callable[[Path], None]:
    def cutting(folder: Path) -> None:
        path = folder / "journal.jsonl"
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-lines]))

    return cutting


def remove_last(folder: Path) -> None:
    sorted(folder.glob("state-*.npy"))[-1].unlink()


def damage_last(folder: Path) -> None:
    path = sorted(folder.glob("state-*.npy"))[-1]
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


def remove_all(folder: Path) -> None:
    for path in folder.glob("state-*.npy"):
        path.unlink()


@pytest.mark.parametrize(
    ("harm", "again"),
    [(cut(1), 1), (cut(5), GENERATIONS), (remove_last, 1), (damage_last, 1), (remove_all, GENERATIONS)],
    ids=["one line cut", "more lines cut than states kept", "state gone", "state damaged", "all states gone"],
)
def test_a_run_goes_on_from_the_last_state_that_can_be_trusted(
    finished: Path, tmp_path: Path, harm: Callable[[Path], None], again: int
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    harm(folder)
    for name in RESULTS[1:]:
        (folder / name).unlink()
    Walk.calls.clear()
    execute(RUN, folder)
    assert len(Walk.calls) == again
    for name in RESULTS:
        assert (folder / name).read_bytes() == (finished / name).read_bytes(), name


def test_a_run_stopped_between_state_and_journal_repeats_that_generation(finished: Path, tmp_path: Path) -> None:
    """The state of a generation is written before the journal's line: here, the line never came."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    cut(1)(folder)
    assert len(list(folder.glob("state-*.npy"))) == KEPT
    execute(RUN, folder)
    assert (folder / "journal.jsonl").read_bytes() == (finished / "journal.jsonl").read_bytes()


def test_the_journal_holds_digests_and_measurements_and_the_archive_the_present(finished: Path) -> None:
    records, _ = journal.read(finished / "journal.jsonl")
    assert all(set(record) >= {"state", "measured"} and "learned" not in record for record in records[1:])
    assert np.shape(records[1]["measured"]["first"]) == (6, 2)
    assert len(list(finished.glob("state-*.npy"))) == KEPT
    hall = json.loads((finished / "archive.json").read_text())["hall_of_fame"]
    assert {member["generation"] for member in hall} == {GENERATIONS - 1}


def test_a_state_file_is_read_without_pickle(tmp_path: Path) -> None:
    states = StateFiles(tmp_path)
    rows = torch.randn(3, 5)
    digest = states.save(7, rows)
    assert torch.equal(states.load(7, digest), rows)
    assert states.load(8, digest) is None
    assert states.load(7, "0" * 16) is None
    np.save(tmp_path / "state-000000009.npy", np.array([object()]), allow_pickle=True)
    import hashlib

    forged = hashlib.sha256((tmp_path / "state-000000009.npy").read_bytes()).hexdigest()[:16]
    with pytest.raises(ValueError, match="allow_pickle"):
        states.load(9, forged)
