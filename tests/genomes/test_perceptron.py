"""The perceptron genome: what its weights compute, how they start, move and cross."""

import networkx
import numpy as np
import pytest
import torch

from evo import seeds
from evo.networks import Execution
from genomes.perceptron import Perceptron
from problems.control.cartpole_swingup import CartPoleSwingUp


def by_matrices(genome: Perceptron, weights: np.ndarray, cases: np.ndarray) -> np.ndarray:
    """Compute a tanh perceptron with a linear output layer by layer from its documented order of weights."""
    values, start = cases, 0
    for number, units in enumerate(genome.sizes[1:]):
        block = weights[start : start + units * (values.shape[1] + 1)].reshape(units, -1)
        start += block.size
        values = block[:, 0] + values @ block[:, 1:].T
        if number < len(genome.hidden):
            values = np.tanh(values)
    assert start == len(weights)
    return values


@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_networks_compute_what_matrices_do(hidden: tuple[int, ...], engine: str) -> None:
    genome = Perceptron(3, 2, hidden)
    rows = genome.sample(4, seeds.rng(0, "sample"))
    cases = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    outputs = genome.express(rows).on(Execution(engine)).forward(torch.from_numpy(cases))
    for number in range(4):
        weights = genome.layout.view(rows, "edge_weight")[number].numpy().astype(np.float64)
        np.testing.assert_allclose(outputs[number].numpy(), by_matrices(genome, weights, cases), rtol=1e-4, atol=1e-5)


def test_weights_start_smaller_into_units_with_more_inputs() -> None:
    genome = Perceptron(8, 1, (3,), initial_deviation=2.0)
    weights = genome.layout.view(genome.sample(4000, seeds.rng(0, "sample")), "edge_weight")
    assert float(weights[:, :27].std()) == pytest.approx(2.0 / 3.0, rel=0.02)
    assert float(weights[:, 27:].std()) == pytest.approx(2.0 / 2.0, rel=0.03)


def test_mutation_moves_the_share_and_as_far_as_said() -> None:
    genome = Perceptron(4, 4, (), mutation_rate=0.3, mutation_deviation=0.5)
    rows = genome.sample(3000, seeds.rng(0, "sample"))
    by_row = (genome.mutate(rows, seeds.rng(1, "mutate")) - rows)[:, :20]
    assert float((by_row != 0).sum(1).double().var()) == pytest.approx(20 * 0.3 * 0.7, rel=0.1)  # each by itself
    moves = by_row.flatten()
    moved = moves[moves != 0]
    assert len(moved) / len(moves) == pytest.approx(0.3, abs=0.01)
    assert float(moved.std()) == pytest.approx(0.5, rel=0.03)


def test_children_take_whole_units_from_either_parent() -> None:
    genome = Perceptron(2, 2, (3,))
    count = len(genome.layout.view(genome.sample(1, seeds.rng(0, "s")), "edge_weight")[0])
    first, second = (genome.layout.rows(edge_weight=np.full((2000, count), value)) for value in (1.0, 2.0))
    weights = genome.layout.view(genome.crossover(first, second, seeds.rng(0, "cross")), "edge_weight")
    units = [weights[:, start : start + 3] for start in (0, 3, 6)] + [weights[:, 9:13], weights[:, 13:17]]
    chosen = torch.stack([unit[:, 0] for unit in units], 1)
    assert all((unit == unit[:, :1]).all() for unit in units)
    assert ((chosen == 1.0).double().mean(0) - 0.5).abs().max() < 0.05
    assert len(chosen.unique(dim=0)) == 2**5


def test_complexity_and_graph_count_the_same_connections() -> None:
    genome = Perceptron(3, 2, (4,))
    rows = genome.sample(2, seeds.rng(0, "sample"))
    graph = genome.graph(rows[1])
    assert genome.complexity(rows).tolist() == [26.0, 26.0] == [graph.number_of_edges()] * 2
    assert networkx.is_directed_acyclic_graph(graph)
    kinds = [kind for _, kind in graph.nodes(data="kind")]
    assert kinds == ["bias"] + ["input"] * 3 + ["hidden"] * 4 + ["output"] * 2
    assert graph.edges[1, 4]["weight"] == float(genome.layout.view(rows, "edge_weight")[1, 1])


def test_a_problem_shapes_a_perceptron() -> None:
    assert Perceptron.for_problem(CartPoleSwingUp(), hidden=(2,)).sizes == (5, 2, 1)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 unit"):
        Perceptron(3, 1, (0,))
    with pytest.raises(ValueError, match="activation"):
        Perceptron(3, 1, activation="tan")
