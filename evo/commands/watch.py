"""`evo watch`: look at a campaign that another process runs."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Look at a campaign that another process runs."""
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--once", action="store_true", help="look once, instead of until it ends")
    command.add_argument("--tensorboard", type=Path, metavar="DIR", help="write event files for TensorBoard there")


def execute(options: argparse.Namespace) -> int:
    """Print the progress of its runs until it ends, or once."""
    from evo.watch import watch

    watch(options.folder, options.once, options.tensorboard)
    return 0
