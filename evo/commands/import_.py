"""`evo import`: a champion file from a matrix file of the published weight agnostic networks or prettyNEAT."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Make a champion file of a published network's matrix file."""
    command.add_argument("file", type=Path, metavar="FILE.out", help="of weight agnostic networks, or of prettyNEAT")
    command.add_argument("--problem", required=True, metavar="NAME", help="what it is a network for")
    command.add_argument("--out", type=Path, required=True, metavar="CHAMPION", help="the champion file to write")
    command.add_argument("--tuned", type=Path, metavar="FILE.json", help="its tuned weights, which are taken then")
    command.add_argument(
        "--weight-bias",
        type=float,
        metavar="B",
        help="added to tuned weights; by default -1.5 on cartpole-swingup-v1, as published, and 0 on other problems",
    )
    command.add_argument(
        "--own-weights",
        action="store_true",
        help="score with the weights in FILE.out, as prettyNEAT's mean something; by default, unless --tuned is given, "
        "with the published series of shared weights",
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of the draws it is scored with; 0 by default"
    )


def execute(options: argparse.Namespace) -> int:
    """Write the champion file; print what it holds and what it scores."""
    from evo.exchange.matrix_champion import import_matrix
    from evo.files import check_output

    check_output("--out", options.out, options.file, *([options.tuned] if options.tuned else []))
    champion = import_matrix(
        options.file, options.problem, options.tuned, options.weight_bias, options.own_weights, options.seed
    )
    champion.save(options.out)
    nodes, connections = champion.genes["nodes"], champion.genes["connections"]
    enabled = sum(connection[3] for connection in connections)
    print(f"champion: {options.out}")
    print(f"{len(nodes)} hidden nodes, {enabled} connections, {len(connections) - enabled} more disabled")
    for name, score in champion.fitness.items():
        print(f"  {name}: {score:.6g}")
    return 0
