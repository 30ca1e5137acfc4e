"""`evo best`: name the best champion of a campaign."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Name the best champion of a campaign."""
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--json", action="store_true", help="for other programs")


def execute(options: argparse.Namespace) -> int:
    """Print which champion is the best, its scores, and where it was found."""
    from evo.champion import load
    from evo.recorded import champion_path

    path = champion_path(options.folder)
    champion = load(path)
    answer = {
        "champion": str(path),
        "fitness": champion.fitness,
        "generation": champion.generation,
        "seed": champion.seed,
    }
    if options.json:
        print(json.dumps(answer))
    else:
        for name, value in answer.items():
            print(f"{name}: {value}")
    return 0
