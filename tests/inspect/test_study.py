"""The page's section about a study: what it shows without a script, and in a browser, by pointer and by keyboard."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from study_folder import write_campaign, write_run

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.algorithms.population_based_training import PopulationBasedTraining
from evo.champion import Champion
from evo.cli import main
from evo.cohort_record import CohortRecord, studies
from evo.inspect.document import json_block
from evo.inspect.page import champion_page
from evo.inspect.panel_svg import LEFT, WIDTH, across, panel_svg
from evo.inspect.study import study_data, study_sections
from evo.panel import panel
from genomes.learner import Learner
from problems.continual.slowly_changing_regression import SlowlyChangingRegression

pytest_plugins = ["browser"]

HOSTILE = "<img src=x onerror=p()>"
SVG = "{http://www.w3.org/2000/svg}"
STREAM = SlowlyChangingRegression(bits=5, slow=3, flip_after=8, target_units=4)
LEARNER = Learner.for_problem(STREAM, hidden=(4,), concatenated=True)  # which torch teaches: no kernel to compile
LABELS = ("step_size 0.01", "replacement_rate 0.0001", "as it is")
CHAMPION = Champion(
    genome={"name": "learner", "settings": {}},
    problem={"name": "some-stream-v1", "settings": {}},
    algorithm={"name": "cohort", "settings": {}},
    genes={},
    fitness={"squared_error": 0.5},
    generation=9,
    seed=0,
)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def cohort(folder: Path, generations: int = 10, labels: tuple[str, ...] = LABELS, **more: np.ndarray) -> CohortRecord:
    """A study on four streams, settings apart by 10 in every quantity."""
    count = len(labels)
    scores = (10.0 * np.arange(count)[:, None] + noise(generations, count, 4)).reshape(generations, -1)
    dead = np.abs(noise(generations, 4 * count, 2, seed=1)) / 10
    measured = {"dead": dead, "gradient_norm": scores + 50.0, "saturated": 0.0 * dead, **more}
    write_campaign(folder)
    write_run(folder / "default" / "seed-0", scores, measured, None, labels, (3, 4, 5, 6))
    return studies(folder)[0]


def population(folder: Path) -> CohortRecord:
    write_campaign(folder, seeds=(0, 1), algorithm="population-based-training")
    for seed in (0, 1):
        steps = np.geomspace(1e-4, 1.0, 10)[:, None] * np.exp(noise(10, 6, seed=seed))
        steps[5:, :4] = 0.0
        scores = noise(10, 6, seed=seed)
        write_run(folder / "default" / f"seed-{seed}", scores, {"loss": scores}, {"step_size": steps})
    return studies(folder)[0]


def page(*records: CohortRecord) -> str:
    return champion_page(CHAMPION, [], [], "", studies=records)


def svgs(record: CohortRecord) -> list[ElementTree.Element]:
    """The panels of a record, in order."""
    return [
        ElementTree.fromstring(panel_svg(panel(record, name), record.generations, record.moment, False))
        for name in record.names()
    ]


def points(path: str) -> np.ndarray:
    return np.array([[float(number) for number in pair.split()] for pair in path[1:].split("L")])


class Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_panel_draws_means_and_intervals(tmp_path: Path) -> None:
    record = cohort(tmp_path)
    drawn = panel(record, "score")
    first = svgs(record)[0]
    groups = [group for group in first.iter(f"{SVG}g") if group.get("data-line")]
    assert [group.get("data-line") for group in groups] == ["0", "1", "2"]
    heights = []
    for line, group in enumerate(groups):
        (path,) = group.iter(f"{SVG}path")
        places = points(path.get("d", ""))
        np.testing.assert_allclose(places[:, 0], np.linspace(LEFT, LEFT + WIDTH, 10), atol=0.051)
        heights.append(places[:, 1])
        (band,) = group.iter(f"{SVG}polygon")
        corners = np.array([float(number) for number in band.get("points", "").split()]).reshape(-1, 2)
        values = record.curves["score"][:, line]
        low, high = stats.t.interval(0.95, 3, values.mean(1), stats.sem(values, axis=1))
        scale = (corners[10:, 1][::-1] - corners[:10, 1]) / (high - low)  # pixels per unit, the same everywhere
        np.testing.assert_allclose(scale, scale.mean(), rtol=0.05)
    means = record.curves["score"].mean(2)
    slope = (heights[2] - heights[0]) / (means[:, 2] - means[:, 0])
    np.testing.assert_allclose(slope, slope.mean(), rtol=0.01)
    assert slope.mean() < 0.0  # more is further up
    assert drawn.title == "Squared error"


def test_panels_share_the_horizontal_scale(tmp_path: Path) -> None:
    record = cohort(tmp_path, 1000, ("a", "b"))
    ticks = []
    for svg in svgs(record):
        texts = [text.text for text in svg.iter(f"{SVG}text") if "middle" in text.get("class", "")]
        ticks.append(texts)
        for path in svg.iter(f"{SVG}path"):
            assert len(points(path.get("d", ""))) == 200
    assert ticks[0] == ["1", "200", "400", "600", "800", "1000", "segment"]
    assert all(one == ticks[0] for one in ticks)
    assert across(1000.0, 1000) == LEFT + WIDTH


def test_gaps_and_single_points_are_drawn(tmp_path: Path) -> None:
    scores = np.array([[1.0], [2.0], [np.nan], [4.0], [np.nan], [6.0], [7.0]])
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", scores, {"loss": scores}, None, ("a",), (0,))
    found = studies(tmp_path)
    assert study_data(found)[0]["panels"][0]["up"][0][2] is None
    (svg,) = svgs(found[0])
    assert [len(points(path.get("d", ""))) for path in svg.iter(f"{SVG}path")] == [2, 2]
    assert len([*svg.iter(f"{SVG}circle")]) == 1


@pytest.mark.parametrize("value", [1.0, 0.0, -3.5, 1e-300, 1e99, 7e16])
def test_coordinates_are_finite_whatever_the_numbers(tmp_path: Path, value: float) -> None:
    scores = np.full((3, 2), value)
    scores[1, 1] *= 1.0 + 1e-15
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", scores, {"loss": scores}, None, ("a", "b"), (0,))
    for svg in svgs(studies(tmp_path)[0]):
        for element in svg.iter():
            for name in ("d", "points", "cx", "cy", "x", "y", "x1", "x2", "y1", "y2"):
                assert all(math.isfinite(float(word)) for word in re.findall(r"[^\sMLh,]+", element.get(name, "")))


def test_the_section_says_what_is_compared(tmp_path: Path) -> None:
    text = page(cohort(tmp_path))
    shown = " ".join(Elements(text).texts)
    for words in (
        "3 settings on 4 streams, 10 segments",
        "Hidden layers are averaged",
        "0 throughout, and not drawn: saturated activations.",
        "Dead units (% of hidden units)",
        "difference to 1",
        "replacement rate 0.0001",
    ):
        assert words in shown
    assert "Settings over time" not in page()


def test_of_many_lines_the_best_are_drawn_and_all_are_in_the_table(tmp_path: Path) -> None:
    """Settings are apart by 10, and less is better."""
    record = cohort(tmp_path, labels=tuple(f"setting {number}" for number in range(27)))
    (section,) = study_sections([record])
    assert re.findall(r'data-entry="(\d+)"', section) == [str(number) for number in range(24)]
    for svg in re.findall(r"<svg.*?</svg>", section, re.S):
        kinds = re.findall(r'<path class="(line strong hue\d dash\d)"', svg)
        assert len(kinds) == len(set(kinds))
    assert "24 of 27 lines: the best by squared error over the last segment" in section
    assert section.count("<tr>") == 1 + 27
    assert "setting 26" not in section.partition("<table")[0]
    assert [len(one["centre"]) for one in study_data([record])[0]["panels"]] == [24, 24, 24]


def test_the_script_gets_the_numbers(tmp_path: Path) -> None:
    record = cohort(tmp_path, 450)
    (data,) = study_data([record])
    assert data["when"][:3] == ["1 to 2", "3 to 4", "5 to 6"]
    assert data["when"][-1] == "448 to 450"
    assert [len(one["centre"]) for one in data["panels"]] == [3, 3, 3]
    block = record.curves["dead"][2:4, 1].mean(0)
    half = stats.sem(block) * stats.t.ppf(0.975, 3)
    found = [data["panels"][1][name][1][1] for name in ("low", "centre", "high")]
    assert found == pytest.approx([block.mean() - half, block.mean(), block.mean() + half], rel=1e-3)
    json_block(data)  # raises for what is not finite


def test_one_generation_has_no_slider(tmp_path: Path) -> None:
    text = page(cohort(tmp_path, 1))
    assert "One segment is recorded" in text
    assert "<input" not in text
    assert "<circle" in text


def test_nothing_finite_is_a_sentence(tmp_path: Path) -> None:
    nothing = np.full((3, 2), np.nan)
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", nothing, {"loss": nothing}, None, ("a", "b"), (0,))
    (section,) = study_sections(studies(tmp_path))
    assert "All learners failed: their numbers stopped being finite. No finite number was recorded." in section
    page(*studies(tmp_path))


def test_hostile_words_are_inert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = noise(10, 8, seed=5)
    write_campaign(tmp_path, objectives=[HOSTILE], variants=("default",))
    described = json.loads((tmp_path / "campaign.json").read_text())
    described["configuration"]["variants"]["default"]["problem"] = {"name": HOSTILE}
    (tmp_path / "campaign.json").write_text(json.dumps(described))
    write_run(tmp_path / "default" / "seed-0", noise(10, 8), {HOSTILE: mine}, None, (HOSTILE, "b"), (0, 1, 2, 3))
    found = studies(tmp_path)
    parsed = Elements(page(*found))
    assert "img" not in parsed.elements
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    monkeypatch.setattr("html.escape", lambda text, quote=True: text)
    assert page(*found).count("<img") >= 4  # the control: label, objective, problem and quantity reach the page


def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    cohort(tmp_path)
    assert page(*studies(tmp_path)) == page(*studies(tmp_path))


# --- from a campaign


def test_show_of_a_cohort_has_its_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ({"step_size": 0.5}, {"step_size": 0.125})
    folder = tmp_path / "campaign"
    Campaign(STREAM, LEARNER, Cohort(settings, 3), 4, (0, 1)).run(out=folder, quiet=True, engine="torch")
    assert main(["show", str(folder)]) == 0
    assert "Study: 2 settings, 4 segments; in numbers: evo table" in capsys.readouterr().out
    text = (folder / "champion.html").read_text()
    assert "2 settings on 6 streams, 4 segments" in text
    assert "Score per generation" not in text
    assert "Squared error per segment" in text
    assert "Effective rank (% of hidden units)" in text
    assert main(["show", str(folder / "default" / "seed-1")]) == 0
    assert "2 settings on 3 streams" in (folder / "default" / "seed-1" / "champion.html").read_text()


def test_show_of_an_unfinished_campaign_has_all_its_runs(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    Campaign(STREAM, LEARNER, Cohort(({},), 3), 4, (0, 1)).run(out=folder, quiet=True, engine="torch")
    (folder / "champion.json").unlink()
    target = tmp_path / "page.html"
    assert main(["show", str(folder), "--page", str(target)]) == 0
    assert "1 setting on 6 streams" in target.read_text()


def test_show_of_population_based_training_has_its_genes(tmp_path: Path) -> None:
    genome = replace(LEARNER, evolve=("step_size",), newborn=False)
    folder = tmp_path / "campaign"
    Campaign(STREAM, genome, PopulationBasedTraining(6), 5, (0, 1)).run(out=folder, quiet=True, engine="torch")
    assert main(["show", str(folder)]) == 0
    text = (folder / "champion.html").read_text()
    assert "Settings that evolve" in text
    assert "Step size per segment" in text
    assert "Score per generation" in text  # the best and the median of a population that is selected
    assert "2 populations of up to 6, 5 segments" in text


# --- in a browser


@pytest.fixture
def opened(chromium_page: Any, tmp_path: Path) -> Iterator[Any]:
    """The page of a cohort in a window; afterwards nothing has gone wrong in it."""
    chromium_page.page.set_viewport_size({"width": 1240, "height": 1000})
    chromium_page.page.emulate_media(reduced_motion="reduce")
    chromium_page.record = cohort(tmp_path / "campaign")
    chromium_page.write(page(chromium_page.record))
    yield chromium_page
    assert chromium_page.errors == []
    assert chromium_page.outside() == []


def traced(page: Any) -> list[str]:
    """The lines that are shown alone, over all panels."""
    return sorted(set(page.eval_on_selector_all("g.traced", "marks => marks.map((mark) => mark.dataset.line)")))


def readouts(page: Any) -> list[str]:
    return list(page.eval_on_selector_all(".readout", "texts => texts.map((text) => text.textContent)"))


def said(record: CohortRecord, name: str, line: int, moment: int) -> tuple[float, float]:
    values = record.curves[name][moment - 1, line]
    return float(values.mean()), float(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1))


def numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(" ± ")]


def test_pointing_at_a_name_shows_its_line_alone_with_its_numbers(opened: Any) -> None:
    page = opened.page
    assert page.locator("[data-entry]").all_inner_texts() == ["step size 0.01", "replacement rate 0.0001", "as it is"]
    assert (traced(page), readouts(page)) == ([], ["", "", ""])
    page.locator("[data-entry='1']").hover()
    assert traced(page) == ["1"]
    assert page.locator("g.traced").count() == 3
    for text, name in zip(readouts(page), opened.record.names(), strict=True):
        assert numbers(text) == pytest.approx(said(opened.record, name, 1, 10), rel=0.05)
    faded = page.eval_on_selector("g[data-line='0']", "mark => Number(getComputedStyle(mark).opacity)")
    assert faded < 0.3
    page.mouse.move(5, 5)
    assert traced(page) == []


def test_a_name_is_kept_until_it_is_let_go(opened: Any) -> None:
    page = opened.page
    entry = page.locator("[data-entry='2']")
    entry.click()
    page.mouse.move(5, 5)
    assert traced(page) == ["2"]
    assert entry.get_attribute("aria-pressed") == "true"
    page.locator("[data-entry='0']").hover()
    assert traced(page) == ["0"]
    page.mouse.move(5, 5)
    assert traced(page) == ["2"]
    page.keyboard.press("Escape")
    assert entry.get_attribute("aria-pressed") == "false"
    page.evaluate("document.activeElement.blur()")
    assert traced(page) == []


def test_keys_alone_reach_everything(opened: Any) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert traced(page) == ["0"]
    page.keyboard.press("Tab")
    assert traced(page) == ["1"]
    page.keyboard.press("Enter")
    assert page.locator("[aria-pressed=true]").inner_text() == "replacement rate 0.0001"
    page.keyboard.press("Tab")
    assert traced(page) == ["2"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "moment0"
    assert traced(page) == ["1"]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("#at0").inner_text() == "3"
    assert page.locator("#moment0").get_attribute("aria-valuetext") == "segment 3"
    assert numbers(readouts(page)[0]) == pytest.approx(said(opened.record, "score", 1, 3), rel=0.05)
    cursors = page.eval_on_selector_all(".cursor", "lines => lines.map((line) => Number(line.getAttribute('x1')))")
    assert cursors == pytest.approx([LEFT + WIDTH * 2 / 9] * 3, abs=0.1)
    page.keyboard.press("Escape")
    assert page.locator("[aria-pressed=true]").count() == 0


def test_pointing_into_a_panel_finds_the_nearest_line_and_moment(opened: Any) -> None:
    page = opened.page
    box = page.locator(".panel svg").nth(1).bounding_box()
    scale = box["width"] / 338.0
    drawn = panel(opened.record, "dead")
    place, line = 6, 2
    x = box["x"] + across(drawn.x[place], 10) * scale
    top, height = study_data([opened.record])[0]["scale"][2:]
    y = box["y"] + (top + height * (1.0 - drawn.place(float(drawn.centre[place, line])))) * scale
    page.mouse.move(x + 2, y)
    assert traced(page) == ["2"]
    assert page.locator("#at0").inner_text() == "7"
    assert numbers(readouts(page)[0]) == pytest.approx(said(opened.record, "score", 2, 7), rel=0.05)
    page.mouse.click(x + 2, y)
    page.mouse.move(5, 5)
    assert traced(page) == ["2"]


def test_populations_tell_their_quartiles(chromium_page: Any, tmp_path: Path) -> None:
    record = population(tmp_path / "campaign")
    chromium_page.write(page(record))
    chromium_page.page.locator("[data-entry='1']").hover()
    expected = np.quantile(record.curves["score"][9, 1], (0.5, 0.25, 0.75))
    text = readouts(chromium_page.page)[0]
    found = [float(part) for part in text.strip(")").replace(" (", " to ").split(" to ")]
    assert found == pytest.approx(expected, rel=1e-3)
    assert "Where a setting is 0, its operator is off." in chromium_page.page.locator(".study").inner_text()
    assert chromium_page.errors == []


def test_two_studies_on_a_page_do_not_disturb_each_other(chromium_page: Any, tmp_path: Path) -> None:
    chromium_page.write(page(cohort(tmp_path / "one"), population(tmp_path / "two")))
    page_ = chromium_page.page
    page_.locator("[data-study='1'] [data-entry='1']").click()
    assert page_.locator("[data-study='0'] .traced").count() == 0
    assert page_.locator("[data-study='1'] g.traced").count() == 2
    assert chromium_page.errors == []


def test_hostile_labels_run_nothing(chromium_page: Any, tmp_path: Path) -> None:
    payload = "<img src=x onerror=document.title='pwned'>"
    chromium_page.write(page(cohort(tmp_path, labels=(payload, "b"))))
    chromium_page.page.locator("[data-entry='0']").hover()
    assert payload in chromium_page.page.locator("[data-entry='0']").inner_text()
    assert chromium_page.page.title() == "Champion of some-stream-v1"
    assert chromium_page.errors == []


def test_it_fits_a_narrow_screen(chromium_page: Any, tmp_path: Path) -> None:
    chromium_page.page.set_viewport_size({"width": 360, "height": 700})
    chromium_page.write(page(cohort(tmp_path)))
    assert chromium_page.page.evaluate("document.documentElement.scrollWidth") <= 360
