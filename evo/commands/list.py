"""`evo list`: list genomes, problems and algorithms."""

from __future__ import annotations

import argparse


def configure(command: argparse.ArgumentParser) -> None:
    """List genomes, problems and algorithms."""


def execute(options: argparse.Namespace) -> int:
    """Print every name with a line about it."""
    import genomes
    import problems
    from evo import algorithms

    for title, available in (
        ("genomes", genomes.CATALOGUE.available()),
        ("problems", problems.CATALOGUE.available()),
        ("algorithms", algorithms.CATALOGUE.available()),
    ):
        print(title)
        for name, line in available.items():
            print(f"  {name:<24} {line}")
    return 0
