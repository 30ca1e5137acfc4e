"""A champion's network as a networkx graph: GraphML (Brandes et al. 2002) or node-link JSON on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx

from evo.champion import Champion, networks_of
from evo.files import write_json, write_text
from evo.inspect.structure import Structure


def to_networkx(network: dict[str, Any]) -> networkx.DiGraph[int]:
    """Return a champion file's network as a graph of its node numbers.

    Nodes have `name`, `kind` (bias, input, hidden, output) and `activation`; edges `weight`, and `recurrent` where
    they read the previous step.
    """
    networks_of(network)  # refuses what is no network
    structure = Structure.of(network)
    graph: networkx.DiGraph[int] = networkx.DiGraph()
    for node, activation in enumerate(structure.activations):
        graph.add_node(node, name=structure.label(node), kind=kind_of(structure, node), activation=activation)
    for source, target, weight in structure.edges:
        graph.add_edge(source, target, weight=weight, recurrent=source >= target)
    return graph


def kind_of(structure: Structure, node: int) -> str:
    """Return what a node is: bias, input, hidden or output."""
    if node < structure.first_hidden:
        return "input" if node else "bias"
    return "output" if node >= structure.first_output else "hidden"


def write(champion: Champion, path: Path) -> None:
    """Write node-link JSON where the file's name ends in .json, GraphML where it ends in .graphml."""
    graph = to_networkx(champion.network or {})
    if path.suffix == ".graphml":
        for _, attributes in graph.nodes(data=True):
            attributes["name"] = printable(attributes["name"])
        write_text(path, "\n".join(networkx.generate_graphml(graph)) + "\n")
    elif path.suffix == ".json":
        write_json(path, node_link(graph))
    else:
        raise ValueError(f"--out: expected a name that ends in .graphml or .json, got {path.name!r}")


def node_link(graph: networkx.DiGraph[int]) -> dict[str, Any]:
    """Return the graph as `networkx.node_link_graph(..., edges="edges")` reads it, in every version of networkx."""
    return {
        "directed": True,
        "multigraph": False,
        "graph": {},
        "nodes": [{"id": node, **attributes} for node, attributes in graph.nodes(data=True)],
        "edges": [{"source": one, "target": other, **attributes} for one, other, attributes in graph.edges(data=True)],
    }


def printable(name: str) -> str:
    """Return a name with a replacement character for every letter that a text file cannot hold."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
