"""Learning to learn sinusoids from ten points: gradients through lifetimes, and evolution, at equal cost.

    python runs/maml_sinusoid.py run --seconds 25 --evaluations 170000 --longest 150 --seeds 5
    python runs/maml_sinusoid.py table

Methods: weights as drawn; joint training; MAML, its first-order form (Finn, Abbeel & Levine 2017) and Reptile (Nichol,
Achiam & Schulman 2018); an evolution strategy whose lifetimes are Baldwinian (Fernando et al. 2018), with and without
genes for step sizes; and a population that inherits what it learned. `table` prints mean squared errors on 600 frozen
tasks with 100 query points, after 0, 1, 5 and 10 steps: one table at equal processor time of one thread, one at equal
task evaluations. All are tested with ten points to learn from; while they search, a task evaluation is a life on ten,
and on 50 for Reptile and the population that inherits, as in the former's article. Rates stay as they are to the end:
when that comes is not known before. Intervals are over seeds. A row is missing where the time ended before the
evaluations were used up. What is done is not done again: the second command, and a first that goes on, count each run
once.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo.algorithm import Algorithm
from evo.algorithms.evolution_strategy import EvolutionStrategy
from evo.algorithms.meta_gradient import MetaGradient
from evo.algorithms.population_based_training import PopulationBasedTraining
from evo.budget import run_within
from evo.genome import Genome
from evo.interval import in_words
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.results import Results
from genomes.initial_weights import InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids, Sinusoids

FOLDER = Path(__file__).with_suffix("")
HORIZONS = (0, 1, 5, 10)

problem = FewShotSinusoids()
many_points = FewShotSinusoids(
    tasks=Sinusoids(shots=50), lifetime=GradientSteps(horizons=(5,), step_size=0.02, batch=10), count=5
)
inherited = FewShotSinusoids(
    tasks=many_points.tasks, lifetime=many_points.lifetime, count=5, inheritance="lamarckian", lamarckian_rate=0.25
)
strategy = EvolutionStrategy(64, standard_deviation=0.02, learning_rate=0.01)


def descent(lifetime: GradientSteps) -> MetaGradient:
    """Return gradients through lifetimes of that kind, on sinusoids of ten points."""
    return MetaGradient(FewShotSinusoids(lifetime=lifetime))


METHODS: dict[str, tuple[FewShotSinusoids, Algorithm, dict[str, Any]]] = {
    "joint training": (problem, descent(GradientSteps(horizons=(0,))), {}),
    "MAML": (problem, descent(GradientSteps()), {}),
    "first-order MAML": (problem, descent(GradientSteps(first_order=True)), {}),
    "Reptile": (many_points, MetaGradient(many_points, "reptile", learning_rate=0.25), {}),
    "Baldwinian strategy": (problem, strategy, {}),
    "Baldwinian strategy, step sizes": (problem, strategy, {"step_sizes": "tensor"}),
    "Lamarckian population": (
        inherited, PopulationBasedTraining(16, 0.25, ready_every=10), {"mutation_deviation": 0.002},
    ),
}  # fmt: skip


def tested(genome: Genome, rows: torch.Tensor, fitness: torch.Tensor) -> list[float]:
    """Return the test errors `[horizons]` of the best of a generation; of a strategy's, of its centre, the first."""
    centre = len(rows) == strategy.population + 1
    one = rows[:1] if centre else rows[fitness.nan_to_num(-1e9).argmax()][None]
    tasks = Sinusoids("test", queries=100).sample(600, np.random.default_rng(0))
    lives = GradientSteps(horizons=HORIZONS).live(genome.express(one), tasks, seed=0)
    return [float(error) for error in lives.scores.mean((0, 1))]


def run(seeds: range, seconds: float, evaluations: int, longest: float, done: Results) -> Iterator[dict[str, Any]]:
    """Yield a line per method and seed that is not done."""
    for seed in seeds:
        genome = InitialWeights.for_problem(problem)
        errors = tested(genome, genome.sample(1, np.random.default_rng(seed)), torch.zeros(1))
        yield {"method": "as drawn", "seed": seed, "at": {"seconds": {"tested": errors}}}
        for name, (task, algorithm, settings) in METHODS.items():
            if done.has(method=name, seed=seed):
                continue
            budgets = {"seconds": seconds, "task_evaluations": evaluations, "longest": longest}
            made = InitialWeights.for_problem(task, **settings)
            found = run_within(task, made, algorithm, tested, seed=seed, **budgets)  # type: ignore[arg-type]
            yield {"method": name, "seed": seed, "at": {key: asdict(spent) for key, spent in found.items()}}


def table(lines: list[dict[str, Any]], budget: str) -> str:
    """Return the table of one budget as text: a line per method."""
    text = [
        f"{'at equal ' + budget.replace('_', ' '):34}"
        + "".join(f"{f'{step} steps':>16}" for step in HORIZONS)
        + "   CPU s   evaluations"
    ]
    for method in dict.fromkeys(line["method"] for line in lines):
        spent = [line["at"][budget] for line in lines if line["method"] == method and budget in line["at"]]
        if spent:
            cells = "".join(f"{in_words(errors):>16}" for errors in np.array([one["tested"] for one in spent]).T)
            costs = [np.mean([one.get(key, 0.0) for one in spent]) for key in ("seconds", "task_evaluations")]
            text.append(f"{method:34}{cells}{costs[0]:8.1f}{costs[1]:14.0f}")
    return "\n".join(text)


def main() -> None:
    """Run, or print the tables of what was run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--seconds", type=float, default=25.0, help="of processor time")
    parser.add_argument("--evaluations", type=int, default=170_000, help="tasks that individuals live on")
    parser.add_argument("--longest", type=float, default=150.0, help="seconds after which a run ends in any case")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    asked = parser.parse_args()
    results = Results(asked.folder, ("method", "seed"))
    if asked.what == "run":
        torch.set_num_threads(1)
        budgets = {"seconds": asked.seconds, "evaluations": asked.evaluations, "longest": asked.longest}
        results = Results(asked.folder, results.names, budgets)
        seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
        for result in run(seeds, **budgets, done=results):
            results.add(result)
            print(result["method"], result["seed"], result["at"], flush=True)
    lines = results.lines()
    print(table(lines, "seconds"), table(lines, "task_evaluations"), sep="\n\n")


if __name__ == "__main__":
    main()
