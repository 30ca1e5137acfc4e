"""How well every network of a population names the classes of the same cases: compiled on the CPU, torch elsewhere."""

from __future__ import annotations

import numpy as np
import torch

from evo.evaluation.dead_ends import without_dead_ends
from evo.evaluation.forward import LANES, in_blocks
from evo.evaluation.threads import share
from evo.networks import Networks

VALUES = 2**27
"""How many numbers (nodes and outputs times cases) torch may make at a time: 0.5 GB of float32."""


def classify(
    networks: Networks, cases: torch.Tensor, classes: torch.Tensor, weights: tuple[float | None, ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean cross-entropy after softmax, in nats, and accuracy, both `[n, weights]` float64.

    A network with an output that is not finite has a cross-entropy of NaN.

    Args:
        networks: n networks, one output per class.
        cases: `[cases, inputs]` float32, on the networks' device.
        classes: `[cases]` int64.
        weights: shared weights in turn; None for the networks' own.
    """
    if networks.execution.engine == "compiled" and networks.device.type == "cpu":
        shared = [weight is not None for weight in weights]
        if any(shared) and not all(shared):
            raise ValueError("weights: expected shared weights alone, or None alone")
        return _compiled(networks.with_unit_weights() if any(shared) else networks, cases, classes, weights)
    entropy, hits = (torch.empty(len(networks), len(weights), dtype=torch.float64) for _ in range(2))
    size = max(1, VALUES // (len(classes) * (networks.largest + networks.outputs)))
    for first in range(0, len(networks), size):
        part = slice(first, first + size)
        for column, weight in enumerate(weights):
            outputs = networks[part].forward(cases, weight)
            entropy[part, column] = cross_entropy(outputs, classes).cpu()
            hits[part, column] = accuracy(outputs, classes).cpu()
    return entropy.to(networks.device), hits.to(networks.device)


def cross_entropy(outputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy `[n]`, in nats, of outputs `[n, cases, classes]` after softmax."""
    logarithms = outputs.log_softmax(2)
    mean = -logarithms.gather(2, classes.expand(len(outputs), -1)[..., None]).mean((1, 2), dtype=torch.float64)
    return torch.where(outputs.isfinite().all(2).all(1), mean, torch.nan)


def accuracy(outputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the share `[n]` of cases whose class has the largest of the outputs `[n, cases, classes]`."""
    return (outputs.argmax(2) == classes).mean(1, dtype=torch.float64)


def _compiled(
    networks: Networks, cases: torch.Tensor, classes: torch.Tensor, weights: tuple[float | None, ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    from evo.evaluation.compiled import arrays, classification_kernel

    kernel = classification_kernel(LANES)
    by_block = in_blocks(cases)
    targets = np.zeros((len(by_block), LANES), np.int64)
    targets.reshape(-1)[: len(classes)] = classes.numpy()
    scales = np.array([1.0 if weight is None else weight for weight in weights], np.float32)
    losses, hits = (np.zeros((len(networks), len(weights))) for _ in range(2))
    networks = without_dead_ends(networks)
    packed = arrays(networks)
    recurrent = networks.recurrent

    def work(first: int, last: int) -> None:
        values = np.zeros((networks.largest, LANES), np.float32)
        kernel(
            *packed, by_block, targets, len(classes), scales, networks.outputs, recurrent,
            first, last, values, losses, hits,
        )  # fmt: skip

    share(work, len(networks), networks.execution.threads)
    return torch.from_numpy(losses / len(classes)), torch.from_numpy(hits / len(classes))
