"""What layers of n networks sum, all networks at once: a batch of products, or one convolution in n groups.

On a CPU no bit of a network's sums depends on the networks beside it. Of the libraries' products that is true except
where a matrix is a vector, so those are written out; and convolutions in groups take other paths for other numbers of
groups, so there each network has one of its own, which for batches of cases is no slower.
"""

from __future__ import annotations

import torch

from evo.learners import Convolution


def dense(inputs: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Return sums `[n, batch, units]`.

    Args:
        inputs: `[n, batch, ...]`, flattened as they stand.
        kernel: `[n, fan_in, units]`.
        bias: `[n, units]`.
    """
    inputs = inputs.flatten(2)
    if 1 in kernel.shape[1:]:
        return (inputs[..., None] * kernel[:, None]).sum(2) + bias[:, None]
    return torch.baddbmm(bias[:, None], inputs, kernel)


def convolved(inputs: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor, size: int) -> torch.Tensor:
    """Return sums `[n, batch, units, height, width]`.

    Args:
        inputs: `[n, batch, channels, height, width]`.
        kernel: `[n, fan_in, units]`, the fan-in over channels, rows, columns.
        bias: `[n, units]`.
        size: of the kernel, in pixels a side.
    """
    count, _, channels = inputs.shape[:3]
    kernels = kernel.transpose(1, 2).reshape(count, -1, channels, size, size)
    return (one_by_one if inputs.device.type == "cpu" else in_groups)(inputs, kernels, bias)


def one_by_one(inputs: torch.Tensor, kernels: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Return sums as `convolved` does, for kernels `[n, units, channels, size, size]`."""
    alone = zip(inputs.unbind(), kernels.unbind(), bias.unbind(), strict=True)
    return torch.stack([torch.nn.functional.conv2d(*one) for one in alone])


def in_groups(inputs: torch.Tensor, kernels: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Return sums as `one_by_one` does, from a single convolution."""
    flat = inputs.transpose(0, 1).flatten(1, 2)
    sums = torch.nn.functional.conv2d(flat, kernels.flatten(0, 1), bias.flatten(), groups=len(kernels))
    return sums.reshape(len(flat), *kernels.shape[:2], *sums.shape[2:]).transpose(0, 1)


def pooled(features: torch.Tensor, convolution: Convolution) -> torch.Tensor:
    """Return the largest of each square of pixels, of `[n, batch, channels, height, width]`."""
    if convolution.pool == 1:
        return features
    largest = torch.nn.functional.max_pool2d(features.flatten(0, 1), convolution.pool)
    return largest.reshape(*features.shape[:2], *largest.shape[1:])
