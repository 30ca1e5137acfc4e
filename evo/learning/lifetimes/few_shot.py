"""Lifetimes of networks that learn from a few examples and are scored on others of the same task.

All individuals live on all tasks at once: their weights are `[individuals, tasks, ...]`, and what one becomes on a task
is summed with nothing else.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch

from evo.learning.lifetimes.base import Lifetime, Lives, sliced
from evo.parametrised import LayeredNetwork, Parametrised, Weights
from evo.tasks import FewShot, Tasks


@dataclass(frozen=True)
class FewShotLifetime(Lifetime):
    """Networks change on the support of each task, and are scored on its query at one or more horizons.

    Subclasses give `path`, and `noise` where they need any. Scores are losses, less is better; of classes, `accuracy`
    `[n, tasks, horizons]` is measured too.

    Attributes:
        horizons: after how many steps individuals are scored, in increasing order; all count alike. More than one
            keeps evolution from weights that the first step suits and the next ones do not.

    Raises:
        ValueError: there are no horizons, or they do not increase.
    """

    lives_on: ClassVar[type[Tasks]] = FewShot
    inheritable: ClassVar[bool] = True

    horizons: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "horizons", tuple(self.horizons))
        if not self.horizons or list(self.horizons) != sorted({*self.horizons}) or self.horizons[0] < 0:
            raise ValueError(
                f"{type(self).__name__}: horizons: expected numbers of steps from 0 up, in increasing order, got "
                f"{self.horizons}"
            )

    @property
    def steps(self) -> int:
        """How many steps a lifetime has."""
        return self.horizons[-1]

    @abstractmethod
    def path(
        self, network: LayeredNetwork, weights: Weights, step_sizes: Weights | None, tasks: FewShot, noise: torch.Tensor
    ) -> list[Weights]:
        """Return the weights at birth and after each of the steps, learned from the support.

        Differentiable in weights and step sizes where gradients are enabled.

        Args:
            network: what all networks look like.
            weights: at birth, `[n, tasks, *shape]`.
            step_sizes: for each tensor of weights its own, `[n, 1]` and as many ones as it has dimensions, or one per
                weight, `[n, 1, *shape]`; None where individuals have none.
            tasks: what they meet.
            noise: `[tasks, ...]`; see `noise`.
        """

    def noise(self, network: LayeredNetwork, tasks: FewShot, seed: int) -> torch.Tensor:
        """Return what chance each task has, `[tasks, ...]`, the same for all individuals; by default none at all."""
        return tasks.support_inputs.new_zeros(len(tasks), 0)

    def live_together(self, phenotypes: Parametrised, tasks: FewShot, *, seed: int) -> Lives:
        """Return what becomes of the networks; see `Lifetime.live_together`."""
        if len(phenotypes) == 1:  # a product of one matrix has other last bits than one of several
            twice = self.live_together(phenotypes[torch.tensor([0, 0])], tasks, seed=seed)
            return sliced(twice, slice(1))
        with torch.no_grad():
            path = self.lived(phenotypes, tasks, seed=seed)
            network = phenotypes.network
            answers = [newborn_answers(phenotypes, tasks.query_inputs)]
            answers += [network.answers(path[number], tasks.query_inputs) for number in self.horizons]
            losses = torch.stack([loss(one, tasks.query_targets, tasks.loss) for one in answers], -1)
            seen = {}
            if tasks.classes:
                seen["accuracy"] = torch.stack([hits(one, tasks.query_targets) for one in answers[1:]], -1)
        return Lives(losses[..., 1:], losses[..., 0], mean_of_tasks(path[-1]), seen)

    def lived(self, phenotypes: Parametrised, tasks: FewShot, *, seed: int) -> list[Weights]:
        """Return the weights `[n, tasks, *shape]` of n networks, at birth and after each step."""
        network = phenotypes.network
        born = network.split(phenotypes.parameters[:, None].expand(-1, len(tasks), -1))
        steps = spread(network, phenotypes.step_sizes)
        return self.path(network, born, steps, tasks, self.noise(network, tasks, seed))

    def losses(self, phenotypes: Parametrised, tasks: FewShot, *, seed: int) -> torch.Tensor:
        """Return the scores `[n, tasks, horizons]`, differentiable in parameters and step sizes."""
        path = self.lived(phenotypes, tasks, seed=seed)
        answers = [phenotypes.network.answers(path[number], tasks.query_inputs) for number in self.horizons]
        return torch.stack([loss(one, tasks.query_targets, tasks.loss) for one in answers], -1)


def newborn_answers(phenotypes: Parametrised, inputs: torch.Tensor) -> torch.Tensor:
    """Return what n networks answer at birth to inputs `[tasks, cases, *input]`: `[n, tasks, cases, outputs]`.

    All tasks' cases are answered together where none depends on the others.
    """
    network = phenotypes.network
    weights = network.split(phenotypes.parameters[:, None])
    if network.normalized:
        return network.answers(weights, inputs)
    answers = network.answers(weights, inputs.flatten(0, 1))
    return answers.reshape(len(phenotypes), *inputs.shape[:2], -1)


def mean_of_tasks(weights: Weights) -> torch.Tensor:
    """Return flat parameters `[n, parameters]`, the mean over tasks of weights `[n, tasks, *shape]`."""
    return torch.cat([tensor.mean(1).flatten(1) for tensor in weights], 1)


def spread(network: LayeredNetwork, sizes: torch.Tensor | None) -> Weights | None:
    """Return step sizes `[n, tensors]` or `[n, parameters]` as one tensor for each of the network's, or None."""
    if sizes is None:
        return None
    if sizes.shape[1] == network.parameters:
        return network.split(sizes[:, None])
    return tuple(sizes[:, number].view(-1, 1, *(1,) * len(one.shape)) for number, one in enumerate(network.tensors))


def loss(answers: torch.Tensor, targets: torch.Tensor, kind: str) -> torch.Tensor:
    """Return the mean loss `[...]` of answers `[..., cases, outputs]`; targets are broadcast.

    Args:
        answers: numbers, or how likely each class is, as logarithms that need not add up.
        targets: `[..., cases, outputs]`, or classes `[..., cases]`.
        kind: "squared" or "cross_entropy".
    """
    if kind == "squared":
        return (answers - targets).square().mean((-2, -1))
    places = targets.unsqueeze(-1).expand(*answers.shape[:-1], 1)
    return -answers.log_softmax(-1).gather(-1, places).mean((-2, -1))


def hits(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the share `[...]` of cases whose largest answer is their class."""
    return (answers.argmax(-1) == targets).to(torch.float32).mean(-1)
