"""Means and their intervals over streams, quartiles over populations, and long series drawn together into short ones.

What is not finite, or beyond 1e100, is left out everywhere; where nothing is left, the result is NaN.
"""

from __future__ import annotations

import numpy as np

LEVEL = 0.95
"""Of all intervals."""
LARGEST = 1e100
"""Numbers beyond are no measurements; their squares would overflow."""


def usable(values: np.ndarray) -> np.ndarray:
    """Return which values are measurements."""
    return np.asarray(np.abs(values) <= LARGEST)  # false for NaN


def mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the mean along an axis of what is finite."""
    kept = usable(values)
    count = kept.sum(axis)
    total = np.where(kept, values, 0.0).sum(axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def mean_interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over the last axis, and half the width of its 95 % interval by Student's t; NaN for one value."""
    from scipy.special import stdtrit

    kept = usable(values)
    count = kept.sum(-1)
    centre = mean(values)
    squares = np.where(kept, values - centre[..., None], 0.0) ** 2
    enough = np.maximum(count, 2)
    error = np.sqrt(squares.sum(-1) / (enough - 1) / enough)
    half = stdtrit(enough - 1, 0.5 + LEVEL / 2) * error
    return centre, np.where(count > 1, half, np.nan)


def in_words(values: np.ndarray, decimals: int = 3) -> str:
    """Return the mean of some numbers `[n]` with its interval; how many failed, where any is not finite."""
    failed = int((~usable(values)).sum())
    if failed:
        return f"{failed} of {len(values)} failed"
    centre, half = mean_interval(values)
    return f"{float(centre):.{decimals}f}" + (f" ± {float(half):.{decimals}f}" if len(values) > 1 else "")


def quartiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the lower quartile, the median and the upper quartile over the last axis."""
    flat = np.where(usable(values), values, np.nan).reshape(-1, values.shape[-1])
    some = ~np.isnan(flat).all(1)
    found = np.full((3, len(flat)), np.nan)
    found[:, some] = np.nanquantile(flat[some], (0.25, 0.5, 0.75), axis=1)
    lower, middle, upper = found.reshape(3, *values.shape[:-1])
    return lower, middle, upper


def stretches(values: np.ndarray, most: int) -> np.ndarray:
    """Return means over at most so many stretches of the first axis, of equal length within one; short ones as is."""
    length = len(values)
    if length <= most:
        return values
    ends = np.arange(most + 1) * length // most
    kept = usable(values)
    count = np.add.reduceat(kept.astype(np.int64), ends[:-1], axis=0)
    total = np.add.reduceat(np.where(kept, values, 0.0), ends[:-1], axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
