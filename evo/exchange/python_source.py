"""A champion's network as a Python file that needs nothing but numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evo.champion import Champion, networks_of
from evo.files import write_text

FUNCTIONS = {
    "linear": "x",
    "step": "(x > 0) * 1.0",
    "sin": "np.sin(np.pi * x)",
    "gaussian": "np.exp(-0.5 * x * x)",
    "tanh": "np.tanh(x)",
    "sigmoid": "0.5 * np.tanh(0.5 * x) + 0.5",
    "inverse": "-x",
    "abs": "np.abs(x)",
    "relu": "np.maximum(x, 0.0)",
    "cos": "np.cos(np.pi * x)",
    "squared": "x * x",
}

FEED_FORWARD = '''

def act(observation):
    """Return the outputs for the inputs: [inputs] -> [outputs], or [cases, inputs] -> [cases, outputs]."""
    observation = np.asarray(observation, dtype=float)
    if observation.ndim not in (1, 2) or observation.shape[-1] != len(INPUTS):
        raise ValueError(f"observation: expected [{len(INPUTS)}] or [cases, {len(INPUTS)}], got {observation.shape}")
    values = np.ones((len(ACTIVATIONS), *observation.shape[:-1]))  # the first is the bias
    values[1 : 1 + len(INPUTS)] = observation.T
    for node in range(1, len(ACTIVATIONS)):
        if node > len(INPUTS):
            values[node] = sum((weight * values[source] for source, weight in EDGES[node]), 0.0)
        values[node] = FUNCTIONS[ACTIVATIONS[node]](values[node])
    return values[-len(OUTPUTS) :].T
'''

RECURRENT = '''

class Network:
    """Keeps the values of the step before, which recurrent edges read; a new one, or `reset`, starts from rest."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.before = np.zeros(len(ACTIVATIONS))

    def act(self, observation):
        """Return the outputs [outputs] for the inputs [inputs]."""
        if np.shape(observation) != (len(INPUTS),):
            raise ValueError(f"observation: expected [{len(INPUTS)}], got {np.shape(observation)}")
        values = np.ones(len(ACTIVATIONS))  # the first is the bias
        values[1 : 1 + len(INPUTS)] = observation
        for node in range(1, len(ACTIVATIONS)):
            if node > len(INPUTS):
                read = [(values if source < node else self.before, source, weight) for source, weight in EDGES[node]]
                values[node] = sum(weight * step[source] for step, source, weight in read)
            values[node] = FUNCTIONS[ACTIVATIONS[node]](values[node])
        self.before = values
        return values[-len(OUTPUTS) :].copy()


network = Network()
act, reset = network.act, network.reset
'''


def to_python(network: dict[str, Any]) -> str:
    """Return a Python file with a function `act(observation) -> action`; a recurrent network's has `reset()` too.

    Everything that the champion file spells goes into the file as a literal of ASCII letters, so that no name can
    become code.
    """
    networks_of(network)  # refuses what is no network
    recurrent = any(source >= target for source, target, _ in network["edges"])
    return (
        '"""A network found by evolution, written by evo-genomes; needs numpy alone."""\n\nimport numpy as np\n\n'
        + literals(network, FUNCTIONS)
        + f"EDGES = {edges_into(network)!a}  # into each node: (source, weight)\n"
        + (RECURRENT if recurrent else FEED_FORWARD)
    )


def literals(network: dict[str, Any], functions: dict[str, str]) -> str:
    """Return the lines of a Python file that say a network's names, activations and those activations' formulas."""
    activations = ["linear", *network["activations"][1:]]
    used = "".join(
        f"    {name!r}: lambda x: {formula},\n" for name, formula in functions.items() if name in activations
    )
    return (
        f"INPUTS = {network['inputs']!a}\nOUTPUTS = {network['outputs']!a}\n"
        f"ACTIVATIONS = {activations!a}  # bias, inputs, hidden, outputs\n"
        f"FUNCTIONS = {{\n{used}}}\n"
    )


def edges_into(network: dict[str, Any]) -> list[list[tuple[int, float]]]:
    """Return for each node the (source, weight) of the edges that lead to it."""
    edges: list[list[tuple[int, float]]] = [[] for _ in network["activations"]]
    for source, target, weight in sorted(network["edges"]):
        edges[target].append((source, float(weight)))
    return edges


def write(champion: Champion, path: Path) -> None:
    """Write the champion's network as a Python file."""
    write_text(path, to_python(champion.network or {}))
