"""Printed figures of tasks: what matplotlib is told to draw, by the artists of the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats
from task_folder import course, write_paths, write_tasks

from evo.cli import main
from evo.figure import figure
from evo.inspect.path_film import FAINTEST
from evo.path_figure import draw_film, draw_use
from evo.path_record import PathRecord, path_records
from evo.task_curves import overlaps, task_curves
from evo.task_figure import draw_tasks, matrices
from evo.task_record import TaskRecord, task_record

PATHS = ({"0 1/2": 6, "0/2 0": 3, "2/1": 1}, {"1 2/0": 4, "0/2": 6})


def shade(share: float) -> float:
    return FAINTEST + (1 - FAINTEST) * share


def written(folder: Path) -> tuple[TaskRecord, PathRecord]:
    courses = [course(0, task, (0.5, 0.6, 1.0), modules=((0, 1), (2, 2))) for task in range(2)]
    courses += [course(1, task, (0.7, 0.9), modules=((task, 1), (1, 1))) for task in range(2)]
    write_tasks(folder, {"pathnet": [courses]})
    write_paths(folder / "pathnet" / "seed-0", (3, 3), [(n, int(n >= 3), PATHS[n >= 3]) for n in range(6)])
    record = task_record(folder)
    assert record is not None
    return record, path_records(folder)[0]


def test_curves_are_means_in_which_all_stay_to_the_end(tmp_path: Path) -> None:
    record, _ = written(tmp_path)
    drawn = draw_tasks(record, [], 89.0)
    lines = drawn.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["task 1", "task 2"]
    for line in lines:
        np.testing.assert_allclose(np.asarray(line.get_xydata(), dtype=float), [[1, 0.6], [2, 0.75], [3, 0.95]])
    (one, _) = task_curves(record)
    assert one.half[0] == pytest.approx(stats.t.ppf(0.975, 1) * stats.sem([0.5, 0.7]))


def test_a_task_that_goes_on_counts_as_far_as_it_went(tmp_path: Path) -> None:
    courses = [course(0, 0, (0.5, 0.5, 0.5)), course(1, 0, (0.9,), ended=False, reached=False)]
    record = task_record(write_tasks(tmp_path, {"pathnet": [courses]}))
    assert record is not None
    np.testing.assert_allclose(task_curves(record)[0].mean, [0.7, 0.5, 0.5])


def test_overlap_counts_shared_modules(tmp_path: Path) -> None:
    record, _ = written(tmp_path)
    expected = [[3.0, (3 + 2) / 2], [(3 + 2) / 2, (3 + 2) / 2]]
    np.testing.assert_allclose(overlaps(record.conditions["pathnet"]), expected)
    (shared,) = matrices(tmp_path, record)
    assert (shared.title, shared.full) == ("Modules shared", 3.0)
    texts = [text.get_text() for text in draw_tasks(record, [shared], 120.0).axes[1].texts]
    assert texts == ["3", "2.5", "2.5", "2.5"]


def test_the_film_has_a_picture_per_frame_with_its_shares(tmp_path: Path) -> None:
    _, paths = written(tmp_path)
    axes = [one for one in draw_film(paths, 183.0).axes if one.get_title()]
    assert [one.get_title() for one in axes] == [f"Task {1 + (n >= 3)}\nGeneration {n + 1}" for n in range(6)]
    strengths = sorted(axes[0].collections[0].get_colors()[:, 3])  # type: ignore[attr-defined]
    np.testing.assert_allclose(strengths, [shade(one) for one in (0.1, 0.3, 0.6, 0.9)])
    segments = {tuple(map(tuple, one)) for one in axes[5].collections[0].get_segments()}  # type: ignore[attr-defined]
    assert segments == {((0, 0), (1, -2)), ((0, -1), (1, 0)), ((0, -2), (1, 0))}
    orange: list[Any] = [np.round(one.get_edgecolors()[:, 0], 2).tolist() for one in grounds(axes[5])]
    assert orange == [[0.85, 0.85, 0.67], [0.67, 0.67, 0.85]]


def grounds(axes: Any) -> list[Any]:
    """The modules themselves of each layer, not their shares or the dots."""
    return [one for one in axes.collections if one.get_zorder() == 2]


def test_use_is_the_share_of_each_module(tmp_path: Path) -> None:
    _, paths = written(tmp_path)
    meshes = [one.collections[0] for one in draw_use(paths, 89.0).axes if one.collections and one.get_ylabel()]
    first = np.asarray(meshes[0].get_array()).reshape(3, 6)
    np.testing.assert_allclose(first[:, 0], [0.9, 0.6, 0.1])
    np.testing.assert_allclose(first[:, 5], [0.6, 0.4, 0.4])


def test_panels_and_captions_have_places_of_their_own(tmp_path: Path) -> None:
    record, paths = written(tmp_path)
    for drawn in (draw_tasks(record, matrices(tmp_path, record), 183.0), draw_film(paths, 183.0)):
        renderer: Any = FigureCanvasAgg(drawn).get_renderer()  # type: ignore[no-untyped-call]
        drawn.draw(renderer)
        caption = drawn.texts[0].get_window_extent(renderer)
        assert drawn.bbox.x0 <= caption.x0 < caption.x1 <= drawn.bbox.x1
        for axes in drawn.axes:
            box = axes.get_tightbbox(renderer)
            assert box is None or box.width == 0 or box.y0 >= caption.y1 - 1


def test_named_panels_are_those_of_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path)
    assert main(["figure", str(tmp_path), "--panels", "score"]) == 1
    assert "nothing to draw is recorded yet" in capsys.readouterr().err
    assert [path.name for path in figure(tmp_path)] == ["tasks.png", "tasks-film.png", "tasks-use.png"]


def test_runs_without_paths_have_their_scores(tmp_path: Path) -> None:
    write_tasks(tmp_path, {"plain": [[course(modules=None)]]})
    assert [path.name for path in figure(tmp_path, tmp_path / "mine.svg")] == ["mine.svg"]
