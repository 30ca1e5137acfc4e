"""What continual learning does to networks: units that died, features that became alike, weights that grew.

Definitions are those of Dohare et al. 2024 ("Loss of plasticity in deep continual learning", Nature 632, methods) and
of their published code where the text leaves a choice. All are measured on hidden units' values for a batch of cases,
after activation and pooling; every pixel of a convolution's map counts as a case. With concatenated ReLU, relu(z) and
relu(-z) count as two units.
"""

from __future__ import annotations

import math

import torch

from evo.learners import ACTIVATIONS, Learners
from evo.learning.feature_ranks import feature_ranks
from evo.learning.forward import activations

EXTREMES = {"tanh": (-0.9, 0.9), "sigmoid": (0.05, 0.95)}
"""Beyond these a unit is saturated: within a twentieth of its range of an extreme."""

ACTIVE_SHARE = 0.01
"""A unit active in fewer cases is dormant."""

AT_ONCE = 2**26
"""Numbers that are held at once, in one layer or product of features; at least one learner is measured at a time."""


@torch.no_grad()
def diagnose(learners: Learners, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what has become of n learners, as float32; NaN where a layer's values are not finite.

    Shares of a layer's units, `[n, hidden layers]`:

    - `dead`: those that give 0 in every case.
    - `dormant`: those active in fewer than 1 % of the cases: not 0, or, of tanh and sigmoid units, not saturated.
    - `saturated`: of units and cases together, those beyond 0.9 of tanh, or outside 0.05 to 0.95 of a sigmoid; 0 for
      other activations.

    Numbers of units, `[n, hidden layers]`, 0 where all values are 0: `effective_rank`, `stable_rank` and
    `stable_rank_frobenius`; see `feature_ranks`. Papers print them as a share of the layer's units, in percent.

    Sizes: `weight_magnitude` `[n]`, the mean absolute weight, biases left out, and `layer_weight_magnitude`
    `[n, layers]`, the outputs' layer last.

    Args:
        learners: n of them.
        inputs: `[batch, *shape]`, or `[n, batch, *shape]` where each learner has its own; `[1, batch, *shape]` counts
            as the first.

    Raises:
        ValueError: inputs are of another shape.
    """
    own = _own_inputs(learners, inputs)
    inputs = inputs if own or inputs.dim() == len(learners.architecture.inputs) + 1 else inputs[0]
    count = _learners_at_once(learners, inputs.shape[1 if own else 0])
    parts = [
        _diagnosed(learners[start : start + count], inputs[start : start + count] if own else inputs)
        for start in range(0, max(1, len(learners)), count)
    ]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _diagnosed(learners: Learners, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the diagnostics of as many learners as are measured at once."""
    low, high = _extremes(learners)
    layers = [
        _layer(values.movedim(2, -1).flatten(1, -2), low, high)  # [n, cases, units]
        for values in activations(learners, inputs)
    ]
    found = {
        name: torch.stack([layer[name] for layer in layers], 1)
        if layers
        else learners.weights.new_zeros(len(learners), 0)
        for name in ("dead", "dormant", "saturated", "effective_rank", "stable_rank", "stable_rank_frobenius")
    }
    return {name: values.to(torch.float32) for name, values in (found | _weight_magnitudes(learners)).items()}


def _layer(values: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what is measured on one layer's values `[n, cases, units]`, each `[n]`."""
    saturated = (values < low) | (values > high)
    active = torch.where(low.isfinite(), ~saturated, values != 0)
    shares = {
        "dead": (values == 0).all(1).mean(1, dtype=torch.float64),
        "dormant": (active.mean(1, dtype=torch.float64) < ACTIVE_SHARE).mean(1, dtype=torch.float64),
        "saturated": saturated.mean((1, 2), dtype=torch.float64),
    }
    broken = ~values.isfinite().all(dim=2).all(dim=1)
    return {name: share.masked_fill(broken, math.nan) for name, share in shares.items()} | feature_ranks(values)


def _weight_magnitudes(learners: Learners) -> dict[str, torch.Tensor]:
    """Return the mean absolute weight of each learner `[n]`, and of each of its layers `[n, layers]`."""
    layers = learners.architecture.layers
    sums = torch.stack([learners.kernel(layer).abs().sum((1, 2), dtype=torch.float64) for layer in layers], 1)
    counts = sums.new_tensor([layer.fan_in * layer.outputs for layer in layers])
    return {"weight_magnitude": sums.sum(1) / counts.sum(), "layer_weight_magnitude": sums / counts}


def _extremes(learners: Learners) -> tuple[torch.Tensor, torch.Tensor]:
    """Return beyond what learners' units are saturated, below and above, `[n, 1, 1]`; infinite where never."""
    never = (-math.inf, math.inf)
    concatenated = learners.architecture.concatenated  # always ReLU
    pairs = [never if concatenated else EXTREMES.get(name, never) for name in ACTIVATIONS]
    low, high = torch.tensor(pairs, device=learners.device)[learners.activation].unbind(1)
    return low[:, None, None], high[:, None, None]


def _own_inputs(learners: Learners, inputs: torch.Tensor) -> bool:
    """Return whether each learner has inputs of its own; raises ValueError for inputs of another shape."""
    shape = learners.architecture.inputs
    extra = inputs.dim() - len(shape)
    if extra not in (1, 2) or inputs.shape[extra:] != shape or (extra == 2 and len(inputs) not in (1, len(learners))):
        raise ValueError(
            f"inputs: expected [batch, {', '.join(map(str, shape))}], or as many of these as there are learners "
            f"({len(learners)}), got {list(inputs.shape)}; `learners.architecture.inputs` is the shape of one case"
        )
    return extra == 2 and len(inputs) == len(learners) and len(learners) != 1


def _learners_at_once(learners: Learners, batch: int) -> int:
    """Return how many learners can be measured together."""
    largest = 1
    for layer in learners.architecture.layers[:-1]:
        before_pooling = layer.convolution.pool**2 if layer.convolution else 1
        units = layer.outputs * layer.copies
        largest = max(largest, batch * units * layer.places * before_pooling, 2 * units**2)
    return max(1, AT_ONCE // largest)
