"""A genetic algorithm whose choices are learned: attention picks parents, step sizes, and who takes whose place.

Everything is for several rules on several tasks at a time; coordinates come before individuals.

Source: Lange et al. 2023 (Discovering attention-based genetic algorithms via meta-black-box optimization,
arXiv:2304.03995), section 3; evosax, the published code (features, heads, the logit of staying).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from evo.attention import attend, summed
from evo.fitness_features import features, from_zero_to_one, standardised
from evo.search_rules import SearchRules

LARGEST = 1e4
"""How far places and deviations may go; beyond, losses would stop being numbers."""
STAYING = 1.0
"""The logit of a parent that keeps its place."""


@final
@dataclass(frozen=True)
class Parents:
    """Those that may have children.

    Attributes:
        losses: `[rules, tasks, n]`, finite, less is better.
        deviations: `[rules, tasks, n]`, each one's own step size.
        ages: `[rules, tasks, n]`, generations since birth.
        best: `[rules, tasks]`, the least loss so far.
    """

    losses: torch.Tensor
    deviations: torch.Tensor
    ages: torch.Tensor
    best: torch.Tensor


@final
@dataclass(frozen=True)
class Births:
    """Which parent each child has, `[rules, tasks, children]` int64, and the deviations of their steps, likewise."""

    parents: torch.Tensor
    deviations: torch.Tensor

    def places(self, parents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return children `[rules, tasks, coordinates, children]` of parents at places, with normal noise."""
        return (taken(parents, self.parents) + self.deviations[:, :, None] * noise).clamp(-LARGEST, LARGEST)


def begin(losses: torch.Tensor, deviation: float) -> Parents:
    """Return the first parents, with losses `[rules, tasks, n]`."""
    return Parents(losses, torch.full_like(losses, deviation), torch.zeros_like(losses), losses.amin(-1))


def chances(rules: SearchRules, parents: Parents, generation: int) -> torch.Tensor:
    """Return each parent's probability of having a child, `[rules, tasks, n]`; generations count from 1."""
    ages = (parents.ages / generation - 1.0).tanh()
    shown = features(parents.losses, parents.best, ages)
    return attend(shown, shown, rules.blocks["parents_match"], rules.blocks["parents_worth"])[:, :, 0].softmax(-1)


def births(rules: SearchRules, parents: Parents, uniform: torch.Tensor, generation: int) -> Births:
    """Return whose children are born and with which step sizes, for uniform numbers `[..., children]`."""
    edges = chances(rules, parents, generation).cumsum(-1)
    chosen = (uniform[..., :, None] >= edges[..., None, :-1]).sum(-1)
    losses, deviations = parents.losses.gather(-1, chosen), parents.deviations.gather(-1, chosen)
    shown = features(losses, parents.best, standardised(deviations), from_zero_to_one(deviations))
    logarithm = attend(shown, shown, rules.blocks["steps_match"], rules.blocks["steps_worth"])[:, :, 0]
    return Births(chosen, (deviations * (0.5 * logarithm).exp()).clamp(1e-10, LARGEST))


def successors(rules: SearchRules, parents: Parents, losses: torch.Tensor, gumbel: torch.Tensor) -> torch.Tensor:
    """Return which child takes each parent's place, `[rules, tasks, parents]` int64; `children` for none.

    Args:
        rules: of the form "lga".
        parents: as they were before.
        losses: of the children, `[rules, tasks, children]`.
        gumbel: standard Gumbel noise `[..., parents, children + 1]`, which makes the choice.
    """
    old = parents.losses.shape[-1]
    shown = features(torch.cat((parents.losses, losses), -1), parents.best)
    fathers, children = shown[..., :old], shown[..., old:]
    wanted = attend(fathers, children, rules.blocks["survivors_match"], rules.blocks["survivors_worth"])
    fit = summed(wanted[:, :, place, :, None] * children[:, :, place, None] for place in range(shown.shape[2]))
    logits = torch.cat((fit, torch.full_like(fit[..., :1], STAYING)), -1)
    return (logits + gumbel).argmax(-1)


def succeeded(parents: Parents, born: Births, losses: torch.Tensor, which: torch.Tensor) -> Parents:
    """Return the parents of the next generation, for the choice of `successors`."""
    stays = which == losses.shape[-1]
    child = which.clamp(max=losses.shape[-1] - 1)
    return Parents(
        torch.where(stays, parents.losses, losses.gather(-1, child)),
        torch.where(stays, parents.deviations, born.deviations.gather(-1, child)),
        torch.where(stays, parents.ages + 1.0, 0.0),
        torch.minimum(parents.best, losses.amin(-1)),
    )


def gumbel(draws: np.random.Generator, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Return standard Gumbel noise of a shape: the largest of logits with it is a draw from their softmax."""
    uniform = torch.from_numpy(1.0 - draws.random(shape))  # never 0
    return -(-uniform.log() + 1e-30).log().to(like)


def taken(places: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Return some of places `[rules, tasks, coordinates, n]`, by their numbers `[rules, tasks, m]`."""
    return places.gather(-1, which[:, :, None].expand(-1, -1, places.shape[2], -1))
