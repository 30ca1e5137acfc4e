"""The diagonal Fisher information against closed forms, Hessians and plain loops."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from evo import seeds
from evo.champion import network_of
from evo.exchange.torch_module import NetworkModule
from evo.learning.consolidation import fisher
from evo.learning.consolidation.fisher import KINDS, diagonal_fisher, module_importance, network_importance
from genomes.perceptron import Perceptron

CASES = torch.randn(40, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
CLASSES = torch.randint(3, (40,), generator=torch.Generator().manual_seed(1))
THETA = torch.randn(9, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def logistic(weights: torch.Tensor, cases: torch.Tensor) -> torch.Tensor:
    """Return the logits of two classes: 0, and a weighted sum."""
    sums = cases @ weights
    return torch.stack((torch.zeros_like(sums), sums), 1)


def linear(weights: torch.Tensor, cases: torch.Tensor) -> torch.Tensor:
    return cases @ weights.view(3, 3)


def deep(weights: torch.Tensor, cases: torch.Tensor) -> torch.Tensor:
    return torch.tanh(cases @ weights[:6].view(3, 2)).sum(1, keepdim=True) * weights[6:9]


def loop(logits: Any, weights: torch.Tensor, cases: torch.Tensor) -> torch.Tensor:
    """Return the exact information, one gradient at a time."""
    total = torch.zeros_like(weights)
    for case in cases:
        for answer in range(logits(weights, case[None]).shape[1]):
            here = weights.clone().requires_grad_()
            logarithm = logits(here, case[None]).log_softmax(1)[0, answer]
            (slope,) = torch.autograd.grad(logarithm, here)
            total += logarithm.detach().exp() * slope**2
    return total / len(cases)


def test_exact_is_the_closed_form_of_logistic_regression() -> None:
    probability = torch.sigmoid(CASES @ THETA[:3])
    closed = (probability * (1 - probability))[:, None].mul(CASES**2).mean(0)
    torch.testing.assert_close(diagonal_fisher(logistic, THETA[:3], CASES), closed)


def test_exact_is_the_hessian_of_the_cross_entropy_of_a_linear_model_whatever_the_classes() -> None:
    def loss(weights: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(linear(weights, CASES), CLASSES)

    here = THETA.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(loss(here), here, create_graph=True)
    hessian = [torch.autograd.grad(slope, here, retain_graph=True)[0][place] for place, slope in enumerate(slopes)]
    torch.testing.assert_close(diagonal_fisher(linear, THETA, CASES), torch.stack(hessian))


def test_exact_is_what_a_plain_loop_finds_in_one_piece_or_many(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = loop(deep, THETA, CASES)
    torch.testing.assert_close(diagonal_fisher(deep, THETA, CASES), expected)
    monkeypatch.setattr(fisher, "NUMBERS", 3 * 9 * 7)  # 7 cases at a time
    torch.testing.assert_close(diagonal_fisher(deep, THETA, CASES), expected)


def test_empirical_is_exact_where_classes_come_as_often_as_the_network_says() -> None:
    weights = torch.tensor([math.log(3.0)])  # the second class has a probability of 3 / 4
    cases, classes = torch.ones(4, 1), torch.tensor([0, 1, 1, 1])
    exact = diagonal_fisher(logistic, weights, cases)
    torch.testing.assert_close(diagonal_fisher(logistic, weights, cases, "empirical", classes=classes), exact)
    assert float(exact) == pytest.approx(3 / 16)


def test_empirical_and_exact_meet_where_the_network_is_sure() -> None:
    right = linear(THETA, CASES).argmax(1)
    apart = []
    for sureness in (1.0, 10.0, 1000.0):
        weights = sureness * THETA
        exact, empirical = (
            diagonal_fisher(linear, weights, CASES),
            diagonal_fisher(linear, weights, CASES, "empirical", classes=right),
        )
        apart.append(float((exact - empirical).abs().max()))
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 1e-4


def test_sampled_is_exact_in_the_mean() -> None:
    many = CASES.repeat(500, 1)
    sampled = diagonal_fisher(deep, THETA, many, "sampled", seed=0)
    torch.testing.assert_close(sampled, diagonal_fisher(deep, THETA, CASES), rtol=0.05, atol=1e-3)
    again, other = (diagonal_fisher(deep, THETA, CASES, "sampled", seed=seed) for seed in (0, 1))
    assert torch.equal(again, diagonal_fisher(deep, THETA, CASES, "sampled", seed=0))
    assert not torch.equal(again, other)


def test_batched_squares_the_mean_gradient() -> None:
    def slope(some: slice) -> torch.Tensor:
        here = THETA.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(deep(here, CASES[some]), CLASSES[some])
        return torch.autograd.grad(loss, here)[0]

    expected = (slope(slice(0, 16)) ** 2 + slope(slice(16, 32)) ** 2 + slope(slice(32, 40)) ** 2) / 3
    found = diagonal_fisher(deep, THETA, CASES, "batched", classes=CLASSES, batch=16)
    torch.testing.assert_close(found, expected)
    single = diagonal_fisher(deep, THETA, CASES, "batched", classes=CLASSES, batch=1)
    empirical = diagonal_fisher(deep, THETA, CASES, "empirical", classes=CLASSES)
    torch.testing.assert_close(single, empirical)
    assert float(found.sum()) < float(empirical.sum())


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"kind": "Exact"}, "expected one of exact"),
        ({"kind": "sampled"}, "give a seed"),
        ({"kind": "empirical"}, "needs the true classes"),
        ({"kind": "batched", "classes": CLASSES[:3]}, "needs the true classes"),
        ({"kind": "batched", "classes": CLASSES, "batch": 0}, "batch: expected"),
        ({"cases": CASES[:0]}, "at least one case"),
    ],
)
def test_what_is_missing_is_told(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        diagonal_fisher(deep, THETA, **{"cases": CASES, **settings})


def test_a_module_is_looked_at_as_it_is_used_and_left_as_it_was() -> None:
    first, dropped, last = torch.nn.Linear(3, 4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 2)
    module = torch.nn.Sequential(first, dropped, torch.nn.Tanh(), torch.nn.Dropout(0.5), last).double()
    dropped.eval()
    first.bias.requires_grad_(False)
    before = {name: values.clone() for name, values in module.state_dict().items()}
    importance = module_importance(module, CASES)
    assert importance.parts == (("0.weight", (4, 3)), ("4.weight", (2, 4)), ("4.bias", (2,)))
    assert [one.training for one in module.modules()] == [True, True, False, True, True, True]
    assert all(torch.equal(values, before[name]) for name, values in module.state_dict().items())
    assert all(values.grad is None for values in module.parameters())
    torch.testing.assert_close(importance.named(importance.anchor)["4.weight"], last.weight.detach())

    def logits(flat: torch.Tensor, cases: torch.Tensor) -> torch.Tensor:
        hidden = torch.tanh(cases @ flat[:12].view(4, 3).T + first.bias)
        return hidden @ flat[12:20].view(2, 4).T + flat[20:]

    torch.testing.assert_close(importance.precision, loop(logits, importance.anchor, CASES))


def test_an_anchor_does_not_follow_the_module_when_it_goes_on_learning() -> None:
    module = torch.nn.Linear(3, 2).double()
    importance = module_importance(module, CASES)
    before = importance.anchor.clone()
    with torch.no_grad():
        module.weight.add_(1.0)
    assert torch.equal(importance.anchor, before)


def test_a_network_has_one_importance_per_connection_in_the_order_of_rows() -> None:
    classifier = Perceptron(2, 3, (3,))
    rows = classifier.sample(1, seeds.rng(0, "sample"))
    network = network_of(classifier, rows[0], ("x", "y"), ("a", "b", "c"))
    cases = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    importance = network_importance(network, cases)
    torch.testing.assert_close(importance.anchor, classifier.layout.view(rows, "edge_weight")[0])

    def logits(weights: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
        module = NetworkModule(network)
        return torch.as_tensor(torch.func.functional_call(module, {"weight": weights}, (some,)))

    torch.testing.assert_close(importance.precision, loop(logits, importance.anchor, cases))
    for kind in KINDS:
        classes = torch.zeros(20, dtype=torch.int64)
        found = network_importance(network, cases, kind, classes=classes, batch=8, seed=0).precision
        assert found.shape == (len(network["edges"]),)
        assert bool((found >= 0).all())
