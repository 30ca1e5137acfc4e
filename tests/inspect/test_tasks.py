"""Pictures of tasks: what is drawn equals what was recorded, hostile words are inert, sizes are bounded."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from task_folder import course, write_paths, write_tasks

from evo.champion import Champion
from evo.inspect.module_use import LEFT, WIDTH, module_use_svg
from evo.inspect.page import champion_page
from evo.inspect.path_film import FAINTEST, film_svg, moving_data, moving_html
from evo.inspect.tasks import TaskPictures, fisher_overlap_svg, task_sections
from evo.learning.consolidation.importance import Importance
from evo.path_record import PathRecord, path_records
from evo.task_accuracy import TaskAccuracy
from evo.task_record import TaskRecord, task_record

pytest_plugins = ["browser"]

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<img src=x onerror=p()>"
PATHS = ({"0 1/2": 6, "0/2 0": 3, "2/1": 1}, {"1 2/0": 4, "0/2": 6})
CHAMPION = Champion(
    genome={"name": "pathway", "settings": {}},
    problem={"name": "some-tasks-v1", "settings": {}},
    algorithm={"name": "binary-tournament", "settings": {}},
    genes={},
    fitness={"accuracy": 0.5},
    generation=9,
    seed=0,
)


def written(folder: Path, name: str = "pathnet") -> tuple[TaskRecord, PathRecord]:
    """Two replicates with two tasks of three generations; the first replicate's paths change with the task."""
    courses = [
        course(0, 0, (0.5, 0.6, 1.0), modules=((0, 1), (2, 2))),
        course(0, 1, (0.5, 1.0), modules=((2, 0), (2, 0))),
        course(1, 0, (0.7, 1.0), modules=((0, 1), (1, 1))),
        course(1, 1, (0.3, 0.4, 1.0), modules=((0, 1), (1, 1))),
    ]
    write_tasks(folder, {name: [courses]})
    moments = [(number, int(number >= 3), PATHS[number >= 3]) for number in range(6)]
    write_paths(folder / name / "seed-0", (3, 3), moments)
    record = task_record(folder)
    assert record is not None
    return record, path_records(folder)[0]


def opacities(element: ElementTree.Element, tag: str, name: str) -> list[float]:
    return [float(one.attrib[name]) for one in element.iter(f"{SVG}{tag}") if name in one.attrib]


def shade(share: float) -> float:
    return FAINTEST + (1 - FAINTEST) * share


def test_the_film_draws_each_share(tmp_path: Path) -> None:
    _, paths = written(tmp_path)
    frames = [g for g in ElementTree.fromstring(film_svg(paths)).iter(f"{SVG}g") if g.get("class") == "frame"]
    assert len(frames) == 6
    texts = [[text.text for text in frame.iter(f"{SVG}text")] for frame in frames]
    assert texts == [[f"task {1 + (n >= 3)}", f"generation {n + 1}"] for n in range(6)]
    for frame, lines, boxes, frozen, best in (
        (frames[0], [0.1, 0.3, 0.6, 0.9], [0.9, 0.6, 0.1, 0.3, 0.1, 0.9], 0, 3),
        (frames[5], [0.4, 0.4, 0.6], [0.6, 0.4, 0.4, 0.4, 0.6], 3, 2),
    ):
        found = sorted(opacities(frame, "line", "stroke-opacity"))
        assert found == pytest.approx([shade(one) for one in lines], abs=0.006)
        assert opacities(frame, "rect", "fill-opacity") == pytest.approx([shade(one) for one in boxes], abs=0.006)
        assert sum(one.get("class") == "module frozen" for one in frame.iter(f"{SVG}rect")) == frozen
        assert len([*frame.iter(f"{SVG}circle")]) == best


def test_use_of_modules_has_a_cell_for_each_stretch(tmp_path: Path) -> None:
    _, paths = written(tmp_path)
    root = ElementTree.fromstring(module_use_svg(paths))
    cells = {title.text: rect for rect in root.iter(f"{SVG}rect") if (title := rect.find(f"{SVG}title")) is not None}
    assert set(cells) == {
        "layer 1, module 1, generations 1 to 3: 90 %",
        "layer 1, module 1, generations 4 to 6: 60 %",
        "layer 1, module 2, generations 1 to 3: 60 %",
        "layer 1, module 2, generations 4 to 6: 40 %",
        "layer 1, module 3, generations 1 to 3: 10 %",
        "layer 1, module 3, generations 4 to 6: 40 %",
        "layer 2, module 1, generations 1 to 3: 30 %",
        "layer 2, module 1, generations 4 to 6: 40 %",
        "layer 2, module 2, generations 1 to 3: 10 %",
        "layer 2, module 3, generations 1 to 3: 90 %",
        "layer 2, module 3, generations 4 to 6: 60 %",
    }
    late = cells["layer 1, module 1, generations 4 to 6: 60 %"].attrib
    assert float(late["x"]) == pytest.approx(LEFT + WIDTH / 2)
    assert float(late["fill-opacity"]) == pytest.approx(shade(0.6), abs=1e-3)
    (change,) = [one for one in root.iter(f"{SVG}line") if one.get("class") == "change"]
    assert float(change.attrib["x1"]) == pytest.approx(LEFT + WIDTH / 2)
    assert sum(one.get("class") == "held" for one in root.iter(f"{SVG}rect")) == 3


def test_the_sections_have_scores_accuracy_and_overlap(tmp_path: Path) -> None:
    record, paths = written(tmp_path)
    known = TaskAccuracy("", [1, 2], np.array([[0.75, np.nan], [0.75, 0.875]]), "On test cases.")
    film, rest = task_sections(TaskPictures(record, "pathnet", paths, [known]))
    assert "Paths over generations" in film
    for words in ("Use of modules", "Score per task", "What is known of each task", "Overlap of tasks"):
        assert f"<h2>{words}</h2>" in rest
    assert "on task 1, after task 2: 0.75<" in rest
    assert "on task 2, after task 1: none<" in rest
    # replicate 0 keeps one module of each layer again, replicate 1 all of its three
    assert "task 2, task 1: 2.5<" in rest
    assert "task 1, task 1: 3<" in rest
    assert "Mean over 2 runs and replicates" in rest


def test_conditions_have_a_chart_for_each_task(tmp_path: Path) -> None:
    books = [[course(0, task, (0.5, 1.0)) for task in range(2)] for _ in range(2)]
    write_tasks(tmp_path, {"pathnet": books, "de-novo": books})
    (section,) = task_sections(TaskPictures(task_record(tmp_path), "pathnet"))
    assert section.count("generation of the task") == 2
    assert "Of pathnet." in section


def test_what_cannot_be_asked_is_said(tmp_path: Path) -> None:
    record, _ = written(tmp_path)
    (section,) = task_sections(TaskPictures(record, "pathnet", None, [], HOSTILE))
    assert "It cannot be asked here: &lt;img" in section


def test_fisher_overlap_is_one_with_itself() -> None:
    one = Importance(torch.tensor([1.0, 0.0]), torch.zeros(2))
    other = Importance(torch.tensor([0.0, 4.0]), torch.zeros(2))
    svg = fisher_overlap_svg([one, other])
    assert "task 1, task 1: 1<" in svg
    (off,) = re.findall(r"task 2, task 1: ([\d.]+)<", svg)
    assert float(off) == pytest.approx(float(one.overlap(other)), abs=1e-6)


def test_hostile_words_are_inert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, paths = written(tmp_path)
    courses = next(iter(record.conditions.values()))
    hostile = TaskRecord(HOSTILE, HOSTILE, True, {HOSTILE: None, "b": None}, {HOSTILE: courses, "b": courses})
    bad = PathRecord(HOSTILE, 0, 0, paths.counts, paths.snapshots, None)
    known = TaskAccuracy(HOSTILE, [1], np.array([[0.5]]), HOSTILE)

    def page() -> str:
        return champion_page(CHAMPION, [], [], "", tasks=TaskPictures(hostile, HOSTILE, bad, [known]))

    assert "<img" not in page()
    assert page() == page()
    monkeypatch.setattr("html.escape", lambda text, quote=True: text)
    assert page().count("<img") >= 5  # the control: words do reach the page


def test_sizes_are_bounded(tmp_path: Path) -> None:
    """A supernet of 3 x 200 modules, 64 paths of 60 modules in each of 65 generations, none like another."""
    rng = np.random.default_rng(1)

    def path() -> str:
        return "/".join(" ".join(map(str, sorted(rng.choice(200, 20, replace=False).tolist()))) for _ in range(3))

    write_tasks(tmp_path, {"pathnet": [[course(0, 0, modules=None)]]})
    moments = [(number, 0, {path(): 1 for _ in range(64)}) for number in range(65)]
    write_paths(tmp_path / "pathnet" / "seed-0", (200, 200, 200), moments)
    (paths,) = path_records(tmp_path)
    sizes = [len(film_svg(paths)), len(moving_html(paths)), len(json.dumps(moving_data(paths)))]
    sizes.append(len(module_use_svg(paths)))
    assert max(sizes) < 2_500_000, sizes


# --- in a browser


def test_the_slider_shows_each_generation_by_keyboard(chromium_page: Any, tmp_path: Path) -> None:
    record, paths = written(tmp_path)
    page = chromium_page.write(champion_page(CHAMPION, [], [], "", tasks=TaskPictures(record, "pathnet", paths)))

    def strong() -> list[float]:
        script = "marks => marks.map((mark) => Number(mark.getAttribute('stroke-opacity'))).filter((one) => one > 0)"
        return sorted(page.eval_on_selector_all(".paths [data-line]", script))

    assert page.locator("#paths-said").inner_text() == "generation 6 · task 2"
    assert strong() == pytest.approx([shade(one) for one in (0.4, 0.4, 0.6)], abs=2e-3)
    assert page.locator(".paths .module.frozen").count() == 3
    page.locator("#paths-at").focus()
    page.keyboard.press("Home")
    assert page.locator("#paths-said").inner_text() == "generation 1 · task 1"
    assert strong() == pytest.approx([shade(one) for one in (0.1, 0.3, 0.6, 0.9)], abs=2e-3)
    assert page.locator(".paths .module.frozen").count() == 0
    page.keyboard.press("ArrowRight")
    assert page.locator("#paths-at").get_attribute("aria-valuetext") == "generation 2 · task 1"
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert chromium_page.errors == []
    assert chromium_page.outside() == []
