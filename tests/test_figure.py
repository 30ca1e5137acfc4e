"""The printed figure: what matplotlib is told to draw, by the artists of the figure, and the files that come out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats
from study_folder import write_campaign, write_run

from evo.cli import main
from evo.cohort_record import CohortRecord, studies
from evo.figure import draw, figure, usual
from evo.run import CampaignError

LABELS = ("step_size 0.01", "replacement_rate 0.0001")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def study(folder: Path, generations: int = 12, labels: tuple[str, ...] = LABELS) -> tuple[CohortRecord, np.ndarray]:
    """A cohort on five streams, and its scores `[generations, settings, streams]`."""
    scores = noise(generations, len(labels), 5)
    flat = scores.reshape(generations, -1)
    dead = np.abs(noise(generations, flat.shape[1], 2, seed=1)) / 10
    measured = {"loss": flat[..., None], "dead": dead, "gradient_norm": np.abs(flat), "saturated": 0.0 * dead}
    write_campaign(folder)
    write_run(folder / "default" / "seed-0", flat, measured, None, labels, (3, 4, 5, 6, 7))
    return studies(folder)[0], scores


def lines(axes: Any) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata()) for line in axes.get_lines()]


def test_lines_are_means_and_bands_their_intervals(tmp_path: Path) -> None:
    record, scores = study(tmp_path)
    drawn = draw(record, ["score", "dead"])
    first = drawn.axes[0]
    assert first.get_ylabel() == "Squared error"
    assert drawn.axes[1].get_ylabel() == "Dead units\n(% of hidden units)"
    for line, band, values in zip(lines(first), first.collections, scores.transpose(1, 0, 2), strict=True):
        np.testing.assert_array_equal(line[:, 0], np.arange(1, 13))
        np.testing.assert_allclose(line[:, 1], values.mean(1))
        low, high = stats.t.interval(0.95, 4, values.mean(1), stats.sem(values, axis=1))
        corners = {(round(x, 9), round(y, 9)) for x, y in band.get_paths()[0].vertices}
        expected = [*zip(range(1, 13), low, strict=True), *zip(range(1, 13), high, strict=True)]
        assert {(float(x), round(y, 9)) for x, y in expected} <= corners
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["step size 0.01", "replacement rate 0.0001"]
    assert "Lines: mean over 5 streams" in drawn.texts[0].get_text()


def test_nothing_overlaps_and_all_is_inside(tmp_path: Path) -> None:
    """Fourteen long labels, four panels: legend, caption and panels have places of their own."""
    labels = tuple(f"step_size {number}, replacement_rate 0.0001, utility contribution" for number in range(14))
    record, _ = study(tmp_path, labels=labels)
    for width, names in ((183.0, ["score", "dead", "gradient_norm"]), (89.0, ["score", "dead"])):
        drawn = draw(record, names, width)
        renderer = FigureCanvasAgg(drawn).get_renderer()
        drawn.draw(renderer)
        parts = [axes.get_tightbbox(renderer) for axes in drawn.axes if axes.get_visible()]
        parts += [drawn.legends[0].get_window_extent(renderer), drawn.texts[0].get_window_extent(renderer)]
        page = drawn.bbox
        for number, one in enumerate(parts):
            assert page.x0 <= one.x0 < one.x1 <= page.x1 + 1e-6
            assert page.y0 <= one.y0 < one.y1 <= page.y1 + 1e-6
            for other in parts[:number]:
                apart = one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
                assert apart, (number, one, other)


def test_every_line_looks_different(tmp_path: Path) -> None:
    record, _ = study(tmp_path, labels=tuple(f"setting {number}" for number in range(20)))
    drawn = draw(record, ["score"]).axes[0].get_lines()
    assert len({(line.get_color(), str(line._dash_pattern)) for line in drawn}) == 20


def many(folder: Path, count: int = 30) -> CohortRecord:
    """A cohort of many lines, on two streams; line n has an error of (7 n) % 30 in the last tenth, the best 0.

    Before that tenth it is the other way round. One of the two learners of line 0, the best, fails at the end.
    """
    errors = np.tile(np.repeat(7.0 * np.arange(count) % count, 2), (20, 1))
    errors[:18] = count - errors[:18]
    errors[19, 0] = np.nan
    write_campaign(folder)
    labels = [f"setting {number}" for number in range(count)]
    write_run(folder / "default" / "seed-0", errors, {"loss": errors}, None, labels, (0, 1))
    return studies(folder)[0]


def test_of_many_lines_the_best_are_drawn_in_their_order_and_none_looks_like_another(tmp_path: Path) -> None:
    record = many(tmp_path)
    drawn = draw(record, ["score"])
    shown = drawn.axes[0].get_lines()
    expected = [number for number in range(1, 30) if 7 * number % 30 <= 24]
    assert [line.get_label() for line in shown] == [f"setting {number}" for number in expected]
    assert len({(line.get_color(), str(line._dash_pattern)) for line in shown}) == len(shown) == 24
    assert len(drawn.legends[0].get_texts()) == 24
    said = "24 of 30 lines: the best by squared error over the last 2 segments; evo figure --settings chooses others."
    assert said in drawn.texts[0].get_text().replace("\n", " ")
    only = draw(record.only([1, 30]), ["score"])
    assert [line.get_label() for line in only.axes[0].get_lines()] == ["setting 0", "setting 29"]
    assert "30 lines" not in only.texts[0].get_text()


def test_more_is_better_where_the_problem_says_so(tmp_path: Path) -> None:
    record = replace(many(tmp_path), maximize=True)
    shown = draw(record, ["score"]).axes[0].get_lines()
    expected = [number for number in range(1, 30) if 7 * number % 30 >= 6]
    assert [line.get_label() for line in shown] == [f"setting {number}" for number in expected]


def test_long_captions_have_room(tmp_path: Path) -> None:
    drawn = draw(many(tmp_path), ["score"], 89.0)
    renderer = FigureCanvasAgg(drawn).get_renderer()
    drawn.draw(renderer)
    caption, legend = drawn.texts[0].get_window_extent(renderer), drawn.legends[0].get_window_extent(renderer)
    assert "\n" in drawn.texts[0].get_text()
    assert drawn.bbox.x0 <= caption.x0 < caption.x1 <= drawn.bbox.x1
    assert drawn.bbox.y0 <= caption.y0 < caption.y1 <= legend.y0
    assert legend.y1 <= drawn.axes[0].get_tightbbox(renderer).y0


def test_more_settings_than_can_be_told_apart_are_refused(tmp_path: Path) -> None:
    many(tmp_path)
    with pytest.raises(ValueError, match=r"--settings: 25 lines cannot be told apart.*name at most 24, or none for"):
        figure(tmp_path, settings=range(1, 26))
    assert not (tmp_path / "study.png").exists()
    assert figure(tmp_path, settings=range(1, 25)) == [tmp_path / "study.png"]


def test_bands_end_where_no_number_can_be(tmp_path: Path) -> None:
    """Two streams: the interval of shares of 0 and 1 reaches far below 0 and above 100 percent."""
    shares = np.tile([0.0, 1.0, 0.4, 0.6], (3, 1))[..., None]
    write_campaign(tmp_path, genome={"name": "mine"})
    write_run(tmp_path / "default" / "seed-0", noise(3, 4), {"dead": shares}, None, LABELS, (0, 1))
    (axes,) = draw(studies(tmp_path)[0], ["dead"]).axes
    for band in axes.collections:
        heights = band.get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == (0.0, 100.0)
    assert axes.get_ylim()[0] >= 0.0
    assert axes.get_ylim()[1] <= 110.0
    assert max(axes.get_yticks()) == 100.0


def test_panels_are_in_balanced_rows_with_letters(tmp_path: Path) -> None:
    record, _ = study(tmp_path)
    drawn = draw(record, ["score", "dead", "gradient_norm", "loss"])
    places = [axes.get_subplotspec() for axes in drawn.axes]
    assert [(place.rowspan.start, place.colspan.start) for place in places] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [axes.texts[0].get_text() for axes in drawn.axes] == ["a", "b", "c", "d"]
    assert [axes.get_xlabel() for axes in drawn.axes] == ["", "", "Segment", "Segment"]
    assert drawn.get_figwidth() == pytest.approx(183 / 25.4)


def test_usual_panels_leave_out_what_is_not_there(tmp_path: Path) -> None:
    assert usual(study(tmp_path)[0]) == ["score", "dead"]


def test_long_runs_are_drawn_through_stretches(tmp_path: Path) -> None:
    record, scores = study(tmp_path, 600)
    drawn = draw(record, ["score"])
    assert all(len(line) == 200 for line in lines(drawn.axes[0]))
    assert lines(drawn.axes[0])[1][7, 1] == pytest.approx(scores[21:24, 1].mean())
    assert "A point is the mean of 3 segments." in drawn.texts[0].get_text()


def test_populations_are_medians_with_decades_and_off(tmp_path: Path) -> None:
    write_campaign(tmp_path, seeds=(0, 1), algorithm="population-based-training")
    steps = np.exp(3.0 * noise(6, 8))
    steps[3:] = 0.0
    for seed in (0, 1):
        scores = noise(6, 8, seed=seed)
        write_run(tmp_path / "default" / f"seed-{seed}", scores, {"loss": scores}, {"step_size": steps * (1 + seed)})
    (record,) = studies(tmp_path)
    assert usual(record) == ["score", "step_size"]
    score, gene = draw(record, usual(record)).axes
    np.testing.assert_allclose(lines(score)[1][:, 1], np.median(noise(6, 8, seed=1), axis=1))
    assert (score.get_yscale(), gene.get_yscale()) == ("linear", "log")
    np.testing.assert_allclose(lines(gene)[0][:3, 1], np.median(steps[:3], axis=1))
    floor = lines(gene)[0][3:, 1]
    assert len(set(floor)) == 1
    assert gene.get_yticks()[0] == floor[0]
    assert gene.get_yticklabels()[0].get_text() == "0"


def test_one_generation_is_dots(tmp_path: Path) -> None:
    record, scores = study(tmp_path, 1)
    (axes,) = draw(record, ["score"]).axes
    assert [line.get_marker() for line in axes.get_lines()] == ["o", "o"]
    assert [float(line[0, 1]) for line in lines(axes)] == pytest.approx(scores[0].mean(1).tolist())


def test_failures_leave_gaps(tmp_path: Path) -> None:
    scores = noise(4, 4)
    scores[2, :2] = np.nan
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", scores, {"loss": scores}, None, LABELS, (0, 1))
    first, second = lines(draw(studies(tmp_path)[0], ["score"]).axes[0])
    assert np.isnan(first[:, 1]).tolist() == [False, False, True, False]
    assert np.isfinite(second).all()


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_command_writes_the_file(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    study(tmp_path / "run")
    before = dict(mpl.rcParams)
    target = tmp_path / f"figure.{suffix}"
    command = ["figure", str(tmp_path / "run"), "--out", str(target), "--panels", "loss, dead", "--settings", "2"]
    assert main([*command, "--width", "89"]) == 0
    assert capsys.readouterr().out == f"figure: {target}\n"
    start = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[suffix]
    assert target.read_bytes().startswith(start)
    assert dict(mpl.rcParams) == before
    if suffix == "png":
        width = int.from_bytes(target.read_bytes()[16:20], "big")
        assert width == pytest.approx(89 / 25.4 * 300, abs=1)


def test_it_is_beside_the_study_by_default_one_for_each(tmp_path: Path) -> None:
    write_campaign(tmp_path, ("fixed", "evolving"), algorithm="")
    write_run(tmp_path / "fixed" / "seed-0", noise(2, 2), {"loss": noise(2, 2)}, None, LABELS, (0,))
    write_run(tmp_path / "evolving" / "seed-0", noise(2, 2), {"loss": noise(2, 2)}, {"step_size": np.ones((2, 2))})
    written = figure(tmp_path, panels=["score"])
    assert written == [tmp_path / "study.png", tmp_path / "study-2.png"]
    assert all(path.is_file() for path in written)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--panels", "ded"], "'ded': nothing of that name was recorded; there are score, dead"),
        (["--settings", "3"], r"expected numbers from 1 to 2, got \[3\]; there are 1 (step size 0.01)"),
        (["--settings", "all"], "--settings: expected numbers with commas between them"),
        (["--width", "10"], "expected millimetres from 58"),
        (["--out", "study.txt"], "expected a file whose name ends in .png, .pdf, .svg, got 'study.txt'"),
        (["--out", "no/such/folder.png"], "there is no folder no/such"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    study(tmp_path)
    assert main(["figure", str(tmp_path), *arguments]) == 1
    told = capsys.readouterr().err
    assert said.replace("\\", "") in told
    assert len(told.splitlines()) == 1


def test_nothing_to_draw_is_told(tmp_path: Path) -> None:
    write_campaign(tmp_path)
    with pytest.raises(CampaignError, match="nothing to draw is recorded yet"):
        figure(tmp_path)
    nothing = np.full((2, 2), np.nan)
    write_run(tmp_path / "default" / "seed-0", nothing, {"loss": nothing}, None, LABELS, (0,))
    with pytest.raises(CampaignError, match="no finite number was recorded"):
        figure(tmp_path)
    with pytest.raises(ValueError, match="no finite number was recorded"):
        figure(tmp_path, panels=["loss"])


def test_matplotlib_is_imported_only_to_draw() -> None:
    code = "import sys, evo.figure, evo.show; print([name for name in sys.modules if name.startswith('matplotlib')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
