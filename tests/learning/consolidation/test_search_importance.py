"""Importance told without gradients, against gradients."""

from __future__ import annotations

import pytest
import torch

from evo import seeds
from evo.champion import network_of
from evo.learning.consolidation.fisher import network_importance
from evo.learning.consolidation.search_importance import network_sensitivity, score_importance, sensitivity
from genomes.perceptron import Perceptron

SLOPES = torch.tensor([3.0, -1.0, 0.5, 0.0])


def population(count: int, size: int, seed: int, deviation: torch.Tensor | float) -> torch.Tensor:
    draws = torch.from_numpy(seeds.rng(seed, "population").standard_normal((count, size))).float()
    return 5.0 + deviation * draws


@pytest.mark.parametrize("deviation", [0.1, torch.tensor([0.1, 0.2, 0.4, 0.1])])
def test_a_population_tells_the_squared_gradient_of_a_linear_score(deviation: torch.Tensor | float) -> None:
    weights = population(200_000, 4, 0, deviation)
    found = score_importance(weights, weights @ SLOPES, deviation)
    torch.testing.assert_close(found, SLOPES**2, rtol=0.05, atol=0.05)


def test_the_noise_of_small_populations_is_taken_off() -> None:
    weights = torch.stack([population(16, 4, seed, 0.1) for seed in range(2000)])
    scores = torch.from_numpy(seeds.rng(0, "scores").standard_normal((2000, 16))).float()  # of chance alone
    naive = ((weights - weights.mean(1, keepdim=True)) / 0.1 * scores[..., None]).mean(1).square().mean(0) / 0.1**2
    found = score_importance(weights, scores, 0.1)
    assert float(naive.min()) > 5.0  # what the square of a mean of 16 would make of it
    assert float(found.max()) < 1.0


def test_at_an_optimum_scores_tell_nothing_though_weights_matter() -> None:
    weights = population(100_000, 2, 0, 0.1)
    scores = -((weights - 5.0) ** 2 @ torch.tensor([10.0, 1.0]))
    assert float(score_importance(weights, scores, 0.1).max()) < 1e-2


def test_scores_that_cannot_tell_are_refused() -> None:
    weights = population(8, 4, 0, 1.0)
    with pytest.raises(ValueError, match="leave failed individuals out"):
        score_importance(weights, torch.full((8,), torch.nan), 1.0)
    with pytest.raises(ValueError, match="3 individuals or more"):
        score_importance(weights, torch.zeros(7), 1.0)


def test_sensitivity_of_outputs_is_their_mean_squared_slope() -> None:
    cases = torch.randn(30, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def answers(weights: torch.Tensor) -> torch.Tensor:
        return torch.stack([(cases * weights[:, None]).sum(2), 2.0 * (cases * weights[:, None]).sum(2)], 2)

    anchor = torch.zeros(3, dtype=torch.float64)
    found = sensitivity(answers, anchor, probabilities=False)
    torch.testing.assert_close(found, 5.0 * cases.square().mean(0))
    with pytest.raises(ValueError, match="step: expected"):
        sensitivity(answers, anchor, 0.0)


def test_moving_one_weight_at_a_time_finds_the_exact_fisher_information() -> None:
    genome = Perceptron(5, 4, (70,))  # more weights than are moved at once
    rows = genome.sample(2, seeds.rng(0, "sample"))
    cases = torch.randn(25, 5, generator=torch.Generator().manual_seed(0))
    networks = genome.express(rows)
    network = network_of(genome, rows[1], tuple("abcde"), tuple("wxyz"))
    exact = network_importance(network, cases)
    found = network_sensitivity(networks[1:2], cases)
    torch.testing.assert_close(found.anchor, exact.anchor)
    torch.testing.assert_close(found.precision, exact.precision, rtol=1e-2, atol=1e-6)
    with pytest.raises(ValueError, match="expected one"):
        network_sensitivity(networks, cases)
