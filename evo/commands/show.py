"""`evo show`: summarise a champion, and write a page about it."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Summarise a champion, and write a page about it."""
    command.add_argument("path", type=Path, metavar="DIR_OR_CHAMPION")
    command.add_argument("--page", type=Path, metavar="FILE", help="by default beside the champion")


def execute(options: argparse.Namespace) -> int:
    """Print the summary, and where the page is."""
    from evo.show import show

    summary, page = show(options.path, options.page)
    print(summary)
    print(f"page: {page}")
    return 0
