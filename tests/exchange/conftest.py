import numpy as np
import pytest

from evo.activations import NAMES


def random_network(seed, inputs=3, hidden=12, outputs=2, edges=40, kinds=None, recurrent=False):
    """A champion file's network of any shape: all activations, also on inputs and outputs, and dead nodes too."""
    rng = np.random.default_rng(seed)
    nodes = 1 + inputs + hidden + outputs
    kinds = list(NAMES.values()) if kinds is None else kinds
    chosen = {}
    while len(chosen) < edges:
        source, target = int(rng.integers(nodes)), int(rng.integers(1 + inputs, nodes))
        if source < target or recurrent:
            chosen[source, target] = float(np.float32(rng.normal() / 2))
    return {
        "inputs": [f"input {number}" for number in range(inputs)],
        "outputs": [f"output {number}" for number in range(outputs)],
        "activations": ["linear", *(str(kind) for kind in rng.choice(kinds, nodes - 1))],
        "edges": [[*ends, weight] for ends, weight in chosen.items()],  # in no particular order
    }


@pytest.fixture
def make_network():
    return random_network
