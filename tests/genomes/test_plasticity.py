"""Coefficients of plasticity as genes: which columns are what."""

import numpy as np
import pytest
import torch

from genomes.plasticity import Plasticity
from problems.meta.navigation import Navigation


def counted(genome: Plasticity) -> torch.Tensor:
    return genome.layout.rows(numbers=np.arange(2 * genome.layout.genes).reshape(2, -1) / 100)


def test_columns_are_coefficients_kind_by_kind() -> None:
    genome = Plasticity(2, 1, hidden=(3,))  # 3 * 3 + 1 * 4 connections
    networks = genome.express(counted(genome))
    assert genome.layout.genes == 5 * 13
    assert networks.weights is None
    for kind in range(5):
        expected = torch.stack([torch.arange(13) + 13 * kind, torch.arange(13) + 13 * kind + 65]) / 100
        torch.testing.assert_close(networks.coefficients[:, kind], expected.float())
    first, second = networks.layers(networks.coefficients)
    assert (first.shape, second.shape) == ((2, 5, 3, 3), (2, 5, 1, 4))
    assert second[0, 0, 0].tolist() == pytest.approx([0.09, 0.10, 0.11, 0.12])


def test_weights_are_the_last_columns_where_they_evolve() -> None:
    genome = Plasticity(2, 1, hidden=(3,), evolved_weights=True)
    weights = genome.express(counted(genome)).weights
    assert weights is not None
    torch.testing.assert_close(weights[0], (torch.arange(13) + 65).float() / 100)


def test_a_trace_has_strengths_weights_and_one_rate() -> None:
    genome = Plasticity(2, 1, hidden=(3,), rule="trace")
    networks = genome.express(counted(genome))
    assert genome.layout.genes == 27
    assert networks.weights is not None
    torch.testing.assert_close(networks.coefficients[0, 0], torch.arange(13).float() / 100)
    torch.testing.assert_close(networks.weights[0], (torch.arange(13) + 13).float() / 100)
    rate = 1 / (1 + np.exp(-0.26))
    assert networks.coefficients[0, 1].tolist() == pytest.approx([rate] * 13)


def test_it_is_made_for_a_problem() -> None:
    assert Plasticity.for_problem(Navigation(), hidden=[3]).sizes == (6, 3, 2)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="rule is one of abcd, trace, got 'oja'"):
        Plasticity(2, 1, rule="oja")
    with pytest.raises(ValueError, match=r"1 unit or more, got \(2, 0, 1\)"):
        Plasticity(2, 1, hidden=(0,))
