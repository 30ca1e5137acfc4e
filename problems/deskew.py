"""Picture preparation of weight agnostic networks' MNIST task: shrink to 16 x 16, then straighten slanted digits.

Source: Gaier & Ha 2019 (arXiv:1906.04358), section 4 ("classification"), which does both with OpenCV; written here for
whole batches in numpy. OpenCV's `warpAffine` may round positions to 1/32 pixel; here they are exact.
"""

from __future__ import annotations

import numpy as np

LEAST_SPREAD = 1e-2
"""Pictures whose second vertical moment is below this (almost empty ones) are left as they are."""


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Return square images `[n, side, side]` as `[n, size, size]` float64.

    Bilinear between the two nearest pixels in each direction (half-pixel centres, edges repeated, no smoothing), as
    OpenCV's `resize` does by default.
    """
    side = images.shape[1]
    position = ((np.arange(size) + 0.5) * side / size - 0.5).clip(0, side - 1)
    lower = np.floor(position).astype(np.int64)
    upper = np.minimum(lower + 1, side - 1)
    weights = np.zeros((size, side))
    np.add.at(weights, (np.arange(size), lower), 1 - (position - lower))
    np.add.at(weights, (np.arange(size), upper), position - lower)
    return np.asarray(weights @ images @ weights.T)


def slant(images: np.ndarray) -> np.ndarray:
    """Return how far each image `[n, side, side]` leans, `[n]`: pixels sideways per pixel down, from its moments."""
    rows = columns = np.arange(images.shape[1], dtype=np.float64)
    mass = images.sum((1, 2))
    mass = np.where(mass == 0, 1.0, mass)
    down = rows - (images.sum(2) @ rows / mass)[:, None]
    across = columns - (images.sum(1) @ columns / mass)[:, None]
    spread = (images.sum(2) * down**2).sum(1)
    lean = np.einsum("nyx,ny,nx->n", images, down, across)
    return np.asarray(np.where(np.abs(spread) < LEAST_SPREAD, 0.0, lean / np.where(spread == 0, 1.0, spread)))


def deskew(images: np.ndarray) -> np.ndarray:
    """Return images `[n, side, side]` sheared upright: row y is moved by its slant times (y - side / 2).

    Linear between neighbouring pixels; black (0) comes in from outside.
    """
    side = images.shape[1]
    shift = slant(images)[:, None] * (np.arange(side) - 0.5 * side)
    position = np.arange(side) + shift[:, :, None]
    left = np.floor(position)
    share = position - left
    places = left.clip(-2, side).astype(np.int64) + 2
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2)))
    return np.asarray(
        (1 - share) * np.take_along_axis(padded, places, 2) + share * np.take_along_axis(padded, places + 1, 2)
    )
