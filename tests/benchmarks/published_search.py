"""The published weight agnostic search, written out plainly: a control for `runs/wann_swingup_laptop.py`.

    python tests/benchmarks/published_search.py [--seeds 8] [--generations 257] [--workers 2]

One individual at a time, with lists of genes and layers by longest path, as the published code does it (Gaier & Ha
2019, google/brain-tokyo-workshop); it shares nothing with `genomes.topology` and `evo.algorithms` but the scores.
Prints the elite's mean reward at some generations, median and quartiles over seeds.
"""

import argparse
import statistics
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch

from evo.networks import pack
from problems.control.cartpole_swingup import CartPoleSwingUp

PROBLEM = CartPoleSwingUp(shared_weights=(-2.0, -1.0, -0.5, 0.5, 1.0, 2.0), episodes=3)
POPULATION, TOURNAMENT, CULL, ELITE = 64, 4, 0.2, 0.05
OUTPUT, FIRST_HIDDEN = 6, 7
GENERATIONS = (32, 64, 128, 256, 512, 1023)


class Individual:
    """Genes: activation by node id, and [source, target, enabled] per connection."""

    def __init__(self, activations, connections):
        self.activations = dict(activations)
        self.connections = [list(connection) for connection in connections]

    def hidden_edges(self):
        return [(s, t) for s, t, _ in self.connections if s >= FIRST_HIDDEN and t >= FIRST_HIDDEN]

    def layers(self):
        """Layer of each node: inputs 0, hidden by longest path, the output behind all."""
        layer = {node: int(node >= FIRST_HIDDEN) for node in self.activations}
        for _ in self.activations:
            for source, target in self.hidden_edges():
                layer[target] = max(layer[target], layer[source] + 1)
        layer[OUTPUT] = max(layer.values()) + 1
        return layer

    def network(self):
        """Activations and edges in order; connections between hidden nodes count as enabled, as published."""
        layer = self.layers()
        order = sorted(self.activations, key=lambda node: (layer[node], node))
        place = {node: number for number, node in enumerate(order)}
        shown = [(s, t) for s, t, enabled in self.connections if enabled or (s > OUTPUT and t > OUTPUT)]
        return [self.activations[node] for node in order], [(place[s], place[t], 1.0) for s, t in shown]


def mutate(parent, rng, next_id):
    child = Individual(parent.activations, parent.connections)
    spin = rng.random()
    hidden = [node for node in child.activations if node >= FIRST_HIDDEN]
    if spin < 0.20:
        add_connection(child, rng)
    elif spin < 0.45:
        enabled = [connection for connection in child.connections if connection[2]]
        if enabled:
            chosen = enabled[rng.integers(len(enabled))]
            chosen[2] = 0
            child.activations[next_id] = int(rng.integers(1, 11))
            child.connections += [[chosen[0], next_id, 1], [next_id, chosen[1], 1]]
    elif spin < 0.50:
        disabled = [connection for connection in child.connections if not connection[2]]
        if disabled:
            disabled[rng.integers(len(disabled))][2] = 1
    elif hidden:
        node = hidden[rng.integers(len(hidden))]
        others = [kind for kind in range(1, 11) if kind != child.activations[node]]
        child.activations[node] = others[rng.integers(len(others))]
    return child


def add_connection(child, rng):
    layer = child.layers()
    for source in rng.permutation(list(child.activations)).tolist():
        taken = {target for s, target, _ in child.connections if s == source}
        free = [node for node in child.activations if layer[node] > layer[source] and node not in taken]
        if free:
            child.connections.append([source, free[rng.integers(len(free))], 1])
            return


def crowding(values):
    order = np.argsort(values)
    ordered = values[order]
    with np.errstate(all="ignore"):
        gaps = np.abs(np.diff(ordered, prepend=-np.inf)) + np.abs(np.diff(ordered, append=np.inf))
        if ordered[-1] > ordered[0]:
            gaps *= abs(1 / ordered[-1] - ordered[0])
    distances = np.empty(len(values))
    distances[order] = gaps
    return distances


def ranked(objectives):
    left, order = np.arange(len(objectives)), []
    while len(left):
        values = objectives[left]
        at_least = (values[None] >= values[:, None]).all(2)
        beaten = (at_least & (values[None] > values[:, None]).any(2)).any(1)
        front = left[~beaten]
        distance = crowding(objectives[front, 0]) + crowding(objectives[front, 1])
        order += front[np.argsort(-distance)].tolist()
        left = left[beaten]
    return order


def search(seed, generations):
    """Return the elite's mean reward of every generation."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    start = dict.fromkeys(range(7), 1)
    population = [
        Individual(start, [[source, OUTPUT, int(rng.random() < 0.5)] for source in range(6)]) for _ in range(POPULATION)
    ]
    next_id, elites_of = FIRST_HIDDEN, []
    for _ in range(generations):
        drawn = [one.network() for one in population]
        scores = PROBLEM.evaluate(pack(5, 1, drawn), np.random.default_rng(rng.integers(1000))).scores.numpy()
        elites_of.append(float(scores[:, 0].max()))
        simplicity = 1 / np.maximum([len(edges) for _, edges in drawn], 1)
        second = scores[:, 1] if rng.random() > 0.8 else simplicity
        pool = [population[place] for place in ranked(np.stack((scores[:, 0], second), 1))]
        pool = pool[: POPULATION - int(CULL * POPULATION)]
        population = pool[: int(ELITE * len(pool))]
        while len(population) < POPULATION:
            # the better of two tournaments' winners, as published
            parent = pool[rng.integers(len(pool), size=2 * TOURNAMENT).min()]
            population.append(mutate(parent, rng, next_id))
            next_id += 1
    return elites_of


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seeds", type=int, default=8)
    options.add_argument("--generations", type=int, default=257)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    with ProcessPoolExecutor(chosen.workers) as pool:
        curves = list(pool.map(search, range(chosen.seeds), [chosen.generations] * chosen.seeds))
    for generation in (g for g in GENERATIONS if g < chosen.generations):
        elites = [curve[generation] for curve in curves]
        low, middle, high = statistics.quantiles(elites, n=4, method="inclusive")
        print(
            f"generation {generation}: {middle:.0f} ({low:.0f} to {high:.0f}), best of {len(elites)}: {max(elites):.0f}"
        )


if __name__ == "__main__":
    main()
