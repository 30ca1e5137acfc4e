"""Learned recombination beside the papers' formulas, written with loops and with the published layers of attention."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo import Campaign
from evo.algorithms.learned_evolution_strategy import LearnedEvolutionStrategy
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.attention import attend
from evo.black_box_functions import power
from evo.fitness_features import features
from evo.learned_recombination import begin, sigmoid, update, weights
from evo.learning.lifetimes.black_box_search import SearchBlackBox
from evo.search_rules import TIMES, SearchRules, one_rule, parameter_count
from genomes.evolved_search import EvolvedSearch
from genomes.python_object import PythonObject
from problems.meta.black_box import RandomFunctions, SearchFunctions

LOSSES = some.lists(some.integers(-1000, 1000), min_size=2, max_size=9, unique=True)


def rule(form: str, seed: int = 0, deviation: float = 0.5) -> SearchRules:
    draws = np.random.default_rng(seed)
    return one_rule(form, deviation * draws.standard_normal(parameter_count(form)))


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))


def shares(form: SearchRules, losses: list[float], best: float = math.inf) -> np.ndarray:
    found = weights(form, torch.tensor(losses, dtype=torch.float64)[None, None], torch.full((1, 1), best).double())
    return found[0, 0].numpy()


def published_des(losses: np.ndarray) -> np.ndarray:
    ranks = [sum(other < loss for other in losses) for loss in losses]
    return softmax(np.array([-20.0 * logistic(12.5 * (rank / (len(losses) - 1) - 0.5)) for rank in ranks]))


def features_by_hand(losses: np.ndarray, best: float) -> np.ndarray:
    """Return a sample's features a row: better than all before, centred rank, standardised loss, 1."""
    count, spread = len(losses), losses.std()
    rows = []
    for loss in losses:
        rank = sum(other < loss for other in losses) / (count - 1) - 0.5
        rows.append([float(loss < best), rank, (loss - losses.mean()) / spread, 1.0])
    return np.array(rows)


def les_by_hand(parameters: np.ndarray, places: list[np.ndarray], losses: list[np.ndarray]) -> list[Any]:
    """Return centres and deviations after each generation, one coordinate after another, all in plain loops."""
    match, worth = 10.0 * parameters[:16].reshape(4, 4), 5.0 * parameters[16:20]
    match[1, 1] += 37.5
    worth[1] -= 20.0
    hidden, hidden_biases = parameters[20:172].reshape(8, 19), parameters[172:180]
    out, out_biases = parameters[180:196].reshape(2, 8), parameters[196:198] + np.array([4.0, math.log(1 / 9)])
    size = places[0].shape[1]
    center, deviation, best = np.zeros(size), np.full(size, 0.7), math.inf
    slow, relative = np.zeros((size, 3)), np.zeros((size, 3))
    seen = []
    for generation, (samples, values) in enumerate(zip(places, losses, strict=True)):
        shown = features_by_hand(values, best)
        share = softmax(np.array([softmax(shown @ (match.T @ one)) @ (shown @ worth) for one in shown]))
        best = min(best, values.min())
        for place in range(size):
            away = samples[:, place] - center[place]
            move = sum(w * a for w, a in zip(share, away, strict=True))
            width = math.sqrt(sum(w * a * a for w, a in zip(share, away, strict=True)) + 1e-8)
            for number, rate in enumerate((0.1, 0.5, 0.9)):
                slow[place, number] = (1 - rate) * slow[place, number] + rate * move
                relative[place, number] = (1 - rate) * relative[place, number] + rate * move / deviation[place]
            inputs = [*slow[place], *relative[place], *(math.tanh(generation / time - 1) for time in TIMES)]
            units = np.maximum(hidden @ np.array(inputs) + hidden_biases, 0.0)
            rates = [logistic(row @ units + bias) for row, bias in zip(out, out_biases, strict=True)]
            center[place] += rates[0] * move
            deviation[place] += rates[1] * (width - deviation[place])
        seen.append((center.copy(), deviation.copy()))
    return seen


def test_les_is_its_formula_in_loops() -> None:
    draws, form = np.random.default_rng(5), rule("les", 1, 0.3)
    places = [draws.standard_normal((6, 3)) for _ in range(4)]
    losses = [draws.standard_normal(6) * scale for scale in (1.0, 1e3, 1e-3, 5.0)]
    expected = les_by_hand(form.parameters[0].numpy().copy(), places, losses)
    now = begin(torch.zeros(1, 1, 3, dtype=torch.float64), 0.7)
    for number, (center, deviation) in enumerate(expected):
        samples, values = torch.from_numpy(places[number].T)[None, None], torch.from_numpy(losses[number])[None, None]
        now = update(form, now, samples, values, number)
        assert np.allclose(now.center[0, 0], center, rtol=1e-6)
        assert np.allclose(now.deviation[0, 0], deviation, rtol=1e-6)


def test_attention_is_that_of_the_published_layers_multiplied_out() -> None:
    """Queries, keys and values with biases, two heads of 8, and a layer that joins them, as in the published code."""
    draws = np.random.default_rng(0)
    asking, asked = draws.standard_normal((5, 3)), draws.standard_normal((7, 3))
    query, key, value = (draws.standard_normal((2, 4, 8)) for _ in range(3))  # the last row is the bias
    join, join_bias = draws.standard_normal((2, 8, 6)), draws.standard_normal(6)
    with_one, others = (np.concatenate((each, np.ones((len(each), 1))), 1) for each in (asking, asked))
    expected = np.tile(join_bias, (5, 1))
    for head in range(2):
        for number in range(5):
            share = softmax((others @ key[head]) @ (with_one[number] @ query[head]) / math.sqrt(8))
            expected[number] += share @ (others @ value[head]) @ join[head]
    match = np.stack([query[head] @ key[head].T / math.sqrt(8) for head in range(2)])
    worth = np.stack([value[head] @ join[head] for head in range(2)])
    worth[0, 3] += join_bias  # shares sum to 1
    tensors = [torch.from_numpy(each)[None] for each in (with_one.T[None], others.T[None], match, worth)]
    assert np.allclose(attend(*tensors)[0, 0].T, expected)


@pytest.mark.parametrize("count", [2, 7, 16, 64])
def test_the_rule_of_people_is_the_published_one(count: int) -> None:
    losses = np.random.default_rng(count).standard_normal(count)
    assert np.allclose(shares(one_rule("des", ()), losses.tolist()), published_des(losses))


def test_the_rule_of_people_with_attention_comes_close_to_it() -> None:
    losses = np.random.default_rng(0).standard_normal(16)
    near, published = shares(one_rule("les", ()), losses.tolist()), published_des(losses)
    assert np.abs(near - published).sum() / 2 < 0.25  # the distance in variation
    assert (near[losses.argsort()][:8] > 0.05).sum() in (5, 6, 7, 8)
    assert near[losses > np.median(losses)].sum() < 0.15
    assert (np.diff(near[losses.argsort()]) <= 1e-12).all()


def test_des_moves_as_published() -> None:
    draws = np.random.default_rng(3)
    samples, losses = draws.standard_normal((9, 4)) + 1.0, draws.standard_normal(9)
    share = published_des(losses)
    now = begin(torch.full((1, 1, 4), 0.5, dtype=torch.float64), 2.0)
    after = update(
        one_rule("des", ()), now, torch.from_numpy(samples.T)[None, None], torch.tensor(losses)[None, None], 0
    )
    assert np.allclose(after.center[0, 0], share @ samples)  # a rate of 1
    expected = 2.0 + 0.1 * (np.sqrt(share @ (samples - 0.5) ** 2) - 2.0)
    assert np.allclose(after.deviation[0, 0], expected)


@given(losses=LOSSES, form=some.sampled_from(["des", "les"]), seed=some.integers(0, 99))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_weights_are_shares_and_the_order_of_samples_does_not_count(losses: list[int], form: str, seed: int) -> None:
    values = [float(loss) for loss in losses]
    found = shares(rule(form, seed), values, 0.0)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1.0)
    order = np.random.default_rng(seed).permutation(len(values))
    assert np.allclose(shares(rule(form, seed), [values[place] for place in order], 0.0), found[order], atol=1e-9)


@given(losses=LOSSES, seed=some.integers(0, 99))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_ranks_alone_count_for_des(losses: list[int], seed: int) -> None:
    values = [float(loss) for loss in losses]
    bent = [math.copysign(abs(value) ** 3, value) + 7.0 for value in values]
    assert np.array_equal(shares(rule("des", seed), values), shares(rule("des", seed), bent))


@given(losses=LOSSES, seed=some.integers(0, 99), factor=some.sampled_from([1e-3, 0.5, 4.0, 1e6]))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_scale_and_zero_do_not_count_for_les_but_gaps_do(losses: list[int], seed: int, factor: float) -> None:
    values = [float(loss) for loss in losses]
    other = [factor * value + 3.0 for value in values]
    found = shares(rule("les", seed), values, 5.0)
    assert np.allclose(found, shares(rule("les", seed), other, factor * 5.0 + 3.0), atol=1e-5)


def test_gaps_count_for_les() -> None:
    near, far = (shares(rule("les", 2), [0.0, 1.0, 2.0, last]) for last in (3.0, 300.0))
    assert np.abs(near - far).max() > 1e-3


def test_equal_losses_have_equal_weights() -> None:
    for form in ("des", "les"):
        found = shares(rule(form), [1.0, 5.0, 1.0, 1.0, 9.0])
        assert found[0] == found[2] == found[3]
        assert np.allclose(shares(rule(form), [2.0] * 4), 0.25)


def test_features_tell_what_is_better_than_all_before() -> None:
    shown = features(torch.tensor([[[3.0, 1.0, 2.0]]]), torch.tensor([[2.5]]))[0, 0]
    assert shown[0].tolist() == [0.0, 1.0, 1.0]
    assert shown[1].tolist() == [0.5, -0.5, 0.0]
    assert torch.allclose(shown[2], torch.tensor([3.0, -3.0, 0.0]) / math.sqrt(6.0))


def test_the_sigmoid_is_torchs() -> None:
    values = torch.linspace(-30, 30, 61, dtype=torch.float64)
    assert torch.allclose(sigmoid(values), values.sigmoid(), atol=1e-15)


@pytest.mark.parametrize("function", [sigmoid, lambda values: power(values.abs(), 0.9)])
def test_bits_do_not_depend_on_how_many_values_there_are(function: Any) -> None:
    values = torch.from_numpy(np.random.default_rng(0).standard_normal(999).astype(np.float32))
    whole = function(values)
    for count in range(1, 200):
        assert torch.equal(function(values[:count].clone()), whole[:count])
        assert torch.equal(function(values[count:].clone()), whole[count:])


@pytest.mark.parametrize("form", ["des", "les"])
@pytest.mark.parametrize("maximize", [False, True])
def test_it_moves_to_better_scores(record: Any, form: str, maximize: bool) -> None:
    sign = -1.0 if maximize else 1.0
    strategy = LearnedEvolutionStrategy(form=form)
    kept = record(strategy, lambda values: sign * values.double().square().sum(1, keepdim=True), (maximize,), 60)
    assert kept.fitness(0).max() < -1
    assert kept.fitness(59).max() > -0.01


def test_the_search_is_the_rule_on_its_samples_and_leaves_its_centre(record: Any, bounded: Any) -> None:
    strategy = LearnedEvolutionStrategy(5, 0.4, "les", tuple(rule("les", 3, 0.2).parameters[0].tolist()))
    kept = record(strategy, generations=6)
    values = [kept.layouts[0].values(rows).double() for rows in kept.rows]
    losses = [-kept.fitness(number)[:, 0] for number in range(6)]
    sampled = kept.search.genome.sample(1, kept.search.__class__.rng(_at_start(kept.search), "sample"))
    now = begin(kept.layouts[0].values(sampled).double()[None], 0.4)
    for number in range(6):
        now = update(strategy.rule(), now, values[number].T[None, None], losses[number][None, None], number)
    left = kept.search.left["center"]()
    assert left["generation"] == 6
    assert np.allclose(left["genes"]["values"], now.center[0, 0], atol=1e-4)
    assert left["genes"]["tag"] == 7.0


def _at_start(search: Any) -> Any:
    """Return the search as it was before its first generation."""
    from dataclasses import replace

    return replace(search, generation=0)


def test_failed_evaluations_count_as_the_worst_and_all_may_fail(record: Any) -> None:
    def score(values: torch.Tensor) -> torch.Tensor:
        scores = values[:, :1].double().clone()
        scores[scores > 3] = torch.nan
        return scores

    kept = record(LearnedEvolutionStrategy(20, 0.3), score, (True,), generations=40)
    assert kept.outcomes[39].ok.sum() >= 5
    record(LearnedEvolutionStrategy(4), lambda values: torch.full((len(values), 1), torch.nan), generations=3)


def test_a_rule_is_read_from_the_champion_of_a_campaign(tmp_path: Path) -> None:
    problem = SearchFunctions(RandomFunctions(largest=3), SearchBlackBox(4, 3), count=2)
    for form in ("des", "lga"):
        campaign = Campaign(problem, EvolvedSearch(form), MuPlusLambda(population=4), generations=2, seeds=(0,))
        campaign.run(out=tmp_path / form)
    file = next((tmp_path / "des").rglob("champion.json"))
    strategy = LearnedEvolutionStrategy.from_champion(file, population=8)
    genes = json.loads(file.read_text())["genes"]["parameters"]
    assert (strategy.form, strategy.population) == ("des", 8)
    assert strategy.rule().parameters[0].tolist() == genes
    assert strategy.rule().parameters.abs().sum() > 0
    with pytest.raises(ValueError, match="form is 'des' or 'les', got 'lga'"):
        LearnedEvolutionStrategy.from_champion(next((tmp_path / "lga").rglob("champion.json")))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"population": 1}, "population of 2 or more"),
        ({"standard_deviation": 0.0}, "standard_deviation above 0"),
        ({"form": "cma"}, "form is 'des' or 'les'"),
        ({"parameters": (1.0,)}, r"are \[n, 4\]"),
        ({"parameters": (0.0, math.nan, 0.0, 0.0)}, "finite numbers, got nan"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LearnedEvolutionStrategy(**wrong)


def test_a_genome_without_weights_is_refused(record: Any) -> None:
    words = PythonObject(lambda rng: "a", lambda word, rng: word + "b")
    with pytest.raises(TypeError, match="names no field in `weights`"):
        record(LearnedEvolutionStrategy(), genome=words)
