"""NEAT here and in neat-python, on the same problems with as equal settings as both allow.

    python tests/benchmarks/neat_comparison.py [cartpole] [variation] [xor] [double-pole] [--seeds 20] [--genomes 1000]

cartpole: seconds per generation, with the same starts. variation: the same without evaluation, for genomes grown to
about 200 connections. xor, double-pole: evaluations until solved, median over seeds with its 95 % bootstrap interval.
neat-python plays the same physics on Python floats. As it does: all children have two parents, every species keeps its
best genome, no child has parents of two species, and search is never narrowed to the best species. What still differs:
- It divides distances by the genome's size always, adds a distance of nodes, has a bias per node in place of
  connections from a bias, and sigmoid and tanh that are 5 and 2.5 times as steep.
- A species' size there moves half way to its share, and is at least 1; here it is its share, and only the two best
  species are certain of a place.
- Of a species there, ceil(0.2 n) may have offspring, at least 2; here floor(0.2 n) + 1.
- Each connection there is switched off, or on, with probability 0.005; here a child gets one of its disabled ones
  enabled with probability 0.01.
- A new connection there comes to nothing where the pair of nodes drawn is connected or would close a cycle; here a free
  pair is drawn. Weights there stay within -30 and 30.
- Of parents of equal fitness there the second drawn gives the structure, here the simpler.
Exclusive or is also run with the rates of neat-python's example, which change structure far more often than the paper;
no fixed threshold suits such genomes here, so this side then aims at 10 species.
"""

import argparse
import math
import statistics
import time

import numpy as np
import torch
from neat_python import play, search_there, variation_there

from evo.algorithms.neat import Neat
from evo.evaluation.evaluator import Evaluator
from evo.outcome import outcomes_of
from evo.problem import Objective
from evo.search import Search
from genomes.topology import Topology
from problems.control.cartpole import CartPole
from problems.control.double_pole import DoublePole
from problems.xor import CASES, TARGETS, Xor

SETTINGS = {
    "mutation": "each", "initial_connection_rate": 1.0, "weight_range": 2.0, "weight_deviation": 0.5,
    "weight_rate": 1.0, "weight_perturbation_rate": 0.72, "weight_replacement_rate": 0.08, "add_node_rate": 0.03,
    "add_connection_rate": 0.05, "enable_connection_rate": 0.01, "activation_rate": 0.0,
    "disabled_inheritance_rate": 0.875,  # there, half of the flags are the disabled parent's, then 75 % are disabled
}  # fmt: skip
OFTEN = {"add_connection_rate": 0.5, "remove_connection_rate": 0.5, "add_node_rate": 0.2, "remove_node_rate": 0.2}


def neat(population, **settings):
    alike = {"crossover_rate": 1.0, "champion_above": 0, "narrowing": 10**6, "interspecies_mating_rate": 0.0}
    return Neat(population, **alike, **settings)


def topology(inputs, outputs, activation, **changes):
    return Topology(inputs, outputs, activations=(activation,), output_activation=activation, **SETTINGS | changes)


def search_here(problem, activation, population, generations, seed, after, target_species=0, **rates):
    """Run; `after(generation, networks, outcomes)` sees each generation, and ends the run where it is true."""
    with Evaluator(problem) as evaluator:

        def evaluate(genome, rows):
            networks = genome.express(rows)
            outcomes = evaluator.score(networks, np.random.default_rng(search.generation))
            if after(search.generation, networks, outcomes):
                search.generations = search.generation + 1
            return outcomes

        genome = topology(len(problem.inputs), len(problem.outputs), activation, **rates)
        search = Search(genome, problem.objectives, False, generations, seed, evaluate)
        neat(population, target_species=target_species).run(search)


def cartpole(options):
    problem = CartPole(episodes=5)
    ends, steps = {"here": [], "neat-python": []}, {"here": [], "neat-python": []}

    def after(name, total):
        ends[name].append(time.perf_counter())
        steps[name].append(total)

    def score(network, generation):
        return play(problem, network, problem.start(5, np.random.default_rng(generation)))

    def note(generation, networks, outcomes):
        after("here", float(outcomes.scores.sum()) * 5)

    search_here(problem, "tanh", 10, 2, 0, lambda *_: False)  # compile
    search_here(problem, "tanh", options.genomes, options.generations + 1, 0, note)
    search_there(
        problem, "tanh", options.genomes, options.generations + 1, 0, score,
        lambda generation, fitness: after("neat-python", sum(fitness)),
    )  # fmt: skip
    for name in ends:
        time_, played = (ends[name][-1] - ends[name][0]) / options.generations, statistics.mean(steps[name][1:])
        print(f"cartpole, {options.genomes} genomes x 5 episodes, {name}: {time_:.4f} s per generation of", end=" ")
        print(f"{played:,.0f} steps, {1e6 * time_ / played:.3f} us per step")


def variation(options):
    """Breeding and species alone, of copies of 50 genomes of about as many connections as wanted."""
    genome = topology(8, 2, "tanh", add_node_rate=0.5, add_connection_rate=0.5)
    rows = genome.sample(50, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    while genome.complexity(rows).mean() < options.connections:
        genome, rows = genome.fit(rows)
        rows = genome.mutate(rows, rng)
    usual = topology(8, 2, "tanh", hidden=genome.hidden, connections=genome.connections)
    moments = []

    def evaluate(genome, rows):
        moments.append(time.perf_counter())
        outcomes = outcomes_of(torch.from_numpy(np.random.default_rng(0).random((len(rows), 1))))
        moments.append(time.perf_counter())
        return outcomes

    search = Search(usual, (Objective("chance"),), False, 6, 0, evaluate)
    search.sample = lambda count: search.identify(usual, rows.repeat(-(-count // 50), 1)[:count])
    neat(options.genomes, target_species=10).run(search)
    here = statistics.median(end - begin for begin, end in zip(moments[3::2], moments[4::2], strict=False))
    there = variation_there(options)
    print(f"variation and species, {options.genomes} genomes of about {options.connections} connections: ", end="")
    print(f"here {here:.4f} s, neat-python {there:.3f} s, x{there / here:.0f}")


def xor(options):
    cases, wanted = [tuple(case) for case in CASES], [target > 0.5 for target in TARGETS]

    def score(network, generation):
        outputs = [network.activate(case)[0] for case in cases]
        score.solved |= [output > 0.5 for output in outputs] == wanted
        return 4.0 - sum((output - target) ** 2 for output, target in zip(outputs, TARGETS, strict=True))

    def there(seed, **rates):
        score.solved = False
        return until_solved(search_there, Xor(), "sigmoid", seed, score, after=lambda *_: score.solved, **rates)

    def here(seed, **rates):
        solved = lambda generation, networks, outcomes: bool(Xor().solved(networks).any())  # noqa: E731
        return until_solved(search_here, Xor(), "sigmoid", seed, after=solved, **rates)

    often = {"connect": 0.5, "disconnect": 0.5, "split": 0.2, "merge": 0.2}
    report("xor", options.seeds, {"here": here, "neat-python": there})
    report("xor, its example's rates", options.seeds, {
        "here": lambda seed: here(seed, target_species=10, **OFTEN), "neat-python": lambda seed: there(seed, **often),
    })  # fmt: skip


def double_pole(options):
    problem = DoublePole(steps=options.steps)

    def score(network, generation):
        return play(problem, network, problem.start(1, np.random.default_rng(generation)))

    def there(seed):
        return until_solved(
            search_there, problem, "tanh", seed, score, after=lambda _, fitness: max(fitness) >= options.steps
        )

    def here(seed):
        solved = lambda generation, networks, outcomes: bool((outcomes.scores >= options.steps).any())  # noqa: E731
        return until_solved(search_here, problem, "tanh", seed, after=solved)

    report(f"double pole, {options.steps:,} steps", options.seeds, {"here": here, "neat-python": there})


def until_solved(search, problem, activation, seed, *score, after, population=150, generations=200, **rates):
    """Return how many genomes were evaluated until one solved the problem, and None where none did."""
    last = []

    def ended(generation, *seen):
        last.append((generation + 1, after(generation, *seen)))
        return last[-1][1]

    search(problem, activation, population, generations, seed, *score, ended, **rates)
    return last[-1][0] * population if last[-1][1] else None


def report(name, seeds, sides):
    for side, solve in sides.items():
        began = time.perf_counter()
        needed = [solve(seed) for seed in range(seeds)]
        counts = np.array([math.inf if count is None else count for count in needed])
        draws = np.random.default_rng(0).integers(seeds, size=(10_000, seeds))
        low, high = np.quantile(np.median(counts[draws], axis=1), (0.025, 0.975), method="nearest")
        print(f"{name}, {side}: {np.median(counts):,.0f} evaluations [{low:,.0f}, {high:,.0f}],", end=" ")
        print(f"{needed.count(None)} of {seeds} unsolved, {(time.perf_counter() - began) / seeds:.1f} s per seed")


def main():
    parts = {"cartpole": cartpole, "variation": variation, "xor": xor, "double-pole": double_pole}
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; all by default")
    for name, default in (
        ("seeds", 20), ("genomes", 1000), ("generations", 10), ("connections", 200), ("steps", 100_000)
    ):  # fmt: skip
        options.add_argument(f"--{name}", type=int, default=default)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    for part in chosen.parts or parts:
        parts[part](chosen)


if __name__ == "__main__":
    main()
