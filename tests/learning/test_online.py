"""The compiled engine does what a plain loop over torch's layers and optimisers does, learner by learner."""

from dataclasses import fields, replace

import pytest
import torch
from learning.plain_learner import learn_plainly
from learning.some_learners import DENSE, LINEAR, some_learners, some_segment

from evo.learners import ACTIVATIONS, UTILITIES, Architecture, Rules
from evo.learning import online
from evo.learning.online import learn_online
from evo.learning.training import compiled_can, learn
from evo.networks import Execution

SHALLOW, DEEP, WIDE = (
    Architecture((6,), (5,), 3),
    Architecture((6,), (5, 4, 6), 3),
    Architecture((40,), (70, 33, 17), 12),
)
"""The wide one has 5, 3, 2 and 1 vectors of units in its layers: every way of taking several at a time."""
TURNOVER = {"replacement_rate": 0.02, "maturity_threshold": 7.0, "utility_decay": 0.9, "step_size": 0.003}
STATES = ("weights", "first_moment", "second_moment", "ages", "utilities", "mean_activations", "mean_magnitudes")


def assert_agree(learners, segment, bins=4, tolerance=1e-3):
    """Both engines' numbers agree within a share of the largest of their kind; what is counted is equal."""
    found, record = learn_online(learners, segment, bins)
    expected, plain = learn_plainly(learners, segment, bins)
    assert torch.equal(record.replaced, plain.replaced)
    torch.testing.assert_close(record.correct, plain.correct, rtol=0, atol=1e-12, equal_nan=True)
    torch.testing.assert_close(record.loss, plain.loss, rtol=tolerance, atol=1e-6)
    torch.testing.assert_close(record.gradient_norm, plain.gradient_norm, rtol=tolerance, atol=1e-6)
    for name in STATES:
        theirs = getattr(expected, name)
        scale = float(theirs.abs().max()) if theirs.numel() else 0.0
        torch.testing.assert_close(getattr(found, name), theirs, rtol=tolerance, atol=tolerance * scale, msg=name)
    assert torch.equal(found.moment_steps, expected.moment_steps)
    assert torch.equal(found.ages, expected.ages)
    torch.testing.assert_close(found.due, expected.due, rtol=0, atol=1e-6)
    assert torch.equal(found.segments, learners.segments + 1)
    return record


def assert_same_bits(one, other):
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, torch.Tensor):
            assert torch.equal(mine.nan_to_num(7e7), theirs.nan_to_num(7e7)), field.name


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_optimizer(activation, optimizer):
    learners = some_learners(rules=Rules(optimizer), activation=activation, **TURNOVER)
    record = assert_agree(learners, some_segment(steps=70))
    assert record.replaced.sum() > 10


@pytest.mark.parametrize("utility_decay", [0.9, 0.0])
@pytest.mark.parametrize("utility", UTILITIES)
def test_every_utility(utility, utility_decay):
    chosen = TURNOVER | {"utility_decay": utility_decay}
    learners = some_learners(WIDE, activation="tanh", utility=utility, **chosen)
    record = assert_agree(learners, some_segment(WIDE, steps=40))
    assert (record.replaced > 5).all()


@pytest.mark.parametrize("architecture", [LINEAR, SHALLOW, DENSE, DEEP, WIDE], ids=lambda each: str(each.hidden))
@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_depth_and_loss(architecture, loss, optimizer):
    learners = some_learners(architecture, rules=Rules(optimizer), activation=["relu", "tanh", "swish"], **TURNOVER)
    assert_agree(learners, some_segment(architecture, steps=60, loss=loss))


ALONE = {
    "momentum": {"momentum": 0.9},
    "weight decay": {"weight_decay": 0.03},
    "decoupled decay": {"decoupled_decay": 0.3},
    "initial decay": {"initial_decay": 0.05},
    "noise": {"noise": 0.01},
    "dropout": {"dropout": 0.3},
    "replacement": TURNOVER,
    "dormant units": {"dormancy_period": 10.0, "dormancy_threshold": 0.5, "utility_decay": 0.9},
}
TOGETHER = {name: value for setting in ALONE.values() for name, value in setting.items()}


@pytest.mark.parametrize("rules", [Rules("sgd"), Rules("adam"), Rules("adam", released_adam=True)], ids=str)
@pytest.mark.parametrize("chosen", [*ALONE.values(), TOGETHER], ids=[*ALONE, "together"])
def test_every_operator_alone_and_all_together(chosen, rules):
    learners = some_learners(DEEP, rules=rules, **{"step_size": 0.003, **chosen})
    assert_agree(learners, some_segment(DEEP, steps=70))


@pytest.mark.parametrize("name", ["accumulate", "count_all", "bias_transfer", "corrected", "reset_optimizer"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_rule_of_replacement(name, optimizer):
    rules = replace(Rules(optimizer), **{name: not getattr(Rules(), name)})
    chosen = TURNOVER | ({"momentum": 0.5} if optimizer == "sgd" else {})
    record = assert_agree(some_learners(DEEP, rules=rules, **chosen), some_segment(DEEP, steps=70))
    assert (record.replaced > 3).all()


@pytest.mark.parametrize("rate", [0.3, 0.7])
@pytest.mark.parametrize("accumulate", [True, False])
def test_several_units_at_a_time(rate, accumulate):
    learners = some_learners(WIDE, rules=Rules(accumulate=accumulate), **TURNOVER | {"replacement_rate": rate})
    record = assert_agree(learners, some_segment(WIDE, steps=40))
    assert (record.replaced > 40).all()


@pytest.mark.parametrize("initial", ["kaiming", "xavier", "lecun", "default"])
def test_every_distribution_of_new_weights(initial):
    learners = some_learners(rules=Rules(initial=initial), activation=list(ACTIVATIONS), count=7, **TURNOVER)
    assert_agree(learners, some_segment(steps=60))


def test_columns_classes_a_new_head_and_inputs_that_are_0():
    segment = some_segment(WIDE, steps=60, loss="cross_entropy", classes=5, reset_head=True)
    draw = torch.Generator().manual_seed(5)
    columns = torch.stack([torch.randperm(40, generator=draw) for _ in range(2)])
    inputs = segment.inputs * (torch.rand(segment.inputs.shape, generator=draw) < 0.4)
    for chosen in ({}, {"weight_decay": 0.01}, {"momentum": 0.5}):
        learners = some_learners(WIDE, **TURNOVER | chosen)
        assert_agree(learners, replace(segment, inputs=inputs, columns=columns))


def test_images_are_read_channel_by_channel():
    architecture = Architecture((2, 3, 2), (5,), 3)
    assert_agree(some_learners(architecture, **TURNOVER), some_segment(architecture))


def test_a_life_in_pieces_is_one_life():
    """Moments, ages, fractions of units and steps of Adam go on from where the segment before left them."""
    learners = some_learners(DEEP, rules=Rules("adam"), **TURNOVER)
    expected = learners
    for number in range(3):
        segment = some_segment(DEEP, steps=60, seed=number)
        assert_agree(learners, segment)
        learners, _ = learn_online(learners, segment)
        expected, _ = learn_plainly(expected, segment)
    torch.testing.assert_close(learners.weights, expected.weights, rtol=1e-3, atol=1e-3)
    assert torch.equal(learners.ages, expected.ages)


def mixed(count=9):
    """Learners that differ in everything that may differ."""
    return some_learners(
        WIDE,
        count=count,
        rules=Rules(accumulate=False),
        activation=[ACTIVATIONS[number % 7] for number in range(count)],
        utility=[UTILITIES[number % 7] for number in range(count)],
        **TURNOVER | {"noise": [0.01 * (number % 2) for number in range(count)], "dropout": 0.1},
    )


def test_the_same_bits_for_any_company_and_threads():
    learners, segment = mixed(), some_segment(WIDE, steps=80)
    together, record = learn_online(learners, segment, 4)
    for threads in (2, 3):
        shared, shared_record = learn_online(learners.on(Execution("compiled", threads)), segment, 4)
        assert_same_bits(shared, together)
        assert_same_bits(shared_record, record)
    for number in range(len(learners)):
        alone, alone_record = learn_online(learners[number : number + 1], segment, 4)
        assert_same_bits(alone, together[number : number + 1])
        assert torch.equal(alone_record.loss[0].nan_to_num(7e7), record.loss[number].nan_to_num(7e7))


def test_a_learner_that_breaks_leaves_the_others_alone():
    learners, segment = mixed(), some_segment(WIDE, steps=80)
    expected, expected_record = learn_online(learners, segment, 4)
    broken = learners.clone()
    broken.settings["step_size"][4] = 1e6
    broken.settings["noise"][4] = 1e6
    found, record = learn_online(broken, segment, 4)
    others = torch.arange(len(learners)) != 4
    assert_same_bits(found[others], expected[others])
    assert torch.equal(record.loss[others], expected_record.loss[others])
    assert record.loss[4, 1:].isnan().all()
    assert record.gradient_norm[4].isnan()
    _, plain = learn_plainly(broken[4:5], segment, 4)
    assert torch.equal(plain.loss[0].isnan(), record.loss[4].isnan())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_not_a_number_is_never_hidden(activation):
    learners = some_learners(count=1, activation=activation)
    learners.weights[0, 0] = torch.nan
    _, record = learn_online(learners, some_segment(steps=5))
    assert record.loss.isnan().all()


def test_newborn_units_are_left_alone_until_they_are_old_enough():
    """Step by step: no unit is younger than the threshold allows when it goes back to age 0."""
    learners = some_learners(DEEP, activation="tanh", **TURNOVER | {"replacement_rate": 0.5})
    oldest = 0.0
    for number in range(60):
        before = learners.ages
        learners, record = learn_online(learners, some_segment(DEEP, steps=1, seed=number))
        replaced = learners.ages == 0
        assert replaced.sum() == record.replaced.sum()
        assert bool((before[replaced] + 1 > 7).all())
        oldest = max(oldest, float(learners.ages.max()))
    assert oldest > 8  # so that the threshold, and not the end, was what stopped them


def test_outputs_stay_when_a_constant_unit_is_replaced():
    """Units with no incoming weights give a constant; their readers' biases take over what they gave."""
    learners = some_learners(SHALLOW, activation="tanh", utility="zero_contribution", step_size=1e-30, **{
        name: value for name, value in TURNOVER.items() if name != "step_size"
    })  # fmt: skip
    first = SHALLOW.layers[0]
    constant = learners.kernel(first)
    constant[:, :, 2] = 0.0
    learners.bias(first)[:, 2] = 0.8
    segment = some_segment(SHALLOW, steps=30)
    after, record = learn_online(learners, segment)
    assert torch.equal(record.replaced, torch.full((3, 1), 2))
    assert (after.ages[:, 2] < 22).all()  # it was the first to go
    only_it = replace(learners, settings=learners.settings | {"replacement_rate": torch.full((3,), 0.01)})
    after, record = learn_online(only_it, segment)
    assert torch.equal(record.replaced, torch.ones(3, 1, dtype=torch.int64))
    assert bool((after.kernel(first)[:, :, 2] != 0).all())
    inputs = segment.inputs[0]
    torch.testing.assert_close(outputs(after, inputs), outputs(learners, inputs), rtol=0, atol=1e-6)


def outputs(learners, inputs):
    first, last = learners.architecture.layers
    hidden = torch.tanh(inputs @ learners.kernel(first) + learners.bias(first)[:, None])
    return hidden @ learners.kernel(last) + learners.bias(last)[:, None]


@pytest.mark.parametrize("count_all", [False, True])
@pytest.mark.parametrize("accumulate", [False, True])
def test_as_many_units_are_replaced_as_the_rate_says(accumulate, count_all):
    """rate x (those old enough, or all) units per step; how many are old enough follows from the ages."""
    rules = Rules(accumulate=accumulate, count_all=count_all)
    chosen = TURNOVER | {"replacement_rate": 0.004, "maturity_threshold": 20.0}
    learners = some_learners(SHALLOW, count=40, rules=rules, utility="random", **chosen)
    expected, replaced = 0.0, 0
    for number in range(400):
        before = learners.ages + 1
        learners, record = learn_online(learners, some_segment(SHALLOW, steps=1, seed=number))
        eligible = (before > 20).sum(1)
        counted = torch.where(eligible > 0, 5, 0) if count_all else eligible
        expected += 0.004 * float(counted.sum())
        replaced += int(record.replaced.sum())
    spread = 3 * expected**0.5 if not accumulate else 40
    assert abs(replaced - expected) < spread, (replaced, expected)
    assert expected > 200


def test_replaced_weights_start_with_a_fresh_optimiser():
    learners = some_learners(DEEP, rules=Rules("adam"), **TURNOVER)
    for number in range(40):
        learners, _ = learn_online(learners, some_segment(DEEP, steps=1, seed=number))
        born = learners.ages == 0
        for index, layer in enumerate(DEEP.layers[:-1]):
            reader = DEEP.layers[index + 1]
            units = born[:, layer.first_unit : layer.first_unit + layer.outputs]
            for state in (learners.first_moment, learners.second_moment, learners.moment_steps):
                into = state[:, layer.begin : layer.bias_begin].view(3, layer.fan_in, layer.outputs)
                out_of = state[:, reader.begin : reader.bias_begin].view(3, reader.fan_in, reader.outputs)
                assert bool((into.transpose(1, 2)[units] == 0).all())
                assert bool((state[:, layer.bias_begin : layer.end][units] == 0).all())
                assert bool((out_of[units] == 0).all())
            steps = learners.moment_steps[:, layer.bias_begin : layer.end]
            assert torch.equal(steps, learners.ages[:, layer.first_unit : layer.first_unit + layer.outputs])
    assert bool((learners.ages < 30).any())


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_dormant_units_are_renewed_by_steps_of_the_whole_life_however_long_its_segments(engine):
    learners = some_learners(dormancy_period=10.0, dormancy_threshold=1.0).on(Execution(engine))
    after, record = learn(learners, replace(some_segment(steps=7), before=0))
    assert not record.replaced.any()
    after, record = learn(after, replace(some_segment(steps=2), before=7))
    assert not record.replaced.any()
    after, record = learn(after, replace(some_segment(steps=1), before=9))
    assert bool(record.replaced.any(1).all()), "the tenth step of their lives"


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_learners_without_momentum_keep_no_moment(engine):
    learners = some_learners(momentum=[0.9, 0.0, 0.5]).on(Execution(engine))
    after, _ = learn(learners, some_segment())
    assert after.first_moment.any(1).tolist() == [True, False, True]
    after.settings["momentum"][0] = 0.0
    assert learn(after, some_segment())[0].first_moment.any(1).tolist() == [False, False, True]


def test_the_engine_is_chosen_by_what_it_can():
    learners, segment = some_learners(), some_segment()
    assert compiled_can(learners, segment)
    assert not compiled_can(learners, some_segment(batch=2))
    for change in ({"normalization": "layer"}, {"concatenated": True}):
        architecture = replace(DENSE, **change)
        assert not compiled_can(some_learners(architecture), some_segment(architecture))
    torn = some_learners(rules=Rules("adam"))
    torn.moment_steps[1, 3] = 5
    assert not compiled_can(torn, segment)
    after, record = learn(learners, segment, 2)
    expected, _ = learn_online(learners, segment, 2)
    assert_same_bits(after, expected)
    assert record.loss.shape == (3, 2)


def test_learners_and_segments_that_do_not_fit_are_refused():
    learners, segment = some_learners(), some_segment()
    with pytest.raises(ValueError, match="bins: expected 1 to 20"):
        learn(learners, segment, 21)
    with pytest.raises(ValueError, match="inputs of shape"):
        learn(some_learners(WIDE), segment)
    with pytest.raises(ValueError, match="targets for 3 outputs"):
        learn(learners, replace(segment, targets=segment.targets[:, :, :2]))
    with pytest.raises(ValueError, match="at least one"):
        learn(learners[:0], segment)
    with pytest.raises(ValueError, match="streams that are not among"):
        learn(replace(learners, stream=learners.stream + 1), segment)


def test_learners_given_stay_as_they_are():
    learners = mixed()
    before = learners.clone()
    learn_online(learners, some_segment(WIDE, steps=30))
    assert_same_bits(learners, before)


def test_a_kernel_is_named_after_its_sources():
    assert online.kernel().__name__.startswith("learn_one_by_one_")
