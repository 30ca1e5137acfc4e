"""NEAT's compatibility distance: against a hand example and a plain reference that goes gene by gene."""

import math

import pytest
import torch

from evo import seeds
from genomes.topology import Topology
from genomes.topology.distance import compatibility


def population(count: int = 12, generations: int = 15, seed: int = 0, **settings) -> tuple[Topology, torch.Tensor]:
    """Return genomes of very different sizes, some of them close relatives."""
    growth = {"weight_rate": 0.8, "add_node_rate": 0.5, "add_connection_rate": 0.4, "remove_connection_rate": 0.1}
    settings = {"mutation": "each", "remove_node_rate": 0.05, **growth, **settings}
    genome = Topology(3, 2, **settings)
    rows = genome.sample(count, seeds.rng(seed, "sample"))
    for generation in range(generations):
        genome, rows = genome.fit(rows)
        rng = seeds.rng(seed, "mutate", generation)
        rows = torch.cat((rows[:2], genome.mutate(rows[1:-1], rng)))  # some change much, the first not at all
    return genome, rows


def reference(genome: Topology, one: torch.Tensor, other: torch.Tensor, c=1.0, c3=0.4, above=20, c_activation=0.0):
    genes = [{(s, t): w for s, t, w, _ in genome.describe(row)["connections"]} for row in (one, other)]
    nodes = [dict(genome.describe(row)["nodes"]) for row in (one, other)]
    common = genes[0].keys() & genes[1].keys()
    size = max(len(genes[0]), len(genes[1]))
    delta = c * len(genes[0].keys() ^ genes[1].keys()) / (size if size >= above else 1)
    if common:
        delta += c3 * sum(abs(genes[0][key] - genes[1][key]) for key in common) / len(common)
    shared = nodes[0].keys() & nodes[1].keys()
    if shared:
        delta += c_activation * sum(nodes[0][key] != nodes[1][key] for key in shared) / len(shared)
    return delta


def described(*connections: tuple[float, float, float], nodes: tuple = ()) -> tuple[Topology, torch.Tensor]:
    genome = Topology(2, 1, hidden=3, connections=8)
    edges = [[*edge, True] for edge in connections]
    return genome, genome.restore({"nodes": [list(node) for node in nodes], "connections": edges})


@pytest.mark.parametrize("recurrent", [False, True])
def test_it_is_what_going_gene_by_gene_gives(recurrent: bool) -> None:
    genome, rows = population(recurrent=recurrent)
    sizes = genome.fields(rows).edges()
    assert sizes.min() < 20 < sizes.max(), "both sides of the normalisation are there"
    distances = compatibility(genome.fields(rows), genome.fields(rows), 1.5, 0.7, 20, 0.3)
    expected = [[reference(genome, one, other, 1.5, 0.7, 20, 0.3) for other in rows] for one in rows]
    torch.testing.assert_close(distances, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-12)
    assert len(distances.unique()) > len(rows)


def test_it_is_symmetric_and_zero_on_itself() -> None:
    genome, rows = population()
    distances = genome.distance(rows, rows)
    torch.testing.assert_close(distances, distances.T, rtol=1e-14, atol=1e-14)
    assert (distances.diagonal() == 0).all()
    assert (distances >= 0).all()


def test_many_rows_are_measured_in_blocks_and_each_alone() -> None:
    genome, rows = population(40)
    rows = rows.repeat(120, 1)
    distances = genome.distance(rows, rows[:40])
    torch.testing.assert_close(distances, genome.distance(rows[:40], rows[:40]).repeat(120, 1), rtol=0, atol=0)
    alone = torch.cat([genome.distance(rows[place : place + 1], rows[3:4]) for place in range(40)])
    torch.testing.assert_close(distances[:40, 3:4], alone, rtol=1e-14, atol=1e-14)


def test_a_hand_example() -> None:
    """Two of four genes in common, weights 0.5 and 1.5 apart: 1 * 3 + 0.4 * (0.5 + 1.5) / 2."""
    genome, one = described((-3.0, 1.0, 1.0), (-2.0, 1.0, 2.0), (-1.0, 1.0, 9.0))
    _, other = described((-2.0, 1.0, 2.5), (-3.0, 1.0, -0.5), (-2.0, 0.4, 1.0), (0.4, 1.0, 1.0), nodes=((0.4, "tanh"),))
    fields = genome.fields(one), genome.fields(other)
    assert compatibility(*fields).item() == pytest.approx(3.4)
    assert compatibility(*fields, structure_coefficient=2.0, weight_coefficient=0.0).item() == pytest.approx(6.0)
    assert compatibility(*fields, normalize_above=5).item() == pytest.approx(3.4), "4 genes are fewer than 5"
    assert compatibility(*fields, normalize_above=4).item() == pytest.approx(3 / 4 + 0.4)


@pytest.mark.parametrize(("genes", "apart"), [(19, 19.0), (20, 1.0), (21, 1.0)])
def test_genomes_of_fewer_than_20_genes_are_not_normalised(genes: int, apart: float) -> None:
    """Beside a genome without any, a genome of 19 genes is 19 apart, one of 20 is 20 / 20 (section 3.3)."""
    genome = Topology(genes - 1, 1, initial_connection_rate=1.0)
    full = genome.sample(1, seeds.rng(0, "sample"))
    assert int(genome.fields(full).edges()) == genes
    nothing = genome.restore({"nodes": [], "connections": []})
    assert genome.distance(full, nothing).item() == genome.distance(nothing, full).item() == apart
    assert genome.distance(nothing, nothing).item() == 0.0


def test_a_connection_and_its_reverse_are_two_genes() -> None:
    genome, one = described((0.3, 0.6, 1.0), nodes=((0.3, "tanh"), (0.6, "tanh")))
    _, other = described((0.6, 0.3, 1.0), nodes=((0.3, "tanh"), (0.6, "tanh")))
    assert genome.distance(one, other).item() == 2.0


def test_disabled_connections_are_genes_like_others() -> None:
    genome, rows = described((-3.0, 1.0, 1.0), (-2.0, 1.0, 2.0))
    disabled = rows.clone()
    genome.fields(disabled).edge_enabled[0, 1] = 0.0
    assert genome.distance(rows, disabled).item() == 0.0


def test_genomes_without_connections_differ_by_the_others_genes() -> None:
    genome, rows = described((-3.0, 1.0, 1.0), (-2.0, 1.0, 2.0))
    _, nothing = described()
    assert genome.distance(nothing, nothing).item() == 0.0
    assert genome.distance(nothing, rows).item() == genome.distance(rows, nothing).item() == 2.0


def test_rows_of_another_capacity_are_measured_alike() -> None:
    genome, rows = population()
    wider = Topology(3, 2, hidden=genome.hidden + 7, connections=genome.connections + 11)
    there = compatibility(genome.fields(rows), wider.fields(wider.resize(genome, rows)))
    torch.testing.assert_close(there, genome.distance(rows, rows), rtol=0, atol=0)


def test_nodes_activations_count_where_they_are_told_to() -> None:
    nodes = ((0.3, "tanh"), (0.6, "sin"), (0.7, "sin"))
    genome, one = described(nodes=nodes)
    _, other = described(nodes=((0.3, "tanh"), (0.6, "relu")))
    fields = genome.fields(one), genome.fields(other)
    assert compatibility(*fields).item() == 0.0
    assert compatibility(*fields, activation_coefficient=3.0).item() == pytest.approx(1.5)
    assert math.isfinite(compatibility(fields[0], genome.fields(described()[1]), activation_coefficient=1.0).item())
