"""`evo list`: list genomes, problems, lifetimes and algorithms."""

from __future__ import annotations

import argparse


def configure(command: argparse.ArgumentParser) -> None:
    """List genomes, problems, lifetimes and algorithms."""


def execute(options: argparse.Namespace) -> int:
    """Print every name with a line about it."""
    import genomes
    import problems
    from evo import algorithms
    from evo.learning import lifetime

    catalogues = {
        "genomes": genomes.CATALOGUE,
        "problems": problems.CATALOGUE,
        "lifetimes": lifetime.CATALOGUE,
        "algorithms": algorithms.CATALOGUE,
    }
    for title, catalogue in catalogues.items():
        print(title)
        width = max(map(len, catalogue.places))
        for name, line in catalogue.available().items():
            print(f"  {name:<{width}}  {line}")
    return 0
