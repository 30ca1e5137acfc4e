"""`evo weights`: score a champion's network with random, shared and tuned weights."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Score a champion's network with random, shared and tuned weights."""
    command.add_argument("champion", type=Path, metavar="DIR_OR_CHAMPION")
    command.add_argument("--problem", metavar="NAME", help="by default the champion's own")
    command.add_argument("--trials", type=int, default=100, metavar="N", help="per setting; 100 by default")
    command.add_argument("--generations", type=int, metavar="N", help="of each search for weights; 1500 by default")
    command.add_argument("--population", type=int, metavar="N", help="of each search for weights; 32 by default")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws; 0 by default")
    command.add_argument("--workers", type=int, default=1, metavar="N", help="threads; 1 by default")
    command.add_argument("--save", type=Path, metavar="FILE", help="write a champion file with the tuned weights")
    command.add_argument(
        "--figure", type=Path, metavar="FILE", help="of a classifier: accuracy per class and weight, as SVG"
    )
    command.add_argument("--json", action="store_true", help="for other programs")


def execute(options: argparse.Namespace) -> int:
    """Print a table of the four settings, and for classifiers what each weight knows."""
    import json

    from evo.weights import check_outputs, weights, weights_json, weights_text

    check_outputs(options.champion, options.problem, options.figure, options.save)
    effort = {name: getattr(options, name) for name in ("generations", "population")}
    answer = weights(
        options.champion,
        options.problem,
        options.trials,
        seed=options.seed,
        threads=options.workers,
        effort={name: value for name, value in effort.items() if value is not None},
    )
    print(json.dumps(weights_json(answer)) if options.json else weights_text(answer), flush=True)
    if options.figure is not None:
        answer.save_figure(options.figure)
    if options.save is not None:
        answer.save_champion(options.save)
    return 0
