"""Settings, rows and states that do not fit are refused at once, with a reason, before anything large is made."""

import numpy as np
import pytest
import torch

from evo import Campaign
from evo.algorithms.binary_tournament import BinaryTournament
from evo.layout import Field, Layout
from evo.problem_state import encode
from genomes.pathway import Pathway
from problems.transfer.binary_digits import BinaryDigits
from problems.transfer.growing import Growing

PROBLEM = BinaryDigits(digits="digits", batches=2, replicates=2)


@pytest.mark.parametrize("name", ["replicates", "batches", "batch"])
@pytest.mark.parametrize("value", [10**9, 0, 2.5, "many"])
def test_absurd_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name}: expected"):
        BinaryDigits(digits="digits", **{name: value})


@pytest.mark.parametrize(("name", "wanted"), [("tasks", 3), ("replicates", 5)])
def test_an_algorithm_that_wants_more_than_there_is_is_refused_before_it_runs(name, wanted):
    settings = {"tasks": 2, "replicates": 2, "generations_per_task": 2} | {name: wanted}
    with pytest.raises(ValueError, match=f"{name}: BinaryTournament goes through {wanted}, but binary-digits-v1 has 2"):
        Campaign(PROBLEM, Pathway.for_problem(PROBLEM), BinaryTournament(population=4, **settings), generations=4)


@pytest.mark.parametrize("replicate", [-1, 2])
def test_nobody_is_asked_who_is_not_there(replicate):
    state = PROBLEM.begin(np.random.default_rng(0))
    with pytest.raises(ValueError, match="replicate: expected one of the 2"):
        PROBLEM.predict(state, replicate, 0, torch.zeros(1, 64))


def test_inputs_of_another_shape_are_refused():
    state = PROBLEM.begin(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"inputs: expected \[cases, 64\], got \[1, 65\]"):
        PROBLEM.predict(state, 0, 0, torch.zeros(1, 65))


def test_genes_of_another_shape_are_no_row():
    layout = Layout(Field("modules", (3, 2)), Field("task", ()))
    with pytest.raises(ValueError, match=r"modules: expected an array \[1, 3, 2\], got \[1, 1\]"):
        layout.rows(modules=[[0]], task=[0])
    with pytest.raises(ValueError, match=r"task: expected an array \[1\], got \[2\]"):
        layout.rows(modules=[[[0, 0]] * 3], task=[0, 1])


def test_a_champion_of_a_huge_pathway_is_refused_before_its_row_is_made():
    genome = Pathway((4, 4), active=10**9)
    with pytest.raises(ValueError, match="modules: expected an array"):
        genome.restore({"modules": [[0, 1], [2, 3]], "replicate": 0, "task": 0})


@pytest.mark.parametrize("name", ["file", "allow_pickle"])
def test_states_with_names_that_files_cannot_hold_are_refused(name):
    record = {"generation": 0, "rows": "", "scores": [], "failed": {}}
    with pytest.raises(ValueError, match=f"no room for the names \\['{name}'\\]"):
        encode(record, {name: torch.zeros(1)})


def test_all_tensors_of_growing_paths_are_found_to_be_moved():
    from problems.transfer.growing import _tensors

    growing = Growing(PROBLEM, validation=20)
    from genomes.grown_path import GrownPath

    genome = GrownPath.for_problem(growing)
    paths = genome.express(genome.sample(2, np.random.default_rng(0)))
    assert {"component", "origin", "trained", "replicate", "task"} <= _tensors(paths).keys()
