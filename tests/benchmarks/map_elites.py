"""What a generation costs a map of elites: pyribs' archive, as MapElites uses it, against EvoTorch's MAPElites.

python tests/benchmarks/map_elites.py

Both have 40 x 40 cells and score two numbers by a sum; a generation is as many children as there are cells, which is
the only size that EvoTorch's knows. Printed are the milliseconds of a whole generation, and of MapElites' insertions.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from machine import seconds

from evo import seeds
from evo.algorithms import evotorch_problem
from evo.algorithms.map_elites import Elites, MapElites
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.outcome import outcomes_of
from evo.problem import Objective
from evo.search import Search

SIDE = 40
CHILDREN = SIDE * SIDE


@dataclass(frozen=True)
class Point(Genome):
    """Two numbers from 0 to 1, which are its features."""

    layout = Layout(Field("values", (2,)))

    def sample(self, count, rng):
        return self.layout.rows(values=rng.random((count, 2)))

    def mutate(self, rows, rng):
        children = rows.clone()
        values = self.layout.values(children)
        values += 0.1 * seeds.normal(rng, tuple(values.shape), values)
        return children.clamp_(min=0)

    def features(self, rows):
        return dict(zip("xy", self.layout.values(rows).double().unbind(1), strict=True))


def ours():
    """Return the seconds of a generation, and of its insertion, with a map that is full."""
    settings = MapElites(("x", "y"), (0.0, 0.0), (1.0, 1.0), (SIDE, SIDE), CHILDREN)
    search = Search(
        Point(), (Objective("sum"),), False, 10**9, 0, lambda genome, rows: outcomes_of(rows[:, :2].sum(1, True))
    )
    elites = Elites(settings, search)

    def generation(insert=True):
        genome, rows = elites.children(CHILDREN)
        outcomes = search.evaluate(genome, rows)
        if insert:
            elites.add(genome, rows, outcomes)

    for _ in range(20):
        generation()
    whole = seconds(generation, 20)
    return whole, whole - seconds(lambda: generation(False), 20), len(elites)


def evotorchs():
    """Return the seconds of a generation."""
    evotorch = evotorch_problem.load()
    from evotorch.operators import GaussianMutation

    def score(values):
        return torch.cat((values.sum(1, keepdim=True), values), dim=1)

    with evotorch_problem.quiet():
        problem = evotorch.Problem(
            "max", score, solution_length=2, initial_bounds=(0.0, 1.0), eval_data_length=2, vectorized=True, seed=0
        )
        grid = evotorch.algorithms.MAPElites.make_feature_grid(torch.zeros(2), torch.ones(2), SIDE)
        search = evotorch.algorithms.MAPElites(
            problem, operators=[GaussianMutation(problem, stdev=0.1)], feature_grid=grid
        )
    search.step()
    return seconds(search.step, 10)


def main():
    torch.set_num_threads(1)
    whole, insertion, filled = ours()
    theirs = evotorchs()
    print(
        f"MapElites, {SIDE} x {SIDE} cells ({filled} filled), {CHILDREN} children: {1e3 * whole:.1f} ms a generation,"
    )
    print(f"  of which insertion {1e3 * insertion:.1f} ms")
    print(f"EvoTorch's MAPElites: {1e3 * theirs:.1f} ms a generation: {theirs / whole:.0f} times as long")


if __name__ == "__main__":
    np.seterr(all="raise")
    main()
