"""What evolved policies earn beside people's strategies and the published tables of Duan et al. 2016 and Mishra et al.

    python runs/rl2_tables.py runs/rl2_bandits [--tasks 1000]
    python runs/rl2_tables.py runs/rl2_mdps

Evolved policies count with the mean rewards of what they did, strategies and agents with those drawn. Published numbers
are means over 1,000 trials, with standard errors of .05 (10 pulls), .4 (100) and 2 (500). Those of strategies with a
setting had it chosen on the trials reported. Any value above the exact optimum is noise, as is the published 6.8 of RL2
with 10 pulls of 50 arms, where nobody can earn more than 6.714.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from evo.center import center
from evo.interval import mean_interval
from evo.learning.lifetimes.recurrent import Recurrent
from evo.loading import load_campaign
from problems.meta import bandit_baselines, mdp_baselines
from problems.meta.bayes_optimal import optimal_value
from problems.meta.tabular_mdps import RandomMdps

COLUMNS = ("random", "Gittins", "Thompson", "optimistic Thompson", "UCB1", "epsilon-greedy", "greedy", "RL2", "SNAIL")
BANDITS = {
    (10, 5): (5.0, 6.6, 5.7, 6.5, 6.7, 6.6, 6.6, 6.7, 6.6),
    (10, 10): (5.0, 6.6, 5.5, 6.2, 6.7, 6.6, 6.6, 6.7, 6.7),
    (10, 50): (5.1, 6.5, 5.2, 5.5, 6.6, 6.5, 6.5, 6.8, 6.7),
    (100, 5): (49.9, 78.3, 74.7, 77.9, 78.0, 75.4, 74.8, 78.7, 79.1),
    (100, 10): (49.9, 82.8, 76.7, 81.4, 82.4, 77.4, 77.1, 83.5, 83.5),
    (100, 50): (49.8, 85.2, 64.5, 67.7, 84.3, 78.3, 78.0, 84.9, 85.1),
    (500, 5): (249.8, 405.8, 402.0, 406.7, 405.8, 388.2, 380.6, 401.6, 408.1),
    (500, 10): (249.0, 437.8, 429.5, 438.9, 437.1, 408.0, 395.0, 432.5, 432.4),
    (500, 50): (249.6, 463.7, 427.2, 437.6, 457.6, 413.6, 402.8, 438.9, 442.6),
}
MDPS = {"random": 100.1, "PSRL": 138.1, "OPSRL": 144.1, "optimistic": 146.6, "bonus": 150.2}
MDPS |= {"epsilon-greedy": 132.8, "greedy": 134.8, "RL2": 156.2, "SNAIL": 159.1}


def main():
    """Print the table of each of a campaign's variants."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--tasks", type=int, default=1000)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    for run in load_campaign(chosen.folder / "source.py").runs():
        if run.seed == 0 and center(run, chosen.folder) is not None:
            print(table(chosen.folder, run, chosen.tasks), flush=True)


def table(folder, run, count):
    """Return a variant's table, in Markdown: each strategy, what it earns, and what is published."""
    kind = type(run.problem.tasks)
    settings = {"pulls": run.problem.tasks.pulls, "arms": run.problem.tasks.arms} if kind is not RandomMdps else {}
    distribution = kind("test", **settings) if settings else kind("test", episodes=run.problem.tasks.episodes)
    tasks = distribution.sample(count, np.random.default_rng(0))
    lines = [f"\n## {run.variant}: {settings or distribution}\n", "| who | earned | published |", "|---|---|---|"]
    lines += [f"| evolved, each seed | {centers(folder, run, tasks)} | |"]
    lines += bandit_lines(tasks, **settings) if settings else mdp_lines(tasks, distribution)
    return "\n".join(lines)


def centers(folder, run, tasks):
    """Return the mean reward of the centre of each seed's run, drawing actions and taking the best, as words."""
    words = []
    runs = [one for one in load_campaign(folder / "source.py").runs() if one.variant == run.variant]
    for row in (row for row in (center(one, folder) for one in runs) if row is not None):
        policy = run.genome.express(row)
        lives = (Recurrent(greedy, expected=True).live(policy, tasks, seed=0) for greedy in (False, True))
        drawn, best = (one.scores.mean().item() for one in lives)
        words.append(f"{drawn:.2f} / {best:.2f}")
    return ", ".join(words)


def bandit_lines(tasks, pulls, arms):
    """Return the lines of strategies on bandits."""
    lines = []
    if pulls <= 10:
        exact = optimal_value(pulls, arms)
        lines += [f"| optimum, exact | {exact:.3f} | any value above is noise |"]
    known = dict(zip(COLUMNS, BANDITS.get((pulls, arms), ()), strict=False))
    chances = tasks.rewards[:, 0].double().numpy()
    earned = bandit_baselines.baselines(pulls, arms, chances, seed=0)
    lines += [line(name, values, known) for name, values in earned.items()]
    return lines + [f"| {name} | | {known[name]} |" for name in ("RL2", "SNAIL") if name in known]


def mdp_lines(tasks, distribution):
    """Return the lines of agents that plan, with the prior that matches and that of the published table."""
    others = RandomMdps(episodes=distribution.episodes).sample(200, np.random.default_rng(1))
    known = MDPS if distribution.episodes == 10 else {}
    lines = [line("optimum, problem known", mdp_baselines.optimum(tasks), {})]
    for prior in (1.0, 0.0):
        earned = mdp_baselines.baselines(tasks, others, seed=0, prior_mean=prior)
        lines += [
            line(f"{name}; prior mean {prior:.0f}", values, {} if prior else known) for name, values in earned.items()
        ]
    return lines + [f"| {name} | | {known[name]} |" for name in ("RL2", "SNAIL") if name in known]


def line(name, values, known):
    """Return a strategy's line; its published number is found by the name before any comma."""
    mean, half = mean_interval(np.asarray(values, np.float64))
    return f"| {name} | {mean:.2f} +- {half:.2f} | {known.get(name.split(',')[0].split(';')[0], '')} |"


if __name__ == "__main__":
    main()
