"""Adam with a step counted for every weight, so that replaced weights start anew (Dohare et al. 2024, Methods).

Kingma & Ba 2015, algorithm 1; with decoupled weight decay Loshchilov & Hutter 2019, algorithm 2. While no weight is
replaced it is torch's Adam or AdamW, but slower, and with one more number kept per weight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import torch
from torch.optim.optimizer import ParamsT

from evo.learning.plasticity.optimizers import started


@final
class PerWeightAdam(torch.optim.Optimizer):
    """Adam for networks with `NeuronReplacement`, which sets moments and counts of new weights to 0.

    Args:
        params: tensors, or groups of them with settings of their own, as for any optimiser of torch.
        lr: step size.
        betas: decays of the first and of the second moment.
        eps: added to the root of the second moment.
        weight_decay: apart from the gradient, as in AdamW; or a part of it, as in Adam.
        decoupled: which of the two.

    Raises:
        ValueError: a setting is outside its range.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        decoupled: bool = True,
    ) -> None:
        if min(lr, eps, weight_decay) < 0 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(
                f"PerWeightAdam: expected lr, eps and weight_decay of at least 0, and betas from 0 to below 1, got "
                f"lr={lr}, eps={eps}, weight_decay={weight_decay}, betas={betas}"
            )
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "decoupled": decoupled}
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step; return what `closure` does, which computes loss and gradients if it is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weights in group["params"]:
                if weights.grad is not None:
                    self._move(weights, weights.grad, group)
        return loss

    def _move(self, weights: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state, lr = self.state[weights], float(group["lr"])
        if not state:
            state["step"] = torch.zeros_like(weights, dtype=torch.float32)
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(weights), torch.zeros_like(weights)
        state["step"] = state["step"].to(weights.device)  # torch loads what has this name to where it was saved
        step, first, second = state["step"].add_(1), state["exp_avg"], state["exp_avg_sq"]
        if group["decoupled"]:
            weights.mul_(1 - lr * group["weight_decay"])
        else:
            gradient = gradient + group["weight_decay"] * weights
        first_decay, second_decay = (torch.tensor(beta, device=weights.device) for beta in group["betas"])
        first.lerp_(gradient, 1 - group["betas"][0])
        second.lerp_(gradient.square(), 1 - group["betas"][1])
        size = (second / started(second_decay, step)).sqrt() + group["eps"]
        weights.sub_((lr * first / started(first_decay, step) / size).to(weights))
