"""Black boxes: functions of the report in plain loops, tasks, and lifetimes beside one search at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from evo.algorithms.learned_evolution_strategy import LearnedEvolutionStrategy
from evo.black_box import BlackBoxes
from evo.black_box_functions import NAMES
from evo.learned_genetics import LARGEST as FARTHEST
from evo.learning.lifetimes.black_box_search import LEAST, SearchBlackBox
from evo.search_rules import SearchRules, parameter_count
from genomes.evolved_search import EvolvedSearch
from problems.meta.black_box import TESTING, TRAINING, RandomFunctions, SearchFunctions

EVERY = RandomFunctions(functions=NAMES, smallest=2, largest=5, noise=(0.0,)).sample(22, np.random.default_rng(0))
FORMS = ("des", "les", "lga")


def rules(form: str, count: int = 5, deviation: float = 0.3) -> SearchRules:
    genome = EvolvedSearch(form, initial_deviation=deviation)
    return genome.express(genome.sample(count, np.random.default_rng(1)))


def osz(values: Any) -> Any:
    """T_osz, section 0.2 of the report."""
    out = []
    for x in values:
        hat = math.log(abs(x)) if x else 0.0
        c1, c2 = (10, 7.9) if x > 0 else (5.5, 3.1)
        out.append(np.sign(x) * math.exp(hat + 0.049 * (math.sin(c1 * hat) + math.sin(c2 * hat))))
    return np.array(out)


def asy(beta: float, values: Any) -> Any:
    """T_asy^beta, section 0.2."""
    size = len(values)
    return np.array([x ** (1 + beta * i / (size - 1) * math.sqrt(x)) if x > 0 else x for i, x in enumerate(values)])


def lam(alpha: float, size: int) -> Any:
    return np.diag([alpha ** (0.5 * i / (size - 1)) for i in range(size)])


def rosenbrock_terms(x: Any, o: Any, r: Any) -> list[float]:
    z = max(1.0, math.sqrt(len(x)) / 8) * r @ (x - o) + 1
    return [100 * (z[i] ** 2 - z[i + 1]) ** 2 + (z[i] - 1) ** 2 for i in range(len(x) - 1)]


def by_hand(name: str, x: Any, o: Any, r: Any, q: Any) -> float:
    """Return a function's value at x, with its optimum at o, rotations R and Q; numbers are those of the report."""
    size, y = len(x), x - o
    if name == "sphere":  # f1
        return sum(value**2 for value in y)
    if name == "ellipsoid":  # f10
        return sum(10 ** (6 * i / (size - 1)) * value**2 for i, value in enumerate(osz(r @ y)))
    if name == "discus":  # f11
        z = osz(r @ y)
        return 1e6 * z[0] ** 2 + sum(z[1:] ** 2)
    if name == "different powers":  # f14
        return math.sqrt(sum(abs(value) ** (2 + 4 * i / (size - 1)) for i, value in enumerate(r @ y)))
    if name == "rosenbrock":  # f9
        return sum(rosenbrock_terms(x, o, r))
    if name == "rastrigin":  # f15
        z = r @ lam(10, size) @ q @ asy(0.2, osz(r @ y))
        return 10 * (size - sum(math.cos(2 * math.pi * value) for value in z)) + sum(z**2)
    if name == "attractive sector":  # f6
        z = q @ lam(10, size) @ r @ y
        return (
            osz([sum((100 * value if value * place > 0 else value) ** 2 for value, place in zip(z, o, strict=True))])[0]
            ** 0.9
        )
    if name == "bent cigar":  # f12
        z = r @ asy(0.5, r @ y)
        return z[0] ** 2 + 1e6 * sum(z[1:] ** 2)
    if name == "sharp ridge":  # f13
        z = q @ lam(10, size) @ r @ y
        return z[0] ** 2 + 100 * math.sqrt(sum(z[1:] ** 2))
    if name == "schaffers":  # f17
        z = lam(10, size) @ q @ asy(0.5, r @ y)
        s = [math.sqrt(z[i] ** 2 + z[i + 1] ** 2) for i in range(size - 1)]
        return (sum(math.sqrt(v) + math.sqrt(v) * math.sin(50 * v**0.2) ** 2 for v in s) / (size - 1)) ** 2
    assert name == "griewank-rosenbrock"  # f19
    return 10 / (size - 1) * sum(s / 4000 - math.cos(s) for s in rosenbrock_terms(x, o, r)) + 10


def test_functions_are_those_of_the_report() -> None:
    places = torch.from_numpy(np.random.default_rng(1).uniform(-5, 5, (2, 22, 5, 3)).astype(np.float32))
    found, seen = EVERY.values(places), set()
    for task in range(22):
        size, name = int(EVERY.sizes[task]), NAMES[int(EVERY.functions[task])]
        parts = [getattr(EVERY, each)[task].double().numpy() for each in ("optima", "first", "second")]
        o, r, q = parts[0][:size], parts[1][:size, :size], parts[2][:size, :size]
        for rule in range(2):
            for sample in range(3):
                x = places[rule, task, :size, sample].double().numpy()
                assert found[rule, task, sample] == pytest.approx(by_hand(name, x, o, r, q), rel=2e-3), name
        seen.add(name)
    assert seen == set(NAMES)


def test_optima_have_the_least_value_and_coordinates_that_a_task_lacks_do_not_count() -> None:
    assert (EVERY.values(EVERY.optima[None, :, :, None]) < 1e-3).all()
    places = EVERY.starts[None, :, :, None].clone()
    before = EVERY.values(places)
    assert (before > 1e-3).all()
    for task in range(22):
        places[0, task, int(EVERY.sizes[task]) :] = 77.0
    assert torch.equal(EVERY.values(places), before)


def test_rotations_are_rotations() -> None:
    for task in range(22):
        size = int(EVERY.sizes[task])
        for matrices in (EVERY.first, EVERY.second):
            turned = matrices[task] @ matrices[task].T
            assert torch.allclose(turned[:size, :size], torch.eye(size), atol=1e-5)
            assert turned.sum().item() == pytest.approx(size, abs=1e-4)


def test_noise_multiplies() -> None:
    some = RandomFunctions(noise=(0.0, 0.5)).sample(40, np.random.default_rng(2))
    values = torch.full((1, 40, 2000), 3.0)
    seen = some.disturbed(values, torch.from_numpy(np.random.default_rng(0).standard_normal((40, 2000))))
    assert torch.equal(seen[:, some.noise == 0], values[:, some.noise == 0].double())
    spread = (seen[0, some.noise == 0.5] / 3.0).log().std(1)
    assert torch.allclose(spread, torch.full_like(spread, 0.5), atol=0.05)
    assert 5 < len(spread) < 35


def test_values_beyond_all_bounds_are_told_as_the_largest() -> None:
    values = EVERY.values(torch.full((1, 22, 5, 1), FARTHEST))
    assert values.isfinite().all()
    assert values.max() == 1e12


def test_no_function_to_test_with_is_trained_on_and_test_tasks_are_frozen() -> None:
    assert not set(TRAINING) & set(TESTING)
    named: dict[str, set[str]] = {}
    for split in ("train", "validation", "test"):
        tasks = RandomFunctions(split).sample(60, np.random.default_rng(0))
        named[split] = {NAMES[number] for number in tasks.functions.tolist()}
        assert set(tasks.sizes.tolist()) == set(range(2, 11))
    assert named == {"train": set(TRAINING), "validation": set(TRAINING), "test": set(TESTING)}
    first, again = (RandomFunctions("test").sample(5, np.random.default_rng(seed)) for seed in (0, 1))
    assert torch.equal(first.optima, again.optima)
    counts = torch.bincount(RandomFunctions().sample(20, np.random.default_rng(3)).functions)
    assert counts.max() - counts.min() == 1
    assert len(counts) == len(TRAINING)


@pytest.mark.parametrize("form", FORMS)
def test_a_population_is_each_of_its_members_alone_in_chunks_of_any_size(form: str) -> None:
    tasks = RandomFunctions(functions=NAMES, largest=4).sample(13, np.random.default_rng(4))
    some = rules(form, 7)
    whole = SearchBlackBox(5, 6).live(some, tasks, seed=0)
    for size in (1, 2, 3):
        parts = SearchBlackBox(5, 6, chunk=size).live(some, tasks, seed=0)
        assert torch.equal(parts.scores, whole.scores)
        assert torch.equal(parts.measured["half"], whole.measured["half"])
    backward = SearchBlackBox(5, 6).live(some[torch.arange(6, -1, -1)], tasks, seed=0)
    assert torch.equal(backward.scores.flip(0), whole.scores)
    assert whole.scores.isfinite().all()
    assert whole.scores.std(0).max() > 0.01


@pytest.mark.parametrize("form", FORMS)
def test_tasks_do_not_mix(form: str) -> None:
    tasks = RandomFunctions(largest=3, noise=(0.0,)).sample(3, np.random.default_rng(4))
    life = SearchBlackBox(4, 5)
    other = BlackBoxes(**{**vars(tasks), "optima": torch.cat((tasks.optima[:2], tasks.optima[2:] + 1.0))})
    first, second = (life.live(rules(form), each, seed=0).scores[..., 0] for each in (tasks, other))
    assert torch.equal(first[:, :2], second[:, :2])
    assert not torch.equal(first[:, 2], second[:, 2])


def test_a_lifetime_is_the_algorithm_on_the_same_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule on one task, as `LearnedEvolutionStrategy` searches, when it is handed the lifetime's noise."""
    from evo.algorithms import learned_evolution_strategy as module
    from evo.outcome import outcomes_of
    from evo.problem import Objective
    from evo.search import Search
    from genomes.vector import Vector

    task = RandomFunctions(smallest=4, largest=4, noise=(0.0,)).sample(1, np.random.default_rng(6))
    life, form = SearchBlackBox(6, 8, 1.5), rules("les", 1)
    expected, least = life.least(form, task, seed=3)[0, 0], []
    drawn = [life._normal(task, 3, generation)[0].T for generation in range(8)]

    def noise(draws: Any, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
        return drawn[search.generation].to(like)

    def evaluate(genome: Any, rows: torch.Tensor) -> Any:
        values = task.values(genome.layout.view(rows, "values").T[None, None])[0, 0]
        least.append(float(values.min()))
        return outcomes_of(values[:, None].double())

    genome = Vector(4, -100.0, 100.0)
    monkeypatch.setattr(module.seeds, "normal", noise)
    monkeypatch.setattr(Vector, "sample", lambda self, count, rng: self.layout.rows(values=task.starts.numpy()))
    search = Search(genome, (Objective("value", maximize=False),), False, 8, 0, evaluate)
    LearnedEvolutionStrategy(6, 1.5, "les", tuple(form.parameters[0].tolist())).run(search)
    assert np.allclose(np.minimum.accumulate(least), expected, rtol=1e-2)
    assert expected[-1] < expected[0]


def test_scores_are_logarithms_of_what_is_left_at_best() -> None:
    tasks = RandomFunctions(largest=3).sample(4, np.random.default_rng(4))
    life = SearchBlackBox(6, 9)
    least, lives = life.least(rules("des"), tasks, seed=1), life.live(rules("des"), tasks, seed=1)
    assert (least.diff(dim=-1) <= 0).all()
    start = tasks.values(tasks.starts[None, :, :, None])[0, :, 0]
    assert torch.allclose(lives.scores[..., 0], (least[..., -1].clamp(min=LEAST) / start).log10().double(), atol=1e-5)
    assert torch.allclose(lives.measured["half"], (least[..., 4].clamp(min=LEAST) / start).log10().double(), atol=1e-5)


def test_a_generation_measures_all_rules_on_the_same_tasks_with_the_same_noise() -> None:
    problem = SearchFunctions(RandomFunctions(largest=4), SearchBlackBox(5, 4), count=6)
    same = SearchRules("lga", torch.zeros(3, parameter_count("lga")))
    for seed in (0, 1):
        outcomes = problem.evaluate(same, np.random.default_rng(seed))
        assert len(outcomes.scores.unique()) == 1
    outcomes = problem.evaluate(rules("lga", 4), np.random.default_rng(0))
    alone = problem.evaluate(rules("lga", 4)[2:3], np.random.default_rng(0))
    assert torch.equal(outcomes.scores[2:3], alone.scores)
    assert outcomes.measured["task_evaluations"].tolist() == [6.0] * 4
    assert problem.objectives[0].maximize is False


@pytest.mark.parametrize("form", FORMS)
def test_genes_of_zero_are_the_rule_of_people_and_describe_restores(form: str) -> None:
    genome = EvolvedSearch(form, initial_deviation=0.0)
    assert (genome.express(genome.sample(3, np.random.default_rng(0))).parameters == 0).all()
    genome = EvolvedSearch(form)
    row = genome.sample(1, np.random.default_rng(0))
    again = genome.restore(genome.describe(row[0]))
    assert torch.equal(again[:, : genome.layout.genes], row[:, : genome.layout.genes])


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"functions are some of sphere, .* got 'ackley'"):
        RandomFunctions(functions=("ackley",))
    with pytest.raises(ValueError, match="2 <= smallest <= largest"):
        RandomFunctions(smallest=1)
    with pytest.raises(ValueError, match="form is one of des, les, lga, got 'cma'"):
        EvolvedSearch("cma")
    with pytest.raises(ValueError, match=r"of form 'des' are \[n, 4\], got \[1, 3\]"):
        SearchRules("des", torch.zeros(1, 3))
    with pytest.raises(ValueError, match="population >= 2"):
        SearchBlackBox(1)
