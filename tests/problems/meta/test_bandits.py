"""Bandits, and what people's strategies earn on them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from evo.algorithms.evolution_strategy import EvolutionStrategy
from evo.evaluation.evaluator import Evaluator
from evo.learning.lifetimes.base import Lives
from evo.learning.lifetimes.recurrent import Recurrent
from evo.search import Search
from evo.seeds import rng
from genomes.recurrent_policy import RecurrentPolicy
from problems.meta import bandit_baselines as baselines
from problems.meta.bandits import Bandits, BernoulliBandits, bandits
from problems.meta.bayes_optimal import optimal_value

CHANCES = np.random.default_rng(11).random((20_000, 5))


def mean(strategy: baselines.Strategy, pulls: int = 10, tasks: int = 20_000) -> float:
    return float(baselines.play(strategy, CHANCES[:tasks], pulls, seed=3).mean())


def test_strategies_earn_what_is_published() -> None:
    assert mean(baselines.random_play) == pytest.approx(5.0, abs=0.05)
    assert mean(baselines.thompson) == pytest.approx(5.75, abs=0.1)
    assert mean(baselines.greedy) == pytest.approx(6.55, abs=0.1)
    assert mean(baselines.upper_bound(0.2)) == pytest.approx(6.65, abs=0.1)
    assert mean(baselines.gittins_approximation) == pytest.approx(6.6, abs=0.1)
    lost = 100 * CHANCES[:2000].max(1).mean() - mean(baselines.gittins(100), 100, 2000)
    assert 100 * 5 / 6 - lost == pytest.approx(78.9, abs=0.5)


def test_the_index_of_a_single_pull_is_the_chance_to_win_and_grows_with_what_is_left() -> None:
    table = baselines.gittins_table(8)
    wins, losses = np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    assert table[0] == pytest.approx((wins + 1) / (wins + losses + 2), abs=1e-6)
    assert all(more[0, 0] > less[0, 0] for less, more in pairwise(table))
    # two pulls: stop after a loss; p + p * p' = price * (1 + p) with p = 1/2, p' = 2/3
    assert table[1][0, 0] == pytest.approx((0.5 + 0.5 * 2 / 3) / 1.5, abs=1e-3)


def test_with_one_arm_known_to_be_optimal_the_index_earns_the_exact_optimum() -> None:
    """For few pulls the index of what is left of the horizon is all but optimal."""
    earned = baselines.play(baselines.gittins(4), np.random.default_rng(1).random((200_000, 2)), 4, seed=5)
    assert earned.mean() == pytest.approx(optimal_value(4, 2), abs=0.01)


def test_what_is_likely_best_of_one_draw_is_thompson_sampling() -> None:
    one, plain = (
        strategy(np.ones((4, 3)), np.full((4, 3), 2.0), 0, np.random.default_rng(0))
        for strategy in (baselines.optimistic_thompson(1), baselines.thompson)
    )
    assert one == pytest.approx(plain)


def test_settings_are_chosen_on_other_tasks() -> None:
    names = baselines.baselines(5, 2, CHANCES[:50, :2], seed=0)
    assert {name.split(",")[0] for name in names} == {
        "random",
        "Gittins",
        "Thompson",
        "optimistic Thompson",
        "UCB1",
        "epsilon-greedy",
        "greedy",
    }
    assert all(earned.shape == (50,) for earned in names.values())


def test_tasks_are_chances_and_of_the_test_split_always_the_same() -> None:
    tasks = BernoulliBandits(pulls=7, arms=3).sample(1000, np.random.default_rng(0))
    assert tasks.rewards.shape == (1000, 1, 3)
    assert (tasks.steps, tasks.inputs) == (7, 4)
    assert tasks.rewards.mean().item() == pytest.approx(0.5, abs=0.03)
    frozen = [BernoulliBandits("test", 7, 3).sample(5, np.random.default_rng(seed)).rewards for seed in (0, 1)]
    assert torch.equal(frozen[0], frozen[1])


def test_a_policy_that_knows_one_arm_earns_that_arm() -> None:
    genome = RecurrentPolicy(4, 3, hidden=2)
    policies = genome.express(genome.layout.rows(parameters=np.zeros((1, genome.layout.genes))))
    policies.matrices().logits[0, 1, 0] = 50.0
    tasks = bandits(np.tile([0.0, 1.0, 0.0], (5, 1)), 7)
    assert Recurrent().live(policies, tasks, seed=0).scores.flatten().tolist() == [7.0] * 5


def test_evolution_learns_to_learn_from_one_pull() -> None:
    """Two arms, of which one always wins: who remembers the first pull loses at most once in six."""
    problem = Bandits(BernoulliBandits(pulls=6, arms=2), count=32)
    genome = RecurrentPolicy.for_problem(problem, hidden=4)
    evaluator = Evaluator(problem)
    search = Search(
        genome,
        problem.objectives,
        True,
        150,
        1,
        lambda genome, rows: evaluator.evaluate(genome, rows, rng(1, "evaluate", search.generation)),
    )
    EvolutionStrategy(population=32, standard_deviation=0.3, learning_rate=0.1).run(search)
    center = genome.express(genome.restore(search.left["center"]()["genes"]))
    sure = bandits(np.array([[1.0, 0.0], [0.0, 1.0]] * 50), 6)
    assert Recurrent().live(center, sure, seed=0).scores.mean() > 4.4


def test_tasks_of_another_kind_are_refused() -> None:
    from problems.meta.tabular_mdps import RandomMdps

    with pytest.raises(TypeError, match="a BernoulliBandits, got RandomMdps"):
        _ = Bandits(RandomMdps()).inputs


def test_trials_that_go_badly_may_count_for_more() -> None:
    """Two policies of the same mean, one even and one not: only a power above 1 tells them apart."""
    lives = Lives(torch.tensor([[[6.0], [6.0]], [[9.0], [3.0]]], dtype=torch.float64))
    mean, averse = (Bandits(shortfall_power=power).score(lives).flatten().tolist() for power in (1.0, 2.0))
    assert mean == pytest.approx([6.0, 6.0])
    assert averse == pytest.approx([6.0, 10 - (0.5 * 1**2 + 0.5 * 7**2) ** 0.5])
    with pytest.raises(ValueError, match="shortfall_power is 1 or more"):
        Bandits(shortfall_power=0.5)
