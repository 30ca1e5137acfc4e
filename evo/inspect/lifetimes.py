"""The sections of a page about lifetimes: how individuals adapt, what that is worth, and the champion's own life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from evo.adaptation import Adaptation
from evo.inspect.chart import Chart
from evo.inspect.curves import COLOURS, Line
from evo.inspect.text import escape, finite
from evo.interval import mean_interval
from evo.quantity import quantity, words

MOMENTS = 5
"""Generations whose adaptation is drawn."""
MOST_VARIANTS = 6
"""Variants whose lifetimes are compared; of more, the first."""


@final
@dataclass(frozen=True)
class LifetimePictures:
    """What there is to show of lifetimes.

    Attributes:
        adaptations: of all runs; empty where nobody was scored at birth.
        variant, seed: the champion's run, whose adaptation is drawn by generation.
        lives: charts of the champion's own life, as its problem draws them.
        unknown: why there are none; empty where there are, or the problem draws none.
    """

    adaptations: list[Adaptation] = field(default_factory=list)
    variant: str = ""
    seed: int = 0
    lives: list[Chart] = field(default_factory=list)
    unknown: str = ""


def lifetime_sections(pictures: LifetimePictures) -> list[str]:
    """Return the sections, in the order of the page."""
    charts = [*pictures.lives]
    if pictures.adaptations:
        mine = [one for one in pictures.adaptations if (one.variant, one.seed) == (pictures.variant, pictures.seed)]
        charts += [_by_generation((mine or pictures.adaptations)[0]), *_gaps(pictures.adaptations)]
    sections = [_section(chart) for chart in charts]
    if pictures.unknown:
        sections.append(f"<section>\n<h2>A life</h2>\n<p>{escape(pictures.unknown, 600)}</p>\n</section>")
    return [f'<div class="pair">{"".join(sections)}</div>'] if sections else []


def _section(chart: Chart) -> str:
    return (
        f"<section>\n<h2>{escape(chart.title)}</h2>\n<p>{escape(chart.said, 1000)}</p>\n"
        f'<div class="figure">{chart.svg()}</div>\n</section>'
    )


def _by_generation(one: Adaptation) -> Chart:
    """Return the chart of scores over a lifetime's steps, for some generations of one run."""
    last = len(one.before) - 1
    moments = sorted({round(last * place / (MOMENTS - 1)) for place in range(MOMENTS)})
    born = 0 if 0 not in one.horizons else None
    lines = [
        Line(
            f"generation {moment + 1}",
            [*([] if born is None else [born]), *one.horizons],
            [*([] if born is None else [float(one.before[moment])]), *map(float, one.after[moment])],
            colour=number % COLOURS,
            kind="strong" if moment == last else "line",
            marked=True,
        )
        for number, moment in enumerate(moments)
    ]
    said = f"The population's median score at birth and after learning, seed {one.seed}"
    said += "." if one.variant == "default" else f", {words(one.variant)}."
    return Chart("Adaptation in a lifetime", said, "steps", quantity(one.objective).title, tuple(lines))


def _gaps(every: Sequence[Adaptation]) -> list[Chart]:
    """Return the charts of scores before and after lifetimes, and of the gap between, over generations."""
    variants = list(dict.fromkeys(one.variant for one in every))
    scores: list[Line] = []
    gaps: list[Line] = []
    for number, variant in enumerate(variants[:MOST_VARIANTS]):
        mine = [one for one in every if one.variant == variant]
        size = min(len(one.before) for one in mine)
        x = list(range(1, size + 1))
        name = "" if len(variants) == 1 else f", {words(variant)}"
        parts = [("at birth", "dashed"), ("after", "strong")]
        values = [[one.before[:size] for one in mine], [one.after[:size, -1] for one in mine]]
        for (what, kind), runs in zip(parts, values, strict=True):
            scores.append(_mean_line(what + name, x, runs, number, kind))
        gaps.append(_mean_line(name.removeprefix(", ") or "gap", x, [one.gap[:size] for one in mine], number, "strong"))
    what = quantity(every[0].objective).title
    seeds = max(sum(one.variant == variant for one in every) for variant in variants)
    over = f" Mean over {seeds} seeds with its 95 % interval." if seeds > 1 else ""
    over += f" The first {MOST_VARIANTS} of {len(variants)} variants." if len(variants) > MOST_VARIANTS else ""
    return [
        Chart(
            "Before and after a lifetime",
            f"The population's median score at birth and at the last horizon.{over}",
            "generation",
            what,
            tuple(scores),
        ),
        Chart(
            "Baldwin gap",
            f"What a lifetime is worth: how much better the score is after it than at birth.{over}",
            "generation",
            f"{what}, gained",
            tuple(gaps),
        ),
    ]


def _mean_line(name: str, x: list[int], runs: Sequence[np.ndarray], colour: int, kind: str) -> Line:
    """Return a line of the mean over runs `[generations]` each, with its interval where there are several."""
    centre, half = mean_interval(np.stack(runs, -1))
    spread = [finite(one) or 0.0 for one in half.tolist()] if len(runs) > 1 else ()
    return Line(name, x, centre.tolist(), spread, colour % COLOURS, kind)
