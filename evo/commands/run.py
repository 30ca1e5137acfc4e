"""`evo run`: run the campaign that a Python file makes."""

from __future__ import annotations

import argparse
from pathlib import Path

from evo.commands.placement import add_placement


def configure(command: argparse.ArgumentParser) -> None:
    """Run the campaign that a Python file makes."""
    command.add_argument("file", type=Path, help="a Python file with a variable `campaign`")
    command.add_argument("--seeds", type=int, metavar="N", help="run seeds 0 to N-1 instead of the file's")
    command.add_argument("--generations", type=int, metavar="N", help="instead of the file's, for every variant")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="the campaign's folder; by default a new one under runs/"
    )
    add_placement(command)


def execute(options: argparse.Namespace) -> int:
    """Run the campaign; its progress is printed."""
    from evo.loading import load_campaign

    seeds = None if options.seeds is None else range(options.seeds)
    campaign = load_campaign(options.file).with_settings(seeds, options.generations)
    campaign.run(options.workers, options.device or "cpu", options.out, source=options.file, backend=options.backend)
    return 0
