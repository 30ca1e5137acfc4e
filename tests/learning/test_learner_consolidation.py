"""Learners that hold on to what they know: steps against closed forms, and what is kept from task to task."""

from dataclasses import replace

import pytest
import torch
from learning.some_learners import DENSE, MAPS, some_learners, some_segment
from learning.test_batched import same_bits
from learning.torch_learner import TorchLearner

from evo.learners import Rules
from evo.learning.batched import learn_batched
from evo.learning.consolidation.learner_consolidation import consolidated, with_room
from evo.learning.consolidation.learner_fisher import learner_fisher
from evo.learning.training import compiled_can, learn
from evo.networks import Execution

ON = {"consolidation": [3.0, 0.0, 0.5], "anchoring": [0.0, 0.0, 0.2], "step_size": [0.1, 0.05, 0.02]}
CLASSES = {"loss": "cross_entropy"}


def held(learners, seed=3, strength=20.0):
    """Return learners that are held at random places, some weights not at all."""
    draw = torch.Generator().manual_seed(seed)
    shape = learners.weights.shape
    precision = strength * torch.rand(shape, generator=draw) * (torch.rand(shape, generator=draw) < 0.7)
    return replace(learners, precision=precision, pull=precision * torch.randn(shape, generator=draw))


def one_step(learners, segment):
    assert segment.steps == 1
    return learn_batched(learners, segment)[0].weights.double()


# A step


def test_a_step_ends_at_the_minimum_of_the_linear_loss_the_quadratic_and_the_distance():
    learners, segment = held(some_learners(**ON)), some_segment(steps=1, batch=7, **CLASSES)
    found = one_step(learners, segment)
    before, precision, pull = (values.double() for values in (learners.weights, learners.precision, learners.pull))
    for number in range(3):
        alone = TorchLearner(learners, number)
        inputs, targets = alone_cases(learners, number, segment)
        torch.nn.functional.cross_entropy(alone(inputs)[1], targets).backward()
        gradient = alone.flat([parameter.grad for parameter in alone.parameters()]).double()
        size = float(learners.settings["step_size"][number])
        theta = found[number].clone().requires_grad_()
        minimised = (
            (gradient * theta).sum()
            + (precision[number] / 2 * theta.square() - pull[number] * theta).sum()
            + (theta - before[number]).square().sum() / (2 * size)
        )
        (slope,) = torch.autograd.grad(minimised, theta)
        assert float(slope.abs().max()) < 1e-4
        assert float((theta.detach() - before[number]).abs().max()) > 0.01


def alone_cases(learners, number, segment):
    """Return what one learner is given at the first step."""
    place = int(segment.places(learners.stream[number : number + 1]))
    cases = segment.order[place, 0]
    return segment.inputs[segment.table[place]][cases], segment.targets[segment.table[place]][cases]


@pytest.mark.parametrize("rules", [Rules(), Rules("adam")], ids=["sgd", "adam"])
def test_after_any_optimiser_the_pull_is_the_same_proximal_step(rules):
    settings = {"step_size": [0.1, 0.05, 0.02]} | ({} if rules.optimizer == "adam" else {"momentum": 0.5})
    plain, segment = some_learners(rules=rules, **settings), some_segment(steps=1, batch=4)
    learners = held(plain)
    came_to = one_step(plain, segment)
    size = plain.settings["step_size"][:, None].double()
    expected = (came_to + size * learners.pull.double()) / (1 + size * learners.precision.double())
    torch.testing.assert_close(one_step(learners, segment), expected, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(came_to, expected, atol=1e-3)


def test_weights_that_are_held_where_they_are_stay_there():
    learners = some_learners(step_size=0.01)
    for layer in learners.architecture.layers:
        learners.bias(layer)[:] = 0.0
    shares = 10 ** torch.empty_like(learners.weights).uniform_(-8, 3, generator=torch.Generator().manual_seed(0))
    precision = 100 * shares  # a share of 1e-8 cannot be told from 0 beside 1, but its steps would add up
    learners = replace(learners, precision=precision, pull=precision * learners.weights)
    still = some_segment(steps=2000)
    still = replace(still, inputs=0 * still.inputs, targets=0 * still.targets)
    after = learn_batched(learners, still)[0].weights
    torch.testing.assert_close(after, learners.weights, rtol=1e-6, atol=0.0)


@pytest.mark.parametrize("rules", [Rules(), Rules(consolidate="online"), Rules("adam")], ids=["sgd", "online", "adam"])
def test_no_lambda_makes_weights_diverge(rules):
    settings = {"consolidation": [1e3, 1e5, 0.0], "anchoring": [0.0, 0.0, 1e6]}
    learners = some_learners(rules=rules, step_size=0.3, **settings)
    segment = some_segment(steps=30, batch=8, **CLASSES)
    explicit = 0.3 * learner_fisher(learners, segment).max(1).values * torch.tensor([1e3, 1e5, 0.0])
    assert bool((explicit[:2] > 2).all()), "an explicit step would not diverge"
    for seed in range(3):
        learners = consolidated(learners, segment)
        segment = some_segment(steps=200, batch=8, seed=10 + seed, **CLASSES)
        after = learn_batched(learners, segment)[0]
        assert bool(after.weights.isfinite().all())
        firm = learners.precision > 1e3
        assert bool(firm.any())
        assert float((after.weights - learners.weights)[firm].abs().max()) < 0.02
        learners = after


# What stays as it was


@pytest.mark.parametrize("rules", [Rules(), Rules("adam")], ids=["sgd", "adam"])
@pytest.mark.parametrize("shape", [DENSE, MAPS], ids=["dense", "maps"])
def test_without_a_lambda_no_bit_is_another(shape, rules):
    learners, segment = some_learners(shape, rules=rules, step_size=0.05), some_segment(shape, 9, 4, **CLASSES)
    zeros = torch.zeros_like(learners.weights)
    plain = learn_batched(learners, segment)[0]
    same_bits(plain, learn_batched(replace(learners, precision=zeros, pull=zeros.clone()), segment)[0])
    assert consolidated(learners, segment) is learners
    assert with_room(learners) is learners


def test_who_has_no_lambda_learns_beside_others_as_alone():
    learners, segment = with_room(some_learners(**ON)), some_segment(steps=9, batch=4, **CLASSES)
    together = learn_batched(consolidated(learners, segment), segment)[0]
    plain = learn_batched(replace(learners, precision=None, pull=None), segment)[0]
    assert torch.equal(together.weights[1], plain.weights[1])
    assert not torch.equal(together.weights[0], plain.weights[0])
    for number in range(3):
        alone = consolidated(learners[number : number + 1], segment)
        same_bits(learn_batched(alone, segment)[0], together[number : number + 1])


def test_threads_change_no_bit():
    chosen = {"consolidation": [1.0, 0.0] * 8, "step_size": 0.05, "activation": ["relu", "tanh"] * 8}
    learners, segment = some_learners(count=16, **chosen), some_segment(steps=9, batch=4, **CLASSES)
    one = consolidated(learners, segment)
    same_bits(consolidated(learners.on(Execution(threads=3)), segment), one)


def test_the_compiled_engine_leaves_them_to_torch():
    segment = some_segment(steps=3)
    learners = some_learners()
    assert compiled_can(learners, segment)
    assert not compiled_can(some_learners(consolidation=[0.0, 1.0, 0.0]), segment)
    assert not compiled_can(some_learners(anchoring=0.1), segment)
    assert not compiled_can(held(learners), segment)
    zeros = torch.zeros_like(learners.weights)
    assert compiled_can(replace(learners, precision=zeros, pull=zeros), segment)
    compiled = learn(held(learners).on(Execution(engine="compiled")), segment)[0]
    same_bits(compiled, learn_batched(held(learners), segment)[0])


# What is kept from task to task


def three_tasks(rules, **more):
    """Return learners after three tasks, with their weights, and the Fisher information, at the end of each."""
    learners, ends, fishers = some_learners(rules=rules, **ON, **more), [], []
    for seed in range(3):
        segment = some_segment(steps=20, batch=5, seed=seed, **CLASSES)
        learners = learn_batched(learners, segment)[0]
        ends.append(learners.weights.clone())
        fishers.append(learner_fisher(learners, segment))
        learners = consolidated(learners, segment)
    return learners, ends, fishers


def penalty(learners, weights):
    """Return what is added to the loss at some weights `[n, parameters]`, up to a constant, `[n]` float64."""
    precision, pull = learners.precision.double(), learners.pull.double()
    return (precision / 2 * weights.double().square() - pull * weights.double()).sum(1)


def strength(learners, fisher):
    return learners.settings["consolidation"][:, None] * fisher + learners.settings["anchoring"][:, None]


def test_separate_quadratics_add_up():
    learners, ends, fishers = three_tasks(Rules())
    elsewhere = [torch.randn(learners.weights.shape, generator=torch.Generator().manual_seed(n)) for n in (0, 1)]

    def summed(weights):
        parts = zip(ends, fishers, strict=True)
        return sum(0.5 * (strength(learners, f) * (weights - end).square()).double().sum(1) for end, f in parts)

    expected = summed(elsewhere[0]) - summed(elsewhere[1])
    found = penalty(learners, elsewhere[0]) - penalty(learners, elsewhere[1])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert float(expected[0].abs()) > 0.1
    assert not learners.precision[1].any()
    assert not learners.pull[1].any()


def test_online_the_sum_has_its_centre_where_the_last_task_ended():
    learners, ends, fishers = three_tasks(Rules(consolidate="online"))
    torch.testing.assert_close(learners.precision, sum(strength(learners, fisher) for fisher in fishers))
    torch.testing.assert_close(learners.pull, learners.precision * ends[-1])


@pytest.mark.parametrize("consolidate", ["separate", "online"])
def test_earlier_tasks_count_less_where_they_fade(consolidate):
    learners, ends, fishers = three_tasks(Rules(consolidate=consolidate), consolidation_decay=0.5)
    parts = [factor * strength(learners, fisher) for factor, fisher in zip((0.25, 0.5, 1.0), fishers, strict=True)]
    torch.testing.assert_close(learners.precision, sum(parts))
    centres = ends if consolidate == "separate" else [ends[-1]] * 3
    torch.testing.assert_close(learners.pull, sum(p * centre for p, centre in zip(parts, centres, strict=True)))


def test_weights_that_were_never_learned_are_not_held():
    settings = {"replacement_rate": 0.2, "maturity_threshold": 2.0, "step_size": 1e-6}
    learners = held(some_learners(**settings), strength=1e12)  # what is held is at its place after one step
    after, record = learn_batched(learners, some_segment(steps=6))
    assert bool((record.replaced.sum(1) > 0).all())
    layer, reader = learners.architecture.layers[:2]
    new = after.ages[:, : layer.outputs] < 6
    into = after.precision[:, layer.begin : layer.bias_begin].view(3, -1, layer.outputs)
    out = after.pull[:, reader.begin : reader.bias_begin].view(3, layer.outputs, reader.outputs)
    assert bool((new & (after.ages[:, : layer.outputs] > 0)).any())
    leaving = after.weights[:, reader.begin : reader.bias_begin].view(3, layer.outputs, reader.outputs)
    old_readers = after.ages[:, None, layer.outputs :] == 6  # new ones have fresh weights from all units
    assert float((leaving * new[:, :, None] * old_readers).abs().max()) < 1e-3
    assert float((leaving * ~new[:, :, None] * old_readers).abs().max()) > 0.1
    assert not into.transpose(1, 2)[new].any()
    assert not out[new].any()
    assert bool(into.transpose(1, 2)[~new].any())
    assert bool(after.precision[:, -reader.outputs :].any())


def test_a_head_that_begins_anew_is_not_held():
    learners = held(some_learners(step_size=0.01))
    after = learn_batched(learners, some_segment(steps=2, reset_head=True))[0]
    head = learners.architecture.layers[-1].begin
    assert not after.precision[:, head:].any()
    assert not after.pull[:, head:].any()
    assert torch.equal(after.precision[:, :head], learners.precision[:, :head])
    assert float(after.weights[:, head:].abs().max()) < 0.2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"consolidate": "both"}, "separate, online"), ({"fisher": "true"}, "exact"), ({"fisher_cases": 0}, "from 1 up")],
)
def test_rules_say_what_they_expect(wrong, words):
    with pytest.raises(ValueError, match=words):
        Rules(**wrong)
