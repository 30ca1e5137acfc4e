"""Pictures of lives: every line is what an independent loop of the same life gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evo.inspect.chart import Chart
from evo.inspect.curves import Line
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.learning.lifetimes.recurrent import Recurrent
from evo.learning.lifetimes.recurrent_walks import RecurrentWalks
from genomes.initial_weights import InitialWeights
from genomes.learned_optimiser import LearnedOptimiser
from genomes.recurrent_policy import RecurrentPolicy
from problems.few_shot.sinusoids import FewShotSinusoids, Sinusoids
from problems.meta import descent_charts, hand_optimisers
from problems.meta.bandits import Bandits, BernoulliBandits
from problems.meta.navigation import Navigation, UniformGoals
from problems.meta.quadratics import DescendQuadratics, RandomQuadratics
from problems.meta.tabular_mdps import RandomMdps, TabularMdps

RNG = np.random.default_rng


def lines(chart: Chart) -> dict[str, Line]:
    return {line.name: line for line in chart.lines}


def expressed(genome: Any) -> Any:
    return genome.express(genome.sample(2, RNG(0)))


def test_fits_of_a_sinusoid_are_those_of_a_plain_loop() -> None:
    problem = FewShotSinusoids(lifetime=GradientSteps(horizons=(2,), step_size=0.02))
    networks = expressed(InitialWeights.for_problem(problem, hidden=(5,)))
    charts = problem.charts(networks)
    tasks = Sinusoids("test").sample(2, RNG(5))  # frozen: the generator does not matter
    for number, chart in enumerate(charts):
        first, bias, second, end = (
            one[0].clone().requires_grad_() for one in networks.network.split(networks.parameters)
        )

        def answer(x: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
            return (x @ weights[0].T + weights[1]).relu() @ weights[2].T + weights[3]

        weights, found = [first, bias, second, end], lines(chart)
        x = torch.tensor(found["at birth"].x)[:, None]
        assert np.allclose(found["at birth"].y, answer(x, weights).detach().flatten(), atol=1e-5)
        for step in range(1, 11):
            error = (answer(tasks.support_inputs[number], weights) - tasks.support_targets[number]).square().mean()
            slopes = torch.autograd.grad(error, weights)
            weights = [
                (one - 0.02 * slope).detach().requires_grad_() for one, slope in zip(weights, slopes, strict=True)
            ]
            if step in (1, 10):
                name = "after 1 step" if step == 1 else "after 10 steps"
                assert np.allclose(found[name].y, answer(x, weights).detach().flatten(), atol=1e-4), name
        at = {
            round(x, 4): y
            for x, y in zip(found["points to learn from"].x, found["points to learn from"].y, strict=True)
        }
        assert at == {
            round(x, 4): y
            for x, y in zip(
                tasks.support_inputs[number, :, 0].tolist(), tasks.support_targets[number, :, 0].tolist(), strict=True
            )
        }
        curve = np.interp(list(at), found["sinusoid"].x, found["sinusoid"].y)
        assert np.allclose(curve, list(at.values()), atol=0.01)


def test_regret_ends_at_what_trials_fell_short_of() -> None:
    problem = Bandits(BernoulliBandits(pulls=12, arms=3))
    policies = expressed(RecurrentPolicy.for_problem(problem, hidden=4))
    (chart,) = problem.charts(policies)
    tasks = BernoulliBandits("test", pulls=12, arms=3).sample(500, RNG(0))
    best = 12 * tasks.rewards[:, 0].max(1).values.double().mean()
    earned = Recurrent().live(policies[:1], tasks, seed=0).scores.mean()
    found = lines(chart)
    assert found["champion"].y[-1] == pytest.approx(float(best - earned), abs=1e-9)
    assert found["Gittins, finite horizon"].y[-1] < found["Thompson"].y[-1] < found["random"].y[-1]
    assert list(found["champion"].x) == list(range(1, 13))


def test_rewards_of_episodes_add_up_to_those_of_trials() -> None:
    problem = TabularMdps(RandomMdps(episodes=4))
    policies = expressed(RecurrentPolicy.for_problem(problem, hidden=4))
    (chart,) = problem.charts(policies)
    tasks = RandomMdps("test", episodes=4).sample(300, RNG(0))
    found = lines(chart)
    earned = Recurrent().live(policies[:1], tasks, seed=0).scores.mean()
    assert sum(found["champion"].y) == pytest.approx(float(earned), abs=1e-3)
    assert found["greedy"].y[-1] > found["greedy"].y[0] + 0.5
    assert found["random"].y[-1] < found["problem known"].y[-1]


def test_descents_are_those_of_torch_and_end_where_losses_say() -> None:
    problem = DescendQuadratics(RandomQuadratics(size=4, steps=20))
    losses, ways = problem.charts(expressed(LearnedOptimiser()))
    found, tasks = lines(losses), RandomQuadratics("test", size=4, steps=20).sample(64, RNG(0))
    others = RandomQuadratics(size=4, steps=20).sample(64, RNG(1))
    rate = hand_optimisers.baselines(tasks, others, hand_optimisers.STEP_SIZES[::2])["SGD"].step_size
    place = tasks.start.clone().requires_grad_()
    optimiser, seen, walked = torch.optim.SGD([place], rate), [], []
    for _ in range(21):
        loss = ((tasks.matrices @ place[..., None])[..., 0] - tasks.targets).square().sum(1)
        seen.append(float(loss.detach().mean()))
        walked.append(place.detach()[0].clone())
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
    assert np.allclose(10 ** np.array(found["SGD"].y), seen, rtol=1e-3)
    _, _, directions = torch.linalg.svd(tasks.matrices[0])
    lowest = torch.linalg.solve(tasks.matrices[0], tasks.targets[0])
    across = [float((one - lowest) @ directions[0]) for one in walked]
    assert np.allclose(lines(ways)["SGD"].x, across, atol=1e-3)
    assert len(lines(ways)["champion"].x) == 21


def test_descents_say_which_step_sizes_are_an_end_of_those_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, optimisers = DescendQuadratics(RandomQuadratics(size=2, steps=5)), expressed(LearnedOptimiser())
    assert "an end of those tried" not in problem.charts(optimisers)[0].said
    monkeypatch.setattr(descent_charts, "STEP_SIZES", (1e-4, 1e-3))
    said = problem.charts(optimisers)[0].said
    assert "Of SGD, momentum, NAG, RMSprop, Adam it is an end of those tried" in said


def test_ways_begin_at_the_origin_and_pay_what_episodes_earn() -> None:
    problem = Navigation(UniformGoals(episodes=2, horizon=7))
    policies = expressed(RecurrentPolicy.for_problem(problem, hidden=4))
    (chart,) = problem.charts(policies)
    tasks = UniformGoals("test", episodes=2, horizon=7).sample(4, RNG(0))
    returns = RecurrentWalks().live(policies[:1], tasks, seed=0).measured["returns"][0]
    last = [line for line in chart.lines if line.name == "last episode"]
    goals = [line for line in chart.lines if line.name == "goals"]
    for number, (line, goal) in enumerate(zip(last, goals, strict=True)):
        assert (line.x[0], line.y[0], len(line.x)) == (0.0, 0.0, 7)
        steps = [(x - goal.x[0]) ** 2 + (y - goal.y[0]) ** 2 for x, y in zip(line.x, line.y, strict=True)]
        # the places after each of the first six moves are seen; the seventh is not
        assert (
            -sum(steps[1:])
            >= float(returns[number, 1])
            >= -sum(steps[1:]) - (steps[-1] ** 0.5 + 0.1 * 2**0.5) ** 2 - 1e-6
        )
