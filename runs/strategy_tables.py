"""What evolved rules of search find beside people's, on functions and networks that no rule was trained on.

    python runs/strategy_tables.py runs/evolved_strategies [--tasks 40] [--seeds 5]

All have as many samples a generation (16), as many generations, and the same deviation at the start: 2 on functions,
0.1 on weights of networks. None was tuned to these functions; the evolved rules were trained, once for each form, with
just this population, number of generations and deviation at the start. Functions: the logarithm of the least value
evaluated over that at the start, noise left out, mean over tasks. Networks: the best score of a sample; of digits the
cross-entropy of all 1,442 training pictures with 650 weights, of the pole the mean reward of 5 episodes with 79
weights. Intervals: 95 %, over seeds of the search, not of the training. Searches that break off keep what they have
found.
"""

import argparse
import contextlib
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import problems
from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms.distribution import CMAES, SNES, weight_columns, with_weights, worst_for_failed
from evo.algorithms.learned_evolution_strategy import LearnedEvolutionStrategy
from evo.algorithms.learned_genetic_algorithm import LearnedGeneticAlgorithm
from evo.center import center
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.interval import mean_interval
from evo.layout import Field, Layout
from evo.learning.lifetimes.black_box_search import LEAST
from evo.loading import load_campaign
from evo.outcome import outcomes_of
from evo.problem import Objective
from evo.search import Search
from genomes.perceptron import Perceptron
from problems.meta.black_box import TESTING, RandomFunctions

POPULATION, GENERATIONS = 16, 50


@dataclass(frozen=True)
class PlainStrategy(Algorithm):
    """The (4/4, 16) evolution strategy with one self-adapted step size (Beyer & Schwefel 2002, section 4)."""

    standard_deviation: float = 1.0

    def run(self, search):
        """Sample around the centre, keep the mean of the best four, step sizes included."""
        columns, template = weight_columns(search), search.sample(1)
        center, size = template[0, columns].double(), self.standard_deviation
        rate = 1.0 / math.sqrt(2.0 * len(center))
        while search.generation < search.generations:
            draws = search.rng("noise")
            sizes = size * (rate * seeds.normal(draws, (POPULATION, 1), center)).exp()
            places = center + sizes * seeds.normal(draws, (POPULATION, len(center)), center)
            rows = search.identify(search.genome, with_weights(template, columns, places))
            scores = worst_for_failed(search.fitness(search.evaluate(search.genome, rows))[:, 0])
            best = scores.argsort(descending=True)[: POPULATION // 4]
            center, size = places[best].mean(0), float(sizes[best].mean())


@dataclass(frozen=True)
class RandomSearch(Algorithm):
    """Weights uniform between bounds, or, without bounds, new rows of the genome's own."""

    bound: float = 0.0

    def run(self, search):
        """Sample and evaluate."""
        while search.generation < search.generations:
            rows = search.genome.sample(POPULATION, search.rng("sample"))
            if self.bound:
                size = search.genome.layout.genes
                places = self.bound * (2.0 * seeds.uniform(search.rng("places"), (POPULATION, size), rows) - 1.0)
                rows = with_weights(rows[:1], slice(0, size), places)
            search.evaluate(search.genome, search.identify(search.genome, rows))


@dataclass(frozen=True, eq=False)
class Around(Genome):
    """Coordinates; the first is at the start of a task, others are around it."""

    start: torch.Tensor
    weights = "values"

    @property
    def layout(self):
        """One field, `values`."""
        return Layout(Field("values", (len(self.start),)))

    def sample(self, count, rng):
        """Return rows."""
        noise = 2.0 * rng.standard_normal((count, len(self.start)))
        noise[0] = 0.0
        return self.layout.rows(values=self.start.double().numpy() + noise)

    def mutate(self, rows, rng):
        """Return rows as they are: nobody here mutates."""
        return rows.clone()


def evolved(folder):
    """Return the rules that the runs of a campaign came to, form and parameters by name."""
    found = {}
    for run in load_campaign(folder / "source.py").runs():
        row = center(run, folder)
        if row is not None:
            genes = run.genome.describe(row[0])["parameters"]
            found[f"evolved {run.variant}, seed {run.seed}"] = (run.genome.form, tuple(genes))
    return found


def algorithms(rules, deviation, bound=0.0, separable=False):
    """Return all that is compared, by name."""
    made = {
        "random search": RandomSearch(bound),
        "(4/4, 16) evolution strategy": PlainStrategy(deviation),
        "SNES (EvoTorch)": SNES(POPULATION, standard_deviation=deviation),
        f"CMA-ES (EvoTorch){', separable' * separable}": CMAES(
            POPULATION, standard_deviation=deviation, separable=separable
        ),
    }
    for name, (form, parameters) in {"des": ("des", ()), "les": ("les", ()), "lga": ("lga", ()), **rules}.items():
        label = name if parameters else f"rule of people, {name}"
        made[label] = (
            LearnedGeneticAlgorithm(POPULATION, deviation, parameters)
            if form == "lga"
            else LearnedEvolutionStrategy(POPULATION, deviation, form, parameters)
        )
    return made


def on_function(algorithm, task, seed):
    """Return how far down a task's function an algorithm came: see above."""
    size = int(task.sizes[0])
    start = task.starts[0, :size]
    best = math.inf

    def values(rows):
        places = torch.zeros(1, 1, task.starts.shape[1], len(rows))
        places[0, 0, :size] = rows.T
        return task.values(places)

    def evaluate(genome, rows):
        nonlocal best
        found = values(genome.layout.view(rows, "values"))
        best = min(best, float(found.min()))
        noise = seeds.normal(search.rng("values"), (1, len(rows)), found)
        return outcomes_of(task.disturbed(found, noise)[0].T)

    search = Search(Around(start), (Objective("value", maximize=False),), True, GENERATIONS, seed, evaluate)
    with contextlib.suppress(torch.linalg.LinAlgError):  # EvoTorch's CMA-ES may end with a matrix that has no root
        algorithm.run(search)
    return math.log10(max(best, LEAST) / max(float(values(start[None])), LEAST))


def functions_table(rules, count, how_many_seeds):
    """Return the table of functions never seen in training, in Markdown."""
    tasks = RandomFunctions("test").sample(count, np.random.default_rng(0))
    kinds = [problem_name(tasks, place) for place in range(count)]
    lines = ["| " + " | ".join(("search", "all", *TESTING)) + " |", "|---" * (2 + len(TESTING)) + "|"]
    for name, algorithm in algorithms(rules, 2.0, bound=5.0).items():
        found = np.array(
            [
                [on_function(algorithm, tasks[place : place + 1], seed) for place in range(count)]
                for seed in range(how_many_seeds)
            ]
        )
        cells = [found.mean(1)] + [found[:, [kind == one for kind in kinds]].mean(1) for one in TESTING]
        lines.append(f"| {name} | " + " | ".join(interval(cell) for cell in cells) + " |")
        print(f"{time.process_time():6.0f} s {lines[-1]}", flush=True)
    return "\n".join(lines)


def problem_name(tasks, place):
    """Return the name of a task's function."""
    from evo.black_box_functions import NAMES

    return NAMES[int(tasks.functions[place])]


def on_problem(algorithm, genome, problem, generations, seed):
    """Return the best score of a sample."""
    scores = []
    with Evaluator(problem) as evaluator:

        def evaluate(genome, rows):
            outcomes = evaluator.evaluate(genome, rows, seeds.rng(seed, "evaluate", search.generation))
            scores.append(search.fitness(outcomes)[:, 0].max().item())
            return outcomes

        search = Search(genome, problem.objectives, problem.stochastic, generations, seed, evaluate)
        algorithm.run(search)
    return abs(max(scores))


def networks_table(rules, how_many_seeds):
    """Return the table of networks' weights, in Markdown."""
    digits = problems.make("digits-v1", batch=0)
    pole = problems.make("cartpole-v1", episodes=5)
    jobs = [
        ("digits, cross-entropy", digits, Perceptron.for_problem(digits, hidden=()), 100),
        ("pole, reward of 500", pole, Perceptron.for_problem(pole, hidden=(13,)), 15),
    ]
    lines = ["| " + " | ".join(("search", *(job[0] for job in jobs))) + " |", "|---" * (1 + len(jobs)) + "|"]
    for name, algorithm in algorithms(rules, 0.1, separable=True).items():
        cells = [
            interval(np.array([on_problem(algorithm, genome, problem, length, seed) for seed in range(how_many_seeds)]))
            for _, problem, genome, length in jobs
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(f"{time.process_time():6.0f} s {lines[-1]}", flush=True)
    return "\n".join(lines)


def interval(values):
    """Return a mean and half the width of its interval."""
    mean, half = mean_interval(values)
    return f"{float(mean):.3f} +- {float(half):.3f}"


def main():
    """Print both tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--tasks", type=int, default=40)
    options.add_argument("--seeds", type=int, default=5)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    rules = evolved(chosen.folder)
    print("\n" + functions_table(rules, chosen.tasks, chosen.seeds))
    print("\n" + networks_table(rules, chosen.seeds))


if __name__ == "__main__":
    main()
