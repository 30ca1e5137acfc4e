"""What optimisers keep for each weight, and what of it a new weight gets, so that it is as one never trained.

Known by the names that torch's optimisers give it. What is shared by all weights of a layer stays: torch's Adam counts
its steps once, Adafactor keeps means of rows and columns.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

ZERO = frozenset(
    (
        "momentum_buffer",  # SGD, RMSprop, Muon
        *("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),  # Adam, AdamW, NAdam, RAdam, SparseAdam
        "step",  # PerWeightAdam
        "exp_inf",  # Adamax
        *("square_avg", "grad_avg"),  # RMSprop, Adadelta
        "acc_delta",  # Adadelta
        "prev",  # Rprop
        "variance",  # Adafactor
    )
)
"""What starts at 0."""

SETTING = {"sum": "initial_accumulator_value", "step_size": "lr"}
"""What starts at a setting of the optimiser: the sum of Adagrad, the step sizes of Rprop."""

WEIGHT = "ax"
"""What starts at the weight itself: its mean, of ASGD."""


def check_state(optimizer: torch.optim.Optimizer, parameters: Iterable[torch.Tensor | None]) -> None:
    """Make sure that what an optimiser keeps for weights is known.

    Raises:
        ValueError: it keeps something for each weight of which it is not known what a new weight should get.
    """
    kind = type(optimizer).__name__
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError(
            "optimizer: LBFGS keeps directions of all weights together, which replaced weights would make wrong; take "
            "another, or leave its state alone with rules=Rules(reset_optimizer=False), of evo.learners"
        )
    known = ZERO | SETTING.keys() | {WEIGHT}
    for parameter in parameters:
        for name, state in _states(optimizer, parameter):
            if name not in known and isinstance(parameter, torch.Tensor) and state.shape == parameter.shape:
                raise ValueError(
                    f"optimizer: {kind} keeps {name!r} for each weight, of which it is not known what a new weight "
                    f"should get; known are {', '.join(sorted(known))}. Leave such state alone with "
                    f"rules=Rules(reset_optimizer=False), of evo.learners, or take an optimizer of torch.optim"
                )


def start_anew(
    optimizer: torch.optim.Optimizer,
    parameter: torch.Tensor | None,
    chosen: tuple[int, int, torch.Tensor],
) -> None:
    """Let what an optimiser keeps for some weights be that of new weights, in place.

    Args:
        optimizer: whose state passes `check_state`.
        parameter: weights, as they are after the replacement.
        chosen: along which dimension, divided into how many units, and which of these, `[k]` int64.
    """
    dimension, units, places = chosen
    for name, state in _states(optimizer, parameter):
        if parameter is None or state.shape != parameter.shape:
            continue
        places = places.to(state.device)
        view = torch.unflatten(state, dimension, (units, -1))
        if name == WEIGHT:
            own = torch.unflatten(parameter.detach(), dimension, (units, -1))
            view.index_copy_(dimension, places, own.index_select(dimension, places).to(state))
        else:
            view.index_fill_(dimension, places, _start(optimizer, parameter, name))


def _start(optimizer: torch.optim.Optimizer, parameter: torch.Tensor, name: str) -> float:
    if name not in SETTING:
        return 0.0
    group = next(group for group in optimizer.param_groups if any(one is parameter for one in group["params"]))
    return float(group.get(SETTING[name], 0.0))


def _states(optimizer: torch.optim.Optimizer, parameter: torch.Tensor | None) -> list[tuple[str, torch.Tensor]]:
    """Return the tensors that an optimiser keeps for a parameter, by name; none before its first step."""
    if parameter is None or parameter not in optimizer.state:
        return []
    return [(name, state) for name, state in optimizer.state[parameter].items() if isinstance(state, torch.Tensor)]
