"""A lifetime of gradient steps on the support of a task: the inner loop of MAML, Meta-SGD and Reptile.

Sources: Finn, Abbeel & Levine 2017 (arXiv:1703.03400), section 2.2 and algorithm 2; step sizes per weight, Li et al.
2017 (Meta-SGD, arXiv:1707.09835), section 3.1; minibatches, Nichol, Achiam & Schulman 2018 (arXiv:1803.02999), section
3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from evo.learning.lifetimes.few_shot import FewShotLifetime, loss
from evo.parametrised import LayeredNetwork, Weights
from evo.tasks import FewShot


@final
@dataclass(frozen=True)
class GradientSteps(FewShotLifetime):
    """Steps down the gradient of the support's loss.

    Attributes:
        step_size: of individuals that have none of their own.
        first_order: whether who differentiates through a lifetime takes its gradients for constants; scores do not
            depend on it.
        batch: support examples per step, taken in turn; 0 for all of them at every step.

    Raises:
        ValueError: a setting is outside its range.
    """

    step_size: float = 0.01
    first_order: bool = False
    batch: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.step_size > 0 or self.batch < 0:
            raise ValueError(
                f"GradientSteps: expected step_size above 0 and batch from 0 up, got {self.step_size} and {self.batch}"
            )

    def path(
        self, network: LayeredNetwork, weights: Weights, step_sizes: Weights | None, tasks: FewShot, noise: torch.Tensor
    ) -> list[Weights]:
        """Return the weights at birth and after each step; see `FewShotLifetime.path`."""
        sizes = step_sizes or (tasks.support_inputs.new_tensor(self.step_size),) * len(weights)
        path = [weights]
        for step in range(self.steps):
            slopes = self.slopes(network, path[-1], tasks, self._cases(step, tasks.support_inputs.shape[1]))
            moved = zip(path[-1], sizes, slopes, strict=True)
            # MAML, algorithm 2: theta' = theta - alpha * gradient
            path.append(tuple(torch.addcmul(one, size, slope, value=-1.0) for one, size, slope in moved))
        return path

    def slopes(self, network: LayeredNetwork, weights: Weights, tasks: FewShot, cases: slice) -> Weights:
        """Return the gradient of each network's own loss on some of the support, `[n, tasks, *shape]`."""
        twice = torch.is_grad_enabled() and not self.first_order
        at = weights if twice else tuple(one.detach().requires_grad_() for one in weights)
        with torch.enable_grad():
            answers = network.answers(at, tasks.support_inputs[:, cases])
            total = loss(answers, tasks.support_targets[:, cases], tasks.loss).sum()
        return torch.autograd.grad(total, at, create_graph=twice)

    def _cases(self, step: int, shots: int) -> slice:
        """Return which support examples a step learns from."""
        if not self.batch or self.batch >= shots:
            return slice(None)
        first = step * self.batch % (shots // self.batch * self.batch)
        return slice(first, first + self.batch)
