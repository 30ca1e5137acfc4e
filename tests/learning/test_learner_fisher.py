"""The Fisher information of learners against closed forms and against gradients of one case and answer at a time."""

import math
from dataclasses import replace

import pytest
import torch
from learning.some_learners import DENSE, LINEAR, MAPS, WIDE_MAPS, some_learners, some_segment
from learning.torch_learner import TorchLearner

from evo.learners import ACTIVATIONS, Architecture, Rules
from evo.learning.consolidation.fisher import diagonal_fisher
from evo.learning.consolidation.learner_fisher import learner_fisher
from evo.learning.forward import Network

SHAPES = {
    "dense": DENSE,
    "linear": LINEAR,
    "maps": MAPS,
    "wide maps": WIDE_MAPS,
    "layer norm": replace(DENSE, normalization="layer"),
    "online": replace(DENSE, normalization="online"),
    "concatenated": replace(MAPS, concatenated=True),
    "one of each": Architecture((1,), (1, 2), 2),
}
LOSSES = ("cross_entropy", "squared")


def cases_of(learners, number, segment):
    """Return all inputs and targets of the table that one learner reads."""
    table = int(segment.table[int(segment.places(learners.stream[number : number + 1]))])
    return segment.inputs[table], segment.targets[table]


def slope(learners, number, inputs, of):
    """Return the gradient `[parameters]` of a function of the outputs `[cases, outputs]` of one learner."""
    network = Network(learners[number : number + 1])
    network.hidden(inputs[None])
    outputs = network.outputs[0].detach().requires_grad_()
    (by_outputs,) = torch.autograd.grad(of(outputs), outputs)
    return network.gradient(by_outputs[None])[0]


def log_probability(answer, classes=None):
    return lambda outputs: outputs[:, :classes].log_softmax(1)[0, answer]


def log_density(answer):
    """Return the log of a normal density whose variance makes the mean squared error its negative, but a constant."""
    return lambda outputs: -((outputs[0] - answer).square() / (2 * (len(answer) / 2))).sum()


def one_by_one(learners, number, segment):
    """Return the exact Fisher information by a loop over cases and answers."""
    inputs, _ = cases_of(learners, number, segment)
    total = torch.zeros(learners.architecture.parameters, dtype=torch.float64)
    for case in inputs.split(1):
        if segment.loss == "cross_entropy":
            network = Network(learners[number : number + 1])
            network.hidden(case[None])
            used = segment.classes or learners.architecture.outputs
            expected = network.outputs[0, 0, :used].detach().softmax(0)
            for answer, probability in enumerate(expected.tolist()):
                one = slope(learners, number, case, log_probability(answer, used))
                total += probability * one.double().square()
        else:
            for output in range(learners.architecture.outputs):  # Jacobian squared over the variance
                one = slope(learners, number, case, lambda outputs, output=output: outputs[0, output])
                total += one.double().square() / (learners.architecture.outputs / 2)
    return total / len(inputs)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_exact_is_the_mean_over_cases_and_answers_one_by_one(shape, loss):
    activations = "relu" if shape.concatenated else ["tanh", "relu", "swish"]
    learners, segment = some_learners(shape, activation=activations), some_segment(shape, loss=loss, cases=7)
    found = learner_fisher(learners, segment)
    for number in range(3):
        expected = one_by_one(learners, number, segment)
        assert float(expected.max()) > 1e-4
        torch.testing.assert_close(found[number].double(), expected, rtol=1e-3, atol=1e-6 * float(expected.max()))


def test_of_logistic_regression_it_is_the_mean_of_x_squared_p_times_1_less_p():
    learners, segment = some_learners(LINEAR), some_segment(LINEAR, loss="cross_entropy")
    layer, found = LINEAR.layers[0], learner_fisher(learners, segment)
    for number in range(3):
        inputs, _ = cases_of(learners, number, segment)
        expected = (inputs @ learners.kernel(layer)[number] + learners.bias(layer)[number]).softmax(1)
        spread = expected * (1 - expected)
        weights = (inputs.square()[:, :, None] * spread[:, None]).mean(0)
        torch.testing.assert_close(found[number], torch.cat((weights.flatten(), spread.mean(0))), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", ["exact", "empirical"])
def test_it_is_that_of_torch_networks(kind):
    learners, segment = some_learners(rules=Rules(fisher=kind), activation="tanh"), some_segment(loss="cross_entropy")
    found = learner_fisher(learners, segment)
    for number in range(3):
        network = TorchLearner(learners, number)
        parameters = dict(network.named_parameters())
        sizes = [values.numel() for values in parameters.values()]

        def logits(flat, cases, network=network, parameters=parameters, sizes=sizes):
            pieces = zip(parameters.items(), flat.split(sizes), strict=True)
            named = {name: piece.view(values.shape) for (name, values), piece in pieces}
            return torch.func.functional_call(network, named, (cases,))[1]

        flat = torch.cat([values.detach().reshape(-1) for values in parameters.values()])
        inputs, targets = cases_of(learners, number, segment)
        expected = diagonal_fisher(logits, flat, inputs, kind, classes=targets)
        shaped = [
            piece.view(values.shape) for piece, values in zip(expected.split(sizes), parameters.values(), strict=True)
        ]
        torch.testing.assert_close(found[number], network.flat(shaped), rtol=1e-3, atol=1e-7)


def test_answers_beyond_the_classes_in_use_do_not_count():
    learners, segment = some_learners(), some_segment(loss="cross_entropy", classes=2, cases=6)
    found = learner_fisher(learners, segment)
    torch.testing.assert_close(found[0].double(), one_by_one(learners, 0, segment), rtol=1e-3, atol=1e-8)
    assert not found[:, DENSE.layers[-1].bias_begin + 2].any()


@pytest.mark.parametrize("loss", LOSSES)
def test_empirical_takes_the_targets_for_answers(loss):
    learners, segment = some_learners(rules=Rules(fisher="empirical")), some_segment(loss=loss, cases=6)
    found = learner_fisher(learners, segment)
    for number in range(3):
        inputs, targets = cases_of(learners, number, segment)
        density = log_probability if loss == "cross_entropy" else log_density
        slopes = [slope(learners, number, x, density(y)) for x, y in zip(inputs.split(1), targets, strict=True)]
        expected = torch.stack(slopes).square().mean(0)
        torch.testing.assert_close(found[number], expected, rtol=1e-3, atol=1e-7)


def test_exact_is_empirical_with_every_answer_in_turn_by_its_probability():
    learners, segment = some_learners(count=1), some_segment(loss="cross_entropy", cases=1)
    network = Network(learners)
    network.hidden(segment.inputs[segment.table[:1]])
    expected = network.outputs[0, 0].detach().softmax(0)
    empirical = replace(learners, rules=Rules(fisher="empirical"))
    parts = [
        probability * learner_fisher(empirical, replace(segment, targets=torch.full_like(segment.targets, answer)))
        for answer, probability in enumerate(expected)
    ]
    torch.testing.assert_close(learner_fisher(learners, segment), sum(parts), rtol=1e-4, atol=1e-8)


def test_exact_and_empirical_come_together_as_answers_become_certain():
    exact, segment = some_learners(count=1), some_segment(loss="cross_entropy", cases=20)
    head = DENSE.layers[-1].begin
    differences = []
    for factor in (1.0, 30.0, 1000.0):
        sure = exact.clone()
        sure.weights[:, head:] *= factor
        network = Network(sure)
        network.hidden(segment.inputs[segment.table[:1]])
        targets = network.outputs[0].argmax(1).expand(2, -1)
        empirical = learner_fisher(replace(sure, rules=Rules(fisher="empirical")), replace(segment, targets=targets))
        differences.append(float((learner_fisher(sure, segment) - empirical)[:, head:].abs().max()))
    assert differences[0] > 0.01
    assert differences[2] < 1e-3 * differences[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_sampled_is_exact_on_average_and_draws_by_the_learners_key(loss):
    one = some_learners(count=1, rules=Rules(fisher="sampled"))
    count = 4000
    many = one[torch.zeros(count, dtype=torch.int64)]
    many = replace(many, key=torch.arange(count))
    segment = some_segment(loss=loss, cases=5)
    found = learner_fisher(many, segment).double()
    exact = learner_fisher(replace(one, rules=Rules()), segment)[0].double()
    error = found.std(0) / math.sqrt(count)
    assert bool(((found.mean(0) - exact).abs() <= 5 * error + 1e-9).all())
    assert float((found.std(0) / exact.clamp(min=1e-12)).max()) > 0.1
    assert torch.equal(learner_fisher(many[:2], segment).double(), found[:2])
    later = replace(many[:2], segments=many.segments[:2] + 1)
    assert not torch.equal(learner_fisher(later, segment).double(), found[:2])


@pytest.mark.parametrize("loss", LOSSES)
def test_batched_squares_the_gradient_of_whole_batches(loss):
    learners, segment = some_learners(rules=Rules(fisher="batched")), some_segment(loss=loss, cases=11, batch=4)
    found = learner_fisher(learners, segment)
    density = log_probability if loss == "cross_entropy" else log_density
    for number in range(3):
        inputs, targets = cases_of(learners, number, segment)
        means = [
            torch.stack([slope(learners, number, inputs[n : n + 1], density(targets[n])) for n in part]).mean(0)
            for part in (range(4), range(4, 8))
        ]
        torch.testing.assert_close(found[number], torch.stack(means).square().mean(0), rtol=1e-3, atol=1e-7)


def test_it_looks_at_the_first_cases_that_were_met():
    learners = some_learners(count=2, rules=Rules(fisher_cases=6))
    segment = some_segment(loss="cross_entropy", batch=4, cases=30)
    places = segment.places(learners.stream)
    first = segment.order.flatten(1)[places, :6]
    tables = segment.table[places]
    shown = replace(
        segment,
        inputs=torch.stack([segment.inputs[t][c] for t, c in zip(tables, first, strict=True)]),
        targets=torch.stack([segment.targets[t][c] for t, c in zip(tables, first, strict=True)]),
        table=torch.arange(2),
        order=torch.zeros((2, 1, 1), dtype=torch.int64),
    )
    found = learner_fisher(learners, segment)
    for number in range(2):
        torch.testing.assert_close(found[number].double(), one_by_one(learners, number, shown), rtol=1e-3, atol=1e-8)
    whole = learner_fisher(replace(learners, rules=Rules()), segment)
    assert not torch.allclose(whole, found, rtol=0.01)


@pytest.mark.parametrize("fisher", ["exact", "sampled", "empirical", "batched"])
@pytest.mark.parametrize("shape", [DENSE, MAPS, SHAPES["one of each"]], ids=["dense", "maps", "one of each"])
def test_no_bit_depends_on_neighbours(shape, fisher):
    count = len(ACTIVATIONS)
    learners = some_learners(shape, count=count, rules=Rules(fisher=fisher), activation=list(reversed(ACTIVATIONS)))
    segment = some_segment(shape, loss="cross_entropy", batch=3)
    together = learner_fisher(learners, segment)
    for number in range(count):
        assert torch.equal(learner_fisher(learners[number : number + 1], segment)[0], together[number])
