"""How much each weight matters, told without gradients: for searches, and for what has none.

Two estimates, of two different things:

- `score_importance` looks at an evolution strategy's own population: the squared gradient of the score itself, smoothed
  over the population's spread. It costs nothing, since scores are there. At an optimum that gradient is 0 although
  weights matter, so it is for the way to one (taken over many generations), not for its end: it is the gradient-free
  relative of the "batched" Fisher information, with all cases in one batch.
- `sensitivity` moves one weight at a time and looks at the answers, case by case: the exact Fisher information, by
  central differences, for twice as many passes forward as there are weights; batched, a second for thousands.

Sources: the gradient of a smoothed score, Wierstra et al. 2014 (Natural Evolution Strategies, eq. 2) and Salimans et
al. 2017 (eq. 1); sensitivity of outputs, Lehman et al. 2018 (safe mutations through output gradients, section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from evo.learning.consolidation.importance import Importance
from evo.networks import Networks

Answers = Callable[[torch.Tensor], torch.Tensor]
"""From weights `[n, parameters]` to outputs `[n, cases, outputs]`."""

AT_ONCE = 256
"""How many moved networks are run together."""


def score_importance(weights: torch.Tensor, scores: torch.Tensor, deviation: torch.Tensor | float) -> torch.Tensor:
    """Return estimates `[parameters]` of the squared gradient of a score, in score^2 per weight^2.

    With moves eps = (weights - their mean) / deviation, the mean of score * eps is deviation times the gradient of the
    smoothed score. The square of that mean is too large by its own variance, of about 1 / n of the scores', which
    drowns all but steep weights; it is taken off, and what falls below 0 is 0.

    Args:
        weights: `[..., n, parameters]`, populations drawn from normal distributions; the estimates of all leading
            dimensions, such as generations, are averaged.
        scores: `[..., n]`, finite.
        deviation: of the distributions, a number or `[parameters]`.

    Raises:
        ValueError: there are fewer than 3 individuals, or a score is not finite.
    """
    count = weights.shape[-2] if weights.dim() > 1 else 0
    if count < 3 or scores.shape != weights.shape[:-1]:
        raise ValueError(
            f"score_importance: expected weights [..., n, parameters] of 3 individuals or more and scores [..., n], "
            f"got {list(weights.shape)} and {list(scores.shape)}"
        )
    if not bool(scores.isfinite().all()):
        raise ValueError("score_importance: expected finite scores: leave failed individuals out")
    deviations = torch.as_tensor(deviation).to(weights)
    moves = (weights - weights.mean(-2, keepdim=True)) / deviations
    products = moves * (scores - scores.mean(-1, keepdim=True)).to(moves)[..., None]
    noise = products.var(-2) / count
    squares = products.mean(-2).square() - noise
    return (squares.reshape(-1, squares.shape[-1]).mean(0) / deviations.square()).clamp(min=0.0)


def sensitivity(
    answers: Answers, anchor: torch.Tensor, step: float = 1e-2, *, probabilities: bool = True
) -> torch.Tensor:
    """Return how much answers change when one weight does, squared, per weight^2: `[parameters]`.

    Args:
        answers: runs many networks at once.
        anchor: the weights `[parameters]` around which each is moved.
        step: how far, either way.
        probabilities: whether outputs are logits: log-probabilities are compared, weighed by the probabilities, which
            gives the exact Fisher information up to the square of `step`. Otherwise outputs themselves are compared,
            all alike: the Fisher information of a normal distribution of variance 1 around them.

    Raises:
        ValueError: `step` is not positive.
    """
    if not step > 0:
        raise ValueError(f"sensitivity: step: expected a number above 0, got {step}")
    weighing = answers(anchor[None])[0].softmax(-1) if probabilities else torch.ones(())
    found = []
    for first in range(0, len(anchor), AT_ONCE):
        places = torch.arange(first, min(first + AT_ONCE, len(anchor)), device=anchor.device)
        moves = torch.zeros(len(places), len(anchor)).to(anchor)
        moves[torch.arange(len(places)), places] = step
        ahead, behind = answers(anchor + moves), answers(anchor - moves)
        if probabilities:
            ahead, behind = ahead.log_softmax(-1), behind.log_softmax(-1)
        slopes = (ahead - behind) / (2.0 * step)
        found.append((weighing * slopes.square()).sum(-1).mean(-1))
    return torch.cat(found)


def network_sensitivity(
    network: Networks, cases: torch.Tensor, step: float = 1e-2, *, probabilities: bool = True
) -> Importance:
    """Return how much each connection's weight of a network matters for its outputs; see `sensitivity`.

    Args:
        network: a population of one.
        cases: `[cases, inputs]`.
        step, probabilities: see `sensitivity`.
    """
    if len(network) != 1:
        raise ValueError(f"network_sensitivity: network: expected one, such as networks[3:4], got {len(network)}")

    def answers(weights: torch.Tensor) -> torch.Tensor:
        return network.tile(len(weights)).with_weights(weights).forward(cases)

    anchor = network.edge_weights.clone()
    return Importance(sensitivity(answers, anchor, step, probabilities=probabilities), anchor)
