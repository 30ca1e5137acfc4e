"""Identities of nodes: unique, between the ends of what was split, the same in every genome, and exhaustible."""

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo import seeds
from evo.activations import activation_id
from genomes.topology import Topology
from genomes.topology.add_node import add_node
from genomes.topology.identity import ATTEMPTS, input_identities, mix, output_identities, split_identity

steady = settings(derandomize=True, deadline=None, max_examples=40)
hidden_place = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True, allow_subnormal=True)
source_place = st.one_of(st.integers(-6, -1).map(float), hidden_place, st.integers(1, 4).map(float))
target_place = st.one_of(hidden_place, st.integers(1, 4).map(float))


def tensor(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


def split(genome: Topology, rows: torch.Tensor, seed: int = 0) -> tuple[Topology, torch.Tensor]:
    """Make room, and split an enabled connection of each row."""
    genome, rows = genome.fit(rows)
    rows = rows.clone()
    linear = torch.tensor([activation_id("linear")])
    add_node(genome.fields(rows), linear, seeds.rng(seed, "split"))
    return genome, rows


def only(genome: Topology, rows: torch.Tensor, source: float, target: float) -> torch.Tensor:
    """Return the rows with one connection enabled and all others disabled."""
    rows = rows.clone()
    fields = genome.fields(rows)
    fields.edge_enabled[~fields.edge_source.isnan()] = 0.0
    fields.edge_enabled[(fields.edge_source == source) & (fields.edge_target == target)] = 1.0
    assert (fields.edge_enabled == 1).sum() == len(rows)
    return rows


def nodes(genome: Topology, row: torch.Tensor) -> list[float]:
    return [identity for identity, _ in genome.describe(row)["nodes"]]


@steady
@given(source_place, target_place, st.integers(0, ATTEMPTS - 1))
def test_a_split_lies_strictly_between_the_ends(source: float, target: float, attempt: int) -> None:
    identity = split_identity(tensor(source), tensor(target), attempt).item()
    low, high = sorted((min(max(source, 0.0), 1.0), min(max(target, 0.0), 1.0)))
    if low == high:  # a loop, or a connection between outputs
        low, high = (low, 1.0) if low < 1.0 else (0.0, 1.0)
    if np.isnan(identity):
        assert high - low < 1e-12, "a wide gap must have room"
    else:
        assert low < identity < high
        assert 0.0 < identity < 1.0


def test_a_split_leaves_room_on_both_sides() -> None:
    ends = torch.linspace(-5, -1, 5, dtype=torch.float64), torch.full((5,), 1.0, dtype=torch.float64)
    identities = split_identity(*ends, attempt=0)
    assert ((identities > 0.33) & (identities < 0.67)).all()


def test_inputs_lie_before_hidden_nodes_and_these_before_outputs() -> None:
    assert input_identities(3).tolist() == [-4.0, -3.0, -2.0, -1.0]
    assert output_identities(2).tolist() == [1.0, 2.0]


def test_mixed_bits_tell_all_pairs_apart_and_fill_their_range() -> None:
    places = torch.cat((torch.arange(-100.0, 0.0, dtype=torch.float64), torch.rand(200, dtype=torch.float64)))
    first, second = (grid.reshape(-1) for grid in torch.meshgrid(places, places, indexing="ij"))
    bits = mix(first, second)
    assert len(bits.unique()) == len(bits)
    assert ((bits >= 0) & (bits < 2**53)).all()
    counts = np.histogram(bits.numpy() / 2**53, bins=16, range=(0, 1))[0]
    expected = len(bits) / 16
    assert ((counts - expected) ** 2 / expected).sum() < 60  # chi-square, 15 degrees of freedom, p < 1e-6


@settings(steady, max_examples=15)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 10**6), st.booleans())
def test_identities_are_unique_in_a_genome(inputs: int, outputs: int, seed: int, recurrent: bool) -> None:
    genome = Topology(inputs, outputs, recurrent=recurrent, add_node_rate=1.0, enable_connection_rate=0.5)
    rows = genome.sample(3, seeds.rng(seed, "sample"))
    for step in range(12):
        genome, rows = genome.fit(genome.mutate(rows, seeds.rng(seed, "grow", step)))
    for row in rows:
        identities = nodes(genome, row)
        assert len(set(identities)) == len(identities)
        assert all(0.0 < identity < 1.0 for identity in identities)


@steady
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_same_split_has_the_same_identity_in_different_genomes(one_seed: int, other_seed: int) -> None:
    made = []
    for seed in (one_seed, other_seed):
        genome = Topology(2, 2, add_node_rate=1.0)
        rows = genome.sample(1, seeds.rng(seed, "sample"))
        for step in range(seed % 5):
            genome, rows = genome.fit(genome.mutate(rows, seeds.rng(seed, "grow", step)))
        first, second = nodes(genome, rows[0]), split_identity(tensor(-1.0), tensor(2.0), 0).item()
        if second in first:  # split on the way already
            made.append(second)
            continue
        genome, rows = split(genome, only(genome, rows, -1.0, 2.0), seed)
        made.append((set(nodes(genome, rows[0])) - set(first)).pop())
    assert made[0] == made[1]


def test_different_splits_have_different_identities() -> None:
    genome = Topology(9, 9)
    rows = genome.sample(1, seeds.rng(0, "sample")).repeat(100, 1)
    genome.fields(rows).edge_enabled[:, :100] = 0.0
    genome.fields(rows).edge_enabled[range(90), range(90)] = 1.0
    genome, rows = split(genome, rows[:90])
    made = [nodes(genome, row)[0] for row in rows]
    assert len(set(made)) == 90


def test_the_same_connection_split_again_has_another_identity_until_attempts_run_out() -> None:
    genome = Topology(1, 1, initial_connection_rate=1.0)
    rows = genome.sample(1, seeds.rng(0, "sample"))
    for number in range(1, ATTEMPTS + 1):
        genome, rows = split(genome, only(genome, rows, -1.0, 1.0), number)
        assert len(set(nodes(genome, rows[0]))) == number
    before = only(genome, rows, -1.0, 1.0)
    after_genome, after = split(genome, before)
    assert after_genome.describe(after[0]) == genome.describe(before[0])


@pytest.mark.parametrize(
    ("ends", "side"),
    [
        ((-1.0, 1.0), "target"),
        ((-1.0, 1e-300), "source"),  # toward 0 the numbers grow denser, to the last subnormal one
        ((0.5, 0.6), "source"),
        ((0.5, 0.6), "target"),
        ((0.6, 0.5), "source"),
        ((0.6, 0.5), "target"),
    ],
)
def test_splitting_in_the_same_place_until_no_number_is_left(ends: tuple[float, float], side: str) -> None:
    genome = Topology(1, 1, recurrent=ends[0] > ends[1])
    source, target = ends
    hidden = [[end, "tanh"] for end in ends if 0.0 < end < 1.0]
    rows = genome.restore({"nodes": hidden, "connections": [[source, target, 0.5, True]]})
    splits = 0
    while True:
        before = genome.describe(rows[0])
        known = set(nodes(genome, rows[0]))
        genome, rows = split(genome, only(genome, rows, source, target), splits)
        made = set(nodes(genome, rows[0])) - known
        if not made:
            break
        assert len(made) == 1
        source, target = (source, made.pop()) if side == "source" else (made.pop(), target)
        splits += 1
        assert splits < 200
    assert splits > 20
    assert len(before["nodes"]) == splits + len(hidden)
    after = genome.describe(only(genome, rows, source, target)[0])
    assert after["nodes"] == before["nodes"]
    assert [edge[:3] for edge in after["connections"]] == [edge[:3] for edge in before["connections"]]
    if not genome.recurrent:
        assert networkx.is_directed_acyclic_graph(genome.graph(rows[0]))
    assert len(genome.express(rows).activations) == 3 + splits + len(hidden)
    assert genome.mutate(rows.repeat(50, 1), seeds.rng(1, "more")).shape == (50, genome.layout.width)
