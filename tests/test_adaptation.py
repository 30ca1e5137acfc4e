"""What journals say about lifetimes is what was measured; pages draw it, and the champion's own life."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evo import journal
from evo.adaptation import Adaptation, adaptations
from evo.cli import main
from evo.inspect.chart import Chart
from evo.inspect.curves import Line
from evo.inspect.lifetimes import MOST_VARIANTS, LifetimePictures, lifetime_sections
from evo.loading import load_campaign
from evo.show import show

SOURCE = """
from evo import Campaign
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.learning.lifetimes.gradient_steps import GradientSteps
from genomes.initial_weights import InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids

problem = FewShotSinusoids(lifetime=GradientSteps(horizons=(1, 3)), count=3)
campaign = Campaign(problem, InitialWeights.for_problem(problem, hidden=(4,)), MuPlusLambda(population=5),
                    generations=3, seeds=(0, 1))
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of two seeds with lifetimes of three steps."""
    folder = tmp_path_factory.mktemp("adaptation")
    (folder / "mine.py").write_text(SOURCE)
    load_campaign(folder / "mine.py").run(out=folder / "run", source=folder / "mine.py", quiet=True)
    return folder / "run"


def medians(folder: Path, name: str) -> np.ndarray:
    """Return a quantity's medians as the journal has them, line by line."""
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)[1:]
    records = [journal.decode(line) for line in lines]
    return np.array([np.median(np.array(record["measured"][name]), axis=0) for record in records if record])


def test_medians_are_those_of_the_journal(finished: Path) -> None:
    found = adaptations(finished)
    assert [(one.variant, one.seed, one.horizons) for one in found] == [("default", 0, (1, 3)), ("default", 1, (1, 3))]
    for one in found:
        folder = finished / "default" / f"seed-{one.seed}"
        assert np.allclose(one.before, medians(folder, "before"))
        assert one.before.shape == (3,)
        assert np.allclose(one.after, medians(folder, "after"))
        assert one.after.shape == (3, 2)
        assert (one.objective, one.maximize) == ("squared_error", False)
        assert np.allclose(one.gap, one.before - one.after[:, 1])  # less is better: what was lost is gained
    assert len(adaptations(finished / "default" / "seed-1")) == 1


def test_a_page_has_the_champions_life_and_the_populations(finished: Path, tmp_path: Path) -> None:
    text = show(finished, tmp_path / "page.html")[1].read_text()
    for title in ("One sinusoid: task 1", "Adaptation in a lifetime", "Before and after a lifetime", "Baldwin gap"):
        assert f"<h2>{title}</h2>" in text, title
    assert "after 10 steps" in text
    assert "generation 3" in text
    assert main(["show", str(finished / "champion.json"), "--page", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_text() == text


def test_a_stranger_s_champion_gets_its_reason_in_place_of_a_life(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "alone.json").write_bytes((finished / "champion.json").read_bytes())
    text = show(tmp_path / "alone.json")[1].read_text()
    assert "The champion cannot live here" in text
    assert "One sinusoid" not in text


def adaptation(seed: int, variant: str = "default", maximize: bool = True) -> Adaptation:
    shift = 0.5 * seed
    before, after = np.array([0.0, 1.0]) + shift, np.array([[1.0, 2.0], [3.0, 5.0]]) + shift
    return Adaptation(variant, seed, "reward", maximize, (2, 4), before, after)


def test_the_gap_is_what_a_lifetime_gains() -> None:
    assert adaptation(0).gap.tolist() == [2.0, 4.0]
    assert adaptation(0, maximize=False).gap.tolist() == [-2.0, -4.0]


def test_birth_is_step_0_and_words_are_inert() -> None:
    hostile = "<img src=x onerror=p()>"
    chart = Chart(hostile, hostile, hostile, hostile, (Line(hostile, [0.0, 1.0], [0.0, 1.0]),))
    pictures = LifetimePictures([adaptation(0), adaptation(1)], "default", 1, [chart], hostile)
    (text,) = lifetime_sections(pictures)
    assert "<img" not in text
    assert "seed 1." in text
    assert "Mean over 2 seeds" in text
    assert text.count("<title>0: ") == 2
    assert text.count("<title>4: ") == 2
    assert "<title>0: 0.5</title>" in text
    assert "<title>4: 5.5</title>" in text


def test_no_more_variants_are_drawn_than_there_are_colours() -> None:
    many = [adaptation(0, f"v{number}") for number in range(MOST_VARIANTS + 3)]
    (text,) = lifetime_sections(LifetimePictures(many, "v8", 0))
    assert "The first 6 of 9 variants." in text
    assert "after, v5" in text
    assert "after, v6" not in text


def test_nothing_is_shown_where_nothing_is_known() -> None:
    assert lifetime_sections(LifetimePictures()) == []
