"""Diagnostics against closed forms, numpy and scipy, one network at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
import torch

from evo.learners import ACTIVATIONS, SETTINGS, Architecture, Convolution, Learners, Rules
from evo.learning import diagnostics
from evo.learning.diagnostics import diagnose
from evo.learning.feature_ranks import feature_ranks, singular_values

FUNCTIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "swish": lambda z: z / (1 + np.exp(-z)),
    "linear": lambda z: z,
}


def learners_of(architecture: Architecture, activations: list[str], seed: int = 0, scale: float = 1.0) -> Learners:
    generator = torch.Generator().manual_seed(seed)
    n, units = len(activations), architecture.units
    numbers = torch.arange(n)
    weights = scale * torch.randn((n, architecture.parameters), generator=generator)
    state = torch.zeros((n, units))
    return Learners(
        architecture=architecture,
        rules=Rules(),
        settings={setting.name: torch.full((n,), setting.default) for setting in SETTINGS},
        activation=torch.tensor([ACTIVATIONS.index(name) for name in activations], dtype=torch.int64),
        utility=torch.zeros(n, dtype=torch.int64),
        key=numbers,
        stream=numbers,
        segments=torch.zeros(n, dtype=torch.int64),
        weights=weights,
        initial_weights=weights.clone(),
        first_moment=torch.zeros((n, 0)),
        second_moment=torch.zeros((n, 0)),
        moment_steps=torch.zeros((n, 0)),
        ages=state.clone(),
        utilities=state.clone(),
        mean_activations=state.clone(),
        mean_magnitudes=state.clone(),
        due=torch.zeros((n, len(architecture.layers) - 1), dtype=torch.float64),
    )


def hidden_values(learners: Learners, number: int, inputs: np.ndarray) -> list[np.ndarray]:
    """What each dense hidden layer of one learner gives, `[batch, units]`, in float64."""
    function, given = FUNCTIONS[ACTIVATIONS[int(learners.activation[number])]], []
    for layer in learners.architecture.layers[:-1]:
        weights = learners.weights[number, layer.begin : layer.bias_begin].view(layer.fan_in, -1).double().numpy()
        inputs = function(inputs @ weights + learners.weights[number, layer.bias_begin : layer.end].double().numpy())
        given.append(inputs)
    return given


def ranks_by_definition(matrix: np.ndarray) -> tuple[float, float, float]:
    s = scipy.linalg.svdvals(matrix.astype(np.float64))
    s = s[s > 1e-7 * s[0]]  # what float32 features can tell from 0
    p = s / s.sum()
    stable = next(k for k in range(1, len(s) + 1) if s[:k].sum() > 0.99 * s.sum())
    return math.exp(-(p * np.log(p)).sum()), stable, (np.linalg.norm(matrix, "fro") / np.linalg.norm(matrix, 2)) ** 2


def rotated(spectrum: torch.Tensor, cases: int, units: int) -> torch.Tensor:
    """A matrix `[cases, units]` float32 with these singular values, in random directions."""
    generator = torch.Generator().manual_seed(1)
    left, right = (
        torch.linalg.qr(torch.randn((size, size), generator=generator, dtype=torch.float64))[0][:, : len(spectrum)]
        for size in (cases, units)
    )
    return (left * spectrum @ right.T).float()


@pytest.mark.parametrize(("cases", "units"), [(100, 100), (300, 100), (100, 150)])
def test_ranks_of_equal_directions_are_their_number(cases, units):
    ranks = feature_ranks(rotated(torch.ones(100, dtype=torch.float64), cases, units)[None])
    assert ranks["effective_rank"].item() == pytest.approx(100, rel=1e-6)
    assert ranks["stable_rank"].item() == 99  # the least k with k / 100 at least 99 %
    assert ranks["stable_rank_frobenius"].item() == pytest.approx(100, rel=1e-6)


def test_the_rank_of_a_product_of_two_vectors_is_one_and_of_zeros_none():
    matrix = torch.arange(1.0, 41.0)[:, None] * torch.linspace(-1, 1, 7)
    ranks = feature_ranks(torch.stack((matrix, torch.zeros_like(matrix))))
    for values in ranks.values():
        assert values.tolist() == pytest.approx([1.0, 0.0], abs=1e-5)


def test_singular_values_that_rounding_made_are_0():
    matrix = torch.arange(-30.0, 31.0)[:, None] * torch.arange(1.0, 201.0)
    values = singular_values(matrix[None])
    assert values.shape == (1, 61)
    assert values[0, 0].item() == pytest.approx(float(matrix.double().norm()))
    assert not values[0, 1:].any()


def test_ranks_of_an_exponential_spectrum():
    spectrum = 0.5 ** torch.arange(60, dtype=torch.float64)
    ranks = feature_ranks(rotated(spectrum, 80, 60)[None])
    # p = 1/2, 1/4, ... has the entropy 2 log 2; 1 - 2^-k first exceeds 0.99 at k = 7; the sum of 4^-k is 4/3
    assert ranks["effective_rank"].item() == pytest.approx(4.0, rel=1e-4)
    assert ranks["stable_rank"].item() == 7
    assert ranks["stable_rank_frobenius"].item() == pytest.approx(4 / 3, rel=1e-5)


@pytest.mark.parametrize(("cases", "units"), [(50, 8), (8, 50), (20, 20), (1, 5), (5, 1)])
def test_ranks_are_those_of_a_singular_value_decomposition(cases, units):
    features = np.random.default_rng(3).standard_normal((4, cases, units)).astype(np.float32) ** 3
    ranks = feature_ranks(torch.from_numpy(features))
    for number, matrix in enumerate(features):
        expected = ranks_by_definition(matrix)
        found = [ranks[name][number].item() for name in ("effective_rank", "stable_rank", "stable_rank_frobenius")]
        assert found == pytest.approx(expected, rel=1e-5)


def test_numbers_that_are_not_finite_stay_with_their_own_matrix():
    features = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 9, 3)).astype(np.float32))
    alone = feature_ranks(features)
    broken = features.clone()
    broken[1, 2, 0], broken[3, 8, 2] = torch.nan, torch.inf
    for name, values in feature_ranks(broken).items():
        assert values.isnan().tolist() == [False, True, False, True]
        assert torch.equal(values[::2], alone[name][::2])


def test_a_decomposition_that_fails_is_nan_and_its_neighbours_are_not(monkeypatch):
    features = torch.stack([torch.eye(3), 2 * torch.eye(3), torch.eye(3)])
    real = torch.linalg.eigvalsh

    def fails_on_fours(matrices):
        if bool((matrices == 4).any()):
            raise torch.linalg.LinAlgError("did not converge")
        return real(matrices)

    monkeypatch.setattr(torch.linalg, "eigvalsh", fails_on_fours)
    assert feature_ranks(features)["effective_rank"].tolist() == pytest.approx([3.0, math.nan, 3.0], nan_ok=True)


def test_diagnoses_of_many_activations_are_those_of_each_by_itself():
    names = [*ACTIVATIONS, "relu", "tanh", "sigmoid"]
    learners = learners_of(Architecture((6,), (11, 7), 3), names, scale=2.0)
    learners.bias(learners.architecture.layers[0])[7:, :4] = torch.tensor([-200.0, 200.0, -200.0, 0.0])
    inputs = np.random.default_rng(0).standard_normal((150, 6)).astype(np.float32)
    found = diagnose(learners, torch.from_numpy(inputs))
    for number, name in enumerate(names):
        for depth, h in enumerate(hidden_values(learners, number, inputs)):
            h = h.astype(np.float32)
            low, high = {"tanh": (-0.9, 0.9), "sigmoid": (0.05, 0.95)}.get(name, (-np.inf, np.inf))
            beyond = (h < low) | (h > high)
            active = ~beyond if np.isfinite(low) else h != 0
            expected = {
                "dead": (np.abs(h).sum(0) == 0).mean(),
                "dormant": (active.mean(0) < 0.01).mean(),
                "saturated": beyond.mean(),
            }
            ranks = dict(
                zip(("effective_rank", "stable_rank", "stable_rank_frobenius"), ranks_by_definition(h), strict=True)
            )
            for key, value in (expected | ranks).items():
                assert found[key].dtype == torch.float32
                assert found[key][number, depth].item() == pytest.approx(value, rel=2e-5), (name, depth, key)
    assert found["dead"][7, 0] >= 2 / 11
    assert found["dormant"][8, 0] >= 3 / 11
    assert found["saturated"][9, 0] > 0.3


def test_a_unit_is_dormant_from_one_active_case_in_a_hundred_on():
    learners = learners_of(Architecture((3,), (3,), 1), ["relu"])
    layer = learners.architecture.layers[0]
    learners.kernel(layer)[0] = torch.eye(3)
    learners.bias(layer)[0] = 0
    inputs = -torch.ones(200, 3)
    inputs[0, 0] = 1.0  # active in 0.5 % of the cases
    inputs[:2, 1] = 1.0  # in 1 %
    found = diagnose(learners, inputs)
    assert found["dead"].tolist() == [[pytest.approx(1 / 3)]]
    assert found["dormant"].tolist() == [[pytest.approx(2 / 3)]]
    assert found["saturated"].tolist() == [[0.0]]


def test_channels_are_units_and_pixels_are_cases():
    architecture = Architecture((2, 8, 8), (5,), 3, convolutions=(Convolution(4, 3, 2),))
    learners = learners_of(architecture, ["relu", "relu"])
    learners.bias(architecture.layers[0])[1, 2] = -100.0
    inputs = torch.randn((10, 2, 8, 8), generator=torch.Generator().manual_seed(0))
    found = diagnose(learners, inputs)
    for number in range(2):
        kernel = learners.kernel(architecture.layers[0])[number].T.reshape(4, 2, 3, 3)
        maps = torch.conv2d(inputs, kernel, learners.bias(architecture.layers[0])[number]).relu()
        h = torch.max_pool2d(maps, 2).movedim(1, 0).flatten(1).T
        assert found["effective_rank"][number, 0].item() == pytest.approx(ranks_by_definition(h.numpy())[0], rel=1e-4)
        assert found["dead"][number, 0].item() == float((h.abs().sum(0) == 0).float().mean())
    assert found["dead"][1, 0] == 0.25


def test_weights_are_measured_without_biases():
    architecture = Architecture((3,), (4, 2), 1)
    learners = learners_of(architecture, ["relu", "tanh"])
    found = diagnose(learners, torch.zeros(2, 3))
    for number in range(2):
        sizes = [learners.kernel(layer)[number].abs() for layer in architecture.layers]
        assert found["layer_weight_magnitude"][number].tolist() == pytest.approx([float(size.mean()) for size in sizes])
        total = sum(float(size.sum()) for size in sizes) / (12 + 8 + 2)
        assert found["weight_magnitude"][number].item() == pytest.approx(total)


def test_both_copies_of_concatenated_relu_count_and_never_saturate():
    learners = learners_of(Architecture((3,), (4,), 1, concatenated=True), ["tanh"], scale=5.0)
    layer = learners.architecture.layers[0]
    learners.bias(layer)[0] = torch.tensor([-1e3, 1e3, 0.0, 0.0])
    found = diagnose(learners, torch.randn((50, 3), generator=torch.Generator().manual_seed(0)))
    assert found["dead"].tolist() == [[2 / 8]]
    assert found["saturated"].tolist() == [[0.0]]
    assert found["effective_rank"][0, 0] <= 8


def test_a_learner_that_is_not_finite_is_nan_and_leaves_its_neighbours_alone():
    learners = learners_of(Architecture((3,), (6, 5), 1), ["relu", "tanh", "sigmoid"])
    inputs = torch.randn((20, 3), generator=torch.Generator().manual_seed(0))
    before = diagnose(learners, inputs)
    learners.kernel(learners.architecture.layers[1])[1, 0, 0] = torch.nan
    after = diagnose(learners, inputs)
    for name, values in after.items():
        assert torch.equal(values[::2], before[name][::2])
        broken = values[1].isnan()
        assert bool(broken[1] if values.dim() == 2 else broken)
        assert values.dim() == 1 or not broken[0]


def test_how_many_are_measured_at_once_changes_nothing(monkeypatch):
    learners = learners_of(Architecture((3,), (6, 5), 1), ["relu", "tanh", "relu", "sigmoid", "relu"])
    shared = torch.randn((20, 3), generator=torch.Generator().manual_seed(0))
    own = torch.randn((5, 20, 3), generator=torch.Generator().manual_seed(1))
    together = diagnose(learners, shared), diagnose(learners, own)
    sizes = []
    real = diagnostics.activations

    def counted(some, inputs):
        sizes.append(len(some))
        return real(some, inputs)

    monkeypatch.setattr(diagnostics, "activations", counted)
    monkeypatch.setattr(diagnostics, "AT_ONCE", 2 * 20 * 6)
    apart = diagnose(learners, shared), diagnose(learners, own)
    assert sizes == [2, 2, 1] * 2
    for one, other in zip(together, apart, strict=True):
        for name in one:
            assert torch.equal(one[name], other[name])


def test_inputs_may_be_shared_or_each_learners_own():
    learners = learners_of(Architecture((3,), (6,), 1), ["relu", "relu"])
    inputs = torch.randn((2, 20, 3), generator=torch.Generator().manual_seed(0))
    own = diagnose(learners, inputs)
    for number in range(2):
        for found in (diagnose(learners, inputs[number]), diagnose(learners, inputs[number][None])):
            assert torch.equal(found["effective_rank"][number], own["effective_rank"][number])
    assert not torch.equal(own["effective_rank"][0], diagnose(learners, inputs[1])["effective_rank"][0])
    images = learners_of(Architecture((1, 2, 2), (6,), 1), ["relu"])
    assert diagnose(images, torch.ones(7, 1, 2, 2))["dead"].shape == (1, 1)


@pytest.mark.parametrize("shape", [(3,), (20, 4), (3, 20, 3), (2, 2, 20, 3)])
def test_inputs_of_another_shape_are_refused(shape):
    learners = learners_of(Architecture((3,), (6,), 1), ["relu", "relu"])
    with pytest.raises(ValueError, match=r"inputs: expected \[batch, 3\].*architecture"):
        diagnose(learners, torch.zeros(shape))


def test_a_learner_without_hidden_layers_has_weights_only():
    found = diagnose(learners_of(Architecture((3,), (), 2), ["linear"] * 4), torch.zeros(5, 3))
    assert found["effective_rank"].shape == (4, 0)
    assert found["weight_magnitude"].shape == (4,)
