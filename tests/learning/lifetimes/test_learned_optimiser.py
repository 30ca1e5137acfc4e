"""Learned optimisers and what they descend: gradients by autograd, hand optimisers by torch.optim, forms by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from evo.learning.lifetimes.learned_optimiser import LARGEST, Optimise, descend, mover
from evo.optimisees import Optimisees, SmallNetworks
from evo.optimisers import LearnedOptimisers, parameter_count
from genomes.learned_optimiser import LearnedOptimiser
from problems.meta import hand_optimisers
from problems.meta.quadratics import RandomQuadratics
from problems.meta.small_network import NetworkTrainings

QUADRATICS = RandomQuadratics(size=4, steps=12).sample(7, np.random.default_rng(0))
NETWORKS = {
    activation: NetworkTrainings(hidden=3, activation=activation, steps=4, batch=6, initial_deviation=0.3).sample(
        2, np.random.default_rng(0)
    )
    for activation in ("sigmoid", "relu")
}
FORMS = {"features": (8,), "momenta": (5, 4), "recurrent": (6,)}
every_form = pytest.mark.parametrize(("form", "hidden"), FORMS.items())


def optimisers(form: str, hidden: tuple[int, ...], count: int = 3) -> LearnedOptimisers:
    genome = LearnedOptimiser(form, hidden, initial_deviation=0.5)
    return genome.express(genome.sample(count, np.random.default_rng(1)))


def quadratic(places: torch.Tensor) -> torch.Tensor:
    return (torch.einsum("tij,tj->ti", QUADRATICS.matrices, places) - QUADRATICS.targets).square().sum(1)


def network_loss(tasks: SmallNetworks, activation: str, number: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the mean cross-entropies `[tasks]` at places, with torch's own layers."""

    def loss(places: torch.Tensor) -> torch.Tensor:
        losses = []
        for place, cases in zip(places, tasks.orders[:, number], strict=True):
            size = tasks.inputs[0].shape[1]
            first, bias, second, out = place.split([3 * size, 3, 30, 10])
            hidden = torch.nn.functional.linear(tasks.inputs[0][cases], first.view(3, size), bias)
            hidden = getattr(torch, activation)(hidden)
            logits = torch.nn.functional.linear(hidden, second.view(10, 3), out)
            losses.append(torch.nn.functional.cross_entropy(logits, tasks.labels[0][cases]))
        return torch.stack(losses)

    return loss


@pytest.mark.parametrize("kind", ["quadratic", "sigmoid", "relu"])
def test_slopes_are_those_of_autograd(kind: str) -> None:
    tasks: Optimisees = QUADRATICS if kind == "quadratic" else NETWORKS[kind]
    function = quadratic if kind == "quadratic" else network_loss(NETWORKS[kind], kind, 2)
    places = torch.stack([tasks.start, tasks.start * 2 + 0.1])
    losses, gradients = tasks.slope(places, 2)
    for one, loss, gradient in zip(places, losses, gradients, strict=True):
        leaf = one.clone().requires_grad_()
        expected = function(leaf)
        expected.sum().backward()
        assert leaf.grad is not None
        assert torch.allclose(loss, expected, rtol=1e-5)
        assert torch.allclose(gradient, leaf.grad, rtol=1e-4, atol=1e-5)


HAND: dict[str, Callable[[list[torch.Tensor]], torch.optim.Optimizer]] = {
    "SGD": lambda leaf: torch.optim.SGD(leaf, lr=0.01),
    "momentum": lambda leaf: torch.optim.SGD(leaf, lr=0.01, momentum=0.9),
    "NAG": lambda leaf: torch.optim.SGD(leaf, lr=0.01, momentum=0.9, nesterov=True),
    "RMSprop": lambda leaf: torch.optim.RMSprop(leaf, lr=0.01),
    "Adam": lambda leaf: torch.optim.Adam(leaf, lr=0.01),
}


@pytest.mark.parametrize("name", HAND)
def test_hand_optimisers_are_torchs(name: str) -> None:
    leaf = QUADRATICS.start.clone().requires_grad_()
    optimiser, losses = HAND[name]([leaf]), []
    for _ in range(13):
        optimiser.zero_grad()
        loss = quadratic(leaf)
        losses.append(loss.detach())
        loss.sum().backward()
        optimiser.step()
    mine = descend(hand_optimisers.OPTIMISERS[name](0.01), QUADRATICS)[0]
    assert torch.allclose(mine, torch.stack(losses, 1).double(), rtol=1e-4)


def test_each_hand_optimiser_has_the_step_size_that_is_best_on_other_tasks() -> None:
    others = RandomQuadratics(size=4, steps=12).sample(30, np.random.default_rng(5))
    found = hand_optimisers.baselines(QUADRATICS, others, (0.001, 0.01, 1.0))
    assert found["SGD"][0] == 0.01
    assert all(each.losses.shape == (7, 13) and each.losses[:, 0].isfinite().all() for each in found.values())


def test_step_sizes_at_an_end_of_those_tried_are_named() -> None:
    others = RandomQuadratics(size=4, steps=12).sample(30, np.random.default_rng(5))
    for step_sizes, end in (((0.001, 0.01, 1.0), False), ((0.001, 0.01), True), ((0.01, 1.0), True)):
        found = hand_optimisers.baselines(QUADRATICS, others, step_sizes)["SGD"]
        assert (found.step_size, found.end) == (0.01, end)
    assert max(hand_optimisers.STEP_SIZES) == pytest.approx(31.6, rel=1e-3)
    assert min(hand_optimisers.STEP_SIZES) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("made", "changed", "said"),
    [
        (RandomQuadratics, {"size": 0}, "size and steps of 1 or more, got 0 and 100"),
        (RandomQuadratics, {"steps": 0}, "size and steps of 1 or more, got 10 and 0"),
        (NetworkTrainings, {"batch": 0}, "of 1 or more, .* got 20, 100, 0 and 0.01"),
        (NetworkTrainings, {"steps": 0}, "of 1 or more, .* got 20, 0, 128 and 0.01"),
        (NetworkTrainings, {"hidden": 0}, "of 1 or more, .* got 0, 100, 128 and 0.01"),
        (NetworkTrainings, {"initial_deviation": -0.1}, "from 0 up, got 20, 100, 128 and -0.1"),
    ],
)
def test_tasks_without_anything_to_descend_are_refused(made: Any, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made(**changed)


def features_by_hand(parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Return the moves of one coordinate, for its gradients step by step."""
    first, bias = parameters[:72].reshape(8, 9), parameters[72:80]
    second, out = parameters[80:96].reshape(2, 8), parameters[96:98]
    square, momenta, moves = 0.0, [0.0, 0.0, 0.0], []
    for number, gradient in enumerate(gradients):
        square = 0.95 * square + 0.05 * gradient**2
        size = math.sqrt(square / (1 - 0.95 ** (number + 1)))
        momenta = [d * m + (1 - d) * gradient for d, m in zip((0.5, 0.9, 0.99), momenta, strict=True)]
        fair = [m / (1 - d ** (number + 1)) for d, m in zip((0.5, 0.9, 0.99), momenta, strict=True)]
        shown = [gradient / size, math.log(size) / 5, *(m / size for m in fair)]
        shown += [*(math.log(abs(m)) / 10 for m in fair), math.tanh(number / 50 - 1)]
        answers = second @ np.tanh(first @ np.array(shown) + bias) + out
        moves.append(-0.1 * answers[0] * min(math.exp(0.5 * answers[1]), 20.0) * math.tanh(size))
    return np.array(moves)


def test_the_form_with_features_is_its_formula() -> None:
    some = optimisers("features", (8,), 2)
    assert parameter_count("features", (8,)) == 98
    gradients = np.random.default_rng(3).standard_normal((6, 5)) * [0.01, 1.0, 30.0, 0.3, 2.0]
    move = mover(some)
    for number in range(6):
        seen = torch.tensor(gradients[number], dtype=torch.float32).expand(2, 1, 5)
        moved = move(seen, torch.zeros(2, 1, 5), number)
        for which in range(2):
            for coordinate in range(5):
                expected = features_by_hand(some.parameters[which].double().numpy(), gradients[:, coordinate])[number]
                assert moved[which, 0, coordinate].item() == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_the_form_with_momenta_has_the_published_size_and_normalises_over_coordinates() -> None:
    assert parameter_count("momenta", (32, 32)) == 1762
    some = optimisers("momenta", (5, 4), 1)
    gradients = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 2, 6), np.float32)) * 1e6
    moves, larger = (mover(some)(factor * gradients, torch.ones(1, 2, 6), 0) for factor in (1.0, 100.0))
    assert moves.std() > 1e-6
    assert torch.allclose(moves, larger, rtol=1e-3)


@every_form
def test_a_population_is_each_of_its_members_alone_in_chunks_of_any_size(form: str, hidden: tuple[int, ...]) -> None:
    some = optimisers(form, hidden, 5)
    for tasks in (QUADRATICS, NETWORKS["relu"]):
        whole = Optimise().live(some, tasks, seed=0)
        for size in (1, 2):
            parts = Optimise(chunk=size).live(some, tasks, seed=0)
            assert torch.equal(parts.scores, whole.scores)
            assert torch.equal(parts.measured["final"], whole.measured["final"])


@every_form
def test_coordinates_share_weights_and_tasks_do_not_mix(form: str, hidden: tuple[int, ...]) -> None:
    some = optimisers(form, hidden, 2)
    whole = Optimise().live(some, QUADRATICS, seed=0).scores
    alone = torch.cat([Optimise().live(some, QUADRATICS[place : place + 1], seed=0).scores for place in range(7)], 1)
    assert torch.allclose(whole, alone, atol=1e-4)


def test_scores_are_logarithms_of_areas_and_what_flies_off_is_bounded() -> None:
    lives = Optimise().live(optimisers("features", (8,)), QUADRATICS, seed=0)
    assert torch.allclose(lives.scores[..., 0].exp(), lives.measured["area"])
    losses = descend(lambda gradients, places, number: 1e9 * gradients, QUADRATICS)
    assert losses.isfinite().all()
    assert losses[..., -1].max() == LARGEST


def test_an_optimiser_that_stays_keeps_the_loss() -> None:
    still = LearnedOptimisers("features", (8,), torch.zeros(1, 98))
    losses = descend(mover(still), QUADRATICS)
    assert torch.equal(losses, losses[..., :1].expand_as(losses))
    assert torch.allclose(losses[0, :, 0], quadratic(QUADRATICS.start).double())


@pytest.mark.parametrize(
    "wrong",
    [("features", ()), ("momentum", (8,)), ("recurrent", (4, 4))],
)
def test_impossible_forms_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="form is one of features, momenta, recurrent"):
        LearnedOptimiser(*wrong)


def test_parameters_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"are \[n, 98\], got \[1, 3\]"):
        LearnedOptimisers("features", (8,), torch.zeros(1, 3))


def test_test_tasks_have_pictures_of_their_own() -> None:
    train, test = (NetworkTrainings(split).sample(1, np.random.default_rng(0)) for split in ("train", "test"))
    assert len(train.inputs[0]) == 1442
    assert len(test.inputs[0]) == 355
    with pytest.raises(ValueError, match="data is one of digits, mnist"):
        NetworkTrainings(data="letters")
