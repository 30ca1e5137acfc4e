"""Gradient steps in a lifetime: the same as descent node by node, on the same batches, and inherited or not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from evo import seeds
from evo.activations import IDS, NAMES
from evo.evaluation.evaluator import Evaluator
from evo.learning.weight_training import TrainedWeights
from evo.networks import Networks, pack
from evo.testing.problem_checks import check_problem
from genomes.perceptron import Perceptron
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp
from problems.digits import Digits
from problems.xor import Xor

DIGITS = Digits(batch=20)
PLAIN = {"linear": lambda x: x, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}


def strangers(count: int = 4) -> Networks:
    """Networks of different structures, grown by mutation."""
    genome = Topology.for_problem(
        DIGITS, initial_connection_rate=0.1, activations=("tanh", "sigmoid", "relu"), changes=3, weight_range=1.0
    )
    genome, rows = genome.fit(genome.sample(count, np.random.default_rng(1)))
    for turn in range(12):
        genome, rows = genome.fit(genome.mutate(rows, np.random.default_rng(turn)))
    return genome.express(rows)


def node_by_node(networks: Networks, number: int, weights: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Return a network's outputs `[cases, outputs]`, a node at a time."""
    one = networks[number : number + 1]
    values: list[torch.Tensor] = [torch.ones(len(inputs), dtype=torch.float64)]
    for node, kind in enumerate(one.activations.tolist()):
        if node == 0:
            continue
        if node <= one.inputs:
            total = inputs[:, node - 1].double()
        else:
            total = torch.zeros(len(inputs), dtype=torch.float64)
            for edge in range(int(one.edge_offsets[node]), int(one.edge_offsets[node + 1])):
                total = total + weights[edge] * values[int(one.edge_sources[edge])]
        values.append(PLAIN[NAMES[kind]](total))
    return torch.stack(values[-one.outputs :], 1)


@pytest.mark.parametrize("step_size", [0.3, 20.0])
def test_steps_are_those_of_descent_node_by_node(step_size: float) -> None:
    networks, lifetime = strangers(), TrainedWeights(DIGITS, steps=3, step_size=step_size)
    learned, cut = lifetime.live(networks, 5), 0
    for number in range(len(networks)):
        weights = networks[number : number + 1].edge_weights.double().requires_grad_()
        for step in range(3):
            inputs, loss_of = DIGITS.training_batch(seeds.rng(5, "training batch", step))
            (slope,) = torch.autograd.grad(loss_of(node_by_node(networks, number, weights, inputs)), [weights])
            cut += int(slope.norm() > 1)
            weights = (weights - step_size * slope / slope.norm().clamp(min=1.0)).detach().requires_grad_()
        found = learned[number : number + 1].edge_weights
        torch.testing.assert_close(found, weights.detach().float(), rtol=1e-5, atol=1e-5)
        assert (found - networks[number : number + 1].edge_weights).abs().max() > 1e-3
    assert (cut > 0) == (step_size > 1)


def test_learning_helps_and_the_score_at_birth_is_measured_on_the_same_cases() -> None:
    networks = strangers(6)
    outcomes = TrainedWeights(DIGITS, steps=10, step_size=1.0).evaluate(networks, np.random.default_rng(0))
    before, after = outcomes.measured["before"], outcomes.scores[:, 0]
    assert (after < before).all()
    none = TrainedWeights(DIGITS, steps=0).evaluate(networks, np.random.default_rng(0))
    assert torch.equal(none.measured["before"], none.scores[:, 0])
    assert torch.equal(none.scores[:, 0], before)


def test_it_keeps_the_contract_of_a_problem() -> None:
    findings = check_problem(TrainedWeights(DIGITS, steps=2), strangers())
    assert [finding for finding in findings if finding.status != "ok"] == []


def test_a_network_learns_the_same_alone_as_among_others() -> None:
    networks, lifetime = strangers(), TrainedWeights(DIGITS)
    together = lifetime.live(networks, 3)
    for number in range(len(networks)):
        alone = lifetime.live(networks[number : number + 1], 3)
        assert torch.equal(alone.edge_weights, together[number : number + 1].edge_weights)
    assert not torch.equal(lifetime.live(networks, 4).edge_weights, together.edge_weights)


def test_networks_without_edges_learn_nothing_and_those_that_fly_off_stop() -> None:
    bare: tuple[list[int], list[tuple[int, int, float]]] = ([1] * 4, [])
    wild = ([1, 1, 1, IDS["linear"]], [(1, 3, math.inf), (2, 3, 1.0)])
    wired = ([1, 1, 1, 1], [(1, 3, 0.5), (2, 3, -0.5)])
    learned = TrainedWeights(Xor(), steps=3).live(pack(2, 1, [bare, wild, wired]), 0)
    alone = TrainedWeights(Xor(), steps=3).live(pack(2, 1, [wired]), 0)
    assert learned.edge_weights[:2].tolist() == [math.inf, 1.0]
    assert torch.equal(learned.edge_weights[2:], alone.edge_weights)
    assert len(TrainedWeights(Xor()).live(pack(2, 1, [bare]), 0).edge_weights) == 0


def test_baldwinian_rows_stay_and_lamarckian_rows_take_over_what_was_learned() -> None:
    genome = Perceptron.for_problem(DIGITS, hidden=(3,))
    rows = genome.sample(4, seeds.rng(0, "sample"))
    scores, inherited = {}, {}
    for kind in ("baldwinian", "lamarckian"):
        with Evaluator(TrainedWeights(DIGITS, kind)) as evaluator:
            outcomes = evaluator.evaluate(genome, rows, seeds.rng(0, "evaluate"))
        scores[kind], inherited[kind] = outcomes.scores, outcomes.inherited(rows)
    assert torch.equal(scores["baldwinian"], scores["lamarckian"])
    assert torch.equal(inherited["baldwinian"], rows)
    learned = TrainedWeights(DIGITS).live(genome.express(rows), int(seeds.rng(0, "evaluate").integers(2**63)))
    assert torch.equal(genome.express(inherited["lamarckian"]).edge_weights, learned.edge_weights)
    assert not torch.equal(inherited["lamarckian"], rows)


def test_problems_without_gradients_and_impossible_settings_are_refused() -> None:
    swingup = CartPoleSwingUp(episodes=1, steps=5)
    networks = Perceptron.for_problem(swingup, hidden=()).express(
        Perceptron.for_problem(swingup, hidden=()).sample(1, np.random.default_rng(0))
    )
    with pytest.raises(TypeError, match=r"has no gradients.*TunedWeights"):
        TrainedWeights(swingup).live(networks, 0)
    wrong: list[dict[str, Any]] = [{"steps": -1}, {"step_size": 0.0}, {"step_size": math.nan}]
    for settings in wrong:
        with pytest.raises(ValueError, match="steps from 0 up and step_size above 0"):
            TrainedWeights(DIGITS, **settings)
