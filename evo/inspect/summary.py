"""A champion in a terminal: at most 30 lines of plain text."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from evo.champion import Champion
from evo.inspect.page import RunHistory
from evo.inspect.structure import Structure
from evo.inspect.text import finite, plain, shown

BARS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 56
MOST_SCORES, MOST_WEIGHTS, MOST_GENES = 4, 9, 6
"""Lines of each kind, so that all together stay under 30."""
WIDTH = 100
"""Letters of a line."""


def champion_summary(champion: Champion, history: Sequence[RunHistory]) -> str:
    """Return what a champion is in at most 30 lines, without control characters.

    Args:
        champion: which.
        history: the runs of its campaign; its own is shown as a sparkline.
    """
    problem, genome, algorithm = (
        plain(thing.get("name", "unnamed"), 40) for thing in (champion.problem, champion.genome, champion.algorithm)
    )
    lines = [f"Champion of {problem}: {genome}, found by {algorithm}"]
    generation, seed, variant = (plain(value, 40) for value in (champion.generation, champion.seed, champion.variant))
    lines.append(f"  scored best in generation {generation}, seed {seed}, variant {variant}")
    for name, score in list(champion.fitness.items())[:MOST_SCORES]:
        lines.append(f"  {plain(name, 30):<24} {shown(score)}")
    lines += _network(champion) if champion.network is not None else _genes(champion)
    lines += _weights(champion)
    lines += _progress(champion, history)
    return "\n".join(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines)


def _network(champion: Champion) -> list[str]:
    structure = Structure.of(champion.network or {})
    hidden = structure.first_output - structure.first_hidden
    recurrent = f", {structure.recurrent} of them recurrent" if structure.recurrent else ""
    unused = [plain(name, 24) for name in structure.unused_inputs]
    more = f" and {len(unused) - 6} more" if len(unused) > 6 else ""
    return [
        f"Network: {structure.nodes} nodes ({hidden} hidden), {len(structure.edges)} connections{recurrent}, "
        f"{structure.depth} layers",
        "  activations   " + ", ".join(f"{name} {count}" for name, count in structure.counts()),
        "  unused inputs " + (", ".join(unused[:6]) + more if unused else "none"),
    ]


def _genes(champion: Champion) -> list[str]:
    lines = [f"Genes: {len(champion.genes)}"]
    for name, values in list(champion.genes.items())[:MOST_GENES]:
        size = f" ({len(values)})" if isinstance(values, list) else ""
        lines.append(f"  {plain(name, 24) + size:<24} {shown(values)}")
    return lines


def _weights(champion: Champion) -> list[str]:
    """Return a table of the first measured objective's mean and standard deviation, per shared weight."""
    if not champion.trials:
        return []
    name, trials = next(iter(champion.trials.items()))
    weights = champion.problem.get("settings", {}).get("shared_weights") or ["own"]
    if not isinstance(weights, list) or len(weights) != len(trials):
        weights = [str(place) for place in range(1, len(trials) + 1)]
    lines = [
        f"{'weight':>8} {'mean':>10} {'sd':>9}   {plain(name, 30)} over {max(map(len, trials), default=0)} episodes"
    ]
    for weight, scores in list(zip(weights, trials, strict=True))[:MOST_WEIGHTS]:
        numbers = [number for number in map(finite, scores) if number is not None]
        if numbers:
            lines.append(f"{shown(weight):>8} {statistics.fmean(numbers):>10.5g} {statistics.pstdev(numbers):>9.3g}")
    if len(trials) > MOST_WEIGHTS:
        lines.append(f"{'…':>8} {len(trials) - MOST_WEIGHTS} more")
    return lines


def _progress(champion: Champion, history: Sequence[RunHistory]) -> list[str]:
    for run in history:
        if (run.variant, run.seed) == (champion.variant, champion.seed):
            best = [score for score in map(finite, run.best) if score is not None]
            if best:
                lines = [f"Best of each of {len(run.generations)} generations, from {best[0]:.5g} to {best[-1]:.5g}"]
                return [*lines, "  " + sparkline(best)]
    return []


def sparkline(values: Sequence[float], width: int = SPARK_WIDTH) -> str:
    """Return finite numbers as a line of at most `width` bars; each stands for the mean of a stretch."""
    count = min(width, len(values))
    stretches = [values[place * len(values) // count : (place + 1) * len(values) // count] for place in range(count)]
    means = [statistics.fmean(stretch) for stretch in stretches]
    low, high = min(means), max(means)
    reach = (high - low) or 1.0
    return "".join(BARS[min(len(BARS) - 1, int((mean - low) / reach * len(BARS)))] for mean in means)
