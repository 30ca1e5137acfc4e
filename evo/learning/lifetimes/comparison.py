"""A lifetime without change: new cases are compared with the few known ones, in the space that a network lays out.

Sources: prototypes, Snell, Swersky & Zemel 2017 (Prototypical networks, arXiv:1703.05175), equations 1 and 2; single
cases by cosine, Vinyals et al. 2016 (Matching networks, arXiv:1606.04080), equation 1 and section 2.1.1, without the
full context embeddings. With gradients through it (`MetaGradient`) it is how these networks are trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch.nn import functional

from evo.learning.lifetimes.base import Lifetime, Lives
from evo.learning.lifetimes.few_shot import hits, loss
from evo.parametrised import Parametrised
from evo.tasks import FewShot, Tasks

KINDS = ("prototypical", "matching")
LEAST = 1e-8
"""What similarity a class without any is given, so that its logarithm is finite."""


@final
@dataclass(frozen=True)
class Comparison(Lifetime):
    """Classify by nearness of embeddings; the score is the cross-entropy, and `accuracy` is measured.

    Attributes:
        kind: "prototypical", by squared distance from each class's mean, or "matching", by the cosine with each case.

    Raises:
        ValueError: there is no such kind.
    """

    lives_on: ClassVar[type[Tasks]] = FewShot

    kind: str = "prototypical"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in KINDS:
            raise ValueError(f"Comparison: kind is one of {', '.join(KINDS)}, got {self.kind!r}")

    def live_together(self, phenotypes: Parametrised, tasks: FewShot, *, seed: int) -> Lives:
        """Return how networks classify; see `Lifetime.live_together`."""
        with torch.no_grad():
            answers = self.answers(phenotypes, tasks)
            losses = loss(answers, tasks.query_targets, tasks.loss)
            accuracy = hits(answers, tasks.query_targets)
        return Lives(losses[..., None], measured={"accuracy": accuracy[..., None]})

    def losses(self, phenotypes: Parametrised, tasks: FewShot, *, seed: int) -> torch.Tensor:
        """Return the scores `[n, tasks, 1]`, differentiable in the parameters."""
        return loss(self.answers(phenotypes, tasks), tasks.query_targets, tasks.loss)[..., None]

    def answers(self, phenotypes: Parametrised, tasks: FewShot) -> torch.Tensor:
        """Return how likely each class is, `[n, tasks, queries, classes]`, as logarithms that need not add up.

        Raises:
            ValueError: the tasks are not to tell classes apart.
        """
        if not tasks.classes:
            raise ValueError(
                f"Comparison: tasks with classes are compared, got tasks with the loss {tasks.loss!r}; use a lifetime "
                f"that learns, such as GradientSteps"
            )
        weights = phenotypes.network.split(phenotypes.parameters[:, None])
        shots = tasks.support_inputs.shape[1]
        both = torch.cat((tasks.support_inputs, tasks.query_inputs), 1)
        embedded = phenotypes.network.answers(weights, both)
        known, new = embedded[..., :shots, :], embedded[..., shots:, :]
        belongs = functional.one_hot(tasks.support_targets, tasks.classes).to(known.dtype)  # [tasks, shots, classes]
        if self.kind == "matching":
            alike = functional.normalize(new, dim=-1) @ functional.normalize(known, dim=-1).transpose(-1, -2)
            return (alike.softmax(-1) @ belongs).clamp_min(LEAST).log()  # Matching networks, equation 1
        share = belongs / belongs.sum(-2, keepdim=True)
        prototypes = share.transpose(-1, -2) @ known  # Prototypical networks, equation 1
        return -(new.unsqueeze(-2) - prototypes.unsqueeze(-3)).square().sum(-1)  # equation 2, before the softmax
