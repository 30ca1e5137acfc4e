"""Problems with a state: a run hands it on, stores it, and goes on from it to the byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo import Campaign, problem_state
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.algorithms.population_based_training import PopulationBasedTraining
from evo.journal import encode, read
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective
from evo.problem_state import KEPT, StoredStates
from evo.run import CampaignError, Run, execute
from evo.stateful import State, StatefulProblem
from genomes.vector import Vector

GENERATIONS = 9


@dataclass(frozen=True)
class Trail(StatefulProblem):
    """Each vector moves a point a tenth of the way to itself, in order, and scores how far the point still is."""

    name: ClassVar[str] = "trail-v1"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("closeness"),)
    calls: ClassVar[list[int]] = []

    fails_at: int = -1

    def begin(self, rng: np.random.Generator) -> State:
        return {"point": torch.from_numpy(rng.normal(size=3)), "moves": torch.tensor(0)}

    def evaluate_from(self, phenotypes: Any, rng: np.random.Generator, state: State) -> tuple[Outcomes, State]:
        self.calls.append(len(phenotypes))
        if len(self.calls) - 1 == self.fails_at:
            raise ArithmeticError("on purpose")
        point, scores = state["point"], []
        for vector in phenotypes.to(torch.float64):
            point = point + 0.1 * (vector - point) + 1e-3 * torch.from_numpy(rng.normal(size=3))
            scores.append(-(vector - point).norm())
        moves = state["moves"] + len(phenotypes)
        return outcomes_of(torch.stack(scores)[:, None]), {"point": point, "moves": moves}


RUN = Run(Trail(), Vector(3), MuPlusLambda(5), generations=GENERATIONS, seed=2)
RESULTS = ("journal.jsonl", "champion.json", "archive.json")


@pytest.fixture(autouse=True)
def every_state_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StoredStates, "due", True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoredStates, "due", True)
        execute(RUN, folder)
    return folder


def states(folder: Path) -> list[Path]:
    return sorted(folder.glob("problem-*.state"))


def cut(lines: int) -> Callable[[Path], None]:
    def cutting(folder: Path) -> None:
        path = folder / "journal.jsonl"
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-lines]))

    return cutting


def remove_last(folder: Path) -> None:
    states(folder)[-1].unlink()


def damage_last(folder: Path) -> None:
    content = bytearray(states(folder)[-1].read_bytes())
    content[-40] ^= 1
    states(folder)[-1].write_bytes(bytes(content))


def empty_last(folder: Path) -> None:
    states(folder)[-1].write_bytes(b"")


def remove_all(folder: Path) -> None:
    for path in states(folder):
        path.unlink()
    (folder / "champion.json").unlink()


def of_another_run(folder: Path) -> None:
    other = folder.parent / "another"
    execute(replace(RUN, seed=3), other)
    shutil.copyfile(states(other)[-1], states(folder)[-1])


@pytest.mark.parametrize(
    ("harm", "again"),
    [
        (cut(1), 1),
        (cut(GENERATIONS), GENERATIONS),
        (remove_last, 1),
        (damage_last, 1),
        (empty_last, 1),
        (of_another_run, 1),
        (remove_all, GENERATIONS),
    ],
)
def test_a_run_goes_on_from_the_last_state_that_fits_its_journal(
    finished: Path, tmp_path: Path, harm: Callable[[Path], None], again: int
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    harm(folder)
    Trail.calls.clear()
    execute(RUN, folder)
    assert len(Trail.calls) == again
    for name in RESULTS:
        assert (folder / name).read_bytes() == (finished / name).read_bytes(), name
    assert states(folder)[-1].read_bytes() == states(finished)[-1].read_bytes()


def test_a_run_continued_in_pieces_is_the_run_without_a_break(finished: Path, tmp_path: Path) -> None:
    for generations in (2, 3, 7, GENERATIONS):
        execute(replace(RUN, generations=generations), tmp_path / "run")
    for name in RESULTS:
        assert (tmp_path / "run" / name).read_bytes() == (finished / name).read_bytes(), name


def test_the_state_is_handed_on_and_only_the_last_ones_are_kept(finished: Path) -> None:
    state = problem_state.read(finished)
    records = read(finished / "journal.jsonl")[0][1:]
    assert int(state["moves"]) == sum(len(record["scores"]) for record in records) > 5 * GENERATIONS
    assert [path.name for path in states(finished)] == ["problem-000000007.state", "problem-000000008.state"]
    assert len(states(finished)) == KEPT


def test_states_are_stored_now_and_then_and_always_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StoredStates, "due", False)
    execute(RUN, tmp_path)
    assert [path.name for path in states(tmp_path)] == ["problem-000000008.state"]


def test_an_evaluation_that_raises_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    run = replace(RUN, problem=Trail(fails_at=4))
    Trail.calls.clear()
    with pytest.raises(CampaignError, match="on purpose"):
        execute(run, tmp_path)
    records = read(tmp_path / "journal.jsonl")[0][1:]
    assert len(records) == 5
    assert int(problem_state.read(tmp_path)["moves"]) == sum(len(record["scores"]) for record in records[:-1])


def test_a_run_that_ended_without_a_state_left_stays_as_it_is(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    for path in states(folder):
        path.unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    Trail.calls.clear()
    execute(RUN, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert Trail.calls == []


def test_evaluating_without_a_run_begins_anew_each_time() -> None:
    vectors = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    scores = [Trail().evaluate(vectors, np.random.default_rng(5)).scores for _ in range(2)]
    assert torch.equal(*scores)


def test_a_file_of_a_state_is_read_without_pickle(tmp_path: Path) -> None:
    record = {"generation": 4, "rows": "0", "scores": [[1.0]], "failed": {}}
    store = StoredStates(tmp_path)
    store.save(record, {"weights": torch.arange(6.0).view(2, 3), "frozen": torch.tensor([True, False])})
    found = StoredStates(tmp_path).latest([*[{**record, "generation": number} for number in range(4)], record])
    assert found is not None
    assert found[0] == 4
    assert torch.equal(found[1]["weights"], torch.arange(6.0).view(2, 3))
    assert found[1]["frozen"].tolist() == [True, False]
    assert StoredStates(tmp_path).latest([{**record, "generation": n, "rows": "1"} for n in range(5)]) is None


def test_a_state_that_is_no_tensor_is_refused() -> None:
    record = {"generation": 0, "rows": "0", "scores": [], "failed": {}}
    with pytest.raises(TypeError, match=r"expected tensors by name, got \{'task': 'int'\}"):
        problem_state.encode(record, {"task": 3})  # type: ignore[dict-item]


def test_a_campaign_refuses_rows_that_learn_beside_a_state() -> None:
    with pytest.raises(ValueError, match="keeps what is learned in a state of its own"):
        Campaign(Trail(), Vector(3), PopulationBasedTraining(5))


def test_reading_a_state_says_what_is_missing(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="0 runs"):
        problem_state.read(tmp_path)
    (tmp_path / "journal.jsonl").write_bytes(encode(json.loads('{"format": "evo.journal/1"}')))
    with pytest.raises(FileNotFoundError, match="no whole state"):
        problem_state.read(tmp_path)
