"""The learned genetic algorithm beside the paper's formulas in plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo.algorithms.learned_genetic_algorithm import LearnedGeneticAlgorithm
from evo.learned_genetics import Parents, begin, births, chances, gumbel, succeeded, successors
from evo.search_rules import SearchRules, one_rule, parameter_count


def rule(seed: int = 0, deviation: float = 0.5) -> SearchRules:
    return one_rule("lga", deviation * np.random.default_rng(seed).standard_normal(parameter_count("lga")))


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def features(losses: np.ndarray, best: float, *more: np.ndarray) -> np.ndarray:
    """Return a row of features for each individual."""
    ranks = np.array([sum(other < loss for other in losses) / (len(losses) - 1) - 0.5 for loss in losses])
    standard = (losses - losses.mean()) / losses.std()
    return np.stack([(losses < best).astype(float), ranks, standard, *more, np.ones(len(losses))], 1)


def attention(asking: np.ndarray, asked: np.ndarray, match: np.ndarray, worth: np.ndarray) -> np.ndarray:
    answers = np.zeros((len(asking), worth.shape[2]))
    for head in range(2):
        for number, one in enumerate(asking):
            logits = np.array([one @ match[head] @ other for other in asked])
            answers[number] += softmax(logits) @ (asked @ worth[head])
    return answers


def matrices(parameters: np.ndarray) -> dict[str, np.ndarray]:
    """Return a rule's matrices: departures in their units, and the rule of people."""
    shapes = {"pm": (2, 5, 5), "pw": (2, 5, 1), "sm": (2, 6, 6), "sw": (2, 6, 1), "vm": (2, 4, 4), "vw": (2, 4, 4)}
    units, found, start = {"pm": 10, "pw": 5, "sm": 10, "sw": 1, "vm": 10, "vw": 5}, {}, 0
    for name, shape in shapes.items():
        found[name] = units[name] * parameters[start : start + math.prod(shape)].reshape(shape)
        start += math.prod(shape)
    for name in ("pm", "sm", "vm"):
        found[name][0, 1, 1] += 37.5
    found["pw"][0, 1, 0] -= 5
    found["vw"][0, 1, 3] += 20
    found["vw"][0, 3, 1] -= 20
    found["vw"][0, 3, 3] -= 3
    return found


DRAWS = np.random.default_rng(8)
LOSSES, SIZES, AGES = DRAWS.standard_normal(6), DRAWS.random(6) + 0.1, np.array([0.0, 3, 1, 0, 2, 5])
BEST = float(LOSSES.min())


def parents() -> Parents:
    return Parents(
        *(torch.from_numpy(each)[None, None] for each in (LOSSES, SIZES, AGES)),
        torch.tensor([[BEST]], dtype=torch.float64),
    )


def test_chances_of_parents_are_their_formula() -> None:
    form = rule(1)
    made = matrices(form.parameters[0].numpy().copy())
    shown = features(LOSSES, BEST, np.tanh(AGES / 4 - 1))
    expected = softmax(attention(shown, shown, made["pm"], made["pw"])[:, 0])
    assert np.allclose(chances(form, parents(), 4)[0, 0], expected)


def test_children_have_parents_by_chance_and_step_sizes_by_their_formula() -> None:
    form, uniform = rule(2), np.array([0.01, 0.3, 0.55, 0.8, 0.999, 0.5])
    born = births(form, parents(), torch.from_numpy(uniform), 4)
    edges = chances(form, parents(), 4)[0, 0].numpy().cumsum()
    chosen = [next((place for place in range(5) if number < edges[place]), 5) for number in uniform]
    assert born.parents[0, 0].tolist() == chosen
    sizes, made = SIZES[chosen], matrices(form.parameters[0].numpy().copy())
    scaled = (sizes - sizes.min()) / (sizes.max() - sizes.min())
    losses = LOSSES[chosen]
    shown = np.stack(
        [
            np.zeros(6),
            [(sum(losses < one) + (sum(losses == one) - 1) / 2) / 5 - 0.5 for one in losses],
            (losses - losses.mean()) / losses.std(),
            (sizes - sizes.mean()) / sizes.std(),
            scaled,
            np.ones(6),
        ],
        1,
    )
    expected = sizes * np.exp(0.5 * attention(shown, shown, made["sm"], made["sw"])[:, 0])
    assert np.allclose(born.deviations[0, 0], expected)
    places, noise = torch.arange(12.0).view(1, 1, 2, 6), torch.ones(2, 6)
    moved = born.places(places, noise)[0, 0]
    for child, father in enumerate(chosen):
        assert np.allclose(moved[:, child], places[0, 0, :, father] + expected[child])


def test_places_go_to_children_by_their_formula() -> None:
    form, children = rule(3, 0.2), np.random.default_rng(4).standard_normal(5)
    made = matrices(form.parameters[0].numpy().copy())
    shown = features(np.concatenate((LOSSES, children)), BEST)
    fathers, young = shown[:6], shown[6:]
    logits = attention(fathers, young, made["vm"], made["vw"]) @ young.T
    noise = gumbel(np.random.default_rng(9), (6, 6), torch.zeros(1, dtype=torch.float64))
    which = successors(form, parents(), torch.from_numpy(children)[None, None], noise)
    expected = (np.concatenate((logits, np.ones((6, 1))), 1) + noise.numpy()).argmax(1)
    assert which[0, 0].tolist() == expected.tolist()
    assert 0 < (which == 5).sum() < 6


def test_who_stays_gets_older_and_who_comes_is_new() -> None:
    born = births(rule(), parents(), torch.rand(6, generator=torch.Generator().manual_seed(0)).double(), 2)
    losses = torch.arange(6.0).double()[None, None] - 9.0
    after = succeeded(parents(), born, losses, torch.tensor([[[6, 0, 6, 5, 5, 6]]]))
    assert after.ages[0, 0].tolist() == [1, 0, 2, 0, 0, 6]
    assert after.losses[0, 0].tolist() == [LOSSES[0], -9.0, LOSSES[2], -4.0, -4.0, LOSSES[5]]
    sizes = born.deviations[0, 0].tolist()
    assert after.deviations[0, 0].tolist() == [SIZES[0], sizes[0], SIZES[2], sizes[5], sizes[5], SIZES[5]]
    assert after.best.item() == -9.0


def test_gumbel_noise_draws_from_the_softmax() -> None:
    logits = torch.tensor([1.0, 0.0, 2.0])
    drawn = (logits + gumbel(np.random.default_rng(0), (40_000, 3), logits)).argmax(1)
    assert torch.allclose(drawn.bincount() / 40_000, logits.softmax(0), atol=0.01)


@given(
    losses=some.lists(some.integers(-99, 99), min_size=2, max_size=8, unique=True),
    seed=some.integers(0, 99),
    factor=some.sampled_from([1e-2, 3.0, 1e5]),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_chances_are_shares_and_scale_and_zero_do_not_count(losses: list[int], seed: int, factor: float) -> None:
    values = torch.tensor(losses, dtype=torch.float64)[None, None]
    found = chances(rule(seed), begin(values, 1.0), 3)
    assert found.sum().item() == pytest.approx(1.0)
    assert torch.allclose(found, chances(rule(seed), begin(factor * values - 8.0, 1.0), 3), atol=1e-5)
    backward = chances(rule(seed), begin(values.flip(-1), 1.0), 3)
    assert torch.allclose(found, backward.flip(-1), atol=1e-9)


def test_the_rule_of_people_prefers_good_parents_keeps_steps_and_keeps_the_best() -> None:
    people = one_rule("lga", ())
    first = begin(torch.arange(8.0).double()[None, None], 0.3)
    found = chances(people, first, 1)[0, 0]
    assert (found.diff() < 0).all()
    assert found[0] / found[-1] > 20
    assert (births(people, first, torch.linspace(0, 0.99, 8).double(), 1).deviations == 0.3).all()
    draws = np.random.default_rng(0)
    counts = torch.zeros(8)
    for _ in range(200):
        noise = gumbel(draws, (8, 9), first.losses)
        counts += (successors(people, first, first.losses + 3.5, noise) == 8)[0, 0]
    assert counts[0] > 180
    assert counts[-1] < 20


@pytest.mark.parametrize("maximize", [False, True])
def test_it_moves_to_better_scores(record: Any, maximize: bool) -> None:
    sign = -1.0 if maximize else 1.0
    algorithm = LearnedGeneticAlgorithm(standard_deviation=0.2)
    kept = record(algorithm, lambda values: sign * values.double().square().sum(1, keepdim=True), (maximize,), 60)
    assert kept.fitness(0).max() < -1
    assert kept.fitness(59).max() > -0.3


def test_children_differ_from_their_parents_in_weights_alone(record: Any) -> None:
    kept = record(LearnedGeneticAlgorithm(6, 0.1), generations=5)
    known = {}
    for generation, rows in enumerate(kept.rows):
        assert (kept.layouts[0].tag(rows) == 7).all()
        values = kept.layouts[0].values(rows)
        for uid, father, row in zip(kept.uids(generation), kept.uids(generation, "first_parent"), values, strict=True):
            known[uid] = row
            if generation:
                steps = (row - known[father]).double()
                assert 0.01 < steps.square().mean().sqrt() < 0.4
    assert len(known) == 30


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"population": 1}, "population of 2 or more"),
        ({"standard_deviation": 0.0}, "standard_deviation above 0"),
        ({"parameters": (1.0,)}, r"are \[n, 208\]"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LearnedGeneticAlgorithm(**wrong)
