"""Numbers of several groups as dots on strips, one below the other, so that groups can be compared at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evo.inspect.curves import COLOURS, LARGEST, ticks
from evo.inspect.figure import figure, label
from evo.inspect.text import escape

WIDTH, LEFT, RIGHT, TOP, BOTTOM, STRIP = 450.0, 22.0, 62.0, 34.0, 40.0, 26.0


@dataclass(frozen=True)
class Dot:
    """One number: what it is called, its value, and the classes of its dot."""

    name: str
    value: float
    kind: str = ""


def strip_svg(strips: Sequence[Sequence[Dot]], title: str) -> str:
    """Return a strip per group as an SVG document, coloured in order; dots beyond what can be drawn are left out."""
    drawn = [[dot for dot in strip if math.isfinite(dot.value) and abs(dot.value) <= LARGEST] for strip in strips]
    values = [dot.value for strip in drawn for dot in strip]
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.04 * (high - low) or 0.1 * abs(high) or 0.5
    low, high = low - margin, high + margin
    bottom = TOP + STRIP * len(strips)

    def at(value: float) -> float:
        return LEFT + WIDTH * (value - low) / (high - low)

    body = [label(LEFT, 20, title, "heading", 60)]
    for value in ticks(low, high):
        body.append(f'<line class="grid" x1="{at(value):.1f}" y1="{TOP}" x2="{at(value):.1f}" y2="{bottom:.1f}"/>')
        body.append(label(at(value), bottom + 20, f"{value:.5g}", "soft middle"))
    for number, strip in enumerate(drawn):
        y = TOP + STRIP * (number + 0.5)
        body.append(f'<line class="axis" x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + WIDTH}" y2="{y:.1f}"/>')
        body += [
            f'<circle class="fill{number % COLOURS} {dot.kind}" cx="{at(dot.value):.1f}" cy="{y:.1f}" r="5">'
            f"<title>{escape(dot.name)}: {dot.value:.6g}</title></circle>"
            for dot in strip
        ]
    return figure(0, 0, LEFT + WIDTH + RIGHT, bottom + BOTTOM, title, "\n".join(body))
