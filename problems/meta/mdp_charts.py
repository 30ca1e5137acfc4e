"""How a policy gets better from episode to episode, beside agents that plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evo.inspect.chart import Chart
from evo.inspect.curves import Line
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.recurrent import Recurrent
from evo.policies import RecurrentPolicies
from evo.tasks import TaskDistribution
from problems.meta import mdp_baselines
from problems.meta.tabular_mdps import RandomMdps

TASKS = 300
"""Test tasks whose mean is drawn."""


def earnings(tasks: TaskDistribution, lifetime: Lifetime, policies: RecurrentPolicies) -> list[Chart]:
    """Return the chart of what the first policy earns in each episode, beside agents that have nothing to tune."""
    if not isinstance(tasks, RandomMdps) or not isinstance(lifetime, Recurrent):
        return []
    some = replace(tasks, split="test").sample(TASKS, np.random.default_rng(0))
    steps = lifetime.rewards(policies[:1], some.to(policies.device), seed=0)[0].double().cpu().numpy()
    agents = {
        "random": mdp_baselines.random_agent,
        "greedy": mdp_baselines.greedy,
        "PSRL": mdp_baselines.posterior_sampling(),
    }
    curves = {name: mdp_baselines.earned(agent, some, seed=0).mean(0) for name, agent in agents.items()}
    curves["problem known"] = np.full(some.episodes, mdp_baselines.optimum(some).mean() / some.episodes)
    x = list(range(1, some.episodes + 1))
    lines = [
        Line(name, x, each.tolist(), colour=5 - number, kind="dashed")
        for number, (name, each) in enumerate(curves.items())
    ]
    mine = steps.reshape(len(some), some.episodes, some.horizon).sum(2).mean(0)
    lines.append(Line("champion", x, mine.tolist(), colour=0, kind="strong"))
    said = f"The mean of {TASKS} test tasks. The agents know what problems are like; the champion had to evolve it."
    return [Chart("Reward, episode by episode", said, "episode", "reward", tuple(lines))]
