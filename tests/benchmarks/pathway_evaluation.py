"""CPU-seconds of a PathNet generation: the compiled engine beside the usual loop, path by path.

    python tests/benchmarks/pathway_evaluation.py [--replicates 16] [--generations 10]

Two contestants, each trained for 50 mini-batches of 16 on a pair of MNIST digits; 3 layers of 10 modules of 20 units, 3
active in each. The loop has a `nn.Linear` for each module, `torch.optim.SGD` on those of the path, and autograd. Both
make their mini-batches from the same table. Processor time of one thread, per replicate and generation; the smallest
and the middle of some, taken in turns, because other work on the machine slows both. Asserts nothing about time.
"""

import argparse
import statistics
import time

import numpy as np
import torch
from torch import nn

from evo import seeds
from evo.pathways import Pathways
from problems.transfer.binary_digits import BinaryDigits

BATCHES, BATCH, LAYERS, MODULES, ACTIVE, UNITS, STEP_SIZE = 50, 16, 3, 10, 3, 20, 0.05


class FieldLoop:
    """One supernet, its paths trained one after another as the field does it."""

    def __init__(self, data):
        self.data = data
        sizes = [data.inputs.shape[1], UNITS, UNITS]
        self.layers = [[nn.Linear(size, UNITS) for _ in range(MODULES)] for size in sizes]
        self.head = nn.Linear(UNITS, 2)
        self.loss = nn.CrossEntropyLoss()

    def generation(self, paths, rng):
        chosen = torch.from_numpy(rng.integers(len(self.data), size=BATCHES * BATCH))
        inputs, targets = self.data.cases(chosen)
        return [self.train(path, inputs.split(BATCH), targets.split(BATCH)) for path in paths]

    def train(self, path, inputs, targets):
        active = [
            [layer[module] for module in sorted(set(row))]
            for layer, row in zip(self.layers, path.tolist(), strict=True)
        ]
        parameters = [weights for layer in active for module in layer for weights in module.parameters()]
        optimizer = torch.optim.SGD([*parameters, *self.head.parameters()], lr=STEP_SIZE)
        hits = 0
        for x, y in zip(inputs, targets, strict=True):
            for layer in active:
                x = sum(torch.relu(module(x)) for module in layer)
            logits = self.head(x)
            optimizer.zero_grad()
            self.loss(logits, y).backward()
            optimizer.step()
            hits += (logits.argmax(1) == y).sum().item()
        return hits / (BATCHES * BATCH)


def processor_time(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--replicates", type=int, default=16)
    options.add_argument("--generations", type=int, default=10)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    problem = BinaryDigits(pairs=((2, 6), (4, 9)), replicates=chosen.replicates, step_size=STEP_SIZE)
    state = problem.begin(seeds.rng(0, "begin"))
    loop = FieldLoop(problem.data(0, 0))
    rng = np.random.default_rng(0)
    replicates, task = torch.arange(chosen.replicates).repeat(2), torch.zeros(2 * chosen.replicates, dtype=torch.int64)
    times = {"compiled": [], "loop": []}
    for generation in range(-1, chosen.generations):  # the first does not count
        modules = torch.from_numpy(rng.integers(MODULES, size=(2 * chosen.replicates, LAYERS, ACTIVE)))
        paths = Pathways(modules, problem.modules_per_layer, replicates, task)

        def compiled(paths=paths):
            nonlocal state
            _, state = problem.evaluate_from(paths, rng, state)

        spent = processor_time(compiled) / chosen.replicates, processor_time(lambda: loop.generation(modules[:2], rng))  # noqa: B023
        if generation >= 0:
            for name, seconds in zip(times, spent, strict=True):
                times[name].append(seconds)
    print(
        f"{'':<10}{'smallest':>12}{'middle':>12}   cpu-s per replicate and generation, {chosen.replicates} in a batch"
    )
    for name, seconds in times.items():
        print(f"{name:<10}{min(seconds):12.5f}{statistics.median(seconds):12.5f}")
    smallest = min(times["loop"]) / min(times["compiled"])
    middle = statistics.median(times["loop"]) / statistics.median(times["compiled"])
    print(f"{'ratio':<10}{smallest:12.1f}{middle:12.1f}")


if __name__ == "__main__":
    main()
