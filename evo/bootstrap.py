"""Intervals without an assumption of what numbers are distributed like: percentiles of resamples.

Source: Efron & Tibshirani 1993, An introduction to the bootstrap, section 13.3 (percentile interval). With fewer than
about 10 numbers such intervals are too narrow.
"""

from __future__ import annotations

import numpy as np

from evo.interval import LEVEL

RESAMPLES = 2000


def mean_interval(values: np.ndarray, *, seed: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the mean of values `[n]`; NaN for fewer than two."""
    return _ends(_means(values, np.random.default_rng(seed))) if len(values) > 1 else (np.nan, np.nan)


def ratio_interval(above: np.ndarray, below: np.ndarray, *, seed: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the ratio of two means, of values `[n]` and `[m]` that are not paired.

    NaN for fewer than two of either, or where a mean below is 0.
    """
    if min(len(above), len(below)) < 2:
        return np.nan, np.nan
    rng = np.random.default_rng(seed)
    upper, lower = _means(above, rng), _means(below, rng)
    return _ends(upper / lower) if np.all(lower != 0) else (np.nan, np.nan)


def _means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the means of resamples, `[RESAMPLES]`."""
    return np.asarray(values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(1))


def _ends(found: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(found, (0.5 - LEVEL / 2, 0.5 + LEVEL / 2))
    return float(low), float(high)
