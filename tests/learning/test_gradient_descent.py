"""Gradients of a problem's loss move a network's own weights, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo.champion import networks_of
from evo.learning.gradient_descent import descend
from evo.networks import Networks
from evo.outcome import Outcomes, outcomes_of
from evo.problem import NetworkProblem, Objective
from problems.control.cartpole_swingup import CartPoleSwingUp
from problems.digits import Digits

NETWORK: dict[str, Any] = {
    "inputs": ["x"],
    "outputs": ["y"],
    "activations": ["linear", "linear", "linear", "linear"],
    "edges": [[2, 3, 1.0], [0, 3, -1.0], [1, 2, 0.5]],
}
"""y = 1.0 * (0.5 x) - 1."""


@dataclass(frozen=True)
class Line(NetworkProblem):
    """y is to be 3 x + 2, on cases drawn from a normal distribution; with `power` beyond 2 the loss explodes."""

    objectives: ClassVar[tuple[Objective, ...]] = (Objective("error", maximize=False),)
    power: float = 2.0

    def training_batch(self, rng: np.random.Generator) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        x = torch.from_numpy(rng.standard_normal((32, 1)).astype(np.float32))
        return x, lambda outputs: (outputs - 3.0 * x - 2.0).abs().pow(self.power).mean()

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        x = torch.linspace(-1.0, 1.0, 9)[:, None]
        return outcomes_of((phenotypes.forward(x) - 3.0 * x - 2.0).square().mean((1, 2))[:, None])


def digits_network() -> dict[str, Any]:
    """A softmax regression whose weights are all 0."""
    edges = [[source, 65 + unit, 0.0] for unit in range(10) for source in range(65)]
    return {
        "inputs": list(Digits().inputs),
        "outputs": list(Digits().outputs),
        "activations": ["linear"] * 75,
        "edges": edges,
    }


def test_a_line_is_learned_to_its_closed_form() -> None:
    done = descend(NETWORK, Line(), steps=600, learning_rate=0.1, seed=0)
    (_, _, second), (_, _, offset), (_, _, first) = done.network["edges"]
    assert first * second == pytest.approx(3.0, abs=1e-3)
    assert offset == pytest.approx(2.0, abs=1e-3)
    assert len(done.losses) == 600
    assert done.losses[0] > 5.0
    assert done.losses[-1] < 1e-5
    assert {**done.network, "edges": None} == {**NETWORK, "edges": None}
    assert [edge[:2] for edge in done.network["edges"]] == [edge[:2] for edge in NETWORK["edges"]]


def test_the_first_loss_is_that_of_the_network_given() -> None:
    from evo import seeds

    inputs, loss = Line().training_batch(seeds.rng(5, "gradient descent", 0))
    expected = float(loss(networks_of(NETWORK).forward(inputs)[0]))
    assert descend(NETWORK, Line(), steps=1, seed=5).losses[0] == pytest.approx(expected, rel=1e-5)


def test_seeds_decide_and_global_generators_do_not() -> None:
    before = torch.get_rng_state().tolist()
    one, again, other = (descend(NETWORK, Line(), steps=5, seed=seed) for seed in (1, 1, 2))
    assert torch.get_rng_state().tolist() == before
    assert one == again
    assert one.losses[0] != other.losses[0]


def test_every_step_sees_a_batch_of_its_own() -> None:
    losses = descend(NETWORK, Line(), steps=5, learning_rate=1e-12, seed=0).losses
    assert len(set(losses)) == 5


def test_digits_are_learned_from_training_cases_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    draw = Digits.draw
    monkeypatch.setattr(Digits, "draw", lambda self, rng: (drawn.append(self.split), draw(self, rng))[1])
    done = descend(digits_network(), Digits(batch=200), steps=120, learning_rate=0.1, seed=0)
    assert set(drawn) == {"train"}
    assert done.losses[0] == pytest.approx(math.log(10), rel=1e-5)
    test = Digits(batch=0, split="test", objective="accuracy")
    assert float(test.evaluate(networks_of(done.network), np.random.default_rng(0)).scores[0, 0]) > 0.93


def test_descent_ends_where_numbers_are_no_longer_finite() -> None:
    done = descend(NETWORK, Line(power=400.0), steps=50, seed=0)
    assert len(done.losses) == 1
    assert not math.isfinite(done.losses[0])
    assert done.network == NETWORK


def test_impossible_requests_are_explained() -> None:
    swing = {"inputs": list("abcde"), "outputs": ["f"], "activations": ["linear"] * 7, "edges": [[1, 6, 1.0]]}
    with pytest.raises(TypeError, match=r"cartpole-swingup-v1 has no gradients.*evolved_weights"):
        descend(swing, CartPoleSwingUp(), seed=0)
    with pytest.raises(ValueError, match="positive numbers, got 0"):
        descend(NETWORK, Line(), steps=0, seed=0)
    with pytest.raises(ValueError, match=r"positive numbers, got 5 and 0.0"):
        descend(NETWORK, Line(), steps=5, learning_rate=0.0, seed=0)
