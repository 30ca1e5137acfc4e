"""Nodes that no output depends on: what is left gives the same outputs, and nothing of it is dead."""

import networkx
import numpy as np
import pytest
import torch

from evo.evaluation.dead_ends import without_dead_ends
from evo.networks import pack
from genomes.topology import Topology


def grown(generations: int, **settings: object) -> tuple[Topology, torch.Tensor]:
    """Return a genome and 40 rows after many mutations, removals among them."""
    genome = Topology(
        4, 2, mutation="each", remove_connection_rate=0.3, add_connection_rate=0.5, add_node_rate=0.5, **settings
    )
    rng = np.random.default_rng(1)
    rows = genome.sample(40, rng)
    for _ in range(generations):
        genome, rows = genome.fit(rows)
        rows = genome.mutate(rows, rng)
    return genome, rows


@pytest.mark.parametrize("recurrent", [False, True])
def test_outputs_are_the_same_bits_and_every_node_left_leads_to_an_output(
    recurrent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evo.evaluation.forward.without_dead_ends", lambda networks: networks)
    genome, rows = grown(30, recurrent=recurrent)
    networks = genome.express(rows)
    pruned = without_dead_ends(networks)
    assert len(pruned.activations) < len(networks.activations)
    cases = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    for weight in (None, -1.5):
        assert torch.equal(pruned.forward(cases, weight), networks.forward(cases, weight))
    for place in range(len(pruned)):
        described = pruned.describe(place)
        graph = networkx.DiGraph([(source, target) for source, target, _ in described["edges"]])
        nodes = len(described["activations"])
        graph.add_nodes_from(range(nodes))
        outputs = {nodes - 2, nodes - 1}
        for hidden in range(5, nodes - 2):
            assert networkx.descendants(graph, hidden) & outputs


def test_a_node_that_reads_nothing_but_is_read_stays() -> None:
    networks = pack(1, 1, [([1, 1, 10, 3, 1], [(2, 4, 2.0), (1, 3, 1.0)])])  # cos of nothing is 1; a sine nobody reads
    pruned = without_dead_ends(networks)
    assert pruned.describe(0)["edges"] == [[2, 3, 2.0]]
    assert pruned.forward(torch.zeros(1, 1)).item() == 2.0


def test_networks_without_dead_ends_are_returned_as_they_are() -> None:
    networks = pack(1, 1, [([1, 1, 3, 1], [(1, 2, 1.0), (2, 3, 1.0)])])
    assert without_dead_ends(networks) is networks


def one(source: int, kind: int = 3) -> tuple[list[int], list[tuple[int, int, float]]]:
    """Return a network of one input, one hidden node and one output, which reads a source."""
    return ([1, 1, kind, 1], [(1, 2, 1.0), (source, 3, 1.0)])


@pytest.mark.parametrize("other", [one(1), one(2, kind=5), ([1, 1, 1], [(1, 2, 1.0)])], ids=["edge", "kind", "size"])
def test_one_stands_for_all_only_where_all_are_alike(other: tuple[list[int], list[tuple[int, int, float]]]) -> None:
    assert pack(1, 1, [one(2), one(2)]).alike
    different = pack(1, 1, [one(2), one(2), other])
    assert not different.alike
    cut = without_dead_ends(different)
    assert cut.describe(2) == without_dead_ends(different[2:3]).describe(0)


def test_structures_that_are_alike_lose_the_same_dead_end_and_are_recurrent_together() -> None:
    dead = pack(1, 1, [one(1), one(1)])
    assert dead.alike
    assert len(without_dead_ends(dead).activations) == 6
    backward = ([1, 1, 3, 1], [(2, 2, 1.0), (2, 3, 1.0)])
    assert pack(1, 1, [backward, backward]).recurrent
    assert not pack(1, 1, [one(2), one(2)]).recurrent
