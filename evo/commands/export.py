"""`evo export`: a champion's network for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Write a champion's network for other programs."""
    command.add_argument("champion", type=Path, metavar="DIR_OR_CHAMPION")
    command.add_argument(
        "--to",
        required=True,
        metavar="FORMAT",
        help="matrix (.out, of the published weight agnostic networks), networkx (FILE.graphml or FILE.json), dot, "
        "torch (a Python file with a torch module), onnx, or python (a Python file that needs numpy alone)",
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    command.add_argument(
        "--weight",
        metavar="W",
        help="one shared weight; 'own' for the network's own weights; by default its best shared weight if it was "
        "scored with shared weights, else its own (a matrix: always its own)",
    )


def execute(options: argparse.Namespace) -> int:
    """Write the file; print with which weights."""
    from evo.exchange.export import export

    said = export(options.champion, options.to, options.out, options.weight)
    print(f"{options.to}: {options.out}")
    print(said)
    return 0
