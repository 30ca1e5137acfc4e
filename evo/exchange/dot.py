"""A champion's network in the DOT language of Graphviz (Gansner & North 2000): `dot -Tsvg FILE -o network.svg`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evo.champion import Champion, networks_of
from evo.exchange.networkx_graph import kind_of, printable
from evo.files import write_text
from evo.inspect.structure import Structure

SHAPES = {"bias": "box", "input": "box", "hidden": "ellipse", "output": "doublecircle"}


def to_dot(network: dict[str, Any]) -> str:
    """Return a champion file's network as DOT: inputs left, outputs right, recurrent edges dashed."""
    networks_of(network)  # refuses what is no network
    structure = Structure.of(network)
    lines = ["digraph network {", "  rankdir=LR;"]
    for node, activation in enumerate(structure.activations):
        kind = kind_of(structure, node)
        text = structure.label(node)
        if activation != "linear" or kind == "hidden":
            text += f"\n{activation}"
        lines.append(f"  n{node} [shape={SHAPES[kind]}, label={quoted(text)}];")
    for kind, place in (("input", "source"), ("output", "sink")):
        same = [f"n{node}" for node in range(structure.nodes) if kind_of(structure, node) == kind]
        lines.append(f"  {{ rank={place}; {'; '.join(same)}; }}")
    for source, target, weight in structure.edges:
        style = ", style=dashed, constraint=false" if source >= target else ""
        lines.append(f"  n{source} -> n{target} [label={quoted(f'{weight:.3g}')}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def quoted(text: str) -> str:
    r"""Return text as a quoted string of DOT, in which only backslashes and quotes mean anything; \n ends a line."""
    lines = [printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    return '"' + "\\n".join(lines) + '"'


def write(champion: Champion, path: Path) -> None:
    """Write the champion's network as DOT."""
    write_text(path, to_dot(champion.network or {}))
