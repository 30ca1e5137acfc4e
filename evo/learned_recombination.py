"""A search distribution that a learned rule moves: weights for samples by their losses, rates for each coordinate.

Everything is for several rules on several tasks at a time; coordinates come before samples.

Sources: Lange et al. 2023 (arXiv:2211.11260), section 3 ("les") and 5 ("des"); evosax, the published code (paths, time
scales). The attention's logits are divided by nothing, as `evo.attention` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from evo.attention import attend, summed
from evo.fitness_features import centred_ranks, features
from evo.search_rules import TIMES, SearchRules

PATH_RATES = (0.1, 0.5, 0.9)
LARGEST = 1e4
"""How far centres and deviations may go; beyond, losses would stop being numbers."""


@final
@dataclass(frozen=True)
class Distribution:
    """Independent normal distributions, and what rules remember.

    Attributes:
        center, deviation: `[rules, tasks, coordinates]`.
        best: `[rules, tasks]`, the least loss so far.
        paths: of the centre's moves and of the same in units of the deviation, each at three rates, `[rules, tasks,
            coordinates]`.
    """

    center: torch.Tensor
    deviation: torch.Tensor
    best: torch.Tensor
    paths: tuple[torch.Tensor, ...]

    def places(self, noise: torch.Tensor) -> torch.Tensor:
        """Return samples `[rules, tasks, coordinates, n]` for standard normal noise `[..., coordinates, n]`."""
        return self.center[..., None] + self.deviation[..., None] * noise


def begin(center: torch.Tensor, deviation: float) -> Distribution:
    """Return the distribution around centres `[rules, tasks, coordinates]`, equally wide everywhere."""
    still = torch.zeros_like(center)
    best = torch.full_like(center[..., 0], torch.inf)
    return Distribution(center, torch.full_like(center, deviation), best, (still,) * (2 * len(PATH_RATES)))


def weights(rules: SearchRules, losses: torch.Tensor, best: torch.Tensor) -> torch.Tensor:
    """Return the weights of recombination, `[rules, tasks, n]`: 0 or more, with a sum of 1.

    Args:
        rules: of the form "des", which looks at ranks alone, or "les".
        losses: `[rules, tasks, n]`, finite, less is better.
        best: `[rules, tasks]`, the least loss of earlier generations.
    """
    blocks = rules.blocks
    if rules.form == "des":  # softmax(-20 sigmoid(12.5 (rank / (n - 1) - 1/2)))
        height, steepness = (blocks[name].exp()[:, None] for name in ("log_height", "log_steepness"))
        return (-height * sigmoid(steepness * centred_ranks(losses))).softmax(-1)
    shown = features(losses, best)
    return attend(shown, shown, blocks["match"], blocks["worth"])[:, :, 0].softmax(-1)


def update(
    rules: SearchRules, before: Distribution, places: torch.Tensor, losses: torch.Tensor, generation: int
) -> Distribution:
    """Return the distribution after a generation.

    Args:
        rules: n of them, with parameters of the type of `places`.
        before: the distribution that the samples were drawn from.
        places: `[rules, tasks, coordinates, n]`.
        losses: `[rules, tasks, n]`, finite, less is better.
        generation: counted from 0.
    """
    shares = weights(rules, losses, before.best)[:, :, None]
    away = places - before.center[..., None]
    move = (shares * away).sum(-1)
    width = ((shares * away.square()).sum(-1) + 1e-8).sqrt()
    paths = _paths(before, move)
    center_rate, deviation_rate = _rates(rules, paths, generation)
    return Distribution(
        center=(before.center + center_rate * move).clamp(-LARGEST, LARGEST),
        deviation=(before.deviation + deviation_rate * (width - before.deviation)).clamp(0.0, LARGEST),
        best=torch.minimum(before.best, losses.amin(-1)),
        paths=paths,
    )


def _paths(before: Distribution, move: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return moving averages of the moves, and of the moves in units of the deviation."""
    relative = move / before.deviation.clamp(min=1e-10)
    seen = [move] * len(PATH_RATES) + [relative] * len(PATH_RATES)
    return tuple(
        (1.0 - rate) * path + rate * new for rate, path, new in zip(PATH_RATES * 2, before.paths, seen, strict=True)
    )


def _rates(rules: SearchRules, paths: tuple[torch.Tensor, ...], generation: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rates of centre and deviation, for "des" `[rules, 1, 1]`, for "les" `[rules, tasks, coordinates]`."""
    blocks = rules.blocks
    if rules.form == "des":
        center_rate, deviation_rate = blocks["log_rates"].exp()[..., None, None].unbind(1)
        return center_rate, deviation_rate
    into, out = blocks["hidden"][:, None, :, :, None], blocks["rates"][:, :, :, None, None]
    times = (generation / torch.tensor(TIMES).to(paths[0]) - 1.0).tanh()
    constant = (blocks["hidden"][:, :, len(paths) :] * times).sum(-1) + blocks["hidden_biases"]
    sums = summed(path[:, :, None] * into[:, :, :, place] for place, path in enumerate(paths))
    hidden = (sums + constant[:, None, :, None]).clamp(min=0.0)  # [rules, tasks, hidden, coordinates]
    answers = [
        summed(hidden[:, :, unit] * out[:, which, unit] for unit in range(hidden.shape[2]))
        + blocks["rate_biases"][:, which, None, None]
        for which in (0, 1)
    ]
    return sigmoid(answers[0]), sigmoid(answers[1])


def sigmoid(values: torch.Tensor) -> torch.Tensor:
    """Return 1 / (1 + e^-x); by the hyperbolic tangent, whose bits do not depend on how many values there are."""
    return 0.5 * (0.5 * values).tanh() + 0.5
