"""Forward pass of 1,000 different graphs, 200 edges each, on 256 cases: beside numpy node by node and neat-python.

    python tests/benchmarks/forward.py [--threads 2] [--device cuda]

Prints ratios of wall times in one run, and asserts only that all give the same outputs.
"""

import argparse
import math

import numpy as np
import torch
from machine import limit, seconds
from neat.nn import FeedForwardNetwork

from evo.activations import NAMES
from evo.networks import Execution, pack

GRAPHS, INPUTS, HIDDEN, OUTPUTS, EDGES, CASES = 1000, 8, 40, 2, 200, 256

BY_NUMPY = {
    1: lambda x: x, 2: lambda x: (x > 0) * 1.0, 3: lambda x: np.sin(np.pi * x), 4: lambda x: np.exp(-x * x / 2),
    5: np.tanh, 6: lambda x: np.tanh(x / 2) / 2 + 0.5, 7: np.negative, 8: np.abs, 9: lambda x: np.maximum(x, 0),
    10: lambda x: np.cos(np.pi * x),
}  # fmt: skip
BY_MATH = {
    1: lambda x: x, 2: lambda x: float(x > 0), 3: lambda x: math.sin(math.pi * x), 4: lambda x: math.exp(-x * x / 2),
    5: math.tanh, 6: lambda x: math.tanh(x / 2) / 2 + 0.5, 7: lambda x: -x, 8: abs, 9: lambda x: max(0.0, x),
    10: lambda x: math.cos(math.pi * x),
}  # fmt: skip


def graph(rng):
    nodes = 1 + INPUTS + HIDDEN + OUTPUTS
    kinds = [1] * (1 + INPUTS) + [int(kind) for kind in rng.integers(1, 11, HIDDEN)] + [1] * OUTPUTS
    chosen = set()
    while len(chosen) < EDGES:
        source, target = sorted(rng.integers(0, nodes, 2).tolist())
        if source < target and target > INPUTS and source < nodes - OUTPUTS:
            chosen.add((source, target))
    return kinds, [(*ends, float(rng.normal() / 2)) for ends in sorted(chosen)]


def by_numpy(graphs, cases):
    outputs = []
    for kinds, edges in graphs:
        values = np.zeros((len(cases), len(kinds)))
        values[:, 0], values[:, 1 : 1 + INPUTS] = 1.0, cases
        weights = np.zeros((len(kinds), len(kinds)))
        for source, target, weight in edges:
            weights[source, target] = weight
        for node in range(1 + INPUTS, len(kinds)):
            values[:, node] = BY_NUMPY[kinds[node]](values @ weights[:, node])
        outputs.append(values[:, -OUTPUTS:])
    return np.array(outputs)


def by_neat(networks, cases):
    rows = [[1.0, *case] for case in cases.tolist()]
    return np.array([[network.activate(row) for row in rows] for network in networks])


def neat_network(kinds, edges):
    """neat-python's own network: nodes in order, each with function, aggregation, bias, response and links."""
    inputs = list(range(1 + INPUTS))
    evaluations = [
        (node, BY_MATH[kinds[node]], sum, 0.0, 1.0, [(source, w) for source, target, w in edges if target == node])
        for node in range(1 + INPUTS, len(kinds))
    ]
    return FeedForwardNetwork(inputs, list(range(len(kinds) - OUTPUTS, len(kinds))), evaluations)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--device", default="cpu")
    chosen = options.parse_args()
    rng = np.random.default_rng(0)
    graphs = [graph(rng) for _ in range(GRAPHS)]
    cases = rng.standard_normal((CASES, INPUTS))
    torch_cases = torch.from_numpy(cases).to(torch.float32)
    networks = pack(INPUTS, OUTPUTS, graphs)
    compiled = networks.on(Execution("compiled", chosen.threads))
    neat = [neat_network(*one) for one in graphs]

    expected = by_numpy(graphs, cases)
    found = compiled.forward(torch_cases).numpy()
    usual = np.abs(expected) < 100  # float32 against float64; a sine of a huge sum is noise in either
    assert np.mean(np.isclose(found[usual], expected[usual], rtol=1e-2, atol=1e-2)) > 0.98
    assert np.allclose(by_neat(neat[:3], cases), expected[:3], rtol=1e-6, atol=1e-6)

    work = GRAPHS * CASES
    print(f"{GRAPHS} graphs of {EDGES} edges and {HIDDEN} hidden nodes on {CASES} cases, {len(NAMES) - 1} activations")
    ours = seconds(lambda: compiled.forward(torch_cases))
    report("compiled kernel", ours, ours, work)
    report("numpy, one product per node", seconds(lambda: by_numpy(graphs, cases), 3), ours, work)
    report("neat-python", seconds(lambda: by_neat(neat[:50], cases), 1) * GRAPHS / 50, ours, work)
    least = limit(EDGES * work, (HIDDEN + OUTPUTS) * work, chosen.threads)
    print(
        f"the machine's limit (multiply-add per edge, exp per node): {1e3 * least:.1f} ms; reached {least / ours:.0%}"
    )
    if chosen.device != "cpu":
        on_device(networks, torch_cases, chosen.device, ours, work)


def on_device(networks, cases, device, ours, work):
    from evo.evaluation.stepping import Stepper

    observations = cases.to(device).expand(len(networks), -1, -1)
    stepper = Stepper(networks.to(device), torch.ones(len(cases)))

    def run():
        stepper.step(observations)
        torch.cuda.synchronize()

    report(f"torch on {torch.cuda.get_device_name()}", seconds(run), ours, work)


def report(name, time, ours, work):
    print(f"{name:<42} {1e3 * time:10.1f} ms {EDGES * work / time / 1e6:10.0f} M edges/s   x{time / ours:.1f}")


if __name__ == "__main__":
    main()
