"""What neuron replacement on a user's network refuses: settings, networks inside others, several processes."""

from __future__ import annotations

import torch
from torch import nn

from evo.catalogue import did_you_mean
from evo.learners import UTILITIES


def check_alone() -> None:
    """Raise where several processes train together: each would replace other units of its copy."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1:
        raise RuntimeError(
            f"NeuronReplacement.step: {distributed.get_world_size()} processes run together (torch.distributed); each "
            f"would replace other units of its copy of the network, which is not supported: train in one process"
        )


def check_settings(rate: float, maturity_threshold: int, utility: str, utility_decay: float) -> None:
    """Raise where a setting is outside its range."""
    if not 0 <= rate <= 1:
        raise ValueError(f"rate: expected a share from 0 to 1 of the eligible units per step, got {rate}; try 1e-4")
    if maturity_threshold < 0:
        raise ValueError(f"maturity_threshold: expected a number of steps from 0, got {maturity_threshold}; try 100")
    if not 0 <= utility_decay < 1:
        raise ValueError(f"utility_decay: expected a number from 0 to below 1, got {utility_decay}; try 0.99")
    if utility not in UTILITIES:
        guess = did_you_mean(utility, UTILITIES)
        raise ValueError(f"utility: expected one of {', '.join(UTILITIES)}, got {utility!r}{guess}")


def check_bare(network: nn.Module) -> None:
    """Raise where a network is wrapped: copies would have different units, compiled code would not see hooks."""
    wrapped = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    if isinstance(network, wrapped) or hasattr(network, "_orig_mod"):
        raise ValueError(
            f"network: expected the module itself, got it inside a {type(network).__name__}; attach first and compile "
            f"afterwards; data parallelism is not supported: train in one process, on one device"
        )
