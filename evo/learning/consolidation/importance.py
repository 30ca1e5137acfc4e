"""How much each weight matters for what was learned: a quadratic around the weights that learned it.

Half of sum_i F_i (theta_i - anchor_i)^2 stands for the loss of a task that is over (Laplace's approximation with a
diagonal precision F). Gradient learners add it to their loss; evolutionary searches subtract it from a score, or make
important weights move less.

Sources: elastic weight consolidation, Kirkpatrick et al. 2017 (PNAS 114, eq. 3); one quadratic for all tasks, Huszar
2018 (PNAS 115, letter); forgetting with a factor gamma, Schwarz et al. 2018 (Progress & Compress, section 3.2); overlap
of two tasks, Kirkpatrick et al. 2017 (supplement, 4.3); moves scaled by sensitivity, Lehman et al. 2018 (safe mutations
through gradients, section 3).
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch

from evo import seeds
from evo.learning.consolidation.importance_file import read, write

Parts = tuple[tuple[str, tuple[int, ...]], ...]


@final
@dataclass(frozen=True, eq=False)
class Importance:
    """A quadratic around what was learned, one curvature per weight.

    Attributes:
        precision: `[..., parameters]`, the curvatures F, from 0 up; as a rule a diagonal Fisher information.
        anchor: `[..., parameters]`, the weights that learned it.
        parts: names and shapes of the arrays that the parameters are, laid out one behind the other; empty where they
            are one nameless vector.

    Raises:
        ValueError: the tensors' shapes or types differ, a precision is negative, a number is not finite, or the parts
            are of another size.
    """

    precision: torch.Tensor
    anchor: torch.Tensor
    parts: Parts = ()

    def __post_init__(self) -> None:
        precision, anchor = self.precision.detach(), self.anchor.detach()
        if precision.shape != anchor.shape or precision.dim() < 1 or precision.dtype != anchor.dtype:
            raise ValueError(
                f"Importance: expected precision and anchor of one shape [..., parameters] and one type, got "
                f"{list(precision.shape)} {precision.dtype} and {list(anchor.shape)} {anchor.dtype}; were they taken "
                f"from different networks?"
            )
        if not (precision.is_floating_point() and bool(precision.isfinite().all() and anchor.isfinite().all())):
            raise ValueError(
                "Importance: expected finite real numbers; did the weights diverge? Learn in smaller steps"
            )
        if bool((precision < 0).any()):
            raise ValueError(
                f"Importance: precision: expected numbers from 0 up, got {float(precision.min()):.3g}; is it a "
                f"gradient that was not squared?"
            )
        size = sum(math.prod(shape) for _, shape in self.parts)
        if self.parts and size != precision.shape[-1]:
            raise ValueError(
                f"Importance: parts: expected sizes that add up to {precision.shape[-1]} parameters, got {size}"
            )
        object.__setattr__(self, "precision", precision)
        object.__setattr__(self, "anchor", anchor)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Importance) and self.source_digest() == other.source_digest()

    def __hash__(self) -> int:
        return hash(self.source_digest())

    def source_digest(self) -> str:
        """Return what tells it from others, as campaigns record it: a digest of its numbers."""
        digest = hashlib.sha256(f"{self.precision.dtype} {list(self.precision.shape)} {self.parts}".encode())
        for tensor in (self.precision, self.anchor):
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def pull(self) -> torch.Tensor:
        """The precision times the anchor, `[..., parameters]`: with the precision all that gradients need."""
        return self.precision * self.anchor

    def penalty(self, parameters: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
        """Return strength / 2 sum_i F_i (theta_i - anchor_i)^2, `[...]` (Kirkpatrick et al. 2017, eq. 3).

        Args:
            parameters: theta, `[..., parameters]`; leading dimensions are broadcast.
            strength: lambda. What suits one way of estimating F does not suit another.
        """
        return 0.5 * strength * (self.precision * (parameters - self.anchor).square()).sum(-1)

    def gradient(self, parameters: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
        """Return the gradient of `penalty`, `[..., parameters]`.

        Descent on it with a step size diverges where step size * strength * F is more than 2; `proximal` never does.
        """
        return strength * self.precision * (parameters - self.anchor)

    def proximal(self, parameters: torch.Tensor, strength: float) -> torch.Tensor:
        """Return the theta `[..., parameters]` that minimises |theta - parameters|^2 / 2 + penalty(theta, strength).

        Args:
            parameters: where a step without the penalty has led.
            strength: the step size times lambda.
        """
        return (parameters + strength * self.pull) / (1.0 + strength * self.precision)

    def joined(self, other: Importance) -> Importance:
        """Return the sum of two quadratics, each around its own anchor: it differs from theirs by a constant alone.

        Where neither has a precision, the anchor is the other's, the later one.
        """
        self._check_alike(other)
        precision = self.precision + other.precision
        weighed = (self.pull + other.pull) / precision
        return Importance(precision, torch.where(precision > 0, weighed, other.anchor), self.parts)

    def online(self, other: Importance, gamma: float = 1.0) -> Importance:
        """Return one quadratic around the latest anchor, where earlier precision counts gamma times (Schwarz 2018).

        Args:
            other: of the task learned last.
            gamma: from 0, where only the last task counts, to 1.
        """
        self._check_alike(other)
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"online: gamma is a share from 0 to 1 of what was important before, got {gamma}")
        return Importance(gamma * self.precision + other.precision, other.anchor, self.parts)

    def damped(self, damping: float) -> Importance:
        """Return the same with `damping` added to every precision: a diagonal says 0 where it does not know."""
        if not 0.0 <= damping < math.inf:
            raise ValueError(f"damped: damping: expected a number from 0 up, got {damping}")
        return self._with(self.precision + damping)

    def normalized(self) -> Importance:
        """Return the same with a mean precision of 1, so that strengths compare between tasks and estimates."""
        mean = self.precision.mean(-1, keepdim=True)
        if bool((mean <= 0).any()):
            raise ValueError("normalized: no weight matters at all, so there is nothing to make 1; was F estimated?")
        return self._with(self.precision / mean)

    def uniform(self) -> Importance:
        """Return the control in which all weights matter alike, as much as these do in the mean."""
        return self._with(self.precision.mean(-1, keepdim=True).expand_as(self.precision).clone())

    def shuffled(self, *, seed: int) -> Importance:
        """Return the control in which the same precisions belong to other weights, drawn at random."""
        order = seeds.rng(seed, "shuffled importance").permutation(self.precision.shape[-1])
        return self._with(self.precision[..., torch.from_numpy(order).to(self.precision.device)])

    def least_important(self, frozen: float) -> torch.Tensor:
        """Return which weights are left when the most important are frozen, booleans `[..., parameters]`.

        Args:
            frozen: the share to freeze, from 0 to 1, rounded to the nearest number of weights.
        """
        if not 0.0 <= frozen <= 1.0:
            raise ValueError(f"frozen: expected a share of the weights, from 0 to 1, got {frozen}")
        order = self.precision.argsort(dim=-1, descending=True, stable=True)
        ranks = order.argsort(-1)
        return ranks >= round(frozen * self.precision.shape[-1])

    def scales(self, damping: float, frozen: float = 0.0) -> torch.Tensor:
        """Return how far weights are to move, relative to each other, `[..., parameters]`: c / sqrt(F_i + damping).

        The c makes their root mean square 1 over the weights that are not frozen, so that a search's standard
        deviation means what it means without them. The frozen ones' are 0.

        Args:
            damping: more than 0. Weights that matter not at all would move without bound.
            frozen: the share of the most important weights that do not move at all.
        """
        if not 0.0 < damping < math.inf:
            raise ValueError(f"scales: damping: expected a number above 0, got {damping}")
        free = self.least_important(frozen)
        scales = torch.where(free, (self.precision + damping).rsqrt(), 0.0)
        square = scales.square().sum(-1, keepdim=True) / free.sum(-1, keepdim=True).clamp(min=1)
        return torch.where(free, scales / square.sqrt(), 0.0)

    def overlap(self, other: Importance) -> torch.Tensor:
        """Return how far the same weights matter for both, `[...]`: from 0, none, to 1, alike (supplement, 4.3)."""
        self._check_alike(other)
        mine, theirs = self.normalized().precision, other.normalized().precision
        distance = (mine + theirs - 2.0 * (mine * theirs).sqrt()).mean(-1)  # squared, of Frechet, at trace 1
        return 1.0 - 0.5 * distance

    def named(self, values: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return values `[..., parameters]` of the parameters as the arrays `[..., *shape]` that `parts` names."""
        sizes = [math.prod(shape) for _, shape in self.parts]
        if not sizes:
            raise ValueError("named: these parameters have no names: make the importance with parts=")
        leading = values.shape[:-1]
        pieces = torch.split(values, sizes, -1)
        return {name: piece.reshape(*leading, *shape) for (name, shape), piece in zip(self.parts, pieces, strict=True)}

    def to(self, like: torch.Tensor) -> Importance:
        """Return the same with the type and on the device of a tensor."""
        return Importance(self.precision.to(like), self.anchor.to(like), self.parts)

    def save(self, path: Path) -> None:
        """Write it to a `.npz` file, whole or not at all."""
        write(path, self.precision, self.anchor, self.parts)

    @classmethod
    def load(cls, path: Path) -> Importance:
        """Return what a file of `save` holds.

        Raises:
            evo.learning.consolidation.importance_file.ImportanceFileError: it is no such file, or a damaged one.
            FileNotFoundError: there is none.
        """
        return cls(*read(path))

    def _with(self, precision: torch.Tensor) -> Importance:
        return dataclasses.replace(self, precision=precision)

    def _check_alike(self, other: Importance) -> None:
        """Raise ValueError unless the other is of the same parameters."""
        if (self.precision.shape, self.parts) != (other.precision.shape, other.parts):
            raise ValueError(
                f"Importance: expected another of the same parameters, {list(self.precision.shape)} "
                f"{[name for name, _ in self.parts]}, got {list(other.precision.shape)} "
                f"{[name for name, _ in other.parts]}; a head that was added belongs to no importance: leave it out"
            )
