"""What may learn in a lifetime of walking: a memory, connections that change, trying neighbours, and nothing at all.

    python runs/navigation.py run --seeds 3
    python runs/navigation.py table

Two problems: goals anywhere in a square, where every step's reward says how far the goal is (Finn, Abbeel & Levine
2017), and four corners, of which one pays, and only from near (Song et al. 2020). Every lifetime is a trial of five
episodes with one goal, of which the last is scored; hill climbing tries a neighbour in each between the first and the
last, which the best it found walks. The same evolution strategy evolves all of them, with as many trials: recurrent
policies (RL2), networks with Hebbian plasticity (with weights drawn anew in each life, and with a decaying trace beside
weights that evolve), initial weights and step sizes for hill climbing, and, as the control, networks that do not learn.
All of them see the same.

The table has the return of each episode on frozen test goals, of the centre that each run came to, beside standing
still and walking straight to the goal, which nobody can who does not know it. Intervals are over seeds.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo.algorithms.evolution_strategy import EvolutionStrategy
from evo.budget import some_ok
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.interval import in_words
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.climbing_walks import ClimbingWalks
from evo.learning.lifetimes.fixed_walks import FixedWalks
from evo.learning.lifetimes.hebbian import Hebbian
from evo.learning.lifetimes.recurrent_walks import RecurrentWalks
from evo.learning.lifetimes.walks import Act, walk
from evo.points import PointTasks
from evo.results import Results
from evo.search import Search
from genomes.initial_weights import InitialWeights
from genomes.plasticity import Plasticity
from genomes.recurrent_policy import RecurrentPolicy
from problems.meta.four_corners import Corners, FourCorners
from problems.meta.navigation import Navigation, UniformGoals
from problems.meta.walking import Walking

FOLDER = Path(__file__).with_suffix("")
EPISODES = 5
TESTED = {"navigation": UniformGoals("test", EPISODES), "four corners": Corners("test", EPISODES)}
GOALS = {"navigation": 200, "four corners": 4}
network = {"hidden": (16,), "activation": "tanh"}
METHODS: dict[str, tuple[Lifetime, type[Genome], dict[str, Any], float]] = {
    "recurrent": (RecurrentWalks(), RecurrentPolicy, {}, 0.1),
    "Hebbian": (Hebbian(), Plasticity, {}, 0.1),
    "Hebbian trace": (Hebbian(), Plasticity, {"rule": "trace"}, 0.1),
    "hill climbing": (ClimbingWalks(), InitialWeights, {**network, "step_sizes": "tensor", "step_size": 0.1}, 0.05),
    "no learning": (FixedWalks(), InitialWeights, network, 0.1),
}
"""Of each: the lifetime, the genome and its settings, and the strategy's deviation."""


def problem_of(name: str, lifetime: Lifetime) -> Walking:
    """Return a problem with a lifetime."""
    if name == "navigation":
        return Navigation(UniformGoals(episodes=EPISODES), lifetime, count=10)
    return FourCorners(Corners(episodes=EPISODES), lifetime)


def straight(tasks: PointTasks) -> Act:
    """Return how to walk for one who knows the goals."""
    return lambda observed, awake: (tasks.goals - observed[..., :2] * tasks.size) / tasks.speed


def episodes(returns: torch.Tensor) -> list[float]:
    """Return the mean of each episode over tasks, of one individual's returns `[1, tasks, episodes]`."""
    return [float(value) for value in returns.mean((0, 1))]


def known() -> Iterator[dict[str, Any]]:
    """Yield lines for those who need no evolution."""
    for name, distribution in TESTED.items():
        tasks = distribution.sample(GOALS[name], np.random.default_rng(0))
        for who, act in (("goal known", straight(tasks)), ("standing still", lambda seen, _: 0.0 * seen[..., :2])):
            returns = episodes(walk(act, tasks, 1))
            yield {"problem": name, "method": who, "seed": 0, "episodes": returns, "score": returns[-1], "seconds": 0.0}


def evolved(name: str, method: str, population: int, generations: int, seed: int) -> dict[str, Any]:
    """Return what the centre of a strategy earns on frozen goals."""
    lifetime, made, settings, deviation = METHODS[method]
    problem = problem_of(name, lifetime)
    genome = made.for_problem(problem, **settings)
    strategy = EvolutionStrategy(population, deviation, 0.05, decay=0.1 ** (1 / generations))
    start = time.process_time()
    with Evaluator(problem) as evaluator:
        search = Search(
            genome, problem.objectives, True, generations, seed,
            lambda genome, rows: some_ok(evaluator.evaluate(genome, rows, search.rng("evaluation"))),
        )  # fmt: skip
        strategy.run(search)
    seconds = time.process_time() - start
    center = genome.express(genome.restore(search.left["center"]()["genes"]))
    tasks = TESTED[name].sample(GOALS[name], np.random.default_rng(0))
    lives = lifetime.live(center, tasks, seed=seed)
    returns = episodes(lives.measured["returns"])
    return {
        "problem": name, "method": method, "seed": seed, "episodes": returns, "score": float(lives.scores.mean()),
        "seconds": seconds, "trials": (population + 1) * problem.count * generations,
    }  # fmt: skip


def table(lines: list[dict[str, Any]], name: str) -> str:
    """Return a problem's table as text: a line per method."""
    text = [f"{name:18}{'score':>18}" + "".join(f"{f'episode {turn}':>18}" for turn in range(1, EPISODES + 1))]
    text[0] += "   CPU s    trials"
    here = [line for line in lines if line["problem"] == name]
    for method in dict.fromkeys(line["method"] for line in here):
        mine = [line for line in here if line["method"] == method]
        returns = np.array([[line["score"], *line["episodes"]] for line in mine]).T
        cells = "".join(f"{in_words(values, 2):>18}" for values in returns)
        costs = [np.mean([line.get(key, 0) for line in mine]) for key in ("seconds", "trials")]
        text.append(f"{method:18}{cells}{costs[0]:8.0f}{costs[1]:10.0f}")
    return "\n".join(text)


def main() -> None:
    """Run, or print the tables of what was run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--problems", nargs="+", choices=TESTED, default=list(TESTED))
    parser.add_argument("--population", type=int, default=32)
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    asked = parser.parse_args()
    results = Results(asked.folder, ("problem", "method", "seed"))
    if asked.what == "run":
        torch.set_num_threads(1)
        cost = {"population": asked.population, "generations": asked.generations}
        results = Results(asked.folder, results.names, cost)
        for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
            for name in asked.problems:
                for method in asked.methods:
                    if not results.has(problem=name, method=method, seed=seed):
                        result = evolved(name, method, **cost, seed=seed)
                        results.add(result)
                        print(name, method, seed, result["score"], result["episodes"], result["seconds"], flush=True)
    lines = [*known(), *results.lines()]
    print("\n\n".join(table(lines, name) for name in TESTED))


if __name__ == "__main__":
    main()
