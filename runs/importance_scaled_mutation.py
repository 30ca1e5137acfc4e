"""Evolution learns a second task: does it keep more of the first where important weights move less?

    python runs/importance_scaled_mutation.py [--workers 2] [--out DIR]
    python runs/importance_scaled_mutation.py --table DIR

The old task is scikit-learn's digits, which a perceptron of 64-16-10 units learns by gradient descent. The new task is
the same digits with their pixels in another order. The network goes on to it by evolution that never sees the old
task again: an evolution strategy (PGPE with a deviation that stays, 64 samples) or a genetic algorithm (64 + 64), 300
generations, on cross-entropy over 256 training cases, others in every generation. What a run comes to is the strategy's
centre, or the best of its last population; how it names the test cases of both tasks is measured.

Ten orders of pixels, each with an old network of its own, times 20 seeds: 2 to 5 seconds of a core for each run, of
which there are 2,400. Results are a line each in results.jsonl; the same command with the same --out goes on where it
stopped. In the table, intervals are over the ten orders, of means over seeds: seeds of one order are no independent
evidence for another. There are more conditions than the usual ones: name them with --conditions.
"""

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from evo import seeds
from evo.algorithms.distribution import PGPE
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.campaign import new_folder
from evo.champion import network_of
from evo.evaluation.evaluator import Evaluator
from evo.files import write_text
from evo.interval import mean_interval
from evo.learning.consolidation.fisher import network_importance
from evo.learning.gradient_descent import descend
from evo.search import Search
from genomes.consolidated import Consolidated
from genomes.perceptron import Perceptron
from problems.digits import Digits
from problems.transfer.anchored import Anchored

OLD, CASES = Digits(batch=0), 256
HIDDEN = (16,)
FISHER_CASES = 500
DAMPING = 1e-4
STRATEGY = PGPE(
    population=64,
    standard_deviation=0.05,
    center_learning_rate=0.005,
    standard_deviation_learning_rate=0.0,
    optimizer="adam",
)
GENETIC = MuPlusLambda(population=64, crossover_rate=0.5)
MUTATION = 0.02
"""The standard deviation of the genetic algorithm's mutations."""
ALGORITHMS = ("strategy", "genetic")
CONDITIONS = {
    "naive": {},
    "half steps": {"steps": 0.5},
    "penalty 10": {"penalty": 10.0},
    "penalty 30": {"penalty": 30.0},
    "uniform penalty 0.01": {"uniform_penalty": 0.01},
    "uniform decay 0.003": {"uniform_decay": 0.003},
    "scaled": {"scaled": True},
    "scaled, shuffled": {"scaled": True, "shuffled": True},
    "scaled, penalty 10": {"scaled": True, "penalty": 10.0},
    "scaled, steps x 2": {"steps": 2.0, "scaled": True},
    "naive, steps x 2": {"steps": 2.0},
    "naive, steps x 4": {"steps": 4.0},
    "penalty 10, steps x 4": {"steps": 4.0, "penalty": 10.0},
    "scaled, steps x 4": {"steps": 4.0, "scaled": True},
}
USUAL = ("naive", "penalty 10", "uniform decay 0.003", "scaled", "scaled, shuffled", "scaled, steps x 2")


def main():
    """Run all that is not done yet, and print the table; or the table alone."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--permutations", type=int, default=10)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--generations", type=int, default=300)
    options.add_argument("--conditions", nargs="*", default=USUAL, choices=CONDITIONS)
    options.add_argument("--out", type=Path)
    options.add_argument("--table", type=Path, metavar="DIR")
    chosen = options.parse_args()
    folder = chosen.table or chosen.out or new_folder("importance_scaled_mutation")
    if not chosen.table:
        keys = [
            (permutation, algorithm, condition, seed)
            for seed in range(chosen.seeds)
            for permutation in range(chosen.permutations)
            for algorithm in ALGORITHMS
            for condition in chosen.conditions
        ]
        run_all(keys, chosen.generations, folder, chosen.workers)
    print(table(read(folder)))


def run_all(keys, generations, folder, workers):
    """Run what the folder does not hold yet, and add a line to its results for each."""
    import joblib

    folder.mkdir(parents=True, exist_ok=True)
    kept = read(folder)
    write_text(folder / "results.jsonl", "".join(json.dumps(line) + "\n" for line in kept))  # without a half last line
    done = {key_of(line) for line in kept}
    left = [key for key in keys if key not in done]
    learned = {permutation: learn(permutation) for permutation in sorted({key[0] for key in left})}
    jobs = (joblib.delayed(run_one)(key, learned[key[0]], generations) for key in left)
    with (folder / "results.jsonl").open("a") as stream:
        for line in joblib.Parallel(workers, return_as="generator_unordered")(jobs):
            stream.write(json.dumps(line) + "\n")
            stream.flush()


def learn(seed):
    """Return a network that has learned the old task from a start of its own, and its weights' importance for it."""
    genome = Perceptron.for_problem(OLD, hidden=HIDDEN)
    start = network_of(genome, genome.sample(1, seeds.rng(seed, "old network"))[0], OLD.inputs, OLD.outputs)
    network = descend(start, replace(OLD, batch=128), steps=600, learning_rate=0.01, seed=seed).network
    inputs, _ = replace(OLD, batch=FISHER_CASES).draw(seeds.rng(seed, "cases for importance"))
    return network, network_importance(network, inputs)


def run_one(key, learned, generations):
    """Return the line of results of one run."""
    permutation, algorithm, condition, seed = key
    torch.set_num_threads(1)
    genome, problem, search = made(algorithm, condition, learned[1], permutation, seed)
    row = evolve(genome, problem, search, generations, seed, center=algorithm == "strategy")
    new = replace(OLD, permutation_seed=permutation)
    return {
        "permutation": permutation,
        "algorithm": algorithm,
        "condition": condition,
        "seed": seed,
        "generations": generations,
        "old": accuracy(genome, row, replace(OLD, split="test")),
        "new": accuracy(genome, row, replace(new, split="test")),
        "old, training cases": accuracy(genome, row, OLD),
        "new, training cases": accuracy(genome, row, new),
        "penalty": float(genome.importance.penalty(genome.unwrapped(row)[:, : len(genome.scale)])[0]),
    }


def made(algorithm, condition, importance, permutation, seed):
    """Return genome, problem and algorithm of a condition."""
    return shaped(algorithm, importance, permutation, seed, **CONDITIONS[condition])


def shaped(
    algorithm,
    importance,
    permutation,
    seed,
    steps=1.0,
    penalty=0.0,
    uniform_penalty=0.0,
    uniform_decay=0.0,
    scaled=False,
    shuffled=False,
):
    """Return genome, problem and algorithm with settings of `CONDITIONS`."""
    mean = float(importance.precision.mean())
    inside = Perceptron.for_problem(OLD, hidden=HIDDEN, mutation_deviation=steps * MUTATION)
    genome = Consolidated(inside, importance, damping=DAMPING, scaled=scaled, shuffle_seed=seed if shuffled else None)
    problem = Anchored(replace(OLD, permutation_seed=permutation, batch=CASES), importance, strength=penalty)
    if uniform_penalty:
        problem = replace(problem, importance=importance.uniform(), strength=uniform_penalty / mean)
    if algorithm == "genetic":
        return replace(genome, uniform=not scaled, decay=uniform_decay / mean), problem, GENETIC
    rate = steps * STRATEGY.center_learning_rate
    return genome, problem, replace(STRATEGY, center_learning_rate=rate, anchored_decay=uniform_decay)


def evolve(genome, problem, algorithm, generations, seed, center):
    """Return the row `[1, L]` that a search comes to: the mean of its last samples, or its last population's best."""
    row = None
    with Evaluator(problem) as evaluator:

        def evaluate(genome, rows):
            nonlocal row
            outcomes = evaluator.evaluate(genome, rows, seeds.rng(seed, "evaluate", search.generation))
            scores = outcomes.scores[:, 0].nan_to_num(nan=math.inf)
            if center:  # samples are mirrored, so that their mean is the centre
                row = rows.mean(0, keepdim=True)
            else:
                best = int(scores.argmin())
                row = rows[best : best + 1].clone()
            return outcomes

        search = Search(genome, problem.objectives, problem.stochastic, generations, seed, evaluate)
        algorithm.run(search)
    return row


def accuracy(genome, row, problem):
    """Return the share of a problem's cases that a row's network names rightly."""
    names = [objective.name for objective in problem.objectives]
    scores = problem.evaluate(genome.express(row), seeds.rng(0, "accuracy")).scores
    return round(float(scores[0, names.index("accuracy")]), 6)


def read(folder):
    """Return the lines of a folder's results; none where there are none yet."""
    path = folder / "results.jsonl"
    text = path.read_text() if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def key_of(line):
    """Return which run a line is of."""
    return tuple(line[name] for name in ("permutation", "algorithm", "condition", "seed"))


def table(lines):
    """Return a Markdown table: a row per algorithm and condition, with 95 % intervals over orders of pixels."""
    heads = ("search", "condition", "old task", "new task", "mean", "mean less naive's", "orders", "runs")
    rows = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for algorithm in ALGORITHMS:
        naive = by_order(lines, algorithm, "naive")
        for condition in CONDITIONS:
            mine = by_order(lines, algorithm, condition)
            if not mine:
                continue
            both = [order for order in mine if order in naive]
            old, new = (np.array([mine[order][place] for order in mine]) for place in (0, 1))
            less = np.array([sum(mine[order]) - sum(naive[order]) for order in both]) / 2
            runs = sum((line["algorithm"], line["condition"]) == (algorithm, condition) for line in lines)
            cells = [spread(values) for values in (old, new, (old + new) / 2, less)]
            rows.append(f"| {algorithm} | {condition} | " + " | ".join(cells) + f" | {len(mine)} | {runs} |")
    return "\n".join(rows)


def by_order(lines, algorithm, condition):
    """Return, for each order of pixels, the mean accuracies over seeds on the old and the new task."""
    mine = [line for line in lines if (line["algorithm"], line["condition"]) == (algorithm, condition)]
    orders = sorted({line["permutation"] for line in mine})
    return {
        order: tuple(np.mean([line[task] for line in mine if line["permutation"] == order]) for task in ("old", "new"))
        for order in orders
    }


def spread(values):
    """Return a mean and half its 95 % interval; the mean alone where there is one value."""
    if not len(values):
        return "-"
    centre, half = mean_interval(values)
    return f"{centre:.3f}" + (f" ± {half:.3f}" if math.isfinite(half) else "")


if __name__ == "__main__":
    main()
