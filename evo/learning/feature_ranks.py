"""How many dimensions features span: the ranks that are told of networks which lose their plasticity."""

from __future__ import annotations

import math

import torch

STABLE_SHARE = 0.99
"""Of the sum of singular values, in the stable rank."""


def feature_ranks(features: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return how many dimensions features span, by three definitions, `[n]` float64, for `[n, cases, units]`.

    With the singular values s of a matrix `[cases, units]`, in falling order:

    - `effective_rank`: exp(-sum p log p) with p = s / sum s (Roy & Vetterli 2007, definition 1).
    - `stable_rank`: the least k for which s_1 + ... + s_k reach 99 % of sum s, as in Dohare et al. 2024.
    - `stable_rank_frobenius`: sum s^2 / s_1^2, what elsewhere is called the stable rank (Rudelson & Vershynin 2007).

    All are 0 for a matrix of zeros, and NaN where it has numbers that are not finite.
    """
    values = singular_values(features)
    total = values.sum(1, keepdim=True)
    shares = values / total
    below = values.cumsum(1) < STABLE_SHARE * total * (1.0 - 1e-9)  # sums of equal values reach 99 % despite rounding
    ranks = {
        "effective_rank": torch.special.entr(shares).sum(1).exp(),
        "stable_rank": below.sum(1) + 1.0,
        "stable_rank_frobenius": (values / values[:, :1]).square().sum(1),
    }
    nothing, broken = total[:, 0] == 0, total[:, 0].isnan()
    return {
        name: rank.masked_fill(nothing, 0.0).masked_fill(broken, math.nan).to(torch.float64)
        for name, rank in ranks.items()
    }


def singular_values(features: torch.Tensor) -> torch.Tensor:
    """Return singular values in falling order, `[n, min(cases, units)]` float64, for `[n, cases, units]` float32.

    They are roots of eigenvalues of the smaller product of the matrix with itself, in float64: as exact as a singular
    value decomposition in float32, for a fraction of its time and memory, and without its failures to converge. What
    rounding cannot tell from 0 is 0.
    """
    cases, units = features.shape[1:]
    finite = features.isfinite().all(dim=2).all(dim=1)
    products = features.new_zeros(len(features), min(cases, units), min(cases, units), dtype=torch.float64)
    for number, one in enumerate(features):  # one by one: in a batched product bits may depend on the neighbours
        one = torch.where(finite[number], one, 0.0).to(torch.float64)
        products[number] = one @ one.T if cases < units else one.T @ one
    squares = _eigenvalues(products).flip(1)
    noise = squares[:, :1] * max(cases, units) * torch.finfo(torch.float64).eps
    values = squares.masked_fill(squares <= noise, 0.0).sqrt()
    return values.masked_fill(~finite[:, None], math.nan)


def _eigenvalues(products: torch.Tensor) -> torch.Tensor:
    """Return eigenvalues of symmetric matrices `[n, m, m]` in rising order `[n, m]`; NaN where none are found."""
    try:
        values: torch.Tensor = torch.linalg.eigvalsh(products)
        return values
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        if len(products) == 1:
            return products.new_full(products.shape[:2], math.nan)
        return torch.cat([_eigenvalues(product[None]) for product in products])
