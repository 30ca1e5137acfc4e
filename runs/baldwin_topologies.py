"""The Baldwin effect on topologies: selected by what they score after learning, or before it, at equal cost.

    python runs/baldwin_topologies.py run --seeds 10
    python runs/baldwin_topologies.py table

Networks of any structure, with initial weights in their genes, name scikit-learn's digits. `after learning`: each takes
five steps down its gradient on training pictures, and is scored on training pictures drawn apart; what it learned dies
with it (Hinton & Nowlan 1987). Both draws are from the same 1,442 pictures, so about three in ten of those that score
were among those learned from. `Lamarckian`: children inherit the learned weights. `before learning`: networks are
scored as they are born, for the same cost: 17 times as many generations (`longer`) or individuals (`wider`), which is
what five passes forward and backward and two forward come to, for the score at birth is recorded too (a backward pass
counts as two). `random`: the same mutations for as many
generations, and nobody is selected; `random, longer` for 17 times as many. All are drawn alike, and sparse; more
generations make larger networks, which is why `wider` and both random ones are there.

The best of the last generation, in its own sense, on training pictures drawn anew, is then tested on pictures that
nobody has seen: at birth, after five steps, and after long training; and once more with all its weights drawn anew, so
that nothing but the structure is left of what evolved. The second table has the mean loss of whole populations on the
way, before and after five steps: if selection after learning makes the loss at birth fall, that is genetic
assimilation. Intervals are over seeds.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo import seeds
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.budget import some_ok
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.interval import in_words
from evo.learning.gradient_descent import descend
from evo.learning.weight_training import TrainedWeights
from evo.networks import Networks
from evo.outcome import Outcomes
from evo.problem import Problem
from evo.results import Results
from evo.search import Search
from genomes.topology import Topology
from problems.digits import Digits

FOLDER = Path(__file__).with_suffix("")
STEPS, STEP_SIZE = 5, 2.0
PASSES = 3 * STEPS + 2
"""Forward passes that a lifetime costs, a backward pass counted as two."""
MOMENTS = (0.0, 0.1, 0.25, 0.5, 1.0)
LOOKED_AT = 48
"""Individuals of a generation, survivors and children, whose losses are noted on the way."""
LONG = 300
ROUNDS = 4
"""How often the last generation is judged again, and how often the tested are taught and drawn anew."""

digits = Digits(batch=100)
lifetime = TrainedWeights(digits, steps=STEPS, step_size=STEP_SIZE)
lamarckian = TrainedWeights(digits, "lamarckian", steps=STEPS, step_size=STEP_SIZE)
unseen = Digits(split="test", batch=0)
many = Digits(batch=1000)
METHODS: dict[str, tuple[Problem | None, int, int]] = {
    "after learning": (lifetime, 1, 1),
    "Lamarckian": (lamarckian, 1, 1),
    "before learning, wider": (digits, 1, PASSES),
    "before learning, longer": (digits, PASSES, 1),
    "random": (None, 1, 1),
    "random, longer": (None, PASSES, 1),
}
"""Of each: what it is selected on, if it is, and how many times the generations and the population of a lifetime's."""
TESTED = ("at birth", f"{STEPS} steps", f"{LONG} steps", f"redrawn, {STEPS}", f"redrawn, {LONG}", "connections")


def topology() -> Topology:
    """Return the genome: sparse at first, with weights that mutate."""
    return Topology.for_problem(
        digits,
        initial_connection_rate=0.1,
        keep_disabled=False,
        weight_range=0.5,
        activations=("tanh", "relu", "sigmoid", "gaussian", "sin"),
        changes=3,
        add_connection_rate=0.4,
        add_node_rate=0.15,
        weight_rate=0.3,
        weight_deviation=0.2,
        activation_rate=0.1,
        remove_connection_rate=0.05,
        enable_connection_rate=0.0,
    )


def learned(networks: Networks, seed: int) -> Networks:
    """Return networks after a lifetime's steps."""
    return lifetime.live(networks, seed)


def losses(networks: Networks, problem: Digits = many, seed: int = 0) -> np.ndarray:
    """Return each network's cross-entropy, on the same cases for all."""
    return problem.evaluate(networks, seeds.rng(seed, "losses")).scores[:, 0].numpy()


def evolved(name: str, population: int, generations: int, seed: int) -> tuple[Genome, torch.Tensor, dict[str, Any]]:
    """Return the last generation of a method, and what was noted on its way."""
    problem, longer, wider = METHODS[name]
    generations, population = longer * generations, wider * population
    moments = {share: round(share * (generations - 1)) for share in MOMENTS}
    noted: dict[str, Any] = {"birth": {}, "taught": {}}
    last: list[Any] = []
    began, away = time.process_time(), 0.0

    def note(genome: Genome, rows: torch.Tensor, generation: int) -> None:
        nonlocal away
        start = time.process_time()
        last[:] = [genome, rows]
        for share in (share for share, when in moments.items() if when == generation):
            networks = genome.express(rows[:: max(1, len(rows) // LOOKED_AT)])
            noted["birth"][str(share)] = float(losses(networks).mean())
            noted["taught"][str(share)] = float(losses(learned(networks, 0)).mean())
        away += time.process_time() - start

    def evaluate(genome: Genome, rows: torch.Tensor) -> Outcomes:
        outcomes = some_ok(evaluator.evaluate(genome, rows, search.rng("evaluation")))
        note(genome, rows, search.generation)
        return outcomes

    if problem is None:
        drift(population, generations, seed, note)
    else:
        with Evaluator(problem) as evaluator:
            search = Search(topology(), problem.objectives, True, generations, seed, evaluate)
            MuPlusLambda(population).run(search)
    noted["seconds"] = time.process_time() - began - away
    return last[0], last[1], noted


def drift(population: int, generations: int, seed: int, note: Any) -> None:
    """Mutate rows whose parents are drawn evenly."""
    genome: Any = topology()
    rows = genome.sample(population, seeds.rng(seed, "sample"))
    note(genome, rows, 0)
    for generation in range(1, generations):
        draws = seeds.rng(seed, "drift", generation)
        genome, rows = genome.fit(rows)
        rows = genome.mutate(rows[draws.integers(len(rows), size=len(rows))], draws)
        note(genome, rows, generation)


def chosen(name: str, genome: Genome, rows: torch.Tensor) -> torch.Tensor:
    """Return the best row `[1, L]` in the method's own sense, judged anew; of random ones the first."""
    if METHODS[name][0] is None:
        return rows[:1]
    networks = genome.express(rows)
    judged = [
        losses(networks if METHODS[name][0] is digits else learned(networks, turn), digits, turn)
        for turn in range(100, 100 + ROUNDS)
    ]
    return rows[int(np.nan_to_num(np.mean(judged, 0), nan=np.inf).argmin())][None]


def accuracy(networks: Networks) -> float:
    """Return the share of unseen pictures, in percent, that a network names rightly."""
    return 100 * float(unseen.evaluate(networks, np.random.default_rng(0)).scores[0, 1])


def long_trained(networks: Networks, seed: int) -> float:
    """Return the accuracy of a network after long training."""
    described = {"inputs": digits.inputs, "outputs": digits.outputs, **networks.describe(0)}
    edges = descend(described, digits, LONG, seed=seed).network["edges"]
    return accuracy(networks.with_weights(torch.tensor([edge[2] for edge in edges])))


def redrawn(networks: Networks, seed: int) -> Networks:
    """Return a network with weights as a first generation has them."""
    drawn = seeds.rng(seed, "weights drawn anew").uniform(-0.5, 0.5, len(networks.edge_weights))
    return networks.with_weights(torch.from_numpy(drawn))


def tested(networks: Networks) -> list[float]:
    """Return what `TESTED` names, of one network."""
    turns = range(200, 200 + ROUNDS)
    fresh = [redrawn(networks, turn) for turn in turns]
    return [
        accuracy(networks),
        float(np.mean([accuracy(learned(networks, turn)) for turn in turns])),
        long_trained(networks, 200),
        float(np.mean([accuracy(learned(one, turn)) for one, turn in zip(fresh, turns, strict=True)])),
        float(np.mean([long_trained(one, turn) for one, turn in zip(fresh[:2], turns, strict=False)])),
        float(len(networks.edge_weights)),
    ]


def run(
    run_seeds: range, methods: list[str], population: int, generations: int, done: Results
) -> Iterator[dict[str, Any]]:
    """Yield a line per method and seed that is not done."""
    for seed in run_seeds:
        for name in methods:
            if done.has(method=name, seed=seed):
                continue
            genome, rows, noted = evolved(name, population, generations, seed)
            yield {"method": name, "seed": seed, **noted, "tested": tested(genome.express(chosen(name, genome, rows)))}


def table(lines: list[dict[str, Any]]) -> str:
    """Return both tables as text."""
    text = [f"{'test accuracy, %':24}" + "".join(f"{name:>16}" for name in TESTED) + "   CPU s"]
    for method in dict.fromkeys(line["method"] for line in lines):
        mine = [line for line in lines if line["method"] == method]
        cells = "".join(f"{in_words(values, 1):>16}" for values in np.array([line["tested"] for line in mine]).T)
        text.append(f"{method:24}{cells}{np.mean([line['seconds'] for line in mine]):8.1f}")
    text.append(f"\n{'mean loss, share of the run':44}" + "".join(f"{share:>16.2f}" for share in MOMENTS))
    for method in dict.fromkeys(line["method"] for line in lines):
        mine = [line for line in lines if line["method"] == method]
        for key, words in (("birth", "at birth"), ("taught", f"after {STEPS} steps")):
            values = np.array([[line[key][str(at)] for line in mine] for at in MOMENTS])
            cells = "".join(f"{in_words(each):>16}" for each in values)
            text.append(f"{f'{method}, {words}':44}{cells}")
    return "\n".join(text)


def main() -> None:
    """Run, or print the tables of what was run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--population", type=int, default=24)
    parser.add_argument("--generations", type=int, default=50, help="of lifetimes")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    asked = parser.parse_args()
    results = Results(asked.folder, ("method", "seed"))
    if asked.what == "run":
        torch.set_num_threads(1)
        cost = {"population": asked.population, "generations": asked.generations}
        results = Results(asked.folder, results.names, cost)
        seeds_asked = range(asked.first_seed, asked.first_seed + asked.seeds)
        for result in run(seeds_asked, asked.methods, **cost, done=results):
            results.add(result)
            print(result["method"], result["seed"], round(result["seconds"], 1), result["tested"], flush=True)
    print(table(results.lines()))


if __name__ == "__main__":
    main()
