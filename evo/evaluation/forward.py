"""Every network of a population on the same cases: compiled on the CPU, torch elsewhere."""

from __future__ import annotations

import numpy as np
import torch

from evo.evaluation.dead_ends import without_dead_ends
from evo.evaluation.stepping import Stepper
from evo.evaluation.threads import share
from evo.networks import Networks

LANES = 64
"""Cases that a compiled kernel takes at a time."""


def forward(networks: Networks, cases: torch.Tensor, scale: float) -> torch.Tensor:
    """Return outputs `[n, cases, outputs]`, each case from a state of rest.

    Args:
        networks: n networks.
        cases: `[cases, inputs]` float32, on the networks' device.
        scale: what every weighted sum is multiplied with: a shared weight, or 1.
    """
    if networks.execution.engine == "compiled" and networks.device.type == "cpu":
        return _compiled(networks, cases, scale)
    stepper = Stepper(networks, torch.full((len(cases),), scale))
    return stepper.step(cases.expand(len(networks), -1, -1))


def _compiled(networks: Networks, cases: torch.Tensor, scale: float) -> torch.Tensor:
    from evo.evaluation.compiled import arrays, forward_kernel

    kernel = forward_kernel(LANES)
    by_block = in_blocks(cases)
    blocks = len(by_block)
    outputs = np.empty((len(networks), blocks, networks.outputs, LANES), np.float32)
    networks = without_dead_ends(networks)
    packed = arrays(networks)

    def work(first: int, last: int) -> None:
        values = np.empty((networks.largest, LANES), np.float32)
        kernel(*packed, by_block, scale, first, last, values, outputs)

    share(work, len(networks), networks.execution.threads)
    flat = torch.from_numpy(outputs).transpose(2, 3).reshape(len(networks), blocks * LANES, networks.outputs)
    return flat[:, : len(cases)]


def in_blocks(cases: torch.Tensor) -> np.ndarray:
    """Return cases `[cases, inputs]` as kernels read them, `[blocks, inputs, LANES]`; the last is filled up with 0."""
    blocks = -(-len(cases) // LANES)
    padded = np.zeros((blocks * LANES, cases.shape[1]), np.float32)
    padded[: len(cases)] = cases.numpy()
    return np.ascontiguousarray(padded.reshape(blocks, LANES, -1).transpose(0, 2, 1))
