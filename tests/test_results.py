"""Results of experiments: each run counts once, half lines do not, and other settings are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evo.interval import in_words, mean_interval
from evo.results import Results

NAMES = ("method", "seed")


def test_a_run_counts_once_and_its_last_line_counts(tmp_path: Path) -> None:
    results = Results(tmp_path / "new", NAMES, {"seconds": 5})
    for method, x in (("a", 1), ("b", 2), ("a", 3)):
        results.add({"method": method, "seed": 0, "x": x})
    assert [line["x"] for line in results.lines()] == [3, 2]
    assert results.has(method="b", seed=0)
    assert not results.has(method="b", seed=1)
    assert Results(tmp_path / "new", NAMES).lines() == results.lines()  # reading asks for no settings
    assert Results(tmp_path / "new", NAMES, {"seconds": 5}).lines() == results.lines()


def test_a_half_written_line_is_none_and_goes_with_the_next(tmp_path: Path) -> None:
    results = Results(tmp_path, NAMES, {})
    results.add({"method": "a", "seed": 0})
    with results.file.open("a") as out:
        out.write('{"method": "b", "se')
    assert len(results.lines()) == 1
    results.add({"method": "c", "seed": 0})
    assert [line["method"] for line in results.lines()] == ["a", "c"]
    assert len(results.file.read_text().splitlines()) == 2


@pytest.mark.parametrize("line", ["{]", '{"method": "a"}', "3"])
def test_a_damaged_line_is_told(tmp_path: Path, line: str) -> None:
    results = Results(tmp_path, NAMES, {})
    results.add({"method": "a", "seed": 0})
    with results.file.open("a") as out:
        out.write(line + "\n")
    with pytest.raises(ValueError, match=r"line 2: no result .*; delete the line"):
        results.lines()


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    Results(tmp_path, NAMES, {"seconds": 5, "filters": (1, 2)})
    Results(tmp_path, NAMES, {"seconds": 5, "filters": (1, 2)})
    with pytest.raises(ValueError, match=r"other settings: seconds=5 \(asked for: 6\); choose"):
        Results(tmp_path, NAMES, {"seconds": 6, "filters": (1, 2)})


def test_results_without_settings_are_not_added_to(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text('{"method": "a", "seed": 0}\n')
    with pytest.raises(ValueError, match="no settings say of what"):
        Results(tmp_path, NAMES, {"seconds": 5})


def test_what_failed_is_told_and_never_averaged_away() -> None:
    values = np.array([0.2, 0.21, 0.25])
    centre, half = mean_interval(values)
    assert in_words(values) == f"{centre:.3f} ± {half:.3f}"
    assert in_words(values[:1], 1) == "0.2"
    assert in_words(np.array([0.2, np.nan, np.inf, 1e300])) == "3 of 4 failed"
