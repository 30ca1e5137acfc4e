"""The topology genome's operators: what they change and what not, how they choose, and what genomes express to."""

import json
from collections.abc import Callable
from typing import Any

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evo import lineage, seeds
from evo.activations import IDS, activation_id
from evo.evaluation.stepping import Stepper
from evo.networks import Execution
from genomes.topology import Topology
from genomes.topology.add_connection import add_connection
from genomes.topology.add_node import add_node
from genomes.topology.change_activation import change_activation
from genomes.topology.enable_connection import enable_connection

steady = settings(derandomize=True, deadline=None, max_examples=15)
interfaces = st.tuples(st.integers(1, 4), st.integers(1, 3))
seed_numbers = st.integers(0, 10**6)
BUSY = {"add_connection_rate": 0.4, "enable_connection_rate": 0.2, "activation_rate": 0.2, "weight_rate": 0.2}
CHANCE = 1e-5
"""p-values below show that a choice is not as it should be; draws are fixed, so a test that passes keeps passing."""


def evolved(genome: Topology, seed: int, rounds: int, count: int = 4) -> tuple[Topology, torch.Tensor]:
    parents = lineage.stamp(genome.layout, genome.sample(count, seeds.rng(seed, "sample")), 50)
    genome, rows = genome.fit(lineage.stamp(genome.layout, parents.clone(), 100, parents, parents.flip(0)))
    for step in range(rounds):
        genome, rows = genome.fit(genome.mutate(rows, seeds.rng(seed, "mutate", step)))
    return genome, rows


def one_evolved(seed: int = 3, copies: int = 4000, **choices: Any) -> tuple[Topology, dict[str, Any], torch.Tensor]:
    """Return copies of one genome with hidden nodes, disabled connections and free places, and its description."""
    genome, rows = evolved(Topology(3, 2, **{**BUSY, **choices}), seed, 25, 1)
    return genome, genome.describe(rows[0]), rows.repeat(copies, 1)


def edges_of(described: dict[str, Any]) -> dict[tuple[float, float], tuple[float, bool]]:
    return {(source, target): (weight, enabled) for source, target, weight, enabled in described["connections"]}


def is_uniform(counts: list[int]) -> bool:
    return stats.chisquare(counts).pvalue > CHANCE


# Structure


@steady
@given(interfaces, seed_numbers, st.integers(0, 30))
def test_feedforward_genomes_have_no_cycle_and_lead_forward_only(
    faces: tuple[int, int], seed: int, rounds: int
) -> None:
    genome, rows = evolved(Topology(*faces, **BUSY), seed, rounds)
    for row in rows:
        graph = genome.graph(row)
        assert networkx.is_directed_acyclic_graph(graph)
        kinds = dict(graph.nodes(data="kind"))
        for source, target in graph.edges:
            assert kinds[target] not in ("bias", "input")
            assert kinds[source] != "output"


@steady
@given(interfaces, seed_numbers, st.booleans())
def test_connections_are_never_doubled_and_ends_are_nodes(faces: tuple[int, int], seed: int, recurrent: bool) -> None:
    genome, rows = evolved(Topology(*faces, recurrent=recurrent, **BUSY), seed, 30)
    for row in rows:
        described = genome.describe(row)
        ends = [(source, target) for source, target, _, _ in described["connections"]]
        assert len(set(ends)) == len(ends)
        known = {identity for identity, _ in described["nodes"]}
        known |= set(range(-faces[0] - 1, 0)) | set(range(1, faces[1] + 1))
        assert {end for pair in ends for end in pair} <= known
        assert all(target > 0 for _, target in ends)


def test_recurrent_genomes_get_cycles_loops_and_connections_from_outputs() -> None:
    genome, rows = evolved(Topology(2, 2, recurrent=True, **BUSY), 0, 40, 20)
    graphs = [genome.graph(row) for row in rows]
    ends = [pair for graph in graphs for pair in graph.edges]
    assert sum(not networkx.is_directed_acyclic_graph(graph) for graph in graphs) > len(graphs) / 2
    assert any(source == target for source, target in ends)
    assert any(source >= 1 for source, _ in ends)
    assert all(target > 0 for _, target in ends)


@pytest.mark.parametrize("recurrent", [False, True])
def test_add_connection_fills_every_free_place_and_then_stops(recurrent: bool) -> None:
    genome, rows = evolved(Topology(2, 2, recurrent=recurrent, add_node_rate=1.0), 5, 8, 1)
    hidden = len(genome.describe(rows[0])["nodes"])
    assert hidden > 2
    for step in range(200):
        genome, rows = genome.fit(rows)
        rows = rows.clone()
        add_connection(genome.fields(rows), 2, 2, 2.0, recurrent, seeds.rng(0, "fill", step))
    every = 3 * (hidden + 2) + hidden * (hidden - 1) // 2 + hidden * 2
    if recurrent:
        every = (3 + hidden + 2) * (hidden + 2)
    assert len(edges_of(genome.describe(rows[0]))) == every == int(genome.fields(rows).edges())


# What each operator changes


@steady
@given(seed_numbers, st.booleans())
def test_add_node_splits_one_enabled_connection_and_changes_nothing_else(seed: int, recurrent: bool) -> None:
    genome, rows = evolved(Topology(2, 2, recurrent=recurrent, **BUSY), seed, 15)
    children = rows.clone()
    allowed = torch.tensor([activation_id("sin"), activation_id("cos")])
    add_node(genome.fields(children), allowed, seeds.rng(seed, "split"))
    for row, child in zip(rows, children, strict=True):
        before, after = genome.describe(row), genome.describe(child)
        old, new = edges_of(before), edges_of(after)
        if not any(enabled for _, enabled in old.values()):
            assert before == after
            continue
        *kept, (identity, activation) = after["nodes"]
        assert kept == before["nodes"]
        assert activation in ("sin", "cos")
        split = [ends for ends, gene in old.items() if new[ends] != gene]
        assert len(split) == 1
        (source, target), weight = split[0], old[split[0]][0]
        assert old[split[0]] == (weight, True)
        assert new[split[0]] == (weight, False)
        assert set(new) - set(old) == {(source, identity), (identity, target)}
        assert new[source, identity] == (1.0, True)
        assert new[identity, target] == (weight, True)


@steady
@given(seed_numbers, st.booleans(), st.sampled_from([0.5, 3.0]))
def test_add_connection_adds_one_enabled_connection_and_changes_nothing_else(
    seed: int, recurrent: bool, weight_range: float
) -> None:
    genome, rows = evolved(Topology(2, 2, recurrent=recurrent, **BUSY), seed, 10)
    children = rows.clone()
    add_connection(genome.fields(children), 2, 2, weight_range, recurrent, seeds.rng(seed, "connect"))
    for row, child in zip(rows, children, strict=True):
        before, after = genome.describe(row), genome.describe(child)
        assert after["nodes"] == before["nodes"]
        old, new = edges_of(before), edges_of(after)
        added = set(new) - set(old)
        assert len(added) <= 1
        assert {ends: new[ends] for ends in old} == old
        for ends in added:
            assert abs(new[ends][0]) <= weight_range
            assert new[ends][1]


@steady
@given(seed_numbers)
def test_change_activation_gives_one_node_another_one(seed: int) -> None:
    genome, rows = evolved(Topology(2, 2, **BUSY), seed, 15)
    children = rows.clone()
    allowed = torch.tensor([IDS[name] for name in genome.activations])
    change_activation(genome.fields(children), allowed, seeds.rng(seed, "change"))
    for row, child in zip(rows, children, strict=True):
        before, after = genome.describe(row), genome.describe(child)
        assert after["connections"] == before["connections"]
        changed = [pair for pair in zip(before["nodes"], after["nodes"], strict=True) if pair[0] != pair[1]]
        assert len(changed) == (1 if before["nodes"] else 0)
        assert all(old[0] == new[0] and new[1] in genome.activations for old, new in changed)


def test_change_activation_leaves_a_node_that_has_the_only_one_allowed() -> None:
    genome, rows = evolved(Topology(2, 1, activations=("tanh",), add_node_rate=1.0), 0, 10)
    children = rows.clone()
    change_activation(genome.fields(children), torch.tensor([IDS["tanh"]]), seeds.rng(0, "change"))
    assert [genome.describe(row) for row in children] == [genome.describe(row) for row in rows]


def test_enable_connection_enables_one() -> None:
    genome, before, rows = one_evolved(copies=50)
    enable_connection(genome.fields(rows), seeds.rng(0, "enable"))
    for row in rows:
        after = genome.describe(row)
        assert after["nodes"] == before["nodes"]
        old, new = edges_of(before), edges_of(after)
        changed = [ends for ends in old if old[ends] != new[ends]]
        assert len(changed) == 1
        assert old[changed[0]] == (new[changed[0]][0], False)
        assert new[changed[0]][1]


def test_operators_leave_genomes_that_offer_nothing() -> None:
    genome = Topology(2, 1, initial_connection_rate=0.0)
    empty = genome.sample(3, seeds.rng(0, "sample"))
    rows = empty.clone()
    add_node(genome.fields(rows), torch.tensor([1]), seeds.rng(0, "a"))
    change_activation(genome.fields(rows), torch.tensor([1, 2]), seeds.rng(0, "b"))
    add_connection(genome.fields(rows), 2, 1, 1.0, False, seeds.rng(0, "c"))  # disabled ones count as there
    assert torch.equal(rows.nan_to_num(nan=-9.0), empty.nan_to_num(nan=-9.0))
    genome = Topology(2, 1, initial_connection_rate=1.0)
    full = genome.sample(3, seeds.rng(0, "sample"))
    rows = full.clone()
    enable_connection(genome.fields(rows), seeds.rng(0, "d"))
    assert torch.equal(rows.nan_to_num(nan=-9.0), full.nan_to_num(nan=-9.0))


def test_weights_move_with_the_rate_and_deviation_said() -> None:
    genome = Topology(
        4,
        3,
        add_node_rate=0.0,
        add_connection_rate=0.0,
        enable_connection_rate=0.0,
        activation_rate=0.0,
        weight_rate=1.0,
        weight_perturbation_rate=0.3,
        weight_deviation=0.7,
    )
    rows = genome.sample(2000, seeds.rng(0, "sample"))
    children = genome.mutate(rows, seeds.rng(0, "mutate"))
    moves = (genome.fields(children).edge_weight - genome.fields(rows).edge_weight)[:, :15].flatten()
    moved = moves[moves != 0]
    assert len(moved) / len(moves) == pytest.approx(0.3, abs=0.01)
    assert float(moved.std()) == pytest.approx(0.7, rel=0.03)
    assert float(moved.mean()) == pytest.approx(0.0, abs=0.03)


# How they choose


def kind_of_change(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Tell which kind of mutation made `after` of `before`, in the order of `Topology.rates`."""
    if len(after["nodes"]) > len(before["nodes"]):
        return 0
    if len(after["connections"]) > len(before["connections"]):
        return 1
    if after["nodes"] != before["nodes"]:
        return 3
    old, new = edges_of(before), edges_of(after)
    if any(new[ends][1] != enabled for ends, (_, enabled) in old.items()):
        return 2
    return 4 if old != new else 5


@pytest.mark.parametrize("rates", [(0.25, 0.20, 0.05, 0.50, 0.0), (3.0, 2.0, 1.0, 4.0, 2.0)])
def test_kinds_of_mutation_come_with_their_rates(rates: tuple[float, ...]) -> None:
    genome, before, rows = one_evolved(copies=3000)
    names = ("add_node_rate", "add_connection_rate", "enable_connection_rate", "activation_rate", "weight_rate")
    choices = dict(zip(names, rates, strict=True))
    genome = Topology(3, 2, hidden=genome.hidden, connections=genome.connections, **choices)
    children = genome.mutate(rows, seeds.rng(0, "mutate"))
    counts = np.bincount([kind_of_change(before, genome.describe(child)) for child in children], minlength=6)
    expected = np.array([*rates, 0.0]) / sum(rates) * len(rows)
    assert (counts[expected == 0] == 0).all()
    assert stats.chisquare(counts[expected > 0], expected[expected > 0]).pvalue > CHANCE


def test_a_split_connection_and_its_activation_are_chosen_uniformly() -> None:
    genome, before, rows = one_evolved()
    names = ("sin", "relu", "abs")
    add_node(genome.fields(rows), torch.tensor([IDS[name] for name in names]), seeds.rng(0, "split"))
    split = dict.fromkeys((ends for ends, (_, enabled) in edges_of(before).items() if enabled), 0)
    chosen = dict.fromkeys(names, 0)
    for row in rows:
        after = genome.describe(row)
        new = edges_of(after)
        split[next(ends for ends in split if not new[ends][1])] += 1
        chosen[after["nodes"][-1][1]] += 1
    assert len(split) > 5
    assert is_uniform(list(split.values()))
    assert is_uniform(list(chosen.values()))


def test_an_enabled_connection_is_chosen_uniformly() -> None:
    genome, before, rows = one_evolved()
    enable_connection(genome.fields(rows), seeds.rng(0, "enable"))
    counts = dict.fromkeys((ends for ends, (_, enabled) in edges_of(before).items() if not enabled), 0)
    for row in rows:
        new = edges_of(genome.describe(row))
        counts[next(ends for ends in counts if new[ends][1])] += 1
    assert len(counts) > 2
    assert is_uniform(list(counts.values()))


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_connection_is_added_from_a_uniform_source_to_a_uniform_target(recurrent: bool) -> None:
    genome, before, rows = one_evolved(recurrent=recurrent)
    add_connection(genome.fields(rows), 3, 2, 2.0, recurrent, seeds.rng(0, "connect"))
    old = edges_of(before)
    places = [-4.0, -3.0, -2.0, -1.0, *sorted(identity for identity, _ in before["nodes"]), 1.0, 2.0]
    free = {
        source: [
            target
            for target in places
            if target > 0 and (source, target) not in old and (recurrent or (source < min(target, 1.0)))
        ]
        for source in places
    }
    free = {source: targets for source, targets in free.items() if targets}
    counts = {(source, target): 0 for source, targets in free.items() for target in targets}
    weights = []
    for row in rows:
        new = edges_of(genome.describe(row))
        added = next(ends for ends in new if ends not in old)
        counts[added] += 1
        weights.append(new[added][0])
    expected = [len(rows) / len(free) / len(free[source]) for source, _ in counts]
    assert len(counts) > 5
    assert stats.chisquare(list(counts.values()), expected).pvalue > CHANCE
    assert stats.kstest(weights, stats.uniform(-2.0, 4.0).cdf).pvalue > CHANCE


def test_a_changed_node_and_its_new_activation_are_chosen_uniformly() -> None:
    genome, before, rows = one_evolved()
    change_activation(
        genome.fields(rows), torch.tensor([IDS[name] for name in genome.activations]), seeds.rng(0, "change")
    )
    counts = {(identity, name): 0 for identity, own in before["nodes"] for name in genome.activations if name != own}
    for row in rows:
        after = genome.describe(row)["nodes"]
        counts[next(tuple(new) for old, new in zip(before["nodes"], after, strict=True) if old != new)] += 1
    assert len(before["nodes"]) > 2
    assert is_uniform(list(counts.values()))


def test_a_first_generation_has_all_connections_each_enabled_by_chance() -> None:
    genome = Topology(3, 2, initial_connection_rate=0.3, weight_range=1.5)
    rows = genome.sample(2000, seeds.rng(0, "sample"))
    described = [genome.describe(row) for row in rows]
    ends = [(float(source), float(target)) for source in range(-4, 0) for target in (1, 2)]
    assert all(list(edges_of(one)) == ends and not one["nodes"] for one in described)
    enabled = np.array([[gene[1] for gene in edges_of(one).values()] for one in described])
    assert enabled.mean(0) == pytest.approx(np.full(8, 0.3), abs=0.05)
    weights = [gene[0] for one in described for gene in edges_of(one).values()]
    assert stats.kstest(weights, stats.uniform(-1.5, 3.0).cdf).pvalue > CHANCE


# Crossover


@steady
@given(seed_numbers, st.booleans())
def test_crossover_keeps_the_first_parents_structure_and_takes_aligned_genes_only(seed: int, recurrent: bool) -> None:
    genome, common = evolved(Topology(2, 2, recurrent=recurrent, **BUSY), seed, 10, 8)
    rows = common.repeat(2, 1)
    for step in range(10):  # relatives: part of their genes match
        genome, rows = genome.fit(genome.mutate(rows, seeds.rng(seed, "apart", step)))
    first, second = rows[:8], rows[8:]
    children = genome.crossover(first, second, seeds.rng(seed, "cross"))
    for child, one, other in zip(children, first, second, strict=True):
        made, mine, theirs = (genome.describe(row) for row in (child, one, other))
        assert [node[0] for node in made["nodes"]] == [node[0] for node in mine["nodes"]]
        assert list(edges_of(made)) == list(edges_of(mine))
        other_names = dict(map(tuple, theirs["nodes"]))
        for (identity, name), (_, own) in zip(made["nodes"], mine["nodes"], strict=True):
            assert name in (own, other_names.get(identity, own))
        for ends, gene in edges_of(made).items():
            assert gene in (edges_of(mine)[ends], edges_of(theirs).get(ends, edges_of(mine)[ends]))


def test_matching_genes_come_from_either_parent_evenly_wherever_they_stand() -> None:
    genome, mine, first = one_evolved(copies=2000, activations=("sin", "cos", "abs"))
    swap = {"sin": "relu", "cos": "tanh", "abs": "step", "linear": "inverse"}
    theirs = {
        "nodes": [[identity, swap[name]] for identity, name in reversed(mine["nodes"])],
        "connections": [
            [*ends, weight + 10.0, not enabled] for *ends, weight, enabled in reversed(mine["connections"])
        ],
    }
    second = genome.restore(theirs).repeat(len(first), 1)
    children = [genome.describe(row) for row in genome.crossover(first, second, seeds.rng(0, "cross"))]
    weights = np.array([[gene[0] for gene in edges_of(child).values()] for child in children])
    enabled = np.array([[gene[1] for gene in edges_of(child).values()] for child in children])
    own = np.array(list(edges_of(mine).values()))
    other = weights > 5.0
    assert (weights == np.where(other, own[:, 0] + 10.0, own[:, 0])).all()
    assert (enabled == (own[:, 1].astype(bool) ^ other)).all(), "an enabled flag comes along with its weight"
    assert other.mean(0) == pytest.approx(np.full(len(own), 0.5), abs=0.06)
    names = np.array([[name for _, name in child["nodes"]] for child in children])
    swapped = names != np.array([name for _, name in mine["nodes"]])
    assert swapped.mean(0) == pytest.approx(np.full(names.shape[1], 0.5), abs=0.06)


def test_crossing_a_genome_with_itself_makes_itself() -> None:
    genome, rows = evolved(Topology(2, 2, **BUSY), 1, 20)
    children = genome.crossover(rows, rows, seeds.rng(0, "cross"))
    assert torch.equal(children.nan_to_num(nan=-9.0), rows.nan_to_num(nan=-9.0))


# Expression

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "step": lambda x: (x > 0).astype(float),
    "sin": lambda x: np.sin(np.pi * x),
    "gaussian": lambda x: np.exp(-(x**2) / 2),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "inverse": lambda x: -x,
    "abs": np.abs,
    "relu": lambda x: np.maximum(x, 0),
    "cos": lambda x: np.cos(np.pi * x),
    "squared": lambda x: x**2,
}


def node_by_node(
    genome: Topology, described: dict[str, Any], steps: np.ndarray, shared_weight: float | None = None
) -> np.ndarray:
    """Compute a genome's outputs `[steps, cases, outputs]` from its description, a node at a time, in float64."""
    kinds = dict(described["nodes"])
    kinds |= {float(number): genome.output_activation for number in range(1, genome.outputs + 1)}
    previous: dict[float, np.ndarray] = {}
    results = []
    for inputs in steps:
        values = {-float(genome.inputs + 1): np.ones(len(inputs))}
        values |= {float(number - genome.inputs): inputs[:, number] for number in range(genome.inputs)}
        for node in sorted(kinds):
            total = np.zeros(len(inputs))
            for source, target, weight, enabled in described["connections"]:
                if target == node and enabled:
                    past = previous.get(source, np.zeros(len(inputs)))
                    total += (weight if shared_weight is None else shared_weight) * (
                        values if source < node else {}
                    ).get(source, past)
            values[node] = ACTIVATIONS[kinds[node]](total)
        previous = values
        results.append(np.stack([values[float(number)] for number in range(1, genome.outputs + 1)], 1))
    return np.stack(results)


def assert_close(
    outputs: np.ndarray, genome: Topology, described: dict[str, Any], steps: np.ndarray, *rest: Any
) -> int:
    """Compare where float32 can tell: where inputs moved by its rounding move outputs little; return how many."""
    expected = node_by_node(genome, described, steps, *rest)
    moved = [node_by_node(genome, described, steps * (1 + shift), *rest) for shift in (1e-5, -1e-5)]
    tolerance = 1e-3 * (1 + np.abs(expected))
    tame = np.all([np.abs(other - expected) < tolerance for other in moved], axis=0) & (np.abs(expected) < 1e6)
    tame = np.logical_and.accumulate(tame.all(-1, keepdims=True), axis=0) & np.ones_like(tame)
    assert (np.abs(outputs - expected) <= tolerance)[tame].all()
    return int(tame.sum())


@pytest.mark.parametrize("engine", ["compiled", "torch"])
@pytest.mark.parametrize("shared_weight", [None, -1.5])
def test_networks_compute_what_their_genomes_say(engine: str, shared_weight: float | None) -> None:
    compared, total, seen = 0, 0, set()
    for seed in range(12):
        output = list(IDS)[seed % len(IDS)]
        faces = (1 + seed % 3, 1 + seed % 2)
        genome = Topology(*faces, activations=tuple(IDS), output_activation=output, weight_range=1.0, **BUSY)
        genome, rows = evolved(genome, seed, 3 * seed)
        cases = np.random.default_rng(seed).standard_normal((70, faces[0])).astype(np.float32)
        networks = genome.express(rows).on(Execution(engine))
        outputs = networks.forward(torch.from_numpy(cases), shared_weight).numpy()
        for row, one in zip(rows, outputs, strict=True):
            described = genome.describe(row)
            compared += assert_close(one[None], genome, described, cases[None].astype(float), shared_weight)
            total += one.size
            seen |= {name for _, name in described["nodes"]} | {output}
    assert seen == set(IDS)
    assert compared > 0.9 * total


@pytest.mark.parametrize("activation", list(IDS))
@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_every_activation_in_a_hidden_node_and_an_output(activation: str, engine: str) -> None:
    genome = Topology(1, 1, output_activation=activation)
    edges = [[-1.0, 0.5, 0.7, True], [-2.0, 0.5, 0.2, True], [0.5, 1.0, -0.9, True], [-1.0, 1.0, 0.3, True]]
    described = {"nodes": [[0.5, activation]], "connections": edges}
    networks = genome.express(genome.restore(described)).on(Execution(engine))
    cases = np.linspace(-2.03, 2.01, 101, dtype=np.float32)[:, None]
    outputs = networks.forward(torch.from_numpy(cases)).numpy()
    assert assert_close(outputs, genome, described, cases[None].astype(float)) >= 100


def test_recurrent_networks_read_the_step_before() -> None:
    compared, total = 0, 0
    scale = torch.tensor([1.0, 0.5, -1.2])
    for seed in range(10):
        faces = (1 + seed % 3, 1 + seed % 2)
        smooth = ("linear", "tanh", "sigmoid", "gaussian", "sin", "inverse", "abs", "relu", "cos")
        choices = {"recurrent": True, "activations": smooth, "output_activation": "tanh", "weight_range": 1.0, **BUSY}
        genome, rows = evolved(Topology(*faces, **choices), seed, 4 * seed)
        steps = np.random.default_rng(seed).standard_normal((6, faces[0])).astype(np.float32)
        stepper = Stepper(genome.express(rows), scale)
        for _ in range(2):  # a reset puts all to rest
            stepper.reset()
            seen = [stepper.step(torch.from_numpy(step).expand(len(rows), 3, -1)).numpy().copy() for step in steps]
        outputs = np.stack(seen)  # [steps, n, lanes, outputs]
        for number, row in enumerate(rows):
            for lane, factor in enumerate(scale.tolist()):
                described = genome.describe(row)
                for edge in described["connections"]:
                    edge[2] *= factor
                wide = steps[:, None].astype(float)
                compared += assert_close(outputs[:, number, lane][:, None], genome, described, wide)
                total += len(steps) * faces[1]
    assert compared > 0.9 * total


def test_a_loop_sums_up_over_steps_and_backward_connections_wait_a_step() -> None:
    genome = Topology(1, 2, recurrent=True)
    edges = [[-1.0, 0.3, 1.0, True], [0.3, 0.3, 1.0, True], [0.3, 1.0, 1.0, True], [2.0, 0.6, 1.0, True]]
    edges += [[0.6, 1.0, 10.0, True], [1.0, 2.0, 1.0, True]]
    rows = genome.restore({"nodes": [[0.6, "linear"], [0.3, "linear"]], "connections": edges})
    stepper = Stepper(genome.express(rows), torch.ones(1))
    seen = [stepper.step(torch.tensor([[[value]]]))[0, 0].tolist() for value in (1.0, 2.0, 4.0)]
    # node 0.3 is the running sum 1, 3, 7; output 2 is output 1 of the same step; node 0.6 is output 2 a step ago
    assert seen == [[1.0, 1.0], [3.0 + 10.0, 13.0], [7.0 + 130.0, 137.0]]


def test_hidden_always_enabled_expresses_disabled_connections_between_hidden_nodes_with_weight_one() -> None:
    edges = [
        [-1.0, 0.3, 0.5, True],
        [-1.0, 0.6, 0.5, False],  # from an input: stays disabled
        [0.3, 0.6, 3.0, False],  # between hidden nodes: expressed, with weight 1
        [0.6, 0.8, 4.0, True],  # between hidden nodes: its weight becomes 1, too
        [0.8, 1.0, 2.0, True],
        [0.3, 1.0, 7.0, False],  # to an output: stays disabled
    ]
    described = {"nodes": [[0.3, "linear"], [0.6, "linear"], [0.8, "linear"]], "connections": edges}
    plain, published = (Topology(1, 1, hidden_always_enabled=flag) for flag in (False, True))
    networks = [genome.express(genome.restore(described)).describe(0)["edges"] for genome in (plain, published)]
    assert networks[0] == [[1, 2, 0.5], [3, 4, 4.0], [4, 5, 2.0]]
    assert networks[1] == [[1, 2, 0.5], [2, 3, 1.0], [3, 4, 1.0], [4, 5, 2.0]]
    complexity = [genome.complexity(genome.restore(described)).tolist() for genome in (plain, published)]
    assert complexity == [[3.0], [4.0]]


@steady
@given(seed_numbers, st.booleans())
def test_complexity_counts_the_connections_of_the_network(seed: int, always: bool) -> None:
    genome, rows = evolved(Topology(2, 2, hidden_always_enabled=always, **BUSY), seed, 20)
    counts = [len(genome.express(rows).describe(number)["edges"]) for number in range(len(rows))]
    assert genome.complexity(rows).tolist() == counts


# Room and descriptions


@steady
@given(interfaces, seed_numbers, st.booleans())
def test_descriptions_and_graphs_tell_everything(faces: tuple[int, int], seed: int, recurrent: bool) -> None:
    genome, rows = evolved(Topology(*faces, recurrent=recurrent, **BUSY), seed, 20)
    for row in rows:
        described = genome.describe(row)
        restored = genome.restore(json.loads(json.dumps(described)))
        assert genome.describe(restored[0]) == described
        graph = genome.graph(row)
        edges = {(source, target): (data["weight"], data["enabled"]) for source, target, data in graph.edges(data=True)}
        assert edges == edges_of(described)
        hidden = {node: data["activation"] for node, data in graph.nodes(data=True) if data["kind"] == "hidden"}
        assert hidden == dict(map(tuple, described["nodes"]))
        kinds = [kind for _, kind in graph.nodes(data="kind")]
        assert [kinds.count(kind) for kind in ("bias", "input", "output")] == [1, *faces]
        assert len(kinds) == 1 + sum(faces) + len(hidden)


@steady
@given(seed_numbers, st.integers(1, 40))
def test_room_makes_no_difference(seed: int, rounds: int) -> None:
    """The same draws make the same individuals in rows just wide enough and in very wide ones."""
    tight, narrow = evolved(Topology(2, 2, hidden=1, connections=6), seed, rounds)
    roomy, wide = evolved(Topology(2, 2, hidden=90, connections=200), seed, rounds)
    assert roomy.hidden == 90
    assert [tight.describe(row) for row in narrow] == [roomy.describe(row) for row in wide]
    for many, few in zip(vars(roomy.express(wide)).values(), vars(tight.express(narrow)).values(), strict=True):
        assert torch.equal(many, few) if isinstance(many, torch.Tensor) else many == few
    assert torch.equal(narrow[:, tight.layout.genes :], wide[:, roomy.layout.genes :])
    for field, known in (
        ("uid", [100, 101, 102, 103]),
        ("first_parent", [50, 51, 52, 53]),
        ("second_parent", [53, 52, 51, 50]),
    ):
        assert lineage.identities(tight.layout, narrow, field).tolist() == known


@steady
@given(seed_numbers)
def test_fit_gives_room_for_one_more_variation_and_leaves_wide_rows_alone(seed: int) -> None:
    genome = Topology(1, 1, hidden=1, connections=2, add_node_rate=1.0, initial_connection_rate=1.0)
    rows = genome.sample(3, seeds.rng(seed, "sample"))
    for step in range(20):
        genome, rows = genome.fit(rows)
        fields = genome.fields(rows)
        assert int(fields.nodes().max()) + 1 <= genome.hidden
        assert int(fields.edges().max()) + 2 <= genome.connections
        again, same = genome.fit(rows)
        assert again is genome
        assert same is rows
        rows = genome.mutate(rows, seeds.rng(seed, "mutate", step))


@pytest.mark.parametrize(
    "wrong", [{"inputs": 0}, {"outputs": 0}, {"hidden": 0}, {"add_node_rate": -1.0}, {"activations": ("sinus",)}]
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Topology|activation"):
        Topology(**{"inputs": 2, "outputs": 1, **wrong})
