import math

import numpy as np
import pytest
import torch

from genomes.initial_weights import InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids
from problems.xor import Xor


def draws(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_published_network_has_1761_weights_within_their_bounds() -> None:
    genome = InitialWeights.for_problem(FewShotSinusoids())
    assert genome.network.parameters == 1761
    parameters = genome.express(genome.sample(50, draws())).parameters
    for tensor, bound in zip(genome.network.tensors, (1, 1, *(1 / math.sqrt(40),) * 4), strict=True):
        values = parameters[:, tensor.begin : tensor.end]
        assert 0.9 * bound < values.abs().max() <= bound


def test_convolutions_start_with_gains_of_1_and_shifts_of_0() -> None:
    genome = InitialWeights((1, 28, 28), 5, (), (8, 4), normalized=True)
    numbers = genome.express(genome.sample(2, draws())).parameters
    starts = {one.name: numbers[:, one.begin : one.end] for one in genome.network.tensors}
    assert (starts["convolution 1 gains"] == 1).all()
    assert (starts["convolution 2 biases"] == 0).all()
    assert starts["layer 1 weights"].shape == (2, 5 * 4 * 7 * 7)


@pytest.mark.parametrize(("kind", "genes"), [("tensor", 6), ("weight", 1761)])
def test_step_sizes_move_by_factors(kind: str, genes: int) -> None:
    genome = InitialWeights.for_problem(FewShotSinusoids(), step_sizes=kind, mutation_deviation=0.02)
    rows = genome.sample(400, draws())
    born = genome.express(rows).step_sizes
    assert born is not None
    assert born.shape == (400, genes)
    torch.testing.assert_close(born, torch.full_like(born, 0.01))
    moved = torch.as_tensor(genome.express(genome.mutate(rows, draws(1))).step_sizes)
    assert float((moved / 0.01).log().std()) == pytest.approx(5 * 0.02, rel=0.1)
    assert genome.recorded_features[0] == "step size of layer 1 weights"
    first = genome.features(rows)["step size of layer 1 weights"]
    torch.testing.assert_close(first, torch.full((400,), 0.01, dtype=torch.float64))


def test_what_was_learned_is_absorbed_and_genes_stay() -> None:
    genome = InitialWeights((2,), 1, (3,), step_sizes="tensor")
    rows = genome.mutate(genome.sample(3, draws()), draws(1))
    other = genome.express(genome.sample(3, draws(2)))
    absorbed = genome.absorb(rows, other)
    assert torch.equal(genome.express(absorbed).parameters, other.parameters)
    assert torch.equal(
        torch.as_tensor(genome.express(absorbed).step_sizes), torch.as_tensor(genome.express(rows).step_sizes)
    )


def test_a_problem_without_shapes_is_refused() -> None:
    with pytest.raises(TypeError, match="input_shape"):
        InitialWeights.for_problem(Xor())


@pytest.mark.parametrize(
    "wrong", [{"step_sizes": "layer"}, {"step_size": 0.0}, {"activation": "sine"}, {"hidden": (0,)}]
)
def test_settings_outside_their_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}"):
        InitialWeights(**{"inputs": (1,), "outputs": 1, **wrong})  # type: ignore[arg-type]
