"""A champion's network as an ONNX model (operator set 17), which runs wherever ONNX does.

Inputs `observations` `[cases, inputs]`, output `actions` `[cases, outputs]`, float32; any number of cases. A recurrent
network has a further input `state` and output `next_state` `[cases, nodes read]`: zeros at first, then what came out.
The names of inputs and outputs are in the model's metadata, as JSON.
"""

from __future__ import annotations

import importlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from evo.champion import Champion, networks_of
from evo.exchange.layers import depths, runs

OPERATOR_SET, FORMAT_VERSION = 17, 8
"""Of 2021 and 2022: old enough for every runtime in use, new enough for all that is needed."""

STEPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "linear": (("Identity", "x"),),
    "step": (("Greater", "x", "zero"), ("Cast", "x")),
    "sin": (("Mul", "x", "pi"), ("Sin", "x")),
    "gaussian": (("Mul", "x", "x"), ("Mul", "x", "minus_half"), ("Exp", "x")),
    "tanh": (("Tanh", "x"),),
    "sigmoid": (("Sigmoid", "x"),),
    "inverse": (("Neg", "x"),),
    "abs": (("Abs", "x"),),
    "relu": (("Relu", "x"),),
    "cos": (("Mul", "x", "pi"), ("Cos", "x")),
    "squared": (("Mul", "x", "x"),),
}
"""Each activation as operators, one after the other; x is what came before."""


class _Graph:
    """An ONNX graph that is being built; values are known by their names."""

    def __init__(self) -> None:
        self.onnx = _library()
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def constant(self, name: str, value: Any, kind: type) -> str:
        """Add a constant; return its name."""
        self.initializers.append(self.onnx.numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(self, operator: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> list[str]:
        """Add an operator; return the names of its outputs."""
        names = [f"{operator.lower()}_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, names, **attributes))
        return names

    def gather(self, values: str, columns: list[int]) -> str:
        """Add the choice of some columns of `values`."""
        places = self.constant(f"columns_{len(self.nodes)}", columns, np.int64)
        return self.add("Gather", [values, places], axis=1)[0]


def to_onnx(network: dict[str, Any]) -> Any:
    """Return a champion file's network as an `onnx.ModelProto`, checked.

    Raises:
        ImportError: the package onnx is not installed.
    """
    networks_of(network)  # refuses what is no network
    graph = _Graph()
    for name, number in (("pi", np.pi), ("minus_half", -0.5), ("zero", 0.0)):
        graph.constant(name, number, np.float32)
    activations = ["linear", *network["activations"][1:]]
    edges = network["edges"]
    first = 1 + len(network["inputs"])
    remembered = sorted({source for source, target, _ in edges if source >= target})
    known = _activate(graph, "observations", activations[1:first])
    columns = {node: node - 1 for node in range(1, first)}  # where a value stands in `known`
    if remembered:
        columns |= {-node: first - 1 + place for place, node in enumerate(remembered)}  # of the previous step
        known = graph.add("Concat", [known, "state"], axis=1)[0]
    depth = depths(len(activations), first - 1, [(source, target) for source, target, _ in edges])
    order = sorted(range(first, len(activations)), key=lambda node: (depth[node], activations[node]))
    bounds = [place for place, node in enumerate(order) if place == 0 or depth[node] != depth[order[place - 1]]]
    for start, end in pairwise([*bounds, len(order)]):
        nodes = order[start:end]
        sums = _weighted_sums(graph, known, columns, nodes, edges)
        known = graph.add("Concat", [known, _activate(graph, sums, [activations[node] for node in nodes])], axis=1)[0]
        columns |= {node: len(columns) + place for place, node in enumerate(nodes)}
    outputs = {"actions": list(range(len(activations) - len(network["outputs"]), len(activations)))}
    if remembered:
        outputs["next_state"] = remembered
    for output, nodes in outputs.items():
        value = graph.gather(known, [columns[node] for node in nodes])
        graph.nodes.append(graph.onnx.helper.make_node("Identity", [value], [output]))
    return _model(graph, network, len(remembered))


def _weighted_sums(graph: _Graph, known: str, columns: dict[int, int], nodes: list[int], edges: list[list[Any]]) -> str:
    """Add the weighted sums of nodes `[cases, nodes]`: one product, the bias's edges added."""
    place = {node: number for number, node in enumerate(nodes)}
    into = [edge for edge in edges if edge[1] in place]
    read = sorted({columns[_source(edge)] for edge in into if edge[0] != 0}) or [0]  # an empty product is none
    row = {column: number for number, column in enumerate(read)}
    matrix, bias = np.zeros((len(read), len(nodes)), np.float32), np.zeros(len(nodes), np.float32)
    for edge in into:
        if edge[0] == 0:
            bias[place[edge[1]]] = edge[2]
        else:
            matrix[row[columns[_source(edge)]], place[edge[1]]] = edge[2]
    number = len(graph.nodes)
    factors = [
        graph.constant(f"weights_{number}", matrix, np.float32),
        graph.constant(f"bias_{number}", bias, np.float32),
    ]
    return graph.add("Gemm", [graph.gather(known, read), *factors])[0]


def _source(edge: list[Any]) -> int:
    """Return what an edge reads: its source, negative where it is the previous step's."""
    source: int = edge[0]
    return -source if source >= edge[1] else source


def _activate(graph: _Graph, values: str, activations: list[str]) -> str:
    """Add the activations of `values` `[cases, nodes]`, run by run."""
    kinds = runs(activations)
    parts = [values]
    if len(kinds) > 1:
        sizes = graph.constant(f"sizes_{len(graph.nodes)}", [count for _, count in kinds], np.int64)
        parts = graph.add("Split", [values, sizes], len(kinds), axis=1)
    done = []
    for (name, _), part in zip(kinds, parts, strict=True):
        for operator, *inputs in STEPS[name]:
            attributes = {"to": graph.onnx.TensorProto.FLOAT} if operator == "Cast" else {}
            part = graph.add(operator, [part if given == "x" else given for given in inputs], **attributes)[0]
        done.append(part)
    return graph.add("Concat", done, axis=1)[0] if len(done) > 1 else done[0]


def _model(graph: _Graph, network: dict[str, Any], remembered: int) -> Any:
    helper, number = graph.onnx.helper, graph.onnx.TensorProto.FLOAT

    def value(name: str, size: int) -> Any:
        return helper.make_tensor_value_info(name, number, ["cases", size])

    inputs = [value("observations", len(network["inputs"]))]
    outputs = [value("actions", len(network["outputs"]))]
    if remembered:
        inputs.append(value("state", remembered))
        outputs.append(value("next_state", remembered))
    body = helper.make_graph(graph.nodes, "network", inputs, outputs, graph.initializers)
    model = helper.make_model(
        body,
        producer_name="evo-genomes",
        ir_version=FORMAT_VERSION,
        opset_imports=[helper.make_opsetid("", OPERATOR_SET)],
    )
    helper.set_model_props(model, {name: json.dumps(network[name]) for name in ("inputs", "outputs")})
    graph.onnx.checker.check_model(model, full_check=True)
    return model


def _library() -> Any:
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise ImportError(
            f"onnx: the package is not installed ({error}), and this export needs it: pip install 'evo-genomes[onnx]'"
        ) from None


def write(champion: Champion, path: Path) -> None:
    """Write the champion's network as an ONNX file."""
    path.write_bytes(to_onnx(champion.network or {}).SerializeToString())
