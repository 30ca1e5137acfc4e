"""Runs whose genomes go on learning: their last rows are kept as a file, and a run that stopped goes on from there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from drifting_stream import DriftingStream

from evo import journal, seeds
from evo.algorithm import Algorithm
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective, Problem
from evo.run import CampaignError, Run, execute
from evo.search import Search
from evo.state import KEPT, StateFiles
from genomes.learner import Learner
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
    [(cut(1), 1), (cut(GENERATIONS), GENERATIONS), (remove_last, 1), (damage_last, 1)],
    ids=["one line cut", "all lines cut", "state gone", "state damaged"],
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


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    "run", [RUN, replace(RUN, generations=GENERATIONS - 3), replace(RUN, generations=50, target=-1e9)]
)
def test_a_run_that_ended_is_left_as_it_is_when_its_states_are_gone(finished: Path, tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "copy"
    if run.target is None:
        shutil.copytree(finished, folder)
    else:
        execute(run, folder)
        assert (folder / "journal.jsonl").read_bytes().count(b"\n") == 2, "the first generation reached the target"
    remove_all(folder)
    before = contents(folder)
    Walk.calls.clear()
    execute(run, folder)
    assert contents(folder) == before
    assert Walk.calls == []


def damage_an_early_line(folder: Path) -> None:
    path = folder / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*lines[:4], b"#" + lines[4][1:], *lines[5:])))


def remove_all_and_the_champion(folder: Path) -> None:
    remove_all(folder)
    (folder / "champion.json").unlink()


def damage_all(folder: Path) -> None:
    cut(1)(folder)
    for path in folder.glob("state-*.npy"):
        path.write_bytes(b"")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (
            cut(5),
            r"state-000000005\.npy \(missing\), state-000000006\.npy \(missing\)\. Put them back; .* move this folder",
        ),
        (damage_all, r"state-000000009\.npy \(missing\), state-000000010\.npy \(not as recorded\)"),
        (
            damage_an_early_line,
            r"state-000000002\.npy \(missing\)\. Put them back; what follows in journal\.jsonl is damaged",
        ),
        (remove_all_and_the_champion, r"state-000000010\.npy \(missing\), state-000000011\.npy \(missing\)"),
    ],
    ids=["unfinished", "damaged", "journal damaged", "finished, without a champion"],
)
def test_a_run_that_cannot_go_on_says_which_files_it_lacks(
    finished: Path, tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    harm(folder)
    before = contents(folder)
    Walk.calls.clear()
    with pytest.raises(CampaignError, match=told):
        execute(RUN, folder)
    assert contents(folder) == before
    assert Walk.calls == []


def test_states_that_were_put_back_are_gone_on_from(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    execute(replace(RUN, generations=7), folder)
    (folder / "state-000000006.npy").rename(tmp_path / "away")
    (folder / "state-000000005.npy").unlink()
    with pytest.raises(CampaignError, match="Put them back"):
        execute(RUN, folder)
    (tmp_path / "away").rename(folder / "state-000000006.npy")
    execute(RUN, folder)
    for name in RESULTS:
        assert (folder / name).read_bytes() == (finished / name).read_bytes(), name


def test_states_of_later_generations_give_way(tmp_path: Path) -> None:
    """What was left by a run whose journal has gone must not crowd out the states of the run that is made anew."""
    states = StateFiles(tmp_path)
    for generation in (20, 21, 3, 4, 5):
        states.save(generation, torch.zeros(1, 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state-000000004.npy", "state-000000005.npy"]


def test_a_run_keeps_in_memory_only_what_a_replay_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[journal.Journal] = []

    class Watched(journal.Journal):
        def __enter__(self) -> Watched:
            opened.append(self)
            return super().__enter__()

    monkeypatch.setattr("evo.run.Journal", Watched)
    for generations in (3, 5):
        execute(replace(RUN, generations=generations), tmp_path / "run")
    assert [len(one.records) for one in opened] == [3, 5]
    kept = {name for one in opened for record in one.records for name in record}
    assert kept == {"generation", "rows", "scores", "failed", "state"}
    written, _ = journal.read(tmp_path / "run" / "journal.jsonl")
    assert all({"measured", "births"} <= set(record) for record in written[1:])


@dataclass(frozen=True)
class Leaving(Exploit):
    """Leaves a word, as a cohort leaves who is who."""

    def run(self, search: Search) -> None:
        search.leave("word", lambda: search.generation)
        super().run(search)


@dataclass(frozen=True)
class Watching(Walk):
    """Notes whether the word is there before each evaluation."""

    seen: ClassVar[list[bool]] = []
    place: ClassVar[list[Path]] = []

    def evaluate(self, phenotypes: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        self.seen.append((self.place[-1] / "word.json").is_file())
        return super().evaluate(phenotypes, rng)


def test_what_an_algorithm_leaves_is_there_after_the_first_new_generation(tmp_path: Path) -> None:
    run = Run(Watching(), Growing(4), Leaving(), generations=3, seed=0)
    Watching.place.append(tmp_path)
    execute(run, tmp_path)
    assert Watching.seen == [False, True, True]
    (tmp_path / "word.json").unlink()
    Watching.seen.clear()
    execute(replace(run, generations=5), tmp_path)
    assert Watching.seen == [False, True]


@dataclass(frozen=True)
class Telling(Growing):
    """Has two features, and journals hold one of them."""

    def features(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        first, second = self.layout.view(rows, "values").to(torch.float64)[:, :2].unbind(1)
        return {"complexity": self.complexity(rows), "first": first, "second": second}

    @property
    def recorded_features(self) -> tuple[str, ...]:
        return ("second",)


@pytest.mark.parametrize("algorithm", [Exploit(), MuPlusLambda(6)], ids=["states kept", "no states"])
def test_journals_hold_the_features_that_a_genome_names(tmp_path: Path, algorithm: Algorithm) -> None:
    run = Run(Walk(), Telling(4), algorithm, generations=3, seed=0)
    execute(run, tmp_path / "named")
    records = journal.read(tmp_path / "named" / "journal.jsonl")[0][1:]
    assert [list(record["features"]) for record in records] == [["second"]] * 3
    born = run.genome.sample(6, seeds.rng(0, "sample", 0))
    assert records[0]["features"]["second"] == pytest.approx(
        run.genome.layout.view(born, "values")[:, 1].tolist(), rel=1e-5
    )
    execute(replace(run, genome=Growing(4)), tmp_path / "unnamed")
    assert not any("features" in record for record in journal.read(tmp_path / "unnamed" / "journal.jsonl")[0])


def test_journals_hold_the_settings_of_learners_that_evolve(tmp_path: Path) -> None:
    problem = DriftingStream(lifelong=False)
    genome = Learner.for_problem(problem, hidden=(2,), evolve=("replacement_rate", "step_size"))
    execute(Run(problem, genome, MuPlusLambda(5), generations=2, seed=0), tmp_path)
    records = journal.read(tmp_path / "journal.jsonl")[0][1:]
    assert [set(record["features"]) for record in records] == [{"step_size", "replacement_rate"}] * 2
    born = genome.layout.view(genome.sample(5, seeds.rng(0, "sample", 0)), "step_size")
    assert records[0]["features"]["step_size"] == pytest.approx(born.tolist(), rel=1e-5)


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
