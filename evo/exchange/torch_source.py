"""A champion's network as a Python file with a `torch.nn.Module`, to be read, changed and trained elsewhere.

`evo.exchange.torch_module` is the same thing to use in place: faster, and it needs this package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evo.champion import Champion, networks_of
from evo.exchange.python_source import literals
from evo.files import write_text

FUNCTIONS = {
    "linear": "x",
    "step": "(x > 0).to(x.dtype)",
    "sin": "torch.sin(torch.pi * x)",
    "gaussian": "torch.exp(-0.5 * x * x)",
    "tanh": "torch.tanh(x)",
    "sigmoid": "torch.sigmoid(x)",
    "inverse": "-x",
    "abs": "torch.abs(x)",
    "relu": "torch.relu(x)",
    "cos": "torch.cos(torch.pi * x)",
    "squared": "x * x",
}

MODULE = '''

class Network(torch.nn.Module):
    """The network; `weight` [edges] is a parameter, in the order of EDGES.

    An edge to an earlier node, or to the node itself, reads the previous step: `state`, which `step` gives and takes.
    """

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([float(weight) for _, _, weight in EDGES]))
        self.into = [[number for number, edge in enumerate(EDGES) if edge[1] == node] for node in range(NODES)]

    def forward(self, inputs):
        """Return the outputs [cases, outputs] for inputs [cases, inputs], from a state of rest."""
        return self.step(inputs)[0]

    def step(self, inputs, state=None):
        """Return the outputs [cases, outputs], and the state [cases, nodes] for the next step."""
        if inputs.dim() != 2 or inputs.shape[1] != len(INPUTS):
            raise ValueError(f"inputs: expected shape [cases, {len(INPUTS)}], got {list(inputs.shape)}")
        inputs = inputs.to(self.weight.dtype)
        before = [torch.zeros_like(inputs[:, 0])] * NODES if state is None else state.to(inputs.dtype).unbind(1)
        values = [torch.ones_like(inputs[:, 0]), *inputs.unbind(1)]
        for node in range(NODES):
            if node > len(INPUTS):
                read = [(values if EDGES[edge][0] < node else before)[EDGES[edge][0]] for edge in self.into[node]]
                total = torch.stack(read, 1) @ self.weight[self.into[node]] if read else torch.zeros_like(values[0])
                values.append(total)
            values[node] = FUNCTIONS[ACTIVATIONS[node]](values[node])
        return torch.stack(values[-len(OUTPUTS) :], 1), torch.stack(values, 1)
'''


def to_torch_source(network: dict[str, Any]) -> str:
    """Return a Python file with a class `Network(torch.nn.Module)`, which needs nothing but torch.

    Everything that the champion file spells goes into the file as a literal of ASCII letters, so that no name can
    become code.
    """
    networks_of(network)  # refuses what is no network
    edges = [(source, target, float(weight)) for source, target, weight in network["edges"]]
    return (
        '"""A network found by evolution, written by evo-genomes; needs torch alone."""\n\nimport torch\n\n'
        + literals(network, FUNCTIONS)
        + f"NODES = len(ACTIVATIONS)\nEDGES = {edges!a}  # (source, target, weight)\n"
        + MODULE
    )


def write(champion: Champion, path: Path) -> None:
    """Write the champion's network as a Python file."""
    write_text(path, to_torch_source(champion.network or {}))
