"""Species: groups of similar genomes that share their fitness, so that new structures have time to improve.

Source: NEAT, Stanley & Miikkulainen 2002, section 3.3, and section 4.1 for what becomes of species that stagnate.
Genomes need nothing for it but a distance. Rows may be on any device; all else, numbers by genome and by species, is on
the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch

Distance = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From rows `[n, L]` and others `[m, L]` to their distances `[n, m]`: `Genome.distance`."""

THRESHOLD_FACTOR = 1.1
"""What the threshold is multiplied with, or divided by, in a generation that has too many species, or too few."""

SMOOTHING = 3
"""Where scores are chance too: a generation's mean moves what a species has reached by a third of their difference."""

CANDIDATES = 32
"""Genomes that fit no species are compared with so many of themselves at once, the next founders among them."""


@dataclass(frozen=True)
class Species:
    """What is remembered of k species from one generation to the next, oldest first.

    Attributes:
        representatives: `[k, L]` a genome of each, from the last generation.
        best: `[k]` float64, the best fitness that any member ever had, or where scores are chance too the best `level`;
            minus infinity before there is one.
        improved: `[k]` int64, the generation in which that was.
        level: `[k]` float64, where scores are chance too: the members' mean fitness, smoothed; else NaN.
        threshold: a genome closer than this to a species' representative may belong to it.
        record: the best fitness that any genome ever had, or where scores are chance too the best mean of a generation.
        record_generation: the generation in which that was.
    """

    representatives: torch.Tensor
    best: torch.Tensor
    improved: torch.Tensor
    level: torch.Tensor
    threshold: float
    record: float = -math.inf
    record_generation: int = 0

    @classmethod
    def none(cls, rows: torch.Tensor, threshold: float) -> Self:
        """Return no species yet, of rows like these."""
        none = torch.empty(0, dtype=torch.float64)
        return cls(rows[:0], none, torch.empty(0, dtype=torch.int64), none, threshold)

    def __len__(self) -> int:
        return len(self.best)

    def divide(self, rows: torch.Tensor, distance: Distance, generation: int) -> tuple[Self, torch.Tensor]:
        """Return the species of a new generation's rows `[n, L]`, and which one each row belongs to `[n]`.

        Species that no row belongs to are gone.
        """
        labels, founders = assign(rows, self.representatives, self.threshold, distance)
        grown = replace(
            self,
            representatives=torch.cat((self.representatives, rows[founders])),
            best=torch.cat((self.best, self.best.new_full((len(founders),), -math.inf))),
            improved=torch.cat((self.improved, self.improved.new_full((len(founders),), generation))),
            level=torch.cat((self.level, self.level.new_full((len(founders),), math.nan))),
        )
        living = torch.bincount(labels, minlength=len(grown)) > 0
        return grown.only(living), (living.cumsum(0) - 1)[labels]

    def only(self, kept: torch.Tensor) -> Self:
        """Return the species kept, given as places or booleans."""
        return replace(
            self,
            representatives=self.representatives[kept],
            best=self.best[kept],
            improved=self.improved[kept],
            level=self.level[kept],
        )

    def judged(self, members: Members, generation: int, stochastic: bool = False) -> Self:
        """Return the species, with how fit this generation's members are remembered.

        Args:
            members: this generation's.
            generation: its number.
            stochastic: whether scores are chance too. The best of many would then be luck that no later generation can
                beat, however much better it is, so means are remembered in its place.
        """
        level = self._level(members.mean()) if stochastic else self.level
        reached = level.nan_to_num(nan=-math.inf) if stochastic else members.best()
        better = reached > self.best
        judged = replace(
            self,
            best=torch.where(better, reached, self.best),
            improved=self.improved.masked_fill(better, generation),
            level=level,
        )
        record = float(members.fitness.nanmean() if stochastic else reached.max())
        return replace(judged, record=record, record_generation=generation) if record > self.record else judged

    def _level(self, mean: torch.Tensor) -> torch.Tensor:
        """Return the smoothed means `[k]` after a generation's; where all members have failed, they stay."""
        moved = torch.where(self.level.isnan(), mean, self.level + (mean - self.level) / SMOOTHING)
        return torch.where(mean.isnan(), self.level, moved)

    def protected(self, members: Members, elitism: int) -> torch.Tensor:
        """Return which species have offspring in any case, booleans `[k]`: so many, those with the best members now."""
        protected = torch.zeros(len(self), dtype=torch.bool)
        protected[torch.argsort(members.best(), descending=True, stable=True)[:elitism]] = True
        return protected

    def reproducing(
        self, members: Members, generation: int, stagnation: int, narrowing: int, elitism: int
    ) -> torch.Tensor:
        """Return which of the species just judged have offspring, booleans `[k]`.

        Args:
            members: this generation's.
            generation: its number.
            stagnation: so many generations without improvement end a species.
            narrowing: after more generations than this without a new record, the best species alone have offspring for
                one generation, and again after as many, until there is one.
            elitism: see `protected`.
        """
        protected = self.protected(members, elitism)
        waited = generation - self.record_generation
        if waited and waited % (narrowing + 1) == 0:
            return protected
        return protected | (generation - self.improved < stagnation)

    def towards(self, target: int) -> Self:
        """Return the species with a threshold that brings their number closer to `target`."""
        factor = 1.0 if len(self) == target else THRESHOLD_FACTOR if len(self) > target else 1.0 / THRESHOLD_FACTOR
        return replace(self, threshold=self.threshold * factor)


@dataclass(frozen=True)
class Members:
    """The n genomes of one generation, by their places: how fit they are, and of which of k species.

    Attributes:
        fitness: `[n]` float64, more is better; NaN where an evaluation failed.
        labels: `[n]` int64, the species of each, 0 to k - 1; each has a member.
    """

    fitness: torch.Tensor
    labels: torch.Tensor

    def sizes(self) -> torch.Tensor:
        """Return how many members each species has `[k]`."""
        return torch.bincount(self.labels)

    def best(self) -> torch.Tensor:
        """Return the best fitness in each species `[k]`; minus infinity where all have failed."""
        lowest = self.fitness.new_full((len(self.sizes()),), -math.inf)
        return lowest.scatter_reduce(0, self.labels, self.fitness.masked_fill(self.fitness.isnan(), -math.inf), "amax")

    def mean(self) -> torch.Tensor:
        """Return the mean fitness in each species `[k]` of those that have not failed; NaN where all have."""
        succeeded = ~self.fitness.isnan()
        count = torch.zeros_like(self.sizes()).index_add(0, self.labels, succeeded.to(torch.int64))
        total = self.fitness.new_zeros(len(count)).index_add(0, self.labels, self.fitness.nan_to_num(nan=0.0))
        return total / count  # 0 / 0 is NaN

    def ranked(self) -> torch.Tensor:
        """Return all places `[n]`, species by species, in each from best to worst; failed ones are last."""
        order = torch.argsort(-self.fitness, stable=True)  # NaN counts as greater than all
        return order[torch.argsort(self.labels[order], stable=True)]

    def champions(self) -> torch.Tensor:
        """Return the place of the best member of each species `[k]`."""
        return self.ranked()[begins(self.sizes())]

    def survivors(self, ratio: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return who may have offspring: the best of each species, `ratio` of it (rounded down) and one more.

        One more, as in the authors' program: so a small species has somebody, and often somebody to mate with. Those
        whose evaluation failed are not among them, unless all of a species have failed: then there is one.

        Returns:
            The survivors' places, ordered as by `ranked`, and how many each species has `[k]`.
        """
        sizes = self.sizes()
        succeeded = torch.bincount(self.labels[~self.fitness.isnan()], minlength=len(sizes))
        kept = torch.minimum((ratio * sizes).to(torch.int64) + 1, succeeded.clamp(min=1))
        places = self.ranked()
        rank = torch.arange(len(places)) - begins(sizes)[self.labels[places]]
        return places[rank < kept[self.labels[places]]], kept

    def offspring(self, allowed: torch.Tensor, certain: torch.Tensor, population: int) -> torch.Tensor:
        """Return how many of the next generation each species gets `[k]` (int64), `population` in all.

        Fitness is shared explicitly (equation 2): a genome's counts divided by the size of its species, so a species
        gets a number in proportion to its mean fitness. Fitness counts from the generation's worst, which lets it be
        negative; a failed evaluation counts as the worst. Where all are equal, species get equal numbers. Fractions
        are rounded by largest remainder, the older species first. A mean says nothing of the best member, so some
        species are certain of a place; those with most places make room for them.

        Args:
            allowed: which species have offspring at all, booleans `[k]`, at least one.
            certain: which of these have at least one.
            population: how many there will be.
        """
        finite = self.fitness[~self.fitness.isnan()]
        worst = finite.min() if len(finite) else 0.0
        above = (self.fitness - worst).nan_to_num(nan=0.0)
        adjusted = above / self.sizes()[self.labels]  # equation 2
        share = torch.zeros_like(allowed, dtype=torch.float64).index_add(0, self.labels, adjusted) * allowed
        if not bool(share.sum() > 0):
            share = allowed.to(torch.float64)
        quota = population * share / share.sum()
        whole = quota.floor().to(torch.int64)
        most = torch.argsort(quota - whole, descending=True, stable=True)
        whole[most[: population - int(whole.sum())]] += 1
        lacking = certain & (whole == 0)
        whole[lacking] = 1
        for _ in range(int(lacking.sum())):
            whole[whole.argmax()] -= 1
        return whole


def assign(
    rows: torch.Tensor, representatives: torch.Tensor, threshold: float, distance: Distance
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which species each row belongs to `[n]` (int64), and which rows have founded new ones, in order.

    In order of rows, each joins the first species to whose representative its distance is less than the threshold; one
    that fits none founds a new one, and is its representative. New species have the numbers behind the old ones.

    Args:
        rows: genomes `[n, L]`.
        representatives: `[k, L]`, of the species there are.
        threshold: see above.
        distance: see `Distance`.
    """
    labels = torch.full((len(rows),), -1, dtype=torch.int64)
    if len(representatives):
        near = (distance(rows, representatives) < threshold).cpu()
        labels = torch.where(near.any(1), near.to(torch.int8).argmax(1), labels)
    left = torch.nonzero(labels < 0).flatten()
    founders: list[int] = []
    while len(left):
        candidates = left[:CANDIDATES]
        near = (distance(rows[left], rows[candidates]) < threshold).cpu()
        for place, candidate in enumerate(candidates.tolist()):
            if labels[candidate] < 0:
                labels[left[near[:, place] & (labels[left] < 0)]] = len(representatives) + len(founders)
                labels[candidate] = len(representatives) + len(founders)  # whatever its distance to itself
                founders.append(candidate)
        left = left[labels[left] < 0]
    return labels, torch.tensor(founders, dtype=torch.int64)


def begins(sizes: torch.Tensor) -> torch.Tensor:
    """Return where each group begins `[k]` in a list that has groups of these sizes, one behind the other."""
    return sizes.cumsum(0) - sizes


def pick(groups: torch.Tensor, sizes: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """Return one position in each of some groups `[c]`, uniformly, in a list that has groups one behind the other.

    Args:
        groups: which groups to pick from `[c]`.
        sizes: how many positions each group has `[k]`.
        draws: `[c]` from [0, 1).
    """
    return begins(sizes)[groups] + (draws * sizes[groups]).to(torch.int64)
