"""`evo table`: print how settings compare over time, in numbers."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Print how settings compare over time, in numbers, as Markdown."""
    command.add_argument("folder", type=Path, metavar="DIR")


def execute(options: argparse.Namespace) -> int:
    """Print a table for each study that the folder holds."""
    from evo.study_table import tables

    print(tables(options.folder))
    return 0
