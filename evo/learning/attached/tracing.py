"""Finding the hidden units of a user's network: `torch.fx` traces it, and units are followed from maker to readers.

Followed are values of which each channel is made by one unit alone: through activations, normalization, pooling,
dropout and flattening. Units that end up elsewhere (in sums with others, in attention, in the outputs) are left out,
each with the reason: a unit may only be replaced where everything that reads it is known and can be set to 0. Forward
is followed as it is with optional arguments left out; layers that only other methods call are taken for readers of all
units that fit them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import final

from torch import fx, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from evo.learning.attached.functions import ACTIVATIONS, LOOKS, Value, function_name, passed, sizes
from evo.learning.attached.graph import traced
from evo.learning.attached.strays import could_read, uncalled, used_elsewhere
from evo.learning.attached.units import CLOSED, Units, dimensions, is_layer


@dataclass
class _Found:
    """What is known so far of a layer's units."""

    outgoing: list[str] = field(default_factory=list)
    norms: list[str] = field(default_factory=list)
    dropouts: list[str | None] = field(default_factory=list)
    activation: str = ""


def find_units(network: nn.Module) -> tuple[list[Units], dict[str, str]]:
    """Return the units that may be replaced, in the order of computation, and why others may not, by module name.

    Raises:
        ValueError: the network has no forward, or one that cannot be traced.
    """
    walk = _Walk(network, traced(network))
    return walk.units(), walk.skipped


@final
class _Walk:
    """One pass over a graph, in which values are followed from the units that make them."""

    def __init__(self, network: nn.Module, graph: fx.Graph) -> None:
        self.network = network
        self.values: dict[fx.Node, Value] = {}
        self.layers: dict[str, _Found] = {}
        self.skipped: dict[str, str] = {}
        self.calls = Counter(str(node.target) for node in graph.nodes if node.op == "call_module")
        self.after: dict[str, str] = {}
        for node in graph.nodes:
            self._visit(node)
        self._leave_strays(graph)

    def units(self) -> list[Units]:
        """Return what was found of units that nothing speaks against."""
        return [
            Units(
                incoming=name,
                outgoing=found.outgoing,
                norm=found.norms,
                activation=found.activation or "linear",
                dropout=found.dropouts[0] if len(set(found.dropouts)) == 1 else None,
                after={reader: self.after[reader] for reader in found.outgoing if reader in self.after},
            )
            for name, found in self.layers.items()
            if name not in self.skipped
        ]

    def _visit(self, node: fx.Node) -> None:
        given = [self.values[source] for source in node.all_input_nodes if source in self.values]
        if node.op == "call_module":
            self._visit_module(node, self.network.get_submodule(str(node.target)), given)
        elif node.op == "output":
            self._leave(given, "its units are outputs of the network")
        elif given:
            self._visit_function(node, function_name(node), given)

    def _visit_module(self, node: fx.Node, module: nn.Module, given: list[Value]) -> None:
        name = str(node.target)
        if is_layer(module):
            for value in given:
                self._read(name, module, value)
            self._make(node, name, module)
        elif isinstance(module, _NormBase | nn.LayerNorm | nn.GroupNorm | nn.RMSNorm):
            self._normalize(node, name, module, given)
        elif isinstance(module, _DropoutNd):
            self._drop(node, name, given)
        elif isinstance(module, CLOSED) or any(is_layer(inside) for inside in module.modules()):
            kind = type(module).__name__
            self.skipped[name] = (
                f"what happens inside a {kind} is not traced; where it calls its layers, name its units"
            )
            self._leave(given, f"its output goes into {kind} {name!r}, which mixes units")
        else:
            self._visit_function(node, type(module).__name__, given)
            if isinstance(module, nn.PReLU) and module.num_parameters > 1 and node in self.values:
                self._restart(name, self.values[node])

    def _make(self, node: fx.Node, name: str, module: nn.Module) -> None:
        self.layers.setdefault(name, _Found())
        self.values[node] = Value(name, dimensions(module))
        if self.calls[name] > 1:
            self._leave([self.values[node]], f"it is called {self.calls[name]} times")

    def _read(self, name: str, module: nn.Module, value: Value) -> None:
        found = self.layers[value.maker]
        if self.calls[name] > 1:
            self._leave([value], f"{name}, which reads it, is called {self.calls[name]} times")
        if value.spatial != dimensions(module):
            self._leave([value], f"{name} reads it along another dimension than that of the units")
        found.outgoing.append(name)
        found.dropouts.append(value.dropout)

    def _normalize(self, node: fx.Node, name: str, module: nn.Module, given: list[Value]) -> None:
        for value in given:
            self.values[node] = replace(value, dropout=None)
            shape = getattr(module, "normalized_shape", None)
            if shape is not None and len(shape) != value.spatial + 1:
                self._leave([value], f"{name} normalizes it along another dimension than that of the units")
            self._restart(name, value)
            direct = node.all_input_nodes[0].target == value.maker
            bare = getattr(self.network.get_submodule(value.maker), "bias", None) is None
            if direct and bare and getattr(module, "running_mean", None) is not None and self.calls[name] == 1:
                self.after[value.maker] = name

    def _restart(self, name: str, value: Value) -> None:
        """Note a module with numbers for each unit, which start anew with it."""
        self.layers[value.maker].norms.append(name)
        if self.calls[name] > 1:
            self._leave([value], f"{name}, which has numbers for each unit, is called {self.calls[name]} times")

    def _drop(self, node: fx.Node, name: str, given: list[Value]) -> None:
        for value in given:
            # one Dropout used in several places would also measure other units
            self.values[node] = replace(value, dropout=name if self.calls[name] == 1 else None)

    def _visit_function(self, node: fx.Node, name: str, given: list[Value]) -> None:
        short = name.replace("_", "").lower()
        if short in LOOKS or not given:
            return
        value = given[0]
        others = len(node.all_input_nodes) - len(given) - sizes(node)
        if others > 0 or len({(one.maker, one.spatial) for one in given}) > 1:
            self._leave(given, f"its output is joined with other values by {name!r}, so a channel has several makers")
        elif (after := passed(node, short, value, self.network)) is not None:
            found = self.layers[value.maker]
            found.activation = found.activation or ACTIVATIONS.get(short, "")
            self.values[node] = after
        else:
            self._leave(given, f"its output goes into {name!r}, which is not known to treat each unit by itself")

    def _leave_strays(self, graph: fx.Graph) -> None:
        """Leave units alone that something reads, or might read, without being seen to call it."""
        used = used_elsewhere(self.network, graph)
        for name, found in self.layers.items():
            for place in (name, *found.outgoing):
                if place in used:
                    self.skipped.setdefault(name, used[place])
        for stray, module in uncalled(self.network, graph, used).items():
            for name in self.layers:
                maker = self.network.get_submodule(name)
                if could_read(module, len(maker.get_parameter("weight")), dimensions(maker)):
                    what = repr(stray) if stray else "a parameter of the network itself"
                    self.skipped.setdefault(name, f"{what}, which the traced forward never uses, could read it")
            if is_layer(module):
                self.skipped[stray] = "the traced forward never uses it; if another method does, name its units"
        for name, reason in used.items():
            if is_layer(self.network.get_submodule(name)):
                self.skipped.setdefault(name, reason)

    def _leave(self, values: list[Value], reason: str) -> None:
        for value in values:
            self.skipped.setdefault(value.maker, reason)
