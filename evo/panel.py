"""One panel of a study's figure: a quantity over generations, a line with a band for everything that is compared.

Pages and printed figures draw the same panels. Of cohorts a line is the mean over streams, its band the mean's 95 %
interval; of populations a line is the median over individuals, its band goes from quartile to quartile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evo.catalogue import did_you_mean
from evo.cohort_record import CohortRecord
from evo.inspect.curves import ticks
from evo.interval import mean_interval, quartiles, stretches, usable
from evo.quantity import axis_label, quantity

MOST_POINTS = 200
"""Of a line; longer ones are drawn through means over stretches."""
DECADES, GENE_DECADES = 2.0, 1.0
"""A scale is logarithmic where values that are never below 0 span more powers of ten; settings that evolve sooner."""
APART = 0.08
"""Of a logarithmic scale's height: how far powers of ten stand from 0, so that both can be read."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Panel:
    """A quantity over generations.

    Attributes:
        name: of the curve.
        title: of the vertical scale, with its unit.
        x: `[points]`, generations counted from 1.
        centre, low, high: `[points, lines]`; NaN where there is no such number.
        ends: of the vertical scale.
        log: whether that is logarithmic.
        zero: where 0 stands on a logarithmic scale; 0 where it need not.
        possible: the lowest and the highest number that the quantity can be; an interval may reach further.
    """

    name: str
    title: str
    x: np.ndarray
    centre: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ends: tuple[float, float]
    log: bool = False
    zero: float = 0.0
    possible: tuple[float, float] = (-math.inf, math.inf)

    def band(self) -> tuple[np.ndarray, np.ndarray]:
        """Return `low` and `high`, cut off where no number can be."""
        return np.clip(self.low, *self.possible), np.clip(self.high, *self.possible)

    def place(self, value: float) -> float:
        """Return where a value stands on the vertical scale, from 0, the bottom, to 1."""
        low, high = self.ends
        if not self.log:
            return min(1.0, max(0.0, (value - low) / (high - low)))
        value = min(high, max(low, value if value > 0.0 else self.zero))
        return math.log(value / low) / math.log(high / low)

    def ticks(self) -> list[tuple[float, str]]:
        """Return round numbers on the vertical scale, and how they are written."""
        low, high = self.ends
        if not self.log:
            least, most = self.possible
            return [(value, f"{value:.5g}") for value in ticks(low, high) if least <= value <= most]
        zero = [(self.zero, "0")] if self.zero else []
        values = log_ticks(max(low, self.zero * (high / low) ** APART), high)
        far = any(not 1e-3 <= value * (1 + 1e-9) < 1e4 for value in values)
        return zero + [(value, power(value) if far else f"{value:g}") for value in values]


def panel(record: CohortRecord, name: str) -> Panel:
    """Return the panel of a curve.

    Raises:
        ValueError: nothing of that name was recorded, or nothing finite.
    """
    name = "score" if name == record.objective else name
    values = record.curves.get(name)
    if values is None or not usable(values).any():
        known = ", ".join(record.names())
        what = "nothing of that name" if values is None else "no finite number"
        raise ValueError(f"panels: {name!r}: {what} was recorded; there are {known}{did_you_mean(name, record.curves)}")
    if record.evolving:
        low, centre, high = (stretches(one, MOST_POINTS) for one in quartiles(values))
    else:
        centre, half = mean_interval(stretches(values, MOST_POINTS))
        low, high = centre - half, centre + half
    x = stretches(1.0 + np.arange(len(values)), MOST_POINTS)
    title = axis_label(record.called(name), record.relative)
    percent = quantity(record.called(name), record.relative).unit.startswith("%")
    log = not percent and _spans(centre, GENE_DECADES if name in record.genes else DECADES)
    possible = _possible(values, percent)
    cut = np.clip(low, *possible), centre, np.clip(high, *possible)
    ends, zero = _log_ends(*cut) if log else (_linear_ends(*cut), 0.0)
    return Panel(name, title, x, centre, low, high, ends, log, zero, possible)


def stretched(record: CohortRecord) -> list[str]:
    """Return a sentence about how many generations a point stands for, where it is not one."""
    together = record.generations / MOST_POINTS
    if together <= 1.0:
        return []
    about = "" if together == round(together) else "about "
    return [f"A point is the mean of {about}{together:.3g} {record.moment}s."]


def moments(generations: int) -> list[int]:
    """Return round generations for the horizontal scale, from 1, which is among them."""
    if generations < 2:
        return [1]
    round_ones = [round(value) for value in ticks(1.0, float(generations), 5) if math.isclose(value, round(value))]
    return [1, *(value for value in round_ones if value - 1 > 0.08 * generations)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return at most 6 powers of ten from `low` to `high`; where there is just one, their 2 and 5 folds too."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = 1 + max(0, last - first) // 6
    powers = [10.0**exponent for exponent in range(first, last + 1, step)]
    if len(powers) > 1:
        return powers
    between = [fold * 10.0**exponent for exponent in range(first - 1, last + 1) for fold in (1, 2, 5)]
    return [value for value in between if low <= value * (1 + 1e-9) and value * (1 - 1e-9) <= high]


def power(value: float) -> str:
    """Return a number with its power of ten as people write it."""
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = f"{value / 10.0**exponent:.3g}"
    return ("" if factor == "1" else factor + "·") + "10" + str(exponent).translate(SUPERSCRIPTS)


def _possible(values: np.ndarray, percent: bool) -> tuple[float, float]:
    """Return the lowest and the highest number there can be: 0 where none is below, 100 of percentages."""
    found = values[usable(values)]
    return (0.0 if found.min() >= 0.0 else -math.inf), (100.0 if percent and found.max() <= 100.0 else math.inf)


def _spans(centre: np.ndarray, decades: float) -> bool:
    """Return whether values, never below 0, span more powers of ten."""
    found = centre[usable(centre)]
    positive = found[found > 0.0]
    return bool(len(positive) and found.min() >= 0.0 and np.log10(positive.max() / positive.min()) > decades)


def _linear_ends(*values: np.ndarray) -> tuple[float, float]:
    """Return the ends of a scale that holds all values, with some room."""
    found = np.concatenate([one[usable(one)] for one in values])
    low, high = float(found.min()), float(found.max())
    room = 0.05 * (high - low)
    if room <= 1e-12 * max(abs(low), abs(high)):  # all the same
        room = 0.1 * max(abs(low), abs(high)) or 0.5
    return (0.0 if low >= 0.0 > low - room else low - room), high + room


def _log_ends(low: np.ndarray, centre: np.ndarray, high: np.ndarray) -> tuple[tuple[float, float], float]:
    """Return the ends of a logarithmic scale, and where 0 stands on it; bands that reach further down are cut."""
    found = centre[usable(centre)]
    least = float(found[found > 0.0].min())
    bands = low[usable(low) & (low > least / 3.0)]
    bottom = min(least, float(bands.min(initial=least))) / 1.15
    top = 1.15 * max(float(found.max()), float(high[usable(high)].max(initial=0.0)))
    if found.min() > 0.0:
        return (bottom, top), 0.0
    zero = bottom / (top / bottom) ** 0.12  # a little below everything else
    return (zero / (top / bottom) ** 0.04, top), zero
