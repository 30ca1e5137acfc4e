"""What weight agnostic networks scored in the paper, to be set beside one's own measurements.

Source: Gaier & Ha 2019 (arXiv:1906.04358), table 1 (100 trials: mean and standard deviation) and section 4.3 (accuracy
on the test split of MNIST; the spread of random weights is over weights).
"""

from __future__ import annotations

SETTINGS = ("random weights", "random shared weight", "tuned shared weight", "tuned weights")

Published = tuple[float, float | None]
"""Mean and standard deviation; None where none was given."""

CHAMPION: dict[str, dict[str, Published]] = {
    "cartpole-swingup-v1": dict(zip(SETTINGS, ((57, 121), (515, 58), (723, 16), (932, 6)), strict=True)),
    "mnist-256-v1": {
        "random shared weight": (0.820, 0.187),
        "tuned shared weight": (0.919, None),
        "tuned weights": (0.942, None),
        "vote of all weights": (0.916, None),
    },
}
"""The evolved network, by problem and setting."""

FIXED: dict[str, dict[str, Published]] = {
    "cartpole-swingup-v1": dict(zip(SETTINGS, ((21, 43), (7, 2), (8, 1), (918, 7)), strict=True)),
}
"""A network of fixed topology, by problem and setting."""
