"""`evo gallery`: write a page of all champions of a campaign."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Write a page of all champions of a campaign, or of a folder of champion files."""
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--out", type=Path, metavar="FILE", help="by default gallery.html in DIR")
    command.add_argument("--no-pages", action="store_true", help="write no page for each champion")


def execute(options: argparse.Namespace) -> int:
    """Print where the page is, and what could not be shown."""
    from evo.gallery import gallery

    page, notes = gallery(options.folder, options.out, not options.no_pages)
    for note in notes:
        print(note)
    print(f"gallery: {page}")
    return 0
