"""Accuracies per weight and class, and votes, against counts by hand."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evo.networks import Networks, pack
from problems import weight_report as module
from problems.data import Split
from problems.digits import Digits
from problems.weight_report import WEIGHTS, majority, report_svg, weight_report


class TwoPixels(Digits):
    """Three classes of pictures of two pixels; no case of the third."""

    classes = ("dark", "bright", "none")
    side = 1
    brightest = 1.0

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("left", "right")

    def data(self) -> Split:
        train = np.array([[[9.0, 9.0]]] * 5)
        test = np.array([[[0.2, 0.1]], [[0.4, 0.6]], [[0.9, 0.1]], [[0.3, 0.8]]])
        return Split(train, np.array([1] * 5), test, np.array([0, 0, 0, 1]))


def comparer() -> Networks:
    """Outputs: left, right, and always -5. With a negative weight the smaller of the two wins, after 5 times |w|."""
    edges = [(1, 3, 1.0), (2, 4, 1.0), (0, 5, 1.0)]
    return pack(2, 3, [([1, 1, 1, 1, 1, 1], edges)])


def test_accuracies_are_counts_by_hand() -> None:
    # with w > 0 the bias (1) is the largest of all: class "none"; with w < 0 the smaller pixel's class wins
    report = weight_report(comparer(), TwoPixels(), (1.0, -1.0, -2.0))
    assert report.accuracy.tolist() == [0.0, 0.25, 0.25]  # named: right, left, right, left are the smaller ones
    np.testing.assert_array_equal(report.by_class, [[0.0, 0.0, np.nan], [1 / 3, 0.0, np.nan], [1 / 3, 0.0, np.nan]])
    assert (report.cases, report.split, report.classes) == (4, "test", ("dark", "bright", "none"))
    assert report.vote == 0.25  # two of three say so
    assert report.best == -1.0


def test_the_first_class_wins_a_tie() -> None:
    assert majority(np.array([[2, 1, 0], [1, 1, 2], [2, 0, 1]]), 3).tolist() == [2, 1, 0]
    assert majority(np.array([[2, 9], [1, 3]]), 10).tolist() == [1, 3]


def test_mean_probability_is_no_vote() -> None:
    """At w = -9 the dark one is named with near certainty, at two small weights the last class narrowly."""
    report = weight_report(comparer(), TwoPixels(), (0.1, 0.1, -9.0))
    assert report.vote == 0.0
    assert report.mean_probability == 0.25


def test_probabilities_are_averaged_and_not_outputs() -> None:
    """The mean output would be that of w = -0.05, which is right once; by hand, the mean probability never is."""
    assert weight_report(comparer(), TwoPixels(), (-0.05,)).mean_probability == 0.25
    assert weight_report(comparer(), TwoPixels(), (-2.1, 2.0)).mean_probability == 0.0


def problem_and_network() -> tuple[Digits, Networks]:
    rng = np.random.default_rng(3)
    edges = [(int(s), 65 + t, 1.0) for t in range(10) for s in rng.choice(65, 12, replace=False)]
    return Digits(), pack(64, 10, [([1] * 65 + [5] * 10, edges)])


def test_it_agrees_with_the_problem() -> None:
    problem, network = problem_and_network()
    weights = (-1.5, 0.3, 2.0)
    report = weight_report(network, problem, weights)
    scored = replace(problem, shared_weights=weights, batch=0, split="test").evaluate(network, np.random.default_rng(0))
    np.testing.assert_allclose(report.accuracy, scored.trials["accuracy"][0, :, 0].numpy())
    shares = np.bincount(problem.data().y_test) / report.cases
    np.testing.assert_allclose((report.by_class * shares).sum(1), report.accuracy)


def test_blocks_of_cases_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, network = problem_and_network()
    whole = weight_report(network, problem)
    assert whole.weights == WEIGHTS
    assert 0.0 not in WEIGHTS
    monkeypatch.setattr(module, "BLOCK", 100)
    parts = weight_report(network, problem)
    np.testing.assert_array_equal(parts.by_class, whole.by_class)
    assert (parts.vote, parts.mean_probability) == (whole.vote, whole.mean_probability)


def test_the_split_asked_for_is_seen_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    draw = Digits.draw
    monkeypatch.setattr(Digits, "draw", lambda self, rng: (seen.append((self.split, self.batch)), draw(self, rng))[1])
    problem, network = problem_and_network()
    assert weight_report(network, problem, (1.0,), split="train").cases == 1442
    assert weight_report(network, problem, (1.0,)).cases == 355
    assert seen == [("train", 0), ("test", 0)]


def test_the_figure_has_a_cell_per_class_and_weight() -> None:
    problem, network = problem_and_network()
    report = weight_report(network, problem, (-1.0, 1.0))
    titles = [
        element.text or "" for element in ElementTree.fromstring(report_svg(report)).iter() if "title" in element.tag
    ]
    assert len(titles) == 20
    assert f"shared weight 1, class 3: {report.by_class[1, 3]:.6g}" in titles


def test_what_does_not_fit_is_refused() -> None:
    problem, network = problem_and_network()
    with pytest.raises(ValueError, match="one network with 64 inputs and 10 outputs"):
        weight_report(network.tile(2), problem)
    with pytest.raises(ValueError, match="got 1 with 2 and 3"):
        weight_report(comparer(), problem)
    with pytest.raises(ValueError, match="0 weights"):
        weight_report(network, problem, ())
