"""What a champion's network is made of: its parts by name, its layers, and the counts that people ask for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evo.inspect.text import finite

Edge = tuple[int, int, float]


@dataclass(frozen=True)
class Structure:
    """A network's parts. Nodes are numbered bias, inputs, hidden nodes in order of computation, outputs.

    Attributes:
        inputs, outputs: names.
        activations: a name per node.
        edges: (source, target, weight).
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    activations: tuple[str, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, network: dict[str, Any]) -> Structure:
        """Return the structure of a champion file's network."""
        return cls(
            tuple(str(name) for name in network["inputs"]),
            tuple(str(name) for name in network["outputs"]),
            tuple(network["activations"]),
            tuple((int(source), int(target), finite(weight) or 0.0) for source, target, weight in network["edges"]),
        )

    @property
    def nodes(self) -> int:
        """How many nodes, bias and inputs included."""
        return len(self.activations)

    @property
    def first_hidden(self) -> int:
        """The number of the first node that computes."""
        return 1 + len(self.inputs)

    @property
    def first_output(self) -> int:
        """The number of the first output."""
        return self.nodes - len(self.outputs)

    @property
    def recurrent(self) -> int:
        """How many edges read the previous step: those to an earlier node, or to the node itself."""
        return sum(source >= target for source, target, _ in self.edges)

    @cached_property
    def uniform(self) -> bool:
        """Whether all weights are the same, as where one shared weight takes their place."""
        return len({weight for _, _, weight in self.edges}) <= 1

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """The layer of each node: 0 for bias and inputs, the longest path from there for hidden nodes, then outputs."""
        layers = [0] * self.nodes
        sources: list[list[int]] = [[] for _ in layers]
        for source, target, _ in self.edges:
            if source < target:
                sources[target].append(source)
        for node in range(self.first_hidden, self.first_output):
            layers[node] = 1 + max((layers[source] for source in sources[node]), default=0)
        layers[self.first_output :] = [1 + max(layers)] * len(self.outputs)
        return tuple(layers)

    @property
    def depth(self) -> int:
        """How many layers of computing nodes there are, the outputs included."""
        return max(self.layers)

    @cached_property
    def used(self) -> frozenset[int]:
        """The nodes that some edge reads."""
        return frozenset(source for source, _, _ in self.edges)

    @property
    def unused_inputs(self) -> list[str]:
        """The names of the inputs, bias first, that no edge reads."""
        return [self.label(node) for node in range(self.first_hidden) if node not in self.used]

    def counts(self) -> list[tuple[str, int]]:
        """Return the activations of hidden and output nodes and how often each occurs, the most frequent first."""
        found = Counter(self.activations[self.first_hidden :])
        return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))

    def label(self, node: int) -> str:
        """Return the name of a node."""
        if node == 0:
            return "bias"
        if node < self.first_hidden:
            return self.inputs[node - 1]
        return self.outputs[node - self.first_output] if node >= self.first_output else f"node {node}"
