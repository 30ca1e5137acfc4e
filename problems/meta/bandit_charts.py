"""What it costs not to know the best arm: regret over a trial, of a policy and of people's strategies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evo.inspect.chart import Chart
from evo.inspect.curves import Line
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.recurrent import Recurrent
from evo.policies import RecurrentPolicies
from evo.tasks import TaskDistribution
from problems.meta import bandit_baselines
from problems.meta.bandits import BernoulliBandits

TASKS = 500
"""Test tasks whose mean is drawn."""


def regrets(tasks: TaskDistribution, lifetime: Lifetime, policies: RecurrentPolicies) -> list[Chart]:
    """Return the chart of the first policy's regret, pull by pull, beside strategies that have no settings to tune."""
    if not isinstance(tasks, BernoulliBandits) or not isinstance(lifetime, Recurrent):
        return []
    some = replace(tasks, split="test").sample(TASKS, np.random.default_rng(0))
    chances = some.rewards[:, 0].double().numpy()
    wins = lifetime.rewards(policies[:1], some.to(policies.device), seed=0)[0].double().cpu().numpy()
    strategies: dict[str, bandit_baselines.Strategy] = {
        "random": bandit_baselines.random_play,
        "greedy": bandit_baselines.greedy,
        "Thompson": bandit_baselines.thompson,
        "Gittins, closed form": bandit_baselines.gittins_approximation,
    }
    if tasks.pulls <= bandit_baselines.LONGEST_EXACT:
        strategies["Gittins, finite horizon"] = bandit_baselines.gittins(tasks.pulls)
    curves = {name: bandit_baselines.won(made, chances, tasks.pulls, seed=0) for name, made in strategies.items()}
    x = list(range(1, tasks.pulls + 1))
    lines = [
        Line(name, x, regret(each, chances).tolist(), colour=5 - number, kind="dashed")
        for number, (name, each) in enumerate(curves.items())
    ]
    lines.append(Line("champion", x, regret(wins, chances).tolist(), colour=0, kind="strong"))
    said = f"Wins that knowing the best arm from the start would have brought more, mean of {TASKS} test tasks."
    return [Chart("Regret", said, "pull", "regret, wins", tuple(lines))]


def regret(wins: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Return the regret after each pull, `[pulls]`, of wins `[tasks, pulls]` on arms with chances `[tasks, arms]`."""
    known = chances.max(1, keepdims=True) * np.arange(1, wins.shape[1] + 1)
    return np.asarray((known - wins.cumsum(1)).mean(0))
