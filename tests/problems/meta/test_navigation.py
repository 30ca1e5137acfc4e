"""Navigation and the four corners: their goals, what they pay, and that evolution learns to walk there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from evo.algorithms.evolution_strategy import EvolutionStrategy
from evo.evaluation.evaluator import Evaluator
from evo.learning.lifetimes.climbing_walks import ClimbingWalks
from evo.learning.lifetimes.fixed_walks import FixedWalks
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.learning.lifetimes.hebbian import Hebbian
from evo.learning.lifetimes.recurrent_walks import RecurrentWalks
from evo.learning.lifetimes.walks import walk
from evo.parametrised import Parametrised
from evo.plastic import PlasticNetworks
from evo.policies import RecurrentPolicies
from evo.search import Search
from evo.seeds import rng
from genomes.initial_weights import InitialWeights
from genomes.recurrent_policy import RecurrentPolicy
from problems.meta.four_corners import Corners, FourCorners
from problems.meta.navigation import Navigation, UniformGoals


def test_goals_are_uniform_in_the_square_and_of_the_test_split_always_the_same() -> None:
    tasks = UniformGoals().sample(4000, np.random.default_rng(0))
    assert tasks.goals.shape == (4000, 2)
    assert tasks.goals.abs().max() <= 0.5
    assert tasks.goals.mean(0).tolist() == pytest.approx([0.0, 0.0], abs=0.02)
    assert tasks.goals.var(0).tolist() == pytest.approx([1 / 12, 1 / 12], abs=0.004)
    frozen = [UniformGoals("test").sample(many, np.random.default_rng(many)).goals for many in (5, 120)]
    assert torch.equal(frozen[0], frozen[1][:5])
    drawn = [UniformGoals("validation").sample(5, np.random.default_rng(seed)).goals for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_any_four_corners_in_a_row_are_all_of_them() -> None:
    goals = Corners().sample(11, np.random.default_rng(0)).goals
    assert {tuple(goal) for goal in goals.tolist()} == {(x, y) for x in (-2.0, 2.0) for y in (-2.0, 2.0)}
    for start in (0, 4):
        assert len({tuple(goal) for goal in goals[start : start + 4].tolist()}) == 4
    assert not torch.equal(goals, Corners().sample(11, np.random.default_rng(1)).goals)


def test_standing_still_and_walking_straight_earn_what_the_texts_say() -> None:
    navigation, corners = (
        made("test", episodes=1).sample(many, np.random.default_rng(0))
        for made, many in ((UniformGoals, 2000), (Corners, 4))
    )
    for tasks, still, straight in ((navigation, -100 / 6, -0.133), (corners, -400.0, -40.3)):
        assert walk(lambda seen, _: 0 * seen[..., :2], tasks, 1).mean().item() == pytest.approx(still, rel=0.03)

        def there(seen: torch.Tensor, _: torch.Tensor, tasks: Any = tasks) -> torch.Tensor:
            return (tasks.goals - seen[..., :2] * tasks.size) / tasks.speed

        assert walk(there, tasks, 1).mean().item() == pytest.approx(straight, rel=0.03)
    # by hand: diagonal steps of 0.1 to (2, 2), which is noticed at a distance below 2
    expected = sum(-min(4.0, 2 * (2 - 0.1 * step) ** 2) for step in range(1, 21))
    assert expected == pytest.approx(-40.3, abs=0.05)


def test_an_episode_ends_near_the_goal_alone_where_it_should() -> None:
    assert UniformGoals().sample(1, np.random.default_rng(0)).nearness == 0.01
    assert Corners().sample(1, np.random.default_rng(0)).nearness == 0.0
    corners = Corners(episodes=1).sample(4, np.random.default_rng(0))
    asked = []

    def there(seen: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        asked.append(1)
        return (corners.goals - seen[..., :2] * 2) / 0.1

    walk(there, corners, 1)
    assert len(asked) == 100


def test_places_are_bounded_in_the_corners_alone() -> None:
    corners, navigation = Corners(), UniformGoals()
    assert corners.sample(1, np.random.default_rng(0)).bound == 5.0
    assert math.isinf(navigation.sample(1, np.random.default_rng(0)).bound)
    goal = navigation.sample(1, np.random.default_rng(3))
    away = walk(lambda seen, _: torch.ones_like(seen[..., :2]), goal, 1)[0, 0, 0].item()
    x, y = goal.goals[0].tolist()
    assert away == pytest.approx(-sum((0.1 * k - x) ** 2 + (0.1 * k - y) ** 2 for k in range(1, 101)), rel=1e-4)


@pytest.mark.parametrize(
    ("lifetime", "accepted"),
    [
        (RecurrentWalks(), RecurrentPolicies), (Hebbian(), PlasticNetworks),
        (FixedWalks(), Parametrised), (ClimbingWalks(), Parametrised),
    ],
)  # fmt: skip
def test_a_problem_accepts_what_its_lifetime_does(lifetime: Any, accepted: type) -> None:
    assert Navigation(lifetime=lifetime).accepts is accepted
    assert FourCorners(lifetime=lifetime).accepts is accepted


def test_other_lifetimes_and_impossible_trials_are_refused() -> None:
    with pytest.raises(TypeError, match="lifetime is one of points that walk"):
        Navigation(lifetime=GradientSteps())
    with pytest.raises(ValueError, match="1 episode and step or more, got 0, 100"):
        UniformGoals(episodes=0)
    with pytest.raises(ValueError, match="1 episode and step or more, got 3, 0"):
        Corners(horizon=0)


def evolved(problem: Navigation, genome: Any, generations: int) -> Any:
    evaluator = Evaluator(problem)
    search = Search(
        genome, problem.objectives, True, generations, 1,
        lambda genome, rows: evaluator.evaluate(genome, rows, rng(1, "evaluate", search.generation)),
    )  # fmt: skip
    EvolutionStrategy(population=24, standard_deviation=0.1, learning_rate=0.1).run(search)
    return genome.express(genome.restore(search.left["center"]()["genes"]))


def test_evolution_finds_a_policy_that_looks_for_the_goal() -> None:
    tasks = UniformGoals(episodes=2, horizon=20)
    problem = Navigation(tasks, RecurrentWalks(), count=8)
    center = evolved(problem, RecurrentPolicy.for_problem(problem, hidden=6, initial_deviation=0.2), 120)
    frozen = UniformGoals("test", episodes=2, horizon=20).sample(100, np.random.default_rng(0))
    still = walk(lambda seen, _: 0 * seen[..., :2], frozen, 1).mean()
    earned = RecurrentWalks().live(center, frozen, seed=0).scores.mean()
    assert earned > 0.9 * still  # both are negative


def test_what_climbing_learned_is_inherited() -> None:
    problem = Navigation(
        UniformGoals(episodes=4, horizon=10), ClimbingWalks(deviation=0.5), count=3, inheritance="lamarckian"
    )
    genome = InitialWeights.for_problem(problem, hidden=(3,), activation="tanh")
    rows = genome.sample(4, np.random.default_rng(0))
    with Evaluator(problem) as evaluator:
        outcomes = evaluator.evaluate(genome, rows, np.random.default_rng(7))
    assert not torch.equal(outcomes.inherited(rows), rows)
    assert (outcomes.scores[:, 0] >= outcomes.measured["before"]).all()
