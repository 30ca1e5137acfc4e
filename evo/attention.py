"""Attention with matrices of each rule's own (Vaswani et al. 2017, equation 1), for a few features of many samples.

Queries, keys, values and what follows them are linear in the features, of which the last is always 1. So the matrices
of queries and keys are one, their product (`match`), and those of values and outputs likewise (`worth`): the same
functions with fewer parameters. Factors such as 1 / sqrt(d) are part of `match`.

Sums over features are made term after term: products of matrices have other last bits in another batch.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable

import torch


def attend(asking: torch.Tensor, asked: torch.Tensor, match: torch.Tensor, worth: torch.Tensor) -> torch.Tensor:
    """Return what attention answers, `[rules, tasks, outputs, n]`, the sum over heads.

    Args:
        asking: features of those that ask, `[rules, tasks, a, n]`.
        asked: features of those that are asked, `[rules, tasks, b, m]`.
        match: `[rules, heads, a, b]`.
        worth: `[rules, heads, b, outputs]`.
    """
    turned = summed(  # [rules, tasks, heads, b, n]
        asking[:, :, None, place, None] * match[:, None, :, place, :, None] for place in range(match.shape[2])
    )
    values = summed(  # [rules, tasks, heads, outputs, m]
        asked[:, :, None, place, None] * worth[:, None, :, place, :, None] for place in range(worth.shape[2])
    )
    logits = summed(  # [rules, tasks, heads, n, m]
        turned[:, :, :, place, :, None] * asked[:, :, None, place, None] for place in range(match.shape[3])
    )
    shares = logits.softmax(-1)  # Vaswani et al., (1)
    answers = (shares[:, :, :, None] * values[..., None, :]).sum(-1)
    return summed(answers[:, :, head] for head in range(match.shape[1]))


def summed(terms: Iterable[torch.Tensor]) -> torch.Tensor:
    """Return the sum of one tensor or more, from the first to the last."""
    return functools.reduce(operator.add, terms)
