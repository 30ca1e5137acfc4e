"""What `evo run` and `evo resume` have in common: where the work is done."""

from __future__ import annotations

import argparse


def add_placement(command: argparse.ArgumentParser) -> None:
    """Add the options that say how many workers share the work, and on which device."""
    command.add_argument("--workers", type=int, default=1, metavar="N", help="processes or threads; 1 by default")
    command.add_argument("--device", default="", help="cpu or cuda; by default cpu, or where the campaign began")
    command.add_argument(
        "--backend",
        default="loky",
        metavar="NAME",
        help="loky, this machine, by default; or a cluster: ray, ray://HOST:PORT or dask://HOST:PORT",
    )
