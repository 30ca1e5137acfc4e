"""Layouts, lineage, seeds, outcomes: the words everything else is said in."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import evo
from evo import lineage, seeds
from evo.layout import Field, Layout
from evo.outcome import Outcome, join, outcomes_of


def test_views_write_to_the_rows():
    layout = Layout(Field("weights", (2, 3)), Field("rate"))
    rows = layout.rows(weights=np.arange(12).reshape(2, 2, 3), rate=[0.5, 0.25])
    assert layout.weights(rows).shape == (2, 2, 3)
    layout.weights(rows)[1, 0] += 100
    assert rows[1, :3].tolist() == [106, 107, 108]
    assert layout.rate(rows).tolist() == [0.5, 0.25]


def test_a_wrong_name_shape_or_field_is_told():
    layout = Layout(Field("weights", (3,)))
    with pytest.raises(AttributeError, match="did you mean 'weights'"):
        _ = layout.weight
    with pytest.raises(ValueError, match=r"expected shape \[n, 9\].*got \[3\]"):
        layout.weights(torch.zeros(3))
    with pytest.raises(ValueError, match="used twice"):
        Layout(Field("uid"))
    with pytest.raises(ValueError, match="give exactly"):
        layout.rows(wieghts=[[1, 2, 3]])


@given(st.lists(st.integers(0, 2**47), min_size=1, max_size=5), st.sampled_from([torch.float32, torch.float64]))
def test_identities_beyond_float32_are_exact(numbers, dtype):
    layout = Layout(Field("x"), dtype=dtype)
    rows = torch.cat([lineage.stamp(layout, layout.empty(1), number) for number in numbers])
    assert lineage.identities(layout, rows).tolist() == numbers
    children = lineage.stamp(layout, rows.clone(), 5, rows, rows.flip(0))
    assert lineage.identities(layout, children, "first_parent").tolist() == numbers
    others = [other if other != one else -1 for one, other in zip(numbers, numbers[::-1], strict=True)]
    assert lineage.identities(layout, children, "second_parent").tolist() == others


def test_lineage_survives_slices_and_becomes_a_graph():
    layout = Layout(Field("x"))
    parents = lineage.stamp(layout, layout.empty(3), 0)
    children = lineage.stamp(layout, parents[1:].clone(), 3, parents[1:])
    kept = torch.cat((children, parents))[[0, 4]]
    assert lineage.identities(layout, kept).tolist() == [3, 2]
    graph = lineage.genealogy([(0, 0, -1, -1), (0, 1, -1, -1), (1, 3, 1, -1)])
    assert list(graph.edges) == [(1, 3)]


def test_draws_depend_on_everything_that_names_them_and_on_nothing_else():
    def draw(*key):
        return seeds.rng(*key).random(4).tolist()

    base = draw(1, "variation", 2, 3)
    assert base == draw(1, "variation", 2, 3)
    others = [
        (2, "variation", 2, 3),
        (1, "selection", 2, 3),
        (1, "variation", 3, 3),
        (1, "variation", 2, 4),
        (3, "variation", 2, 1),
    ]
    assert all(draw(*other) != base for other in others)


def test_nan_and_infinity_become_failures_by_name():
    outcomes = outcomes_of(torch.tensor([[1.0], [torch.nan], [torch.inf]]))
    assert outcomes.kinds == (Outcome.OK, Outcome.NAN, Outcome.INFINITE)
    assert outcomes.ok.tolist() == [True, False, False]
    assert outcomes.scores[1:].isnan().all()
    joined = join([outcomes, outcomes])
    assert sorted(joined.messages) == [1, 2, 4, 5]
    assert "0/0" in joined.explain()


def test_all_names_are_there():
    for name in evo.__all__:
        assert getattr(evo, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = evo.nothing


@pytest.mark.parametrize("statement", ["import evo", "import evo.cli; evo.cli.parser().format_help()"])
def test_import_and_help_load_nothing_heavy(statement):
    heavy = ("torch", "numpy", "numba", "evotorch", "deap")
    code = f"import sys; {statement}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
