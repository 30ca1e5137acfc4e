"""The diary of paths: it says what was evaluated, stays small, and is the same bytes after a run was cut off."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from algorithms.conftest import Bounded
from algorithms.task_runs import GENOME, Evaluated, HiddenModules, task_run

from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.path_diary import MOST_NUMBERS, MOST_PATHS, MOST_SNAPSHOTS, diary_for
from evo.algorithms.random_pathways import RandomPathways
from evo.run import Run, execute
from genomes.pathway import Pathway


def counted(one: Evaluated, replicate: int) -> Counter[tuple[frozenset[int], ...]]:
    """How often each path was evaluated for a replicate."""
    mine = one.pathways.modules[one.pathways.replicate == replicate].tolist()
    return Counter(tuple(frozenset(layer) for layer in path) for path in mine)


def read(text: str) -> tuple[frozenset[int], ...]:
    return tuple(frozenset(map(int, layer.split(" "))) for layer in text.split("/"))


def test_every_snapshot_is_the_population_of_the_first_replicate() -> None:
    """Of random pathways all are evaluated, so the population is known independently; the last task goes on."""
    run = task_run(RandomPathways(contestants=5, replicates=2, tasks=3, generations_per_task=30), generations=88)
    book: dict[str, Any] = run.search.left["paths"]()
    assert (book["format"], book["counts"], book["replicate"], book["every"]) == ("evo.paths/1", [6, 6, 6], 0, 2)
    assert [one["generation"] for one in book["snapshots"]] == [*range(0, 88, 2), 87]
    best: dict[int, tuple[float, Any]] = {}
    expected = {}
    for number, one in enumerate(run.generations):
        task = number // 30
        for (modules, _), score in zip(*run.of(0)[number], strict=True):
            if score >= best.get(task, (-1.0, None))[0]:
                best[task] = score, tuple(frozenset(layer) for layer in modules)
        expected[number] = task, counted(one, 0), best[task][1]
    for snapshot in book["snapshots"]:
        task, paths, kept = expected[snapshot["generation"]]
        assert snapshot["task"] == task
        assert snapshot["individuals"] == 5
        assert {read(text): count for text, count in snapshot["paths"].items()} == paths
        assert [*snapshot["paths"].values()] == sorted(snapshot["paths"].values(), reverse=True)
        assert read(snapshot["kept"]) == kept


@pytest.mark.parametrize("generations", [1, 63, 64, 65, 129, 700])
def test_it_stays_small_however_long_a_run_is(generations: int) -> None:
    run = task_run(BinaryTournament(6), generations=generations)
    moments = [one["generation"] for one in run.search.left["paths"]()["snapshots"]]
    assert len(moments) <= MOST_SNAPSHOTS + 1
    assert len(moments) > min(generations, MOST_SNAPSHOTS // 2) - 1
    assert (moments[0], moments[-1]) == (0, generations - 1)
    apart = {later - earlier for earlier, later in pairwise(moments[:-1])}
    assert len(apart) <= 1


def test_of_very_many_or_very_long_paths_the_rarest_are_left_out() -> None:
    many = task_run(BinaryTournament(300), generations=1).search.left["paths"]()["snapshots"][0]
    assert (many["individuals"], len(many["paths"])) == (300, MOST_PATHS)
    wide = Pathway((500, 500), active=200)
    long = task_run(BinaryTournament(40), generations=1, genome=wide, score=lambda p: p.task.double())
    (snapshot,) = long.search.left["paths"]()["snapshots"]
    assert len(snapshot["paths"]) == MOST_NUMBERS // 400


def test_a_run_that_is_resumed_leaves_the_same_bytes(tmp_path: Path) -> None:
    tournament = BinaryTournament(8, replicates=2, tasks=2, generations_per_task=50)
    run = Run(HiddenModules(), GENOME, tournament, 200, seed=2)
    execute(run, tmp_path / "whole")
    whole = (tmp_path / "whole" / "paths.json").read_bytes()
    lines = (tmp_path / "whole" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) > MOST_SNAPSHOTS + 2, "snapshots have been thinned out"
    for kept in (2, len(lines) // 2, len(lines)):
        folder = tmp_path / f"cut-{kept}"
        folder.mkdir()
        (folder / "journal.jsonl").write_bytes(b"".join(lines[:kept]))
        execute(run, folder)
        assert (folder / "paths.json").read_bytes() == whole
    assert json.loads(whole)["every"] == 2


def test_genomes_without_paths_have_no_diary() -> None:
    assert diary_for(Bounded()) is None
    assert diary_for(GENOME) is not None
