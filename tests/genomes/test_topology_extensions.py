"""What topologies can do beyond Gaier & Ha 2019: lose parts, change their interface, several changes, NEAT's way."""

import math
from typing import Any

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evo import lineage, seeds
from evo.activations import FUNCTIONS
from evo.networks import Execution
from evo.settings import describe
from genomes.topology import Topology
from genomes.topology.add_connection import add_connection
from genomes.topology.change_interface import change_interface
from genomes.topology.perturb_weights import perturb_weights
from genomes.topology.remove_connection import remove_connection
from genomes.topology.remove_node import remove_node
from problems.xor import Xor

steady = settings(derandomize=True, deadline=None, max_examples=15)
seed_numbers = st.integers(0, 10**6)
BUSY: dict[str, Any] = {"add_connection_rate": 0.4, "enable_connection_rate": 0.2, "weight_rate": 0.2}
EVERYTHING: dict[str, Any] = {
    **BUSY,
    "remove_connection_rate": 0.3,
    "remove_node_rate": 0.15,
    "input_activation_rate": 0.1,
    "output_activation_rate": 0.1,
}


def evolved(genome: Topology, seed: int, rounds: int, count: int = 4) -> tuple[Topology, torch.Tensor]:
    genome, rows = genome.fit(lineage.stamp(genome.layout, genome.sample(count, seeds.rng(seed, "sample")), 50))
    for step in range(rounds):
        genome, rows = genome.fit(genome.mutate(rows, seeds.rng(seed, "mutate", step)))
    return genome, rows


def genes(genome: Topology, row: torch.Tensor) -> tuple[dict[float, str], dict[tuple[float, float], Any]]:
    described = genome.describe(row)
    nodes: dict[float, str] = dict(described["nodes"])
    return nodes, {(source, target): rest for source, target, *rest in described["connections"]}


@steady
@given(seed_numbers)
def test_remove_connection_takes_one_connection_and_the_nodes_it_leaves_alone(seed: int) -> None:
    genome, rows = evolved(Topology(3, 2, **BUSY), seed, 20)
    children = rows.clone()
    remove_connection(genome.fields(children), seeds.rng(seed, "remove"))
    for parent, child in zip(rows, children, strict=True):
        (nodes, edges), (kept_nodes, kept_edges) = genes(genome, parent), genes(genome, child)
        (gone,) = edges.keys() - kept_edges.keys()
        assert {pair: edges[pair] for pair in kept_edges} == kept_edges
        connected = {end for pair in kept_edges for end in pair}
        assert nodes.keys() - kept_nodes.keys() == {end for end in gone if end in nodes and end not in connected}
        assert {identity: nodes[identity] for identity in kept_nodes} == kept_nodes


def test_remove_connection_chooses_evenly_and_ends_with_nothing() -> None:
    genome, rows = evolved(Topology(2, 1, **BUSY), 3, 15, 1)
    edges = list(genes(genome, rows[0])[1])
    many = rows.repeat(4000, 1)
    remove_connection(genome.fields(many), seeds.rng(0, "remove"))
    gone = [next(iter(set(edges) - set(genes(genome, row)[1]))) for row in many]
    assert stats.chisquare([gone.count(pair) for pair in edges]).pvalue > 1e-5
    for step in range(len(edges) + 2):
        remove_connection(genome.fields(rows), seeds.rng(1, "remove", step))
    assert genes(genome, rows[0]) == ({}, {})
    assert torch.equal(genome.express(rows).forward(torch.ones(1, 2)), torch.zeros(1, 1, 1))


@steady
@given(seed_numbers)
def test_remove_node_takes_one_node_and_what_hung_on_it(seed: int) -> None:
    genome, rows = evolved(Topology(3, 2, **BUSY), seed, 20)
    children = rows.clone()
    remove_node(genome.fields(children), seeds.rng(seed, "remove"))
    for parent, child in zip(rows, children, strict=True):
        (nodes, edges), (kept_nodes, kept_edges) = genes(genome, parent), genes(genome, child)
        gone = nodes.keys() - kept_nodes.keys()
        assert len(gone) == min(1, len(nodes))
        assert kept_edges == {pair: rest for pair, rest in edges.items() if not gone & set(pair)}
        assert kept_nodes == {identity: name for identity, name in nodes.items() if identity not in gone}


@steady
@given(seed_numbers, st.sampled_from(["recurrent", "deeper_only", "neither"]), st.sampled_from(["one", "each"]))
def test_genomes_that_lose_parts_stay_sound(seed: int, direction: str, mutation: str) -> None:
    ways: dict[str, Any] = {} if direction == "neither" else {direction: True}
    genome, rows = evolved(Topology(3, 2, mutation=mutation, **ways, **EVERYTHING), seed, 40)
    for row in rows:
        nodes, edges = genes(genome, row)
        assert len(edges) == len(genome.describe(row)["connections"])
        assert {end for pair in edges for end in pair} <= {*nodes, *range(-4, 0), 1.0, 2.0}
        if not genome.recurrent:
            assert networkx.is_directed_acyclic_graph(genome.graph(row))
            networks = genome.express(row[None])
            edges_in_order = networks.describe(0)["edges"]
            assert all(source < target for source, target, _ in edges_in_order)
        again = genome.restore(genome.describe(row))
        assert genome.describe(again[0]) == genome.describe(row)


def test_lost_parts_leave_room_that_is_used_again() -> None:
    genome, rows = evolved(Topology(2, 1, **BUSY), 1, 12, 1)
    before = int(genome.fields(rows).edges())
    remove_connection(genome.fields(rows), seeds.rng(0, "remove"))
    add_connection(genome.fields(rows), 2, 1, 1.0, False, seeds.rng(0, "add"))
    assert int(genome.fields(rows).edges()) == before
    assert len(genes(genome, rows[0])[1]) == before


@pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 5)])
def test_change_interface_changes_one_place_evenly_to_something_else(first: int, last: int) -> None:
    genome = Topology(3, 2)
    rows = genome.sample(3000, seeds.rng(0, "sample"))
    fields = genome.fields(rows)
    before = fields.interface_activation.clone()
    change_interface(fields, first, last, torch.tensor([1, 3, 5]), seeds.rng(0, "change"))
    changed = fields.interface_activation != before
    assert torch.equal(changed.sum(1), torch.ones(3000, dtype=torch.int64))
    assert stats.chisquare(changed.sum(0)[first:last].numpy()).pvalue > 1e-5
    new = fields.interface_activation[changed]
    assert stats.chisquare([int((new == kind).sum()) for kind in (3, 5)]).pvalue > 1e-5


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_interface_activations_are_what_the_network_computes(engine: str) -> None:
    genome = Topology(2, 1, activations=("linear",))
    described = {
        "interface": ["abs", "sin", "gaussian"],
        "nodes": [[0.5, "squared"]],
        "connections": [[-2.0, 0.5, 3.0, True], [-1.0, 1.0, 2.0, True], [0.5, 1.0, -1.0, True]],
    }
    cases = torch.tensor([[-0.4, 0.3], [0.9, -1.6]])
    outputs = genome.express(genome.restore(described)).on(Execution(engine)).forward(cases)[0, :, 0]
    for (a, b), output in zip(cases.tolist(), outputs.tolist(), strict=True):
        total = 2.0 * math.sin(math.pi * b) - (3.0 * abs(a)) ** 2
        assert output == pytest.approx(math.exp(-total * total / 2), abs=1e-6)
    assert genome.graph(genome.restore(described)[0]).nodes[1.0]["activation"] == "gaussian"


def test_old_descriptions_without_an_interface_are_read() -> None:
    genome = Topology(2, 1, output_activation="tanh")
    row = genome.restore({"nodes": [], "connections": [[-1.0, 1.0, 1.0, True]]})
    assert genome.describe(row[0])["interface"] == ["linear", "linear", "tanh"]


def test_deeper_only_follows_the_longest_path() -> None:
    """-1 -> .3 -> .6, -1 -> .4, -1 -> .7: from .7 (depth 1) to .6 (depth 2) is allowed, to .4 (depth 1) is not."""
    genome = Topology(1, 1, activations=("linear",))
    described = {
        "nodes": [[0.3, "linear"], [0.4, "linear"], [0.6, "linear"], [0.7, "linear"]],
        "connections": [
            [-1.0, 0.3, 1.0, True],
            [0.3, 0.6, 1.0, False],
            [-1.0, 0.4, 1.0, True],
            [-1.0, 0.7, 1.0, True],
        ],
    }
    rows = genome.restore(described).repeat(3000, 1)
    genome, rows = genome.fit(rows)
    old = {tuple(edge[:2]) for edge in described["connections"]}
    found: dict[bool, set[tuple[float, ...]]] = {}
    for deeper in (True, False):
        children = rows.clone()
        add_connection(genome.fields(children), 1, 1, 1.0, False, seeds.rng(0, "add"), deeper)
        found[deeper] = {tuple(edge) for row in children for edge in genes(genome, row)[1]} - old
    layer = {-2.0: 0, -1.0: 0, 0.3: 1, 0.4: 1, 0.6: 2, 0.7: 1, 1.0: 9}
    pairs = {(a, b) for a in layer for b in layer if b > 0} - old
    assert found[True] == {(a, b) for a, b in pairs if layer[a] < layer[b] and a < 1.0}
    assert found[False] == {(a, b) for a, b in pairs if a < b}


def test_a_start_without_disabled_connections_is_the_same_network() -> None:
    whole, sparse = (Topology(4, 3, keep_disabled=keep, initial_connection_rate=0.3) for keep in (True, False))
    one, other = (genome.sample(20, seeds.rng(0, "sample")) for genome in (whole, sparse))
    cases = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(whole.express(one).forward(cases), sparse.express(other).forward(cases))
    assert torch.equal(sparse.fields(other).edges().double(), whole.complexity(one))


def test_changes_of_a_child_are_from_one_to_the_most_evenly() -> None:
    genome = Topology(
        2, 1, changes=3, initial_connection_rate=1.0, add_connection_rate=0.0, enable_connection_rate=0.0,
        activation_rate=0.0,
    )  # fmt: skip
    genome, rows = genome.fit(genome.sample(3000, seeds.rng(0, "sample")))
    nodes = genome.fields(genome.mutate(rows, seeds.rng(0, "mutate"))).nodes()
    counts = torch.bincount(nodes, minlength=4).tolist()
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 1e-5


def test_each_kind_of_change_happens_with_its_own_probability() -> None:
    genome = Topology(
        2, 1, mutation="each", add_node_rate=0.3, add_connection_rate=0.0, enable_connection_rate=0.0,
        activation_rate=0.0, weight_rate=0.6, weight_perturbation_rate=1.0, initial_connection_rate=1.0,
    )  # fmt: skip
    genome, rows = genome.fit(genome.sample(4000, seeds.rng(0, "sample")))
    children = genome.mutate(rows, seeds.rng(0, "mutate"))
    grown = (genome.fields(children).nodes() > 0).numpy()
    moved = (genome.fields(children).edge_weight[:, 0] != genome.fields(rows).edge_weight[:, 0]).numpy()
    for happened, rate in ((grown, 0.3), (moved, 0.6), (grown & moved, 0.18)):
        assert stats.binomtest(int(happened.sum()), 4000, rate).pvalue > 1e-5


def test_replaced_weights_are_uniform_and_as_many_as_asked() -> None:
    genome = Topology(2, 2)
    rows = genome.sample(2000, seeds.rng(0, "sample"))
    fields = genome.fields(rows)
    fields.edge_weight[:, :6] = 50.0
    perturb_weights(fields, 0.0, 1.0, seeds.rng(0, "move"), replacement_rate=0.25, weight_range=3.0)
    fresh = fields.edge_weight[:, :6][fields.edge_weight[:, :6] != 50.0].numpy()
    assert stats.binomtest(len(fresh), 12000, 0.25).pvalue > 1e-5
    assert stats.kstest(fresh, "uniform", (-3.0, 6.0)).pvalue > 1e-5
    assert torch.equal(fields.edge_weight[:, 6:], torch.zeros_like(fields.edge_weight[:, 6:]))


@pytest.mark.parametrize(("moving", "anew"), [(0.9, 0.1), (0.72, 0.08)])
def test_a_weight_moves_or_is_drawn_anew_but_never_both(moving: float, anew: float) -> None:
    """Of 0.9 and 0.1, none stays as it was: the paper's 90 % and 10 % (section 4.1)."""
    genome = Topology(2, 2)
    fields = genome.fields(genome.sample(2000, seeds.rng(0, "sample")))
    fields.edge_weight[:, :6] = 50.0
    perturb_weights(fields, moving, 1.0, seeds.rng(0, "move"), anew, 3.0)
    weights = fields.edge_weight[:, :6]
    same, fresh = int((weights == 50.0).sum()), int((weights.abs() <= 3.0).sum())
    assert same == 0 or moving + anew < 1.0
    counts = [12000 - same - fresh, fresh, *([same] if moving + anew < 1.0 else [])]
    shares = [moving, anew, *([1.0 - moving - anew] if moving + anew < 1.0 else [])]
    assert stats.chisquare(counts, [12000 * share for share in shares]).pvalue > 1e-5


def test_moves_alone_are_drawn_as_ever() -> None:
    """First which weights move, then how far: recorded runs are made again from these draws."""
    genome = Topology(2, 2)
    rows = genome.sample(50, seeds.rng(0, "sample"))
    moved, draws = rows.clone(), seeds.rng(0, "move")
    perturb_weights(genome.fields(moved), 0.3, 0.7, seeds.rng(0, "move"))
    before, after = (genome.fields(one).edge_weight.numpy() for one in (rows, moved))
    chosen = (draws.random(before.shape) < 0.3) & (np.arange(before.shape[1]) < 6)
    assert (after == before + np.where(chosen, 0.7 * draws.standard_normal(before.shape), 0.0)).all()


@steady
@given(seed_numbers)
def test_order_by_depth_computes_what_the_graph_says(seed: int) -> None:
    genome, rows = evolved(Topology(2, 2, deeper_only=True, **BUSY), seed, 30)
    assert any(source > target > 0 for row in rows for source, target in genes(genome, row)[1]) or seed
    cases = torch.tensor([[0.3, -0.7]])
    outputs = genome.express(rows).forward(cases)[:, 0]
    functions = dict(FUNCTIONS)
    for row, output in zip(rows, outputs.tolist(), strict=True):
        graph = genome.graph(row)
        graph.remove_edges_from([(s, t) for s, t, on in list(graph.edges(data="enabled")) if not on])
        values = {-3.0: 1.0, -2.0: 0.3, -1.0: -0.7}
        for node in networkx.topological_sort(graph):
            if node not in values:
                total = sum(values[source] * weight for source, _, weight in graph.in_edges(node, data="weight"))
                values[node] = functions[graph.nodes[node]["activation"]](total)
        assert [values[1.0], values[2.0]] == pytest.approx(output, rel=1e-4, abs=1e-4)


@steady
@given(seed_numbers)
def test_absorbed_weights_are_expressed_again_and_nothing_else_changes(seed: int) -> None:
    genome, rows = evolved(Topology(3, 2, **BUSY), seed, 20)
    networks = genome.express(rows)
    learned = torch.from_numpy(np.random.default_rng(seed).normal(size=len(networks.edge_weights))).float()
    taken = genome.absorb(rows, networks.with_weights(learned))
    torch.testing.assert_close(genome.express(taken).edge_weights, learned)
    for before, after in zip(rows, taken, strict=True):
        (nodes, edges), (same_nodes, same_edges) = genes(genome, before), genes(genome, after)
        assert nodes == same_nodes
        assert {pair: rest[1] for pair, rest in edges.items()} == {pair: rest[1] for pair, rest in same_edges.items()}


def test_weights_that_would_be_lost_are_not_absorbed() -> None:
    genome = Topology(3, 2, hidden_always_enabled=True)
    rows = genome.sample(2, seeds.rng(0, "sample"))
    with pytest.raises(TypeError, match=r"hidden_always_enabled.*weight 1.*baldwinian"):
        genome.absorb(rows, genome.express(rows))


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_what_one_parent_has_disabled_is_disabled_in_as_many_children_as_asked(rate: float) -> None:
    genome = Topology(1, 2, disabled_inheritance_rate=rate)
    flags = ((True, True), (True, False), (False, True), (False, False))
    ends = [(source, target) for source in (-2.0, -1.0) for target in (1.0, 2.0)]
    first, second = (
        genome.restore(
            {"nodes": [], "connections": [[*pair, which, both[which]] for pair, both in zip(ends, flags, strict=True)]}
        ).repeat(4000, 1)
        for which in (0, 1)
    )
    children = genome.fields(genome.crossover(first, second, seeds.rng(0, "cross")))
    neither, by_second, by_first, by_both = (children.edge_enabled[:, :4] == 0).sum(0).tolist()
    assert (neither, by_both) == (0, 4000)
    for disabled in (by_first, by_second):
        assert stats.binomtest(disabled, 4000, rate).pvalue > 1e-5
    for taken in (children.edge_weight[:, :4] == 1).sum(0).tolist():
        assert stats.binomtest(taken, 4000, 0.5).pvalue > 1e-5


def test_neats_topology_has_the_papers_settings_and_moves_weights() -> None:
    """Section 4.1: weights change in 80 % of genomes, 90 % of them move; 3 % new nodes, 5 % new connections."""
    genome = Topology.neat(Xor(), weight_coefficient=3.0)
    assert (genome.inputs, genome.outputs, genome.weight_coefficient) == (2, 1, 3.0)
    assert (genome.activations, genome.output_activation) == (("sigmoid",), "sigmoid")
    assert (genome.disabled_inheritance_rate, genome.structure_coefficient, genome.normalize_above) == (0.75, 1.0, 20)
    rows = genome.sample(4000, seeds.rng(0, "sample"))
    assert (genome.complexity(rows) == 3).all()
    genome, rows = genome.fit(rows)
    before, after = (genome.fields(each) for each in (rows, genome.mutate(rows, seeds.rng(0, "mutate"))))
    split = after.nodes() > 0
    connected = after.edges() - before.edges() == torch.where(split, 3, 1)
    moved = (after.edge_weight[:, :3] != before.edge_weight[:, :3]).any(1)
    assert stats.binomtest(int(split.sum()), 4000, 0.03).pvalue > 1e-5
    assert stats.binomtest(int(moved.sum()), 4000, 0.8).pvalue > 1e-5
    assert int(connected.sum()) == int((connected & split).sum()), "all inputs are connected: only new nodes can be"


def test_a_setting_that_came_later_is_recorded_where_it_is_used() -> None:
    """Recorded campaigns of topologies without it still go on."""
    assert "disabled_inheritance_rate" not in describe(Topology(2, 1))["settings"]
    assert describe(Topology.neat(Xor()))["settings"]["disabled_inheritance_rate"] == 0.75


def test_crossed_children_take_each_interface_activation_from_either_parent() -> None:
    genome = Topology(2, 1)
    one, other = (genome.sample(4000, seeds.rng(seed, "sample")) for seed in (0, 1))
    genome.fields(other).interface_activation[...] = 7.0
    children = genome.crossover(one, other, seeds.rng(0, "cross"))
    taken = genome.fields(children).interface_activation == 7.0
    for column in taken.T:
        assert stats.binomtest(int(column.sum()), 4000, 0.5).pvalue > 1e-5


@steady
@given(seed_numbers)
def test_features_are_what_networkx_says(seed: int) -> None:
    genome, rows = evolved(Topology(3, 2, **BUSY), seed, 25)
    features = genome.features(rows)
    for number, row in enumerate(rows):
        graph = genome.graph(row)
        graph.remove_edges_from([(s, t) for s, t, on in list(graph.edges(data="enabled")) if not on])
        inputs = [node for node in graph if node < 0]
        for node in list(graph):
            if node > 0:  # what nothing leads to still is one step behind the inputs
                graph.add_edges_from((source, node) for source in inputs)
        assert features["depth"][number] == networkx.dag_longest_path_length(graph, weight=None, default_weight=1)
        assert features["hidden"][number] == len(genome.describe(row)["nodes"])
    assert torch.equal(features["connections"], genome.complexity(rows))


def test_settings_that_contradict_each_other_are_refused() -> None:
    for wrong in (
        {"mutation": "some"},
        {"changes": 0},
        {"mutation": "each", "changes": 2},
        {"deeper_only": True, "recurrent": True},
        {"mutation": "each", "add_node_rate": 1.5},
        {"weight_perturbation_rate": 0.9, "weight_replacement_rate": 0.2},
    ):
        with pytest.raises(ValueError, match="Topology"):
            Topology(2, 1, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight_perturbation_rate": 80},
        {"weight_perturbation_rate": math.nan},
        {"weight_deviation": -1.0},
        {"weight_deviation": math.nan},
        {"weight_replacement_rate": -3.0},
        {"disabled_inheritance_rate": 1.5},
        {"initial_connection_rate": math.nan},
        {"weight_range": math.inf},
        {"structure_coefficient": -1.0},
        {"weight_coefficient": math.nan},
        {"activation_coefficient": -0.1},
        {"normalize_above": 2.5},
        {"hidden": 8.0},
        {"connections": -1},
        {"changes": 1.5},
    ],
)
def test_numbers_outside_their_range_are_told_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"Topology: .*{next(iter(wrong))}"):
        Topology(2, 1, **wrong)


@pytest.mark.parametrize("rate", [math.nan, math.inf, -0.1])
@pytest.mark.parametrize("mutation", ["one", "each"])
def test_rates_that_are_no_rates_are_refused(rate: float, mutation: str) -> None:
    with pytest.raises(ValueError, match="Topology: mutation rates are 0 or more"):
        Topology(2, 1, mutation=mutation, add_node_rate=rate)
