"""A plain function as a problem, one phenotype or one batch at a time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from evo.function_problem import CALLS, BatchFunctionProblem, FunctionProblem, fitness
from evo.networks import Networks, pack
from evo.outcome import Outcome
from evo.problem import Objective


def rng(seed=0):
    return np.random.default_rng(seed)


def two_networks():
    return pack(1, 1, [([1, 1, 1], [(1, 2, 3.0)]), ([1, 1, 1], [(1, 2, 5.0), (0, 2, 1.0)])])


def test_a_function_becomes_a_problem_and_stays_callable():
    @fitness(maximize="score")
    def score(x):
        return x.sum()

    assert isinstance(score, FunctionProblem)
    assert score.name == "score"
    assert score.objectives == (Objective("score"),)
    assert score.accepts is torch.Tensor
    assert not score.stochastic
    assert score(np.ones(3)) == 3.0
    assert (score.time_limit, score.memory_limit) == (60.0, 0)
    outcomes = score.evaluate(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), rng())
    assert outcomes.scores.tolist() == [[3.0], [7.0]]
    assert outcomes.scores.dtype == torch.float64
    assert outcomes.kinds == (Outcome.OK, Outcome.OK)
    assert dataclasses.replace(score, time_limit=5.0).time_limit == 5.0


def test_objectives_are_those_to_maximize_then_those_to_minimize():
    @fitness(minimize=("cost", "size"), maximize="gain", name="trade")
    def score(x):
        return {"size": 3, "cost": 2, "gain": 1}

    assert score.name == "trade"
    assert score.objectives == (Objective("gain"), Objective("cost", False), Objective("size", False))
    assert score.evaluate(torch.zeros(1, 2), rng()).scores.tolist() == [[1.0, 2.0, 3.0]]


def test_failures_are_outcomes_and_siblings_are_kept():
    @fitness(maximize="score")
    def score(x):
        return {0: 1.0, 1: float("nan"), 2: None, 3: 1 / (3 - x[0]), 4: float("inf")}[int(x[0])]

    outcomes = fitness(maximize="score")(lambda x: 1.0 if x[0] != 3 else 1 / 0).evaluate(torch.eye(4) * 3, rng())
    assert outcomes.kinds == (Outcome.RAISED, Outcome.OK, Outcome.OK, Outcome.OK)
    assert "ZeroDivisionError" in outcomes.messages[0]
    with np.errstate(all="ignore"):
        outcomes = score.evaluate(torch.arange(5.0)[:, None], rng())
    assert outcomes.kinds[:3] == (Outcome.OK, Outcome.NAN, Outcome.WRONG_TYPE)
    assert outcomes.scores[0].item() == 1.0
    assert outcomes.scores[1:].isnan().all()
    assert set(outcomes.messages) == {1, 2, 3, 4}


def test_nobody_gives_nothing():
    one = fitness(maximize=("a", "b"))(lambda x: (1, 2))
    batch = fitness(maximize=("a", "b"), batch=True)(lambda x: x[:, :2])
    for each in (one, batch):
        outcomes = each.evaluate(torch.zeros(0, 3), rng())
        assert outcomes.scores.shape == (0, 2)
        assert outcomes.kinds == ()


@pytest.mark.parametrize("batch", [False, True])
def test_all_of_a_generation_get_equal_generators(batch):
    def one(x, rng):
        return rng.random()

    def many(x, rng):
        return torch.full((len(x),), rng.random())

    noisy = fitness(maximize="score", batch=batch)(many if batch else one)
    assert noisy.stochastic
    first, again, other = (noisy.evaluate(torch.zeros(5, 1), rng(seed)).scores for seed in (1, 1, 2))
    assert len(set(first.flatten().tolist())) == 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("batch", [False, True])
def test_the_genomes_cannot_be_changed(batch):
    @fitness(maximize="score", batch=batch)
    def score(x):
        x[:] = 7
        return x[:, 0] if batch else 1.0

    rows = torch.zeros(3, 2)
    assert score.evaluate(rows, rng()).kinds == (Outcome.OK,) * 3
    assert rows.sum() == 0


def test_networks_and_lists_come_one_by_one():
    @fitness(maximize="output", accepts=Networks, inputs=["x"], outputs=["y"])
    def output(network):
        assert len(network) == 1
        return float(network.edge_weights.sum())

    assert (output.accepts, output.inputs, output.outputs) == (Networks, ("x",), ("y",))
    assert output.evaluate(two_networks(), rng()).scores.flatten().tolist() == [3.0, 6.0]
    length = fitness(minimize="length", accepts=list)(len)
    assert length.evaluate(["abc", "a"], rng()).scores.flatten().tolist() == [3.0, 1.0]
    items = fitness(maximize="kind", accepts=list)(lambda x: isinstance(x, np.ndarray))
    assert items.evaluate([torch.zeros(2)], rng()).scores.item() == 1.0


def test_a_batch_function_scores_all_at_once():
    calls = []

    @fitness(maximize="score", batch=True)
    def score(x):
        calls.append(len(x))
        return x.sum(1)

    assert isinstance(score, BatchFunctionProblem)
    outcomes = score.evaluate(torch.tensor([[1.0, 2.0], [float("nan"), 0.0], [5.0, 0.0]]), rng())
    assert calls == [3]
    assert outcomes.kinds == (Outcome.OK, Outcome.NAN, Outcome.OK)
    assert outcomes.scores[::2].flatten().tolist() == [3.0, 5.0]


@pytest.mark.parametrize(
    "function",
    [lambda x: x, lambda x: x.numpy(), lambda x: {"b": x[:, 1], "a": x[:, 0]}, lambda x: x.to(torch.int64)],
)
def test_a_batch_function_may_return_several_objectives(function):
    two = fitness(maximize="a", minimize="b", batch=True)(function)
    assert two.evaluate(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), rng()).scores.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: 1.0, "float"),
        (lambda x: None, "NoneType"),
        (lambda x: x[:2, 0], "[2]"),
        (lambda x: x[:, :2], "[3, 2]"),
        (lambda x: x.sum(), "[]"),
        (lambda x: x[:, 0] * 1j, "complex"),
        (lambda x: {"other": x}, "other"),
        (lambda x: {"score": x}, "[6]"),
        (lambda x: np.array(["a", "b", "c"]), "ndarray"),
    ],
)
def test_a_batch_function_that_returns_something_else_fails_for_all(function, said):
    outcomes = fitness(maximize="score", batch=True)(function).evaluate(torch.zeros(3, 2), rng())
    assert outcomes.kinds == (Outcome.WRONG_TYPE,) * 3
    assert said in outcomes.messages[2]
    assert "expected" in outcomes.messages[0]
    assert outcomes.scores.isnan().all()


@pytest.mark.parametrize("bad", [(0,), (13,), (3, 4, 16)])
def test_only_culprits_fail_where_a_batch_function_raises(bad):
    calls = []

    @fitness(maximize="score", batch=True)
    def score(x, rng):
        calls.append(len(x))
        if set(x[:, 0].tolist()) & set(bad):
            raise ValueError("culprit")
        return x[:, 0] + rng.integers(100)

    rows = torch.arange(17.0)[:, None]
    outcomes = score.evaluate(rows, rng())
    assert [index for index, kind in enumerate(outcomes.kinds) if kind is Outcome.RAISED] == list(bad)
    assert set(outcomes.messages) == set(bad)
    kept = torch.tensor([index not in bad for index in range(17)])
    assert len(set((outcomes.scores - rows)[kept].flatten().tolist())) == 1
    assert len(calls) <= 1 + 2 * 5 * len(bad)


def test_a_batch_function_that_always_raises_is_not_called_for_ever():
    calls = []

    @fitness(maximize="score", batch=True)
    def score(x):
        calls.append(len(x))
        raise MemoryError

    outcomes = score.evaluate(torch.zeros(1000, 1), rng())
    assert outcomes.kinds == (Outcome.OUT_OF_MEMORY,) * 1000
    assert len(calls) <= CALLS


def test_batches_of_networks_and_lists():
    total = fitness(maximize="outputs", batch=True, accepts=Networks)(
        lambda nets: nets.forward(torch.ones(1, 1)).sum((1, 2))
    )
    assert total.evaluate(two_networks(), rng()).scores.flatten().tolist() == [3.0, 6.0]
    lengths = fitness(maximize="length", batch=True, accepts=list)(lambda x: torch.tensor([len(item) for item in x]))
    assert lengths.evaluate(["a", "bcd"], rng()).scores.flatten().tolist() == [1.0, 3.0]


@pytest.mark.parametrize("batch", [False, True])
def test_global_generators_are_untouched(batch):
    before = torch.get_rng_state()
    noisy = fitness(maximize="score", batch=batch)(lambda x: torch.rand(len(x)) if batch else torch.rand(()))
    first = noisy.evaluate(torch.zeros(3, 1), rng()).scores
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    assert torch.equal(noisy.evaluate(torch.zeros(3, 1), rng()).scores, first)


def test_ctrl_c_stops_both():
    def stop(x):
        raise KeyboardInterrupt

    for batch in (False, True):
        with pytest.raises(KeyboardInterrupt):
            fitness(maximize="score", batch=batch)(stop).evaluate(torch.zeros(1, 1), rng())


def test_the_source_has_a_digest():
    @fitness(maximize="score")
    def score(x):
        return x[0]

    def other(x):
        return x[1]

    digests = {score.source_digest(), dataclasses.replace(score, function=other).source_digest()}
    assert len(digests) == 2
    assert all(len(digest) == 64 for digest in digests)
    made = [{}, {}, {}]
    for place, text in zip(made, ("x[0]", "x[0]", "[y for y in x][0]"), strict=True):
        exec(f"def f(x): return {text}", place)  # a function without a source file
    digests = [fitness(maximize="score")(place["f"]).source_digest() for place in made]
    assert digests[0] == digests[1] != digests[2]
    assert fitness(maximize="score")(len).source_digest() != fitness(maximize="score")(sum).source_digest()


async def _async(x):
    return 1.0


def _generator(x):
    yield 1.0


@pytest.mark.parametrize(
    ("options", "function", "error", "said"),
    [
        ({}, len, ValueError, "maximize"),
        ({"maximize": ("a", "a")}, len, ValueError, "different names"),
        ({"maximize": "a", "accepts": dict}, len, TypeError, "accepts"),
        ({"maximize": "a", "time_limit": -1.0}, len, ValueError, "time_limit"),
        ({"maximize": "a", "memory_limit": -1}, len, ValueError, "memory_limit"),
        ({"maximize": "a", "batch": True, "time_limit": 1.0}, len, ValueError, "time_limit"),
        ({"maximize": "a"}, lambda x, y: 1, TypeError, "default values"),
        ({"maximize": "a"}, lambda: 1, TypeError, "of one phenotype"),
        ({"maximize": "a"}, lambda rng: 1, TypeError, "of one phenotype"),
        ({"maximize": "a"}, _async, TypeError, "async"),
        ({"maximize": "a"}, _generator, TypeError, "generator"),
        ({"maximize": "a"}, 3, TypeError, "below the decorator"),
    ],
)
def test_mistakes_are_told(options, function, error, said):
    with pytest.raises(error, match=said):
        fitness(**options)(function)


def test_forgotten_parentheses_are_told():
    with pytest.raises(TypeError, match="parentheses"):

        @fitness
        def score(x):
            return 1.0


def test_parameters_with_defaults_and_a_generator_are_fine():
    for function in (lambda x, scale=2: x[0] * scale, lambda x, rng: x[0], lambda *x: 1, lambda x, *, rng: 1):
        assert fitness(maximize="score")(function).evaluate(torch.ones(1, 1), rng()).ok.all()
