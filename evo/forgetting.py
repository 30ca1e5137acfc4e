"""What learners of one task after the other still know: average accuracy, forgetting and backward transfer.

From the accuracy a[t, k] on task k when the t-th segment has ended, tasks and segments from 0, in the last of T:

    average accuracy    mean over k < T of a[T - 1, k]                          (Lopez-Paz & Ranzato 2017, equation 2)
    backward transfer   mean over k < T - 1 of a[T - 1, k] - a[k, k]            (equation 3 there)
    forgetting          mean over k < T - 1 of max over k <= t < T - 1 of a[t, k], less a[T - 1, k]
                                                                                (Chaudhry et al. 2018, equation 3)

Forgetting compares with the best there was, backward transfer with what there was at first. One that is below 0 is a
gain of the former, a loss of the latter. Problems measure accuracies as `test_accuracies`, NaN for tasks to come.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MEASURED = "test_accuracies"
"""The name under which problems measure the accuracy on each task, `[n, tasks]`."""


@dataclass(frozen=True)
class Forgetting:
    """What is left at the end; shares, NaN where fewer than two tasks were met, or a learner failed.

    Attributes:
        first: `[...]`, accuracy on the first task.
        last: `[...]`, accuracy on the last task met.
        average: `[...]`, mean accuracy over the tasks met.
        forgetting, backward_transfer: `[...]`.
    """

    first: np.ndarray
    last: np.ndarray
    average: np.ndarray
    forgetting: np.ndarray
    backward_transfer: np.ndarray


def forgetting(accuracies: np.ndarray) -> Forgetting:
    """Return what is left of each task after the last segment.

    Args:
        accuracies: `[segments, ..., tasks]`, after each segment, the k-th of which taught task k; later ones taught
            them again. NaN where unknown.

    Raises:
        ValueError: there is no segment, or no task.
    """
    if accuracies.ndim < 2 or 0 in (accuracies.shape[0], accuracies.shape[-1]):
        raise ValueError(
            f"forgetting: expected accuracies [segments, ..., tasks] of at least one segment and one task, got "
            f"{list(accuracies.shape)}"
        )
    met = min(accuracies.shape[0], accuracies.shape[-1])
    end = accuracies[-1, ..., :met]
    nothing = np.full(end.shape[:-1], np.nan)
    earlier = [
        (accuracies[task:-1, ..., task].max(0) - end[..., task], end[..., task] - accuracies[task, ..., task])
        for task in range(met - 1)
    ]
    lost, moved = (np.mean(parts, axis=0) for parts in zip(*earlier, strict=True)) if earlier else (nothing, nothing)
    return Forgetting(end[..., 0], end[..., -1], end.mean(-1), lost, moved)
