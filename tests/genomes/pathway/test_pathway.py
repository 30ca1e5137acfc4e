"""Pathways are sets of modules per layer: compared with Python's own sets."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evo import seeds
from evo.pathways import Pathways
from evo.testing.genome_checks import check_genome
from genomes.pathway import Pathway

MODULES = st.lists(
    st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=2, max_size=2), min_size=1, max_size=6
)
GENOME = Pathway((5, 5), active=3)


def rows_of(modules: Any, genome: Pathway = GENOME, replicate: int = 0, task: int = 0) -> torch.Tensor:
    count = len(modules)
    return genome.layout.rows(modules=modules, replicate=[replicate] * count, task=[task] * count)


def sets(modules: list[list[int]]) -> set[tuple[int, int]]:
    return {(layer, module) for layer, chosen in enumerate(modules) for module in chosen}


@pytest.mark.parametrize(
    "genome",
    [Pathway((4, 3, 5), active=2), Pathway((10, 10, 10), bounds="wrap", redraw_rate=0.3), Pathway((2,), active=3)],
    ids=lambda genome: str(genome.counts),
)
def test_every_check_of_genomes_passes(genome: Pathway) -> None:
    assert [finding for finding in check_genome(genome) if finding.status == "FAILED"] == []


@given(MODULES)
@settings(max_examples=60, deadline=None)
def test_rows_are_sets(modules: list[list[list[int]]]) -> None:
    rows = rows_of(modules)
    shuffled = rows_of([[list(reversed(layer)) for layer in one] for one in modules])
    found = [sets(one) for one in modules]
    assert GENOME.complexity(rows).tolist() == [len(one) for one in found]
    assert GENOME.distance(rows, shuffled).tolist() == [[len(one ^ other) for other in found] for one in found]
    pathways = GENOME.express(rows)
    mask = pathways.distinct()
    for number, one in enumerate(modules):
        for layer, chosen in enumerate(one):
            seen: list[int] = []
            for slot, module in enumerate(chosen):
                assert bool(mask[number, layer, slot]) == (module not in seen)
                seen.append(module)
        assert {(int(a), int(b)) for a, b in pathways.used()[number].nonzero()} == found[number]


@given(MODULES)
@settings(max_examples=30, deadline=None)
def test_a_graph_leads_from_layer_to_layer(modules: list[list[list[int]]]) -> None:
    graph = GENOME.graph(rows_of(modules[:1])[0])
    first, second = ({(layer, module) for module in modules[0][layer]} for layer in (0, 1))
    assert set(graph.nodes) == first | second
    assert set(graph.edges) == set(itertools.product(first, second))


def test_rows_are_made_out_to_a_task_and_children_keep_it() -> None:
    genome = Pathway((6, 6), active=2, offset_rate=1.0, redraw_rate=0.5)
    rows = genome.sample(8, seeds.rng(0, "test"))
    before = rows.clone()
    assigned = genome.assign(rows, 7, 2)
    assert torch.equal(rows, before), "what is given is not changed"
    child = genome.crossover(genome.mutate(assigned, seeds.rng(1, "test")), rows, seeds.rng(2, "test"))
    for made in (assigned, child):
        phenotypes = genome.express(made)
        assert phenotypes.replicate.tolist() == [7] * 8
        assert phenotypes.task.tolist() == [2] * 8
        assert phenotypes.counts == (6, 6)
    assert genome.describe(assigned[0]) == {
        "modules": genome.express(rows).modules[0].tolist(),
        "replicate": 7,
        "task": 2,
    }
    assert torch.equal(genome.express(assigned[2:5]).modules, genome.express(assigned)[2:5].modules)


def test_the_whole_network_is_a_pathway_of_all_modules() -> None:
    genome = Pathway((4, 3), active=4)
    assert genome.complexity(genome.sample(5, seeds.rng(0, "test"))).tolist() == [7.0] * 5


def test_the_rate_is_one_over_the_numbers_of_a_row() -> None:
    assert Pathway((10, 10, 10), active=3).move_probability == pytest.approx(1 / 9)
    assert Pathway((10, 10, 10), active=3, offset_rate=0.5).move_probability == 0.5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"counts": ()}, "one layer or more"),
        ({"counts": (3, 0)}, "of 1 module or more"),
        ({"active": 0}, "from 1 up"),
        ({"radius": 0}, "from 1 up"),
        ({"bounds": "bounce"}, "clamp, wrap"),
        ({"offset_rate": 1.5}, "probabilities"),
        ({"redraw_rate": -0.1}, "probabilities"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Pathway(**{"counts": (3, 3), **changes})


def test_a_problem_says_how_many_modules_there_are() -> None:
    class Some:
        name = "some"
        modules_per_layer = (3, 4)

    some: Any = Some()
    assert Pathway.for_problem(some, active=2) == Pathway((3, 4), active=2)
    nothing: Any = object()
    with pytest.raises((TypeError, AttributeError)):
        Pathway.for_problem(nothing)


def pathways(**changes: Any) -> Pathways:
    zeros = torch.zeros(2, dtype=torch.int64)
    given: dict[str, Any] = {"modules": zeros.reshape(2, 1, 1), "counts": (3,), "replicate": zeros, "task": zeros}
    return Pathways(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"modules": torch.zeros(2, 1, dtype=torch.int64)}, "layers, active"),
        ({"counts": (3, 3)}, "2 layers"),
        ({"task": torch.zeros(3, dtype=torch.int64)}, "one number per pathway"),
        ({"replicate": torch.zeros(2)}, "int64"),
        ({"replicate": torch.tensor([0, -1])}, "from 0 up"),
        ({"modules": torch.full((2, 1, 1), 3)}, "number up to 3"),
    ],
)
def test_pathways_refuse_what_cannot_be(changes: dict[str, Any], said: str) -> None:
    assert len(pathways()) == 2
    with pytest.raises(ValueError, match=said):
        pathways(**changes)


def test_settings_from_json_are_the_same() -> None:
    counts: Any = [3, 4]
    assert Pathway(counts) == Pathway((3, 4))
    assert np.array_equal(Pathway(counts).sample(3, seeds.rng(0, "a")), Pathway((3, 4)).sample(3, seeds.rng(0, "a")))
