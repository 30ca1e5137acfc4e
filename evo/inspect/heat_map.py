"""A matrix of numbers as an SVG document: a cell per number, the darker the greater, drawn without any library."""

from __future__ import annotations

from collections.abc import Sequence

from evo.inspect.curves import LARGEST, SMALLEST, ticks
from evo.inspect.figure import LETTER, figure, label
from evo.inspect.text import escape, finite, plain

CELL = 22.0
"""Height of a cell."""
WIDEST, NARROWEST = 34.0, 3.0
"""Of a cell."""
NUMBERED, TALL = 52.0, 34.0
"""Width and height of a cell with a number in it, where there is no legend."""
READABLE = 0.55
"""How full a cell's colour is from which on its number is written in the ground's."""
WIDTH = 560.0
"""Of all cells of a row, where they are many."""
TOP, RIGHT = 46.0, 96.0
FAINTEST = 0.06
"""How much colour the least value has, so that it differs from a cell without any."""
BAR, STEPS = 14.0, 40
"""The legend's width, and how many shades it shows."""
LONGEST = 24
"""Letters of a row's label."""


def heat_map_svg(
    values: Sequence[Sequence[float | None]],
    x_labels: Sequence[object],
    y_labels: Sequence[object],
    x_title: str,
    y_title: str,
    title: str,
    numbers: bool = False,
    ends: tuple[float, float] | None = None,
) -> str:
    """Return a labelled matrix as an SVG document.

    Args:
        values: rows of numbers, from the top; None, and what is not finite or beyond 1e100, leaves its cell empty.
        x_labels: one per column.
        y_labels: one per row.
        x_title, y_title: what columns and rows are.
        title: of the figure, said above it.
        numbers: whether each stands in its cell, to three digits.
        ends: the numbers with the faintest and the fullest colour; by default the least and the greatest.

    Raises:
        ValueError: rows differ in length, or labels are too few or too many.
    """
    if len(values) != len(y_labels) or any(len(row) != len(x_labels) for row in values):
        lengths = sorted({len(row) for row in values})
        raise ValueError(
            f"values: expected {len(y_labels)} rows (as y_labels) of {len(x_labels)} numbers (as x_labels), got "
            f"{len(values)} rows of {lengths}; are rows and columns the wrong way round?"
        )
    drawn = [[_drawn(value) for value in row] for row in values]
    known = [value for row in drawn for value in row if value is not None]
    low, full = (min(known, default=0.0), max(known, default=1.0)) if ends is None else ends
    left = 40.0 + LETTER * max([len(plain(name, LONGEST)) for name in y_labels], default=1)
    wide = NUMBERED if numbers else max(NARROWEST, min(WIDEST, WIDTH / max(1, len(x_labels))))
    high = TALL if numbers else CELL
    width, height = wide * len(x_labels), high * len(y_labels)
    body = [label(left, 24, title, "heading", 80)]
    for down, row in enumerate(drawn):
        y = TOP + high * down
        body.append(label(left - 8, y + high / 2 + 4, y_labels[down], "soft end", LONGEST))
        for across, value in enumerate(row):
            said = f"{x_title} {x_labels[across]}, {y_title} {y_labels[down]}: {_said(value)}"
            share = _share(value, low, full)
            body.append(_cell(left + wide * across, y, wide, high, share, said))
            if numbers and share is not None:
                kind = "middle ground" if share > READABLE else "middle"
                body.append(label(left + wide * (across + 0.5), y + high / 2 + 4, f"{value:.3g}", kind))
    body.append(_columns(x_labels, left, TOP + height, wide))
    body.append(label(left + width / 2, TOP + height + 42, x_title, "soft middle", 60))
    middle = TOP + height / 2
    body.append(f'<g transform="rotate(-90 16 {middle:.1f})">{label(16, middle, y_title, "soft middle", 60)}</g>')
    if not numbers:
        body.append(_legend(low, full, left + width + 22, height))
    whole = max(left + width + RIGHT, left + 1.15 * LETTER * len(plain(title, 80)))
    return figure(0, 0, whole, TOP + height + 58, title, "\n".join(body))


def _drawn(value: float | None) -> float | None:
    number = None if value is None else finite(value)
    return None if number is None or abs(number) > LARGEST else number


def _said(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"


def _share(value: float | None, low: float, high: float) -> float | None:
    """Return where a value lies between the least (0) and the greatest (1); None where there is none."""
    if value is None:
        return None
    least = max(SMALLEST, 1e-12 * max(abs(low), abs(high)))
    return min(1.0, max(0.0, (value - low) / (high - low))) if high - low > least else 1.0


def _cell(x: float, y: float, wide: float, high: float, share: float | None, said: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    kind = 'class="ground"' if share is None else f'class="fill0" fill-opacity="{_opacity(share):.3f}"'
    return f"<rect {kind} {place}><title>{escape(said)}</title></rect>"


def _opacity(share: float) -> float:
    return FAINTEST + (1.0 - FAINTEST) * share


def _columns(labels: Sequence[object], left: float, bottom: float, wide: float) -> str:
    """Return the columns' labels, as many of them as there is room for."""
    longest = max([len(plain(name, LONGEST)) for name in labels], default=1)
    every = max(1, -(-int(LETTER * (longest + 1)) // max(1, int(wide))))
    return "\n".join(
        label(left + wide * (number + 0.5), bottom + 18, name, "soft middle", LONGEST)
        for number, name in enumerate(labels)
        if number % every == 0
    )


def _legend(low: float, high: float, x: float, height: float) -> str:
    """Return a bar of all shades with round numbers beside it."""
    step = height / STEPS
    parts = [
        f'<rect class="fill0" fill-opacity="{_opacity((number + 0.5) / STEPS):.3f}" x="{x:.1f}" '
        f'y="{TOP + height - step * (number + 1):.1f}" width="{BAR:.1f}" height="{step + 0.05:.2f}"/>'
        for number in range(STEPS)
    ]
    if _share(low, low, high) == 1.0:  # all the same
        parts.append(label(x + BAR + 6, TOP + height / 2 + 4, f"{low:.4g}", "soft"))
        return "\n".join(parts)
    for value in ticks(low, high, 5):
        share = _share(value, low, high)
        if share is not None:
            parts.append(label(x + BAR + 6, TOP + height * (1.0 - share) + 4, f"{value:.4g}", "soft"))
    return "\n".join(parts)
