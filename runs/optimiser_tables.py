"""What evolved optimisers come to beside those of people: area under the loss, and losses on the way.

    python runs/optimiser_tables.py runs/learned_optimiser

Andrychowicz et al. 2016 have curves and no table. Step sizes of people's optimisers are the best on other tasks, for
each kind of task anew; evolved ones are as the search left them.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from evo.center import center
from evo.learning.lifetimes.learned_optimiser import descend, mover
from evo.loading import load_campaign
from problems.meta import hand_optimisers
from problems.meta.quadratics import RandomQuadratics
from problems.meta.small_network import NetworkTrainings


def main():
    """Print a table for each kind of task."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--data", nargs="*", default=["digits"], help="digits, mnist")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    kinds = [(RandomQuadratics, {}, 1000, 200)]
    for data in chosen.data:
        kinds += [
            (NetworkTrainings, {"data": data, "activation": activation, "steps": steps}, 10, 5)
            for activation in ("sigmoid", "relu")
            for steps in (100, 200)
        ]
    for kind, settings, count, other_count in kinds:
        tasks = kind("test", **settings).sample(count, np.random.default_rng(0))
        others = kind(**settings).sample(other_count, np.random.default_rng(1))
        print(table(chosen.folder, kind.__name__, settings, tasks, others), flush=True)


def table(folder, name, settings, tasks, others):
    """Return the table of a kind of task, in Markdown."""
    places = sorted({min(place, tasks.steps) for place in (20, 50, 100, 200)})
    heads = ("optimiser", "area", *(f"loss at {place}" for place in places), "median at the end")
    lines = [f"\n## {name} {settings or ''}\n", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for rule, (rate, losses, end) in hand_optimisers.baselines(tasks, others).items():
        lines.append(line(f"{rule} {rate:.3g}{', an end of those tried' if end else ''}", losses, places))
    for run in load_campaign(folder / "source.py").runs():
        row = center(run, folder)
        if row is not None:
            losses = descend(mover(run.genome.express(row)), tasks)[0]
            lines.append(line(f"evolved, {run.variant}, seed {run.seed}", losses, places))
    return "\n".join(lines)


def line(name, losses, places):
    """Return an optimiser's line, for its losses `[tasks, steps + 1]`."""
    means = " | ".join(f"{float(losses[:, place].mean()):.3f}" for place in places)
    return f"| {name} | {float(losses.mean()):.3f} | {means} | {float(losses[:, -1].median()):.4f} |"


if __name__ == "__main__":
    main()
