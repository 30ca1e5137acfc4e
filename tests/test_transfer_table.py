"""Tasks under several conditions, in numbers: against means, ratios and areas worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from task_folder import course, write_tasks

from evo.bootstrap import mean_interval, ratio_interval
from evo.cli import main
from evo.run import CampaignError
from evo.task_record import TaskRecord, task_record
from evo.transfer import Transfer, area, transfers
from evo.transfer_table import sentences, transfer_table


def recorded(folder: Path) -> TaskRecord:
    record = task_record(folder)
    assert record is not None
    return record


def two_conditions(folder: Path, **options: Any) -> TaskRecord:
    """Of two seeds with two replicates each: generations 2 to 5 with transfer, twice as many without."""

    def books(factor: int) -> list[list[dict[str, Any]]]:
        return [
            [course(replicate, 1, [0.5] * (factor * (2 + 2 * seed + replicate) - 1) + [1.0]) for replicate in range(2)]
            for seed in range(2)
        ]

    return recorded(write_tasks(folder, {"pathnet": books(1), "de-novo": books(2)}, **options))


def told(**changes: Any) -> str:
    """Return a book of one task with something changed."""
    return json.dumps({"format": "evo.tasks/1", "objective": "a", "courses": [course(0, 0, [0.5]) | changes]})


def named(found: list[Transfer]) -> dict[str, Transfer]:
    return {one.condition: one for one in found}


def test_generations_are_means_over_seeds_and_replicates(tmp_path: Path) -> None:
    found = named(transfers(two_conditions(tmp_path), "de-novo"))
    pathnet, control = found["pathnet"], found["de-novo"]
    assert (pathnet.runs, pathnet.reached, pathnet.unfinished, pathnet.task) == (4, 1.0, 0, 1)
    assert pathnet.generations.value == pytest.approx(np.mean([2, 3, 4, 5]))
    assert control.generations.value == pytest.approx(np.mean([4, 6, 8, 10]))
    assert 2 <= pathnet.generations.low < 3.5 < pathnet.generations.high <= 5
    assert pathnet.gain_in_generations is not None
    assert pathnet.gain_in_generations.value == pytest.approx(2.0)
    assert 1 < pathnet.gain_in_generations.low < 2 < pathnet.gain_in_generations.high
    assert (control.gain_in_generations, control.gain_in_area) == (None, None)


def test_areas_are_over_as_many_generations_as_the_longest_took(tmp_path: Path) -> None:
    found = named(transfers(two_conditions(tmp_path), "de-novo"))
    expected = {}
    for name, lengths in (("pathnet", (2, 3, 4, 5)), ("de-novo", (4, 6, 8, 10))):
        expected[name] = np.mean([(0.5 * (length - 1) + 1.0 * (10 - length + 1)) / 10 for length in lengths])
        assert found[name].area.value == pytest.approx(expected[name])
    gain = found["pathnet"].gain_in_area
    assert gain is not None
    assert gain.value == pytest.approx(expected["pathnet"] / expected["de-novo"])


def test_where_less_is_better_gains_turn_round(tmp_path: Path) -> None:
    up = named(transfers(two_conditions(tmp_path / "up"), "de-novo"))["pathnet"]
    down = named(transfers(two_conditions(tmp_path / "down", maximize=False), "de-novo"))["pathnet"]
    assert up.gain_in_area is not None
    assert down.gain_in_area is not None
    assert down.gain_in_area.value == pytest.approx(1 / up.gain_in_area.value)
    assert down.gain_in_generations == up.gain_in_generations, "fewer generations are better in any case"


@pytest.mark.parametrize(
    ("best", "length", "expected"),
    [
        ([0.5, 1.0], 4, (0.5 + 1 + 1 + 1) / 4),
        ([0.5, math.nan, 1.0], 3, (0.5 + 0.5 + 1) / 3),
        ([math.nan, 0.5], 2, 0.5),
        ([0.2, 0.4, 0.9], 3, 0.5),
    ],
)
def test_the_area_under_a_curve(best: list[float], length: int, expected: float) -> None:
    assert area(np.array(best), length) == pytest.approx(expected)


def test_no_area_without_a_score() -> None:
    assert math.isnan(area(np.array([math.nan]), 3))


def test_who_did_not_get_there_counts_with_the_generations_it_had(tmp_path: Path) -> None:
    courses = [course(0), course(1, best=[0.1] * 9, reached=False), course(2, best=[0.1], reached=False, ended=False)]
    record = recorded(write_tasks(tmp_path, {"a": [courses]}))
    (one,) = transfers(record)
    assert (one.runs, one.unfinished, one.reached) == (2, 1, 0.5)
    assert one.generations.value == pytest.approx((3 + 9) / 2)
    said = " ".join(sentences(record, [one], ""))
    assert "means after > are too small" in said
    assert "1 task had begun and not ended, and is left out" in said
    row = transfer_table(record).rows[0]
    assert row[:4] == ["1", "a", "2", "50%"]
    assert row[4].startswith("> 6")


def test_overlap_counts_modules_of_the_task_before_in_the_same_run(tmp_path: Path) -> None:
    books = [
        [
            course(0, 0, modules=((0, 1), (2, 2))),
            course(0, 1, modules=((1, 1), (2, 3))),  # 1 in the first layer, 2 in the second
            course(1, 0, modules=((5, 5), (5, 5))),
            course(1, 1, modules=((5, 0), (0, 1))),  # 5 in the first
        ],
        [course(0, 1, modules=((0, 1), (2, 2)))],  # without a task before
    ]
    first, second = transfers(recorded(write_tasks(tmp_path, {"a": books})))
    assert math.isnan(first.overlap.value)
    assert second.overlap.value == pytest.approx((2 + 1) / 2)
    assert first.modules.value == pytest.approx((3 + 2) / 2)


def test_forward_transfer_is_what_is_gained_of_the_area_that_was_missing(tmp_path: Path) -> None:
    books = {"after": [[course(0, 1, [0.6, 0.8])]], "before": [[course(0, 1, [0.4, 0.6])]]}
    found = named(transfers(recorded(write_tasks(tmp_path, books)), "before"))
    assert found["after"].forward_transfer is not None
    assert found["after"].forward_transfer.value == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert found["before"].forward_transfer is None
    table = transfer_table(recorded(tmp_path), "before")
    assert table.rows[0][table.heads.index("forward transfer against before")].startswith("0.4")


def test_there_is_no_forward_transfer_of_scores_that_are_no_shares(tmp_path: Path) -> None:
    books = {"after": [[course(0, 0, [3.0])]], "before": [[course(0, 0, [2.0])]]}
    found = named(transfers(recorded(write_tasks(tmp_path, books)), "before"))
    assert found["after"].forward_transfer is not None
    assert math.isnan(found["after"].forward_transfer.value)


def test_capacity_is_the_share_of_all_modules_that_paths_so_far_take(tmp_path: Path) -> None:
    books = [[course(0, 0, modules=((0, 1), (2, 2))), course(0, 1, modules=((1, 1), (2, 3)))]]  # 3, then 1 more
    folder = write_tasks(tmp_path, {"a": books})
    path = folder / "campaign.json"
    described = json.loads(path.read_text())
    described["configuration"]["variants"]["a"]["genome"] = {"name": "pathway", "settings": {"counts": [6, 4]}}
    path.write_text(json.dumps(described))
    first, second = transfers(recorded(folder))
    assert (first.capacity.value, second.capacity.value) == (pytest.approx(3 / 10), pytest.approx(4 / 10))


def test_a_sentence_says_which_control_a_gain_is_over(tmp_path: Path) -> None:
    record = two_conditions(tmp_path)
    table = transfer_table(record, "de-novo")
    assert "Gains are over the control 'de-novo', task by task" in " ".join(table.said)
    assert "gain over de-novo, generations" in table.heads
    assert table.rows[0][table.heads.index("gain over de-novo, generations")].startswith("2 (")
    assert table.rows[1][table.heads.index("gain over de-novo, generations")] == "-"
    without = transfer_table(record)
    assert "No control is named" in " ".join(without.said)
    assert not any("gain" in head for head in without.heads)
    assert all(len(row) == len(one.heads) for one in (table, without) for row in one.rows)
    with pytest.raises(ValueError, match="did you mean 'de-novo'"):
        transfers(record, "de-nov")


def test_without_a_threshold_there_are_only_areas(tmp_path: Path) -> None:
    record = two_conditions(tmp_path, thresholds=None)
    found = named(transfers(record, "de-novo"))["pathnet"]
    assert math.isnan(found.generations.value)
    assert math.isnan(found.reached)
    assert found.gain_in_generations is not None
    assert math.isnan(found.gain_in_generations.value)
    assert found.area.value > 0
    assert transfer_table(record, "de-novo").rows[0][3:5] == ["-", "-"]


def test_generations_to_different_thresholds_do_not_compare(tmp_path: Path) -> None:
    record = two_conditions(tmp_path, thresholds={"pathnet": 0.9, "de-novo": 0.8})
    found = named(transfers(record, "de-novo"))["pathnet"]
    assert found.gain_in_generations is not None
    assert math.isnan(found.gain_in_generations.value)
    assert "different thresholds" in " ".join(sentences(record, [found], "de-novo"))


def test_a_condition_without_a_control_for_its_task_gains_nothing(tmp_path: Path) -> None:
    record = recorded(write_tasks(tmp_path, {"a": [[course(task=1)]], "b": [[course(task=0)]]}))
    found = {(one.condition, one.task): one for one in transfers(record, "b")}
    assert set(found) == {("a", 1), ("b", 0)}
    gain = found["a", 1].gain_in_generations
    assert gain is not None
    assert math.isnan(gain.value)


def test_intervals_cover_as_often_as_they_say() -> None:
    """Of normal numbers, where the truth is known; 20 numbers make percentile intervals a little too narrow."""
    draws = np.random.default_rng(0)
    mean = ratio = 0
    for seed in range(300):
        above, below = draws.normal(3.0, 1.0, 20), draws.normal(2.0, 0.5, 30)
        low, high = mean_interval(above, seed=seed)
        mean += low <= 3.0 <= high
        low, high = ratio_interval(above, below, seed=seed)
        ratio += low <= 1.5 <= high
    assert 0.88 < mean / 300 < 0.99
    assert 0.88 < ratio / 300 < 0.99
    assert all(map(math.isnan, mean_interval(np.array([1.0]), seed=0)))
    assert all(map(math.isnan, ratio_interval(np.array([1.0, 2.0]), np.array([0.0, 0.0]), seed=0)))


def test_the_command_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_conditions(tmp_path)
    assert main(["table", str(tmp_path), "--control", "de-novo"]) == 0
    printed = capsys.readouterr().out
    assert "2 conditions" in printed
    assert "A task ends with a score above 0.9" in printed
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert main(["table", str(tmp_path), "--control", "de-novo", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["control"] == "de-novo"
    assert told["tasks"][0]["gain_in_generations"]["value"] == pytest.approx(2.0)
    assert told["tasks"][1]["gain_in_generations"] is None
    assert main(["table", str(tmp_path), "--control", "nobody"]) == 1
    assert "expected one of pathnet, de-novo" in capsys.readouterr().err
    assert main(["table", str(tmp_path / "pathnet" / "seed-0")]) == 0
    assert "1 condition;" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ('{"format": "evo.tasks/2", "courses": []}', "not of the format"),
        ('{"format": "evo.tasks/1", "objective": "a", "courses": [{}]}', "a course is not as it should be"),
        (told(task=10**6), "from 0 up to 10000, got 1000000"),
        (told(task=-1), "got -1"),
        (told(replicate=10**10), "from 0 up to 100000000"),
        (told(best=[[1.0]]), "of 2 dimensions"),
        (told(best="many"), "a course is not as it should be"),
    ],
)
def test_damaged_books_are_refused(tmp_path: Path, text: str, said: str) -> None:
    two_conditions(tmp_path)
    (tmp_path / "pathnet" / "seed-0" / "tasks.json").write_text(text)
    with pytest.raises(CampaignError, match=said):
        task_record(tmp_path)


def test_folders_without_tasks_have_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_conditions(tmp_path)
    for path in tmp_path.glob("*/*/tasks.json"):
        path.unlink()
    assert task_record(tmp_path) is None
    assert main(["table", str(tmp_path), "--control", "de-novo"]) == 1
    assert "left no tasks.json" in capsys.readouterr().err
    assert main(["table", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
