"""Paths that grow: what children share and clone, one step along ordered lists, and slots of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evo.grown_paths import GrownPaths
from evo.testing.genome_checks import genome_checks
from genomes.grown_path import GrownPath
from problems.xor import Xor

GENOME = GrownPath(3, 8)


def field(rows: torch.Tensor, name: str, genome: GrownPath = GENOME) -> torch.Tensor:
    return genome.layout.view(rows, name)


@pytest.mark.parametrize("check", genome_checks, ids=str)
def test_contract(check: object) -> None:
    from evo.testing import CheckSkipped

    try:
        check.run(GENOME)  # type: ignore[attr-defined]
    except CheckSkipped:
        return


def test_layers_are_cloned_as_often_as_the_rate_says_and_the_read_out_always() -> None:
    genome = GrownPath(3, 8, mutation_rates=(0.2,))
    parents = genome.sample(4000, np.random.default_rng(0))
    children = genome.mutate(parents, np.random.default_rng(1))
    trained = field(children, "trained", genome)
    assert bool((trained[:, -1] == 1).all())
    error = 4 * np.sqrt(0.2 * 0.8 / 4000)
    assert trained[:, :-1].mean(0).numpy() == pytest.approx(np.full(3, 0.2), abs=error)
    step = field(children, "step_size", genome) - 2
    assert set(step.unique().tolist()) == {-1, 0, 1}
    assert float((step != 0).float().mean()) == pytest.approx(0.2, abs=error)
    assert bool((field(children, "mutation_rate", genome) == 0).all()), "a list of one stays what it is"


def test_hyper_parameters_stop_at_the_ends_of_their_lists() -> None:
    genome = GrownPath(1, 2, step_sizes=(0.1, 0.2), mutation_rates=(1.0,))
    rows = genome.sample(200, np.random.default_rng(0))
    children = genome.mutate(rows, np.random.default_rng(0))
    assert set(field(children, "step_size", genome).flatten().tolist()) == {0.0, 1.0}
    assert set(genome.express(children).step_size.tolist()) == {0.1, 0.2}


def test_a_child_of_a_child_comes_from_where_its_parent_is() -> None:
    parent = GENOME.sample(1, np.random.default_rng(0))
    field(parent, "component")[0] = torch.tensor([3.0, 0.0, 5.0, 2.0])
    child = GENOME.heirs(parent, trained=False)
    assert field(child, "origin").tolist() == [[3, 0, 5, 2]]
    assert field(child, "trained").tolist() == [[0, 0, 0, 1]]
    assert field(GENOME.heirs(parent, trained=True), "trained").tolist() == [[1, 1, 1, 1]]
    assert field(GENOME.assign(child, 0, 0), "origin").tolist() == [[3, 0, 5, 2]]
    assert field(GENOME.assign(child, 0, 1), "origin").tolist() == [[3, 0, 5, -1]], "another task, a new read-out"


def test_clones_get_slots_that_nobody_uses() -> None:
    living = GENOME.sample(2, np.random.default_rng(0))
    field(living, "component")[1] = torch.tensor([1.0, 0.0, 2.0, 1.0])
    children = GENOME.heirs(living, trained=False)
    field(children, "trained")[:, 0] = 1
    placed = GENOME.placed(children, living)
    assert field(placed, "component").tolist() == [[2, 0, 0, 2], [3, 0, 2, 3]]
    assert field(placed, "origin").tolist() == field(children, "origin").tolist()
    with pytest.raises(ValueError, match="layer 0 has 8 slots, of which 2 are in use, and 7 more are needed"):
        GENOME.placed(children.repeat(4, 1)[:7], living)


def test_a_champions_genes_come_back() -> None:
    row = GENOME.mutate(GENOME.sample(1, np.random.default_rng(0)), np.random.default_rng(3))
    described = GENOME.describe(row[0])
    assert described["modules"] == [[0], [0], [0]]
    genes = GENOME.layout.genes
    assert torch.equal(GENOME.restore(described)[:, :genes], row[:, :genes])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="step_sizes: expected numbers above 0 in increasing order"):
        GrownPath(2, 4, step_sizes=(0.2, 0.1))
    with pytest.raises(ValueError, match="mutation_rates up to 1"):
        GrownPath(2, 4, mutation_rates=(0.5, 1.5))
    with pytest.raises(TypeError, match=r"problems\.transfer\.growing"):
        GrownPath.for_problem(Xor())
    slots, one = torch.zeros(1, 3, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    trained = torch.tensor([[False, False, True]])
    with pytest.raises(ValueError, match="slots are numbered from 0 to 3"):
        GrownPaths(slots + 4, slots, trained, one.double(), 4, one, one)
    with pytest.raises(ValueError, match="read-out"):
        GrownPaths(slots, slots, ~trained, one.double(), 4, one, one)
