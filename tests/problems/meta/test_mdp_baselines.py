"""Random Markov decision problems, and what agents that plan earn on them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from evo.markov import MarkovTasks
from problems.meta import mdp_baselines as baselines
from problems.meta.tabular_mdps import RandomMdps

SOME = RandomMdps().sample(400, np.random.default_rng(21))


def earned(agent: baselines.Agent, **settings: float) -> float:
    return float(baselines.play(agent, SOME, seed=2, **settings).mean())  # type: ignore[arg-type]


def test_agents_earn_what_was_measured_with_the_matched_prior() -> None:
    assert earned(baselines.random_agent) == pytest.approx(100, abs=4)
    assert earned(baselines.greedy) == pytest.approx(150, abs=4)
    assert earned(baselines.bonus(0.3)) == pytest.approx(152.7, abs=4)
    assert earned(baselines.posterior_sampling()) == pytest.approx(134, abs=4)
    assert baselines.optimum(SOME).mean() == pytest.approx(218.5, abs=3)


def test_a_prior_below_the_problems_mean_makes_greedy_agents_shun_what_they_have_not_tried() -> None:
    assert earned(baselines.greedy, prior_mean=0.0) == pytest.approx(129, abs=5)


def test_the_optimum_is_that_of_the_best_of_all_policies() -> None:
    tasks = RandomMdps(episodes=3, states=2, actions=2, horizon=2).sample(1, np.random.default_rng(4))
    rewards, chances = tasks.rewards[0].double().numpy(), tasks.transitions[0].double().numpy()
    best = -np.inf
    for plan in itertools.product(range(2), repeat=3):  # the first action, and one for each state after it
        first = plan[0]
        best = max(best, rewards[0, first] + sum(chances[0, first, s] * rewards[s, plan[1 + s]] for s in range(2)))
    assert baselines.optimum(tasks)[0] == pytest.approx(3 * best)


def test_without_noise_in_transitions_a_planner_finds_the_treasure() -> None:
    """Action 1 leads on, action 0 back; only the last state pays."""
    rewards, transitions = torch.zeros(4, 3, 2), torch.zeros(4, 3, 2, 3)
    rewards[:, 2] = 40.0
    for state in range(3):
        transitions[:, state, 1, min(state + 1, 2)] = transitions[:, state, 0, 0] = 1.0
    tasks = MarkovTasks(rewards, transitions, horizon=6, episodes=30)
    found, by_chance = (baselines.play(agent, tasks, seed=0) for agent in (baselines.greedy, baselines.random_agent))
    assert (found > 1.6 * by_chance).all()


def test_the_best_transitions_are_chances_that_lie_within_the_bound() -> None:
    draws = np.random.default_rng(0)
    means, share, ahead = draws.dirichlet(np.ones(4), (3, 4, 2)), draws.random((3, 4, 2)), draws.random((3, 4))
    best = baselines._best_transitions(means, share, ahead)
    assert best.sum(-1) == pytest.approx(np.ones((3, 4, 2)))
    assert (best >= 0).all()
    assert (np.abs(best - means).sum(-1) <= share + 1e-9).all()
    gain = ((best - means) * ahead[:, None, None]).sum(-1)
    assert (gain >= -1e-9).all()
    certain = baselines._best_transitions(means, np.full(share.shape, 2.0), ahead)
    assert (certain.argmax(-1) == ahead.argmax(1)[:, None, None]).all()


def test_problems_are_drawn_as_published() -> None:
    tasks = RandomMdps().sample(2000, np.random.default_rng(0))
    assert tasks.rewards.mean().item() == pytest.approx(1.0, abs=0.02)
    assert tasks.rewards.std().item() == pytest.approx(1.0, abs=0.02)
    assert torch.allclose(tasks.transitions.sum(-1), torch.ones(2000, 10, 5), atol=1e-5)
    assert tasks.transitions.square().sum(-1).mean().item() == pytest.approx(2 / 11, abs=0.005)  # flat Dirichlet
    assert (tasks.inputs, tasks.steps) == (17, 100)


def test_settings_are_chosen_on_other_problems_and_every_agent_plays() -> None:
    few = RandomMdps(episodes=2, states=2, actions=2, horizon=2)
    found = baselines.baselines(
        few.sample(6, np.random.default_rng(0)), few.sample(6, np.random.default_rng(1)), seed=0
    )
    assert len(found) == 7
    assert all(total.shape == (6,) for total in found.values())
