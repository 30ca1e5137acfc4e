"""A lifetime in which connections change by a Hebbian rule of their own, step by step, and no gradient is followed.

Sources: Najarro & Risi 2020 (Meta-learning through Hebbian plasticity in random networks, arXiv:2007.02686), section 3:
weights are drawn at random at the beginning of a life, and rules evolve; Miconi, Clune & Stanley 2018 (Differentiable
plasticity, arXiv:1804.02464), section 2. Rules are in `evo.plastic`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from evo import seeds
from evo.learning.lifetimes.walks import Act, Walks, fits
from evo.plastic import PlasticNetworks
from evo.points import PointTasks

LARGEST_WEIGHT = 0.1
"""Weights that are drawn at birth are uniform up to this (Najarro & Risi 2020, section 4)."""
LEAST = 1e-12
Coefficients = tuple[torch.Tensor, ...]
Change = Callable[[torch.Tensor, Coefficients, torch.Tensor, torch.Tensor], torch.Tensor]


@final
@dataclass(frozen=True)
class Hebbian(Walks):
    """Walk by a network that its own activity changes, from the first step of a trial to the last.

    Attributes:
        normalized: whether each matrix of weights is divided by its largest after every step, as the article does
            where weights would grow without end; of rule "abcd" alone.

    Raises:
        ValueError: when lived, weights to be normalized are those of rule "trace", which stay as they are.
    """

    accepts: ClassVar[type] = PlasticNetworks

    normalized: bool = False

    def act(self, phenotypes: PlasticNetworks, tasks: PointTasks, *, seed: int) -> Act:
        """Return how newborn networks answer, each on each task with weights of its own from then on."""
        fits(phenotypes.sizes[0], phenotypes.sizes[-1], "networks")
        return living(phenotypes, born(phenotypes, len(tasks), seed=seed), normalized=self.normalized)


def born(networks: PlasticNetworks, tasks: int, *, seed: int) -> torch.Tensor:
    """Return weights at birth, `[n or 1, tasks, connections]`: the networks' own, or drawn, the same for all."""
    if networks.weights is not None:
        return networks.weights[:, None].expand(-1, tasks, -1)
    draws = seeds.uniform(seeds.rng(seed, "weights at birth"), (tasks, networks.coefficients.shape[2]), torch.empty(0))
    return (LARGEST_WEIGHT * (2.0 * draws - 1.0)).to(networks.coefficients)[None]


def living(networks: PlasticNetworks, weights: torch.Tensor, *, normalized: bool = False) -> Act:
    """Return how networks answer that change with every answer, all on all tasks at once, by batched products.

    Args:
        networks: n of them.
        weights: at birth, `[n or 1, tasks, connections]`.
        normalized: see `Hebbian`.

    Raises:
        ValueError: weights are to be normalized that the rule leaves as they are.
    """
    if normalized and networks.rule == "trace":
        raise ValueError(
            "Hebbian: normalized: expected networks whose weights change, of rule 'abcd', got rule 'trace', whose "
            "weights stay and whose traces decay; use normalized=False, or Plasticity(rule='abcd')"
        )
    tracing = networks.rule == "trace"
    change: Change = _traced if tracing else _abcd
    fixed = networks.layers(weights.expand(len(networks), -1, -1))  # [n, tasks, units, 1 + inputs]
    state = [torch.zeros_like(layer) for layer in fixed] if tracing else list(fixed)
    rules = [_prepared(networks.rule, layer) for layer in networks.layers(networks.coefficients)]

    def answer(observed: torch.Tensor, awake: torch.Tensor) -> torch.Tensor:
        values, everyone = observed, bool(awake.all())
        for number, coefficients in enumerate(rules):
            now = state[number]
            counts = torch.addcmul(fixed[number], coefficients[0], now) if tracing else now
            before = torch.cat((torch.ones_like(values[..., :1]), values), -1).unsqueeze(-2)
            values = torch.tanh(before @ counts.mT).squeeze(-2)
            after = change(now, coefficients, before, values.unsqueeze(-1))
            if normalized:
                after = after / after.abs().amax((-2, -1), keepdim=True).clamp_min(LEAST)
            state[number] = after if everyone else torch.where(awake[..., None, None], after, now)
        return values

    return answer


def _prepared(rule: str, layer: torch.Tensor) -> Coefficients:
    """Return a layer's coefficients `[n, 1, units, 1 + inputs]`, each; of "abcd" already multiplied with the rate."""
    parts = layer.unsqueeze(2).unbind(1)
    return tuple(part * parts[4] for part in parts[:4]) if rule == "abcd" else parts


def _abcd(now: torch.Tensor, coefficients: Coefficients, before: torch.Tensor, behind: torch.Tensor) -> torch.Tensor:
    a, b, c, d = coefficients
    # Najarro & Risi, equation 1, (A o_j + B) o_i + (C o_j + D) with the rate in all four
    return now + torch.addcmul(torch.addcmul(d, c, behind), torch.addcmul(b, a, behind), before)


def _traced(now: torch.Tensor, coefficients: Coefficients, before: torch.Tensor, behind: torch.Tensor) -> torch.Tensor:
    return torch.lerp(now, before * behind, coefficients[1].expand_as(now))  # Miconi et al., equation 2
