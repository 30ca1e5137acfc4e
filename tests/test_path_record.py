"""Paths read back: shares and frozen modules against counts by hand, frames at equal distances, damage refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from task_folder import course, write_paths, write_tasks

from evo.path_record import PathRecord, path_records
from evo.run import CampaignError

FIRST = {"0 1/2": 6, "0/2 0": 3, "2/1": 1}
SECOND = {"1 2/0": 4, "0/2": 6}


def written(folder: Path, after: str | None = "freeze", generations: int = 2) -> Path:
    """A run of two tasks on layers of three modules; the first kept modules 0 and 1 of layer 0, and 2 of layer 1."""
    courses = [course(0, 0, modules=((0, 1), (2, 2))), course(0, 1, modules=((2, 2), (0, 0)))]
    write_tasks(folder, {"pathnet": [[*courses, course(1, 0, modules=((2, 2), (1, 1)))]]})
    if after is not None:
        described = json.loads((folder / "campaign.json").read_text())
        described["configuration"]["variants"]["pathnet"]["problem"]["settings"]["after"] = after
        (folder / "campaign.json").write_text(json.dumps(described))
    run = folder / "pathnet" / "seed-0"
    half = generations // 2
    shown = [(number, int(number >= half), SECOND if number >= half else FIRST) for number in range(generations)]
    write_paths(run, (3, 3), shown)
    return run


def record(folder: Path, after: str | None = "freeze", generations: int = 2) -> PathRecord:
    written(folder, after, generations)
    (found,) = path_records(folder)
    return found


def test_shares_are_counts_over_individuals(tmp_path: Path) -> None:
    first, second = record(tmp_path).snapshots
    np.testing.assert_allclose(first.use(0, 3), [0.9, 0.6, 0.1])
    np.testing.assert_allclose(first.use(1, 3), [0.3, 0.1, 0.9])
    assert first.lines() == {
        (0, 0, 2): 0.9,
        (0, 1, 2): 0.6,
        (0, 0, 0): 0.3,
        (0, 2, 1): 0.1,
    }
    assert second.lines() == {(0, 0, 2): 0.6, (0, 1, 0): 0.4, (0, 2, 0): 0.4}
    assert first.kept == (frozenset({0, 1}), frozenset({2}))


def test_what_the_same_replicate_kept_before_is_frozen(tmp_path: Path) -> None:
    found = record(tmp_path)
    assert [one.frozen for one in found.snapshots] == [(frozenset(), frozenset()), (frozenset({0, 1}), frozenset({2}))]
    assert (found.held, found.variant, found.seed, found.replicate) == ("frozen", "pathnet", 0, 0)


@pytest.mark.parametrize("after", ["keep", "renew"])
def test_nothing_is_frozen_where_nothing_is(tmp_path: Path, after: str) -> None:
    assert not any(any(one.frozen) for one in record(tmp_path, after).snapshots)


def test_of_other_problems_it_is_only_said_that_modules_were_kept(tmp_path: Path) -> None:
    found = record(tmp_path, None)
    assert found.held == "kept by earlier tasks"
    assert found.snapshots[1].frozen == (frozenset({0, 1}), frozenset({2}))


@pytest.mark.parametrize(("generations", "expected"), [(2, [0, 1]), (9, [*range(9)]), (65, [*range(0, 65, 8)])])
def test_frames_are_at_equal_distances(tmp_path: Path, generations: int, expected: list[int]) -> None:
    assert [one.generation for one in record(tmp_path, generations=generations).frames()] == expected


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("evo.paths/1", "evo.paths/9", "later version"),
        ('"0 1/2"', '"0 7/2"', "not as it should be"),
        ('"0 1/2"', '"0 -1/2"', "not as it should be"),
        ('"0 1/2"', '"0 1"', "not as it should be"),
        ('"0 1/2"', '"<b>/2"', "not as it should be"),
        ('"individuals": 10', '"individuals": 0', "not as it should be"),
        ('"individuals": 10', '"individuals": 5', "not as it should be"),
        ('"counts"', '"count"', "not as it should be"),
        ("}", "", "no JSON"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = written(tmp_path) / "paths.json"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(CampaignError, match=said):
        path_records(tmp_path)
