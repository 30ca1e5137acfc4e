"""DEAP's loops on our genomes: one evaluation per generation, right lineage, users' scripts unchanged."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

import numpy as np
import pytest
import torch

from evo.algorithms.deap_individual import Individual, OutOfGenerationsError
from evo.algorithms.deap_loop import LOOPS, DeapLoop, selection, toolbox_for

VALID = [
    DeapLoop("eaSimple", 12, select="tournament"),
    DeapLoop("eaSimple", 12, select="lexicase"),
    DeapLoop("eaSimple", 12, select="epsilon_lexicase"),
    DeapLoop("eaMuPlusLambda", 12, select="nsga2"),
    DeapLoop("eaMuPlusLambda", 12, select="tournament"),
    DeapLoop("eaMuPlusLambda", 12, select="nsga3"),
    DeapLoop("eaMuCommaLambda", 6, offspring=24, select="nsga2"),
    DeapLoop("eaMuCommaLambda", 6, offspring=24, select="tournament"),
]
every_loop = pytest.mark.parametrize("loop", VALID, ids=lambda loop: f"{loop.loop}-{loop.select}")


def two_goals(values: torch.Tensor) -> torch.Tensor:
    return torch.stack(((values - 1).square().sum(1), (values + 1).square().sum(1)), dim=1).double()


def run(record: Any, loop: DeapLoop, **arguments: Any) -> Any:
    if loop.select == "nsga3":
        arguments = {"score": two_goals, "maximize": (False, False)} | arguments
    return record(loop, **arguments)


@every_loop
def test_a_generation_is_one_evaluation(loop: DeapLoop, record: Any) -> None:
    kept = run(record, loop, generations=6)
    assert len(kept.rows) == 6
    assert len(kept.rows[0]) == loop.population
    assert all(0 < len(rows) <= (loop.offspring or loop.population) for rows in kept.rows[1:])
    assert len(run(record, loop, generations=1).rows) == 1
    assert len(run(record, loop, generations=0).rows) == 0


@every_loop
def test_scores_improve(loop: DeapLoop, record: Any) -> None:
    kept = run(record, loop, generations=30)
    assert kept.fitness(29)[:, 0].max() > kept.fitness(0)[:, 0].max()


@every_loop
def test_the_same_seed_makes_the_same_rows(loop: DeapLoop, record: Any) -> None:
    first = run(record, loop, generations=5)
    random.seed(7), np.random.seed(7)
    second = run(record, loop, generations=5)
    assert all(torch.equal(a, b) for a, b in zip(first.rows, second.rows, strict=True))
    assert not torch.equal(first.rows[0], run(record, loop, generations=1, seed=2).rows[0])


@every_loop
def test_every_varied_individual_is_someone_new_with_evaluated_parents(loop: DeapLoop, record: Any) -> None:
    kept = run(record, loop, generations=6)
    known = set(kept.uids(0))
    assert len(known) == loop.population
    for generation in range(1, 6):
        uids = kept.uids(generation)
        assert len(set(uids)) == len(uids)
        assert known.isdisjoint(uids)
        assert set(kept.uids(generation, "first_parent")) <= known
        assert set(kept.uids(generation, "second_parent")) <= known | {-1}
        known |= set(uids)
    assert any(max(kept.uids(generation, "second_parent")) >= 0 for generation in range(1, 6))


def test_a_child_resembles_the_parents_it_names(record: Any) -> None:
    kept = record(DeapLoop("eaSimple", 20, 0, 1.0, 0.0, select="tournament"), generations=2)
    genes = dict(zip(kept.uids(0), kept.layouts[0].values(kept.rows[0]), strict=True))
    names = (kept.uids(1, name) for name in ("first_parent", "second_parent"))
    two = 0
    for child, first, second in zip(kept.layouts[1].values(kept.rows[1]), *names, strict=True):
        parents = torch.stack((genes[first], genes[second] if second >= 0 else genes[first]))
        assert (child == parents).any(0).all()
        two += int((child == parents[0]).any() and not torch.equal(child, parents[0]))
    assert two > 5


def test_a_mated_and_mutated_child_has_both_parents(record: Any) -> None:
    kept = record(DeapLoop("eaSimple", 20, 0, 1.0, 1.0, select="tournament"), generations=2)
    assert set(kept.uids(1, "first_parent")) <= set(kept.uids(0))
    assert sum(uid >= 0 for uid in kept.uids(1, "second_parent")) > 10


def test_generations_without_variation_evaluate_nothing_and_end(record: Any) -> None:
    kept = record(DeapLoop("eaSimple", 6, 0, 0.0, 0.0, select="tournament"), generations=5)
    assert len(kept.rows) == 1


def test_generations_in_which_nothing_happened_to_vary_do_not_count(record: Any) -> None:
    kept = record(DeapLoop("eaSimple", 2, 0, 0.1, 0.1, select="tournament"), generations=12)
    assert len(kept.rows) == 12


def test_a_loop_of_ones_own_ends_with_the_generations(record: Any) -> None:
    def forever(population: list[Individual], toolbox: Any, search: Any) -> None:
        while True:
            for individual in population:
                toolbox.mutate(individual)
            for individual, values in zip(population, toolbox.map(toolbox.evaluate, population), strict=True):
                individual.fitness.values = values

    assert len(record(DeapLoop(forever, 5), generations=7).rows) == 7


def test_a_users_script_runs_unchanged(record: Any) -> None:
    """Statistics, hall of fame, Pareto front and DEAP's own list operators, as in DEAP's tutorial."""
    from deap import algorithms, tools

    found: dict[str, Any] = {}

    def script(search: Any) -> None:
        toolbox = toolbox_for(search, select="tournament")
        toolbox.register("mate", tools.cxTwoPoint)
        toolbox.register("mutate", tools.mutGaussian, mu=0, sigma=0.3, indpb=0.5)
        statistics = tools.Statistics(lambda individual: individual.fitness.values)
        statistics.register("min", np.min)
        found["hall"] = tools.HallOfFame(3)
        found["front"] = tools.ParetoFront()
        random.seed(1)
        population = toolbox.population(n=20)
        population, found["log"] = algorithms.eaSimple(
            population, toolbox, 0.5, 0.5, 14, statistics, found["hall"], verbose=False
        )
        found["front"].update(population)

    kept = record(script, generations=15)
    assert found["log"].select("min")[-1] < found["log"].select("min")[0]
    best = [fitness.max().item() for fitness in map(kept.fitness, range(15))]
    assert found["hall"][0].fitness.values[0] == pytest.approx(-max(best))
    assert len({tuple(individual[:]) for individual in found["hall"]}) == 3, "no one is in the hall twice"
    assert set(kept.uids(2, "first_parent")) <= set(kept.uids(0)) | set(kept.uids(1))
    genes = {tuple(row) for row in kept.layouts[0].values(kept.rows[0]).tolist()}
    assert not {tuple(row) for row in kept.layouts[1].values(kept.rows[1]).tolist()} <= genes


def test_repeated_individuals_are_different(record: Any) -> None:
    from deap import tools

    def script(search: Any) -> None:
        toolbox = toolbox_for(search)
        population = tools.initRepeat(list, toolbox.individual, 5)
        assert len({tuple(individual[:]) for individual in population}) == 5
        toolbox.map(toolbox.evaluate, population)

    assert len(set(record(script, generations=1).uids(0))) == 5


def test_a_single_evaluation_is_a_generation_and_more_than_there_are_is_told(record: Any) -> None:
    def script(search: Any) -> None:
        toolbox = toolbox_for(search)
        one = toolbox.individual()
        assert toolbox.evaluate(one) == (pytest.approx(float(np.square(one[1:]).sum())),)
        assert list(toolbox.map(len, [one])) == [6]
        with pytest.raises(OutOfGenerationsError, match="all 1 generations"):
            toolbox.evaluate(one)

    record(script, generations=1)


def test_an_individual_reads_and_writes_like_a_list(record: Any) -> None:
    def script(search: Any) -> None:
        one = toolbox_for(search).individual()
        before = one.row.clone()
        assert len(one) == 6
        assert one[0] == 7.0
        assert len(one[1:3]) == 2
        twin = copy.deepcopy(one)
        assert twin == one
        assert not one.varied
        one[1:3] = [0.5, 0.25]
        one[3] = 0.125
        assert one[1:4] == [0.5, 0.25, 0.125]
        assert one.varied
        assert twin != one
        assert torch.equal(twin.row, before)
        assert torch.equal(one.row[6:], before[6:])

    record(script)


def test_a_clone_shares_nothing(record: Any) -> None:
    def script(search: Any) -> None:
        toolbox = toolbox_for(search)
        one = toolbox.individual()
        one.fitness.values = (1.0,)
        other = toolbox.clone(one)
        assert other.fitness.values == (1.0,)
        toolbox.mutate(other)
        del other.fitness.values
        assert one.fitness.valid
        assert one != other
        assert not one.varied

    record(script)


def test_rows_grow_when_structure_does(record: Any, growing: Any) -> None:
    loop = DeapLoop("eaMuPlusLambda", 6, 0, 0.0, 1.0, select="nsga2")

    def length(values: torch.Tensor) -> torch.Tensor:
        return (values > 0).sum(1, keepdim=True).double()

    kept = record(loop, length, (True,), generations=9, genome=growing())
    assert kept.layouts[-1].width >= kept.layouts[0].width + 5
    assert kept.fitness(8).max() == 8


def test_rows_grow_for_any_number_of_mutations_between_evaluations(record: Any, growing: Any) -> None:
    def script(search: Any) -> None:
        toolbox = toolbox_for(search)
        one, other = toolbox.population(n=2)
        for _ in range(7):
            toolbox.mutate(one)
        toolbox.map(toolbox.evaluate, [one, other])

    kept = record(script, lambda values: values.double().sum(1, keepdim=True), generations=1, genome=growing())
    assert (kept.layouts[0].values(kept.rows[0])[0] > 0).sum() == 7
    assert kept.uids(0) == [2, 1]


@every_loop
def test_global_generators_are_put_back(loop: DeapLoop, record: Any) -> None:
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    before = random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()
    run(record, loop, generations=4)
    assert (random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()) == before


@pytest.mark.parametrize("name", ["tournament", "lexicase", "epsilon_lexicase", "nsga2", "nsga3"])
def test_failed_ones_are_not_selected_while_others_succeeded(name: str, record: Any) -> None:
    def half_fail(values: torch.Tensor) -> torch.Tensor:
        scores = two_goals(values)
        scores[::2] = math.nan
        return scores

    def script(search: Any) -> None:
        toolbox = toolbox_for(search, select=name)
        population = toolbox.population(n=10)
        for individual, values in zip(population, toolbox.map(toolbox.evaluate, population), strict=True):
            individual.fitness.values = values
        failed = population[::2]
        assert all(individual.fitness.wvalues == (-math.inf, -math.inf) for individual in failed)
        for count in (3, 5, 8):
            chosen = toolbox.select(population, count)
            assert len(chosen) == count
            assert all(individual not in failed for individual in chosen)
        assert len(toolbox.select(failed, 4)) == 4
        assert len(toolbox.select(failed, 12)) == 12

    record(script, half_fail, (True, False), generations=1)


def test_one_object_twice_does_not_take_two_places(record: Any) -> None:
    def script(search: Any) -> None:
        toolbox = toolbox_for(search)
        population = toolbox.population(n=6)
        for individual, values in zip(population, toolbox.map(toolbox.evaluate, population), strict=True):
            individual.fitness.values = values
        best = min(population, key=lambda individual: individual.fitness.values)
        chosen = toolbox.select([*population, best, best], 4)
        assert sum(individual is best for individual in chosen) == 1
        assert len(toolbox.select([best, best, best], 3)) == 3

    record(script, generations=1)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"loop": "eaGenerateUpdate"}, "loop must be one of"),
        ({"select": "roulette"}, "select must be one of"),
        ({"population": 1}, "population >= 2"),
        ({"tournament_size": 0}, "tournament_size >= 1"),
        ({"crossover_probability": 1.5}, "between 0 and 1"),
        ({"crossover_probability": 0.7}, "at most 1"),
        ({"loop": "eaSimple", "select": "nsga2"}, "choose select='tournament'"),
        ({"loop": "eaMuCommaLambda", "select": "nsga2"}, "raise offspring to several times"),
        ({"loop": "eaMuCommaLambda", "population": 10, "offspring": 5}, "raise offspring"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        DeapLoop(**settings)


def test_nsga3_wants_several_objectives() -> None:
    with pytest.raises(ValueError, match="choose 'nsga2'"):
        selection("nsga3", 3, 1)


def test_all_stock_loops_are_tried_here() -> None:
    assert {loop.loop for loop in VALID} == set(LOOPS)
