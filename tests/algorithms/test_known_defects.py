"""The defects of EvoTorch and DEAP that are built around: our path is right where theirs is known to be wrong."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from evo.algorithms.deap_loop import DeapLoop, toolbox_for
from evo.algorithms.distribution import CEM, CMAES, PGPE, SNES, XNES
from evo.algorithms.mu_plus_lambda import MuPlusLambda, survivors

SELECTING = [
    MuPlusLambda(12),
    MuPlusLambda(12, complexity=True),
    MuPlusLambda(12, reevaluate=True),
    DeapLoop("eaSimple", 12, select="tournament"),
    DeapLoop("eaSimple", 12, select="lexicase"),
    DeapLoop("eaSimple", 12, select="epsilon_lexicase"),
    DeapLoop("eaMuPlusLambda", 12),
    DeapLoop("eaMuCommaLambda", 6, offspring=24),
]
MOVING = [SNES(12), XNES(12), PGPE(12), CEM(12), CMAES(12)]


def label(algorithm: Any) -> str:
    return "-".join(str(part) for part in vars(algorithm).values() if isinstance(part, str)) + algorithm.name


every_selecting = pytest.mark.parametrize("algorithm", SELECTING, ids=label)
every_algorithm = pytest.mark.parametrize("algorithm", SELECTING + MOVING, ids=label)


def tempting(values: torch.Tensor) -> torch.Tensor:
    """More of the first number is better, until it fails: a search that lets NaN win goes there."""
    scores = values[:, :1].double().clone()
    scores[scores > 1] = math.nan
    return scores


@every_selecting
@pytest.mark.parametrize("maximize", [True, False], ids=["max", "min"])
def test_nan_never_breeds(algorithm: Any, maximize: bool, record: Any) -> None:
    """EvoTorch's argsort puts NaN first, and a comparison with NaN makes DEAP's tournaments take it."""
    sign = 1 if maximize else -1
    kept = record(algorithm, lambda values: tempting(values) * sign, (maximize,), generations=8)
    seen: set[int] = set()
    failed: set[int] = set()
    for generation, outcomes in enumerate(kept.outcomes):
        born = [uid not in seen for uid in kept.uids(generation)]
        for name in ("first_parent", "second_parent"):
            parents = {uid for uid, new in zip(kept.uids(generation, name), born, strict=True) if new}
            if generation != 1 or "eaMu" not in getattr(algorithm, "loop", ""):
                assert failed.isdisjoint(parents), "the mu-lambda loops let all of the first generation breed"
        seen |= set(kept.uids(generation))
        failed |= {uid for uid, ok in zip(kept.uids(generation), outcomes.ok.tolist(), strict=True) if not ok}
    assert failed, "the temptation was there"
    assert kept.outcomes[7].ok.any()


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("objectives", [1, 2])
def test_nan_never_survives_in_any_place(place: int, objectives: int) -> None:
    fitness = torch.randn((5, objectives), dtype=torch.float64, generator=torch.Generator().manual_seed(place))
    fitness[place, -1] = math.nan
    genes = torch.arange(5.0)[:, None]
    assert place not in survivors(genes, fitness, 4).tolist()
    assert survivors(genes, fitness, 5).tolist()[-1] == place


@every_algorithm
def test_a_first_generation_full_of_nan_is_survived(algorithm: Any, record: Any) -> None:
    """EvoTorch's statistics raise AttributeError when the first batch holds NaN."""
    calls: list[int] = []

    def failing_at_first(values: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return values[:, :1].double() * (math.nan if len(calls) == 1 else 1.0)

    assert len(record(algorithm, failing_at_first, (True,), generations=4).rows) == 4


def test_pareto_survival_keeps_the_extreme_points() -> None:
    """EvoTorch's `take_best` loses half of them."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        angle = rng.uniform(0, np.pi / 2, 40)
        fitness = torch.from_numpy(np.stack((np.sin(angle), np.cos(angle)), axis=1))
        chosen = set(survivors(torch.from_numpy(angle)[:, None], fitness, 20).tolist())
        assert {int(angle.argmin()), int(angle.argmax())} <= chosen


def test_no_creator_classes_are_made(record: Any) -> None:
    """They are global, clash between scripts, and come back from another process as other classes."""
    import deap.creator

    before = set(vars(deap.creator))
    record(DeapLoop("eaMuPlusLambda", 6), generations=3)
    assert set(vars(deap.creator)) == before


def test_individuals_are_of_one_plain_class_whatever_the_search(record: Any) -> None:
    made: list[Any] = []
    for _ in range(2):
        record(lambda search: made.append(toolbox_for(search).individual()), generations=1)
    assert type(made[0]) is type(made[1])
    assert type(made[0].fitness) is type(made[1].fitness)


@every_algorithm
def test_populations_are_never_of_type_object(algorithm: Any, record: Any, monkeypatch: Any) -> None:
    """EvoTorch's object arrays are hundreds of times slower, and turn graphs into lists of their nodes."""
    import evotorch

    from evo.algorithms import evotorch_problem

    evotorch_problem.load()
    types: list[Any] = []
    original = evotorch.Problem.__init__

    def watched(self: Any, *arguments: Any, **settings: Any) -> None:
        original(self, *arguments, **settings)
        types.append(self.dtype)

    monkeypatch.setattr(evotorch.Problem, "__init__", watched)
    kept = record(algorithm, generations=2)
    assert all(isinstance(one, torch.dtype) for one in types)
    assert bool(types) == (algorithm.name != "deap-loop")
    assert kept.rows[1].dtype == torch.float32


@every_algorithm
def test_global_generators_are_left_alone(algorithm: Any, record: Any) -> None:
    """DEAP draws from two of them, and EvoTorch's CMA-ES throws away a draw from the third."""

    def state() -> tuple[Any, ...]:
        return random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()

    before = state()
    record(algorithm, generations=3)
    assert state() == before


@every_algorithm
def test_a_replay_takes_the_same_steps_though_evaluations_draw_from_global_generators(
    algorithm: Any, record: Any
) -> None:
    """Resuming replays an algorithm with recorded scores: what evaluations drew the first time is not drawn again."""

    def careless(values: torch.Tensor) -> torch.Tensor:
        noise = random.random() + np.random.random() + torch.rand(()).item()
        return values.double().square().sum(1, keepdim=True) + noise

    first = record(algorithm, careless, generations=5)
    scores = iter([outcomes.scores for outcomes in first.outcomes])
    second = record(algorithm, lambda values: next(scores), generations=5)
    assert all(torch.equal(a, b) for a, b in zip(first.rows, second.rows, strict=True))


@every_algorithm
def test_careless_evaluations_draw_on_and_on(algorithm: Any, record: Any) -> None:
    """Putting the states back must not give every generation the same draws."""
    drawn: list[tuple[float, float, float]] = []

    def careless(values: torch.Tensor) -> torch.Tensor:
        drawn.append((random.random(), float(np.random.random()), torch.rand(()).item()))
        return values.double().square().sum(1, keepdim=True)

    random.seed(8), np.random.seed(8), torch.manual_seed(8)
    record(algorithm, careless, generations=3)
    random.seed(8), np.random.seed(8), torch.manual_seed(8)
    assert drawn == [(random.random(), float(np.random.random()), torch.rand(()).item()) for _ in range(3)]


def test_a_parent_is_not_put_into_the_population_twice(record: Any) -> None:
    """DEAP's varOr appends the parent object itself where a child is neither mated nor mutated."""
    populations: list[list[Any]] = []

    def loop(population: list[Any], toolbox: Any, search: Any) -> None:
        from deap import algorithms

        algorithms.eaMuPlusLambda(population, toolbox, 10, 10, 0.2, 0.2, search.generations - 1, verbose=False)
        populations.append(population)

    record(DeapLoop(loop, 10, select="nsga2"), generations=6)
    assert len({id(individual) for individual in populations[0]}) == 10


def test_engines_are_imported_when_used_and_not_before() -> None:
    """EvoTorch takes seconds to import, DEAP a third of one."""
    modules = "mu_plus_lambda, distribution, deap_loop, deap_individual, evotorch_problem, ranking"
    code = (
        f"import sys; import genomes.python_object; from evo.algorithms import {modules}; "
        "print(sorted({'evotorch', 'ray', 'deap', 'moocore'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
