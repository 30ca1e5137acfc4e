"""Operators against their definitions: numbers worked out by hand, torch's own layers, loops over single numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from learning.some_learners import DENSE, MAPS, WIDE_MAPS, some_learners, some_segment
from learning.torch_learner import TorchLearner
from torch import nn

from evo.learners import ACTIVATIONS, INITIALS, UTILITIES, Architecture, Rules
from evo.learning import draws
from evo.learning.batched import learn_batched
from evo.learning.forward import forward
from evo.learning.plasticity import online_normalization
from evo.learning.plasticity.concatenated_relu import concatenated_relu, joined
from evo.learning.plasticity.decay import add_decay, add_initial_decay, shrink
from evo.learning.plasticity.dormant_units import dormant, renewal_due
from evo.learning.plasticity.dropout import left_in, thinned
from evo.learning.plasticity.initial_weights import bounds
from evo.learning.plasticity.layer_norm import layer_normalized
from evo.learning.plasticity.neuron_replacement import least, numbers_due
from evo.learning.plasticity.optimizers import adam, sgd
from evo.learning.plasticity.renewal import renew
from evo.learning.plasticity.shrink_and_perturb import perturb
from evo.learning.plasticity.utility import LayerSigns, correction, follow, new_utility

TINY = Architecture((2,), (2,), 2)


def tiny(weights, biases=(0.0, 0.0), outgoing=((1.0, 1.0), (1.0, 1.0)), **more):
    """Return one 2-2-2 learner with weights [input][unit], biases and outgoing weights [unit][output]."""
    learners = some_learners(TINY, 1, **more)
    flat = [*weights[0], *weights[1], *biases, *outgoing[0], *outgoing[1], 0.0, 0.0]
    learners.weights.copy_(torch.tensor([flat]))
    return learners


# utility

UTILITY_BY_HAND = {  # unit 0: |h| (1 + 3) / 2, |h - 1| (0 + 4) / 2, out (2 + 4) / 2, in (1 + 3) / 2; unit 1 alike
    "contribution": [3 * 2.0, 0.5 * 1.0],
    "zero_contribution": [3 * 2.0, 0.5 * 1.5],
    "adaptable_contribution": [3 * 2.0 / 2, 0.5 * 1.5 / 0.5],
    "adaptation": [1 / 2, 1 / 0.5],
    "weight": [3.0, 0.5],
    "feature_by_input": [2.0 / 2, 1.5 / 0.5],
    "random": [0.0, 0.0],
}


@pytest.mark.parametrize("name", UTILITIES)
def test_each_utility_is_its_formula(name):
    learners = tiny([[1.0, 0.5], [-3.0, 0.5]], outgoing=[[2.0, -4.0], [1.0, 0.0]])
    features = torch.tensor([[[1.0, 0.0], [-3.0, 2.0]]])
    usual = torch.tensor([[1.0, -0.5]])
    worth = new_utility((name,), torch.tensor([UTILITIES.index(name)]), LayerSigns(learners, 0, features), usual)
    assert worth.tolist() == [UTILITY_BY_HAND[name]]


def test_learners_in_one_batch_have_utilities_of_their_own():
    learners = some_learners(count=7, utility=UTILITIES)
    signs = LayerSigns(learners, 0, torch.randn((7, 3, 5), generator=torch.Generator().manual_seed(1)))
    usual = torch.full((7, 5), 0.25)
    together = new_utility(UTILITIES, learners.utility, signs, usual)
    for number, name in enumerate(UTILITIES):
        assert together[number].equal(new_utility((name,), learners.utility, signs, usual)[number])


def test_running_means_are_corrected_for_their_start():
    mean, decay, ages = torch.zeros(1, 2), torch.tensor([[0.5]]), torch.tensor([[0.0, 0.0]])
    for value in (4.0, 8.0):
        ages += 1
        follow(mean, torch.tensor([[value, 2.0]]), 1 - decay, None)
    assert mean.tolist() == [[5.0, 1.5]]  # 4 -> 2, then (2 + 8) / 2
    torch.testing.assert_close(mean / correction(ages, decay, True), torch.tensor([[5 / 0.75, 2.0]]))
    assert correction(ages, decay, False).tolist() == [[1, 1]]
    assert correction(ages, torch.tensor([[0.0]]), True).tolist() == [[1, 1]]
    torch.testing.assert_close(
        correction(torch.tensor([[1.0, 1000.0, 0.0]]), torch.tensor([[0.999]]), True),
        torch.tensor([[0.001, 1 - 0.999**1000, 1.0]]),
    )


def test_maps_count_with_the_mean_over_cases_and_pixels():
    learners = some_learners(WIDE_MAPS, step_size=0.0, utility_decay=0.0, dormancy_period=1e5)
    segment = some_segment(WIDE_MAPS, steps=1, batch=4)
    after, _ = learn_batched(learners, segment)
    for number in range(3):
        alone = TorchLearner(learners, number)
        features = alone(alone.cases(segment, 0)[0])[0]
        means = torch.cat([h.transpose(0, 1).flatten(1).mean(1) for h in features])
        torch.testing.assert_close(after.mean_activations[number], means.detach(), rtol=1e-5, atol=1e-6)


# how many, and which

TWO_LAYERS = torch.tensor([5, 3])


def test_fractions_of_units_add_up():
    due, taken = torch.zeros(1, 2, dtype=torch.float64), []
    for eligible in ([4, 0], [4, 0], [4, 3], [4, 3]):
        rate = torch.tensor([[0.15625]], dtype=torch.float64)
        taken.append(numbers_due(Rules(), rate, torch.tensor([eligible]), TWO_LAYERS, due).tolist()[0])
    assert taken == [[0, 0], [1, 0], [0, 0], [1, 0]]  # 0.625, 1.25, 0.875, 1.5
    assert due.tolist() == [[0.5, 0.9375]]


def test_all_units_may_count_but_only_eligible_ones_go():
    due, rate = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([[0.5]], dtype=torch.float64)
    rules = Rules(count_all=True)
    assert numbers_due(rules, rate, torch.tensor([[1, 0]]), TWO_LAYERS, due).tolist() == [[1, 0]]
    assert due.tolist() == [[1.5, 0.0]]  # 2.5 of layer 0 were due; layer 1, with none old enough, counts nothing


def test_without_adding_up_chance_decides():
    rules, count = Rules(accumulate=False), 4000
    start = draws.moment(torch.arange(count), torch.zeros(count, dtype=torch.int64), 0, draws.BERNOULLI)
    rate = torch.full((count, 1), 0.0625, dtype=torch.float64)
    eligible = torch.tensor([[4, 3]]).expand(count, 2)
    taken = numbers_due(rules, rate, eligible, TWO_LAYERS, torch.zeros(count, 2), start)
    assert taken.unique().tolist() == [0, 1]
    assert taken.double().mean(0).tolist() == pytest.approx([0.25, 0.1875], abs=0.03)
    assert taken[:, 0].equal((draws.uniform(start, torch.tensor([0]))[:, 0] < 0.25).long())
    rate[:] = 0.5
    assert numbers_due(rules, rate, eligible, TWO_LAYERS, torch.zeros(count, 2), start).unique(dim=0).tolist() == [
        [2, 1]
    ]
    with pytest.raises(ValueError, match="start"):
        numbers_due(rules, rate, eligible, TWO_LAYERS, torch.zeros(count, 2))


def test_the_least_of_the_eligible_go_and_the_first_of_equals():
    nan, inf = math.nan, math.inf
    ranking = torch.tensor([[3.0, 1.0, 1.0, 0.0], [nan, 2.0, inf, 5.0], [inf, inf, inf, inf], [2.0, 2.0, 2.0, 2.0]])
    eligible = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1]], dtype=torch.bool)
    chosen = least(ranking, eligible, torch.tensor([1, 2, 1, 0]))
    assert chosen.int().tolist() == [[0, 1, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]


# replacement

CONCATENATED = {"dense": DENSE, "maps": MAPS, "wide maps": WIDE_MAPS}
ALL_SHAPES = {**CONCATENATED, **{f"{k}, concatenated": replace(v, concatenated=True) for k, v in CONCATENATED.items()}}
HIDDEN_LAYERS = [(name, index) for name, shape in ALL_SHAPES.items() for index in range(len(shape.layers) - 1)]


def own_weights(shape, index, unit):
    """Return masks `[parameters]` of the weights into a unit, its bias, and the weights out, by torch's shapes."""
    alone = TorchLearner(some_learners(shape, 1), 0)
    layer, masks = shape.layers[index], []
    for kind in range(3):
        marks = [torch.zeros_like(p) for p in alone.parameters()]
        if kind < 2:
            marks[2 * index + kind][unit] = 1
        else:
            readers = marks[2 * index + 2]
            readers.view(len(readers), layer.copies, layer.outputs, -1)[:, :, unit] = 1
        masks.append(alone.flat(marks) > 0)
    return masks


@pytest.mark.parametrize(("name", "index"), HIDDEN_LAYERS)
def test_a_new_unit_has_fresh_weights_in_none_out_and_no_past(name, index):
    shape = ALL_SHAPES[name]
    learners = some_learners(replace(shape, normalization="online"), rules=Rules("adam"), activation="tanh")
    parts = ("first_moment", "second_moment", "moment_steps", "ages", "utilities")
    filled = {
        part: torch.full_like(getattr(learners, part), 7.0) for part in (*parts, "mean_activations", "mean_magnitudes")
    }
    learners = replace(learners, **filled, normalization_state=torch.full((3, 4, shape.units), 7.0))
    before = learners.clone()
    layer, unit = shape.layers[index], 2
    chosen = torch.zeros(3, layer.outputs, dtype=torch.bool)
    chosen[1, unit] = True
    start = draws.moment(learners.key, learners.segments, 11, draws.REPLACED_WEIGHTS)
    renew(learners, index, chosen, start)
    into, bias, out = own_weights(shape, index, unit)
    limit = 5 / 3 * math.sqrt(3 / layer.fan_in)
    drawn = draws.uniform(start[1:2], into.nonzero()[:, 0])[0]
    torch.testing.assert_close(learners.weights[1, into], limit * (2 * drawn - 1))
    assert not learners.weights[1, bias | out].any()
    for part in parts[:3]:
        assert getattr(learners, part)[1].equal(7.0 * ~(into | bias | out)), part
    place = torch.arange(shape.units) == layer.first_unit + unit
    for part in (*parts[3:], "mean_activations", "mean_magnitudes"):
        assert getattr(learners, part)[1].equal(7.0 * ~place), part
    assert learners.normalization_state[1, :, place].flatten().tolist() == list(online_normalization.NEWBORN)
    assert learners.weights[1, ~(into | bias | out)].equal(before.weights[1, ~(into | bias | out)])
    others = torch.tensor([0, 2])
    for part in ("weights", *filled, "normalization_state", "initial_weights"):
        assert getattr(learners, part)[others].equal(getattr(before, part)[others]), part
    assert learners.initial_weights.equal(before.initial_weights)


def test_the_optimisers_state_may_stay():
    learners = some_learners(rules=Rules("adam", reset_optimizer=False))
    learners.first_moment.fill_(7)
    renew(learners, 0, torch.ones(3, 5, dtype=torch.bool), learners.key)
    assert bool((learners.first_moment == 7).all())


@pytest.mark.parametrize("name", CONCATENATED)
def test_replacing_a_constant_unit_changes_no_output(name):
    shape = CONCATENATED[name]
    learners = some_learners(
        shape, activation="tanh", step_size=0.0, replacement_rate=0.2, maturity_threshold=3.0, utility_decay=0.9
    )
    with_inputs = learners.weights.clone()
    for layer in shape.layers[:-1]:
        learners.kernel(layer)[...] = 0
    segment = some_segment(shape, steps=12, batch=2)
    inputs = segment.inputs[0]
    after, record = learn_batched(learners, segment)
    assert bool((record.replaced > 1).all())
    assert not after.weights.equal(learners.weights)
    torch.testing.assert_close(forward(after, inputs), forward(learners, inputs), rtol=1e-5, atol=1e-5)
    moved = learn_batched(replace(learners, weights=with_inputs), segment)[0]
    assert (forward(moved, inputs) - forward(replace(learners, weights=with_inputs), inputs)).abs().max() > 0.01
    without = replace(learners, rules=Rules(bias_transfer=False))
    changed = forward(learn_batched(without, segment)[0], inputs)
    assert (changed - forward(learners, inputs)).abs().max() > 0.01


def test_no_unit_is_replaced_before_its_time_and_utility_chooses():
    learners = some_learners(count=8, replacement_rate=0.1, maturity_threshold=4.0, step_size=0.02)
    segment = some_segment(steps=60, batch=2)
    total = 0
    for part in segment.order.split(1, 1):
        before = learners
        learners, record = learn_batched(learners, replace(segment, order=part))
        new = learners.ages == 0
        assert bool((before.ages[new] + 1 > 4).all())
        assert learners.ages[~new].equal(before.ages[~new] + 1)
        assert int(new.sum()) == int(record.replaced.sum())
        total += int(new.sum())
    assert total > 50


@pytest.mark.parametrize("accumulate", [True, False])
@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_as_many_units_go_as_rate_times_eligible_says(rate, accumulate):
    learners = some_learners(
        count=60, rules=Rules(accumulate=accumulate), replacement_rate=rate, maturity_threshold=0.0, step_size=0.0
    )
    replaced = learn_batched(learners, some_segment(steps=200))[1].replaced.double()
    expected = torch.tensor([5.0, 4.0], dtype=torch.float64) * rate  # all units are older than 0 at every step
    if accumulate:
        assert bool(((replaced - expected * 200).abs() <= 1).all())
    elif rate == 0.3:
        assert bool((replaced == 200).all())  # 1.5 and 1.2 a step: the fraction is lost
    else:
        error = (expected * (1 - expected) * 200 / 60).sqrt()
        assert bool(((replaced.mean(0) - expected * 200).abs() < 4 * error).all())


def test_units_do_not_age_where_nothing_is_ever_replaced():
    learners = some_learners(replacement_rate=[0.0, 0.01, 0.0], dormancy_period=[0.0, 0.0, 1e4])
    after, _ = learn_batched(learners, some_segment(steps=9))
    assert [ages.unique().tolist() for ages in after.ages] == [[0.0], [9.0], [9.0]]
    assert not after.mean_magnitudes[0].any()
    assert bool(after.mean_magnitudes[1:].any(1).all())


def test_replaced_weights_restart_adam_weight_by_weight():
    learners = some_learners(rules=Rules("adam"), replacement_rate=0.05, maturity_threshold=1.0)
    after, record = learn_batched(learners, some_segment(steps=30))
    assert bool(record.replaced.any(1).all())
    for number in range(3):
        for index, layer in enumerate(DENSE.layers[:-1]):
            for unit in range(layer.outputs):
                own = torch.stack(own_weights(DENSE, index, unit)).any(0)
                age = float(after.ages[number, layer.first_unit + unit])
                assert bool((after.moment_steps[number, own] <= age).all())
    assert after.moment_steps.unique().numel() > 3


# dormant units


def test_units_far_below_their_layers_mean_are_dormant():
    magnitudes = torch.tensor([[0.0, 1.0, 2.0, 5.0], [0.0, 0.0, 0.0, 0.0], [9.0, 1.0, 2.0, 3.0]])
    ages = torch.tensor([[9.0, 9.0, 9.0, 9.0], [9.0, 9.0, 9.0, 9.0], [0.0, 9.0, 9.0, 9.0]])
    threshold = torch.tensor([[0.5], [0.5], [0.5]])
    assert dormant(magnitudes, ages, threshold).int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0]]


def test_renewal_is_due_by_steps_of_the_whole_life():
    period, lived = torch.tensor([4, 4, 0, 3]), torch.tensor([0, 6, 0, 2])
    due = [renewal_due(period, lived, step).int().tolist() for step in range(4)]
    assert due == [[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]]


def test_dead_channels_and_units_are_renewed_on_time():
    learners = some_learners(MAPS, activation="sigmoid", step_size=0.0, dormancy_period=8.0, dormancy_threshold=0.01)
    learners = replace(learners, segments=torch.zeros(3, dtype=torch.int64))
    learners.bias(MAPS.layers[0])[1, 3] = -1000
    learners.bias(MAPS.layers[2])[2, 6] = -1000
    weights = learners.weights.clone()
    segment = some_segment(MAPS, steps=8, batch=4)
    early, _ = learn_batched(learners, replace(segment, order=segment.order[:, :7]))
    assert early.weights.equal(weights)
    after, record = learn_batched(learners, segment)
    into, bias, out = own_weights(MAPS, 0, 3)
    assert record.replaced.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert after.weights[1, bias].tolist() == [0.0]
    assert not after.weights[1, out].any()
    assert not after.weights[1, into].equal(weights[1, into])
    assert after.bias(MAPS.layers[2])[2, 6] == 0
    assert after.ages[1, 3] == 0


# optimisers and pulls


def test_sgd_and_momentum_by_hand():
    weights, moment = torch.tensor([[1.0], [1.0]]), torch.zeros(2, 1)
    for _ in range(2):
        sgd(
            weights,
            torch.ones(2, 1),
            moment,
            step_size=torch.tensor([[0.5], [0.25]]),
            momentum=torch.tensor([[0.5], [0.0]]),
        )
    assert weights.tolist() == [[1 - 0.5 * 1 - 0.5 * 1.5], [0.5]]


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("together", [False, True])
def test_adam_weight_by_weight(released, together):
    size, first, second = 0.1, 0.9, 0.99
    rng = np.random.default_rng(0)
    gradients, w = rng.normal(size=(6, 2)), rng.normal(size=2)
    weights = torch.tensor(w[None], dtype=torch.float32)
    moments = tuple(torch.zeros(1, 2) for _ in range(3))
    m, v, steps = np.zeros(2), np.zeros(2), np.zeros(2)
    for number, g in enumerate(gradients):
        if number == 3 and not together:  # a replaced weight starts anew
            m[1] = v[1] = steps[1] = 0
            for moment in moments:
                moment[0, 1] = 0
        steps += 1
        m, v = first * m + (1 - first) * g, second * v + (1 - second) * g**2
        if released:
            w = w - size * (1 - second**steps) * m / (np.sqrt(v) + 1e-8)
        else:
            w = w - size * m / (1 - first**steps) / (np.sqrt(v / (1 - second**steps)) + 1e-8)
        adam(
            weights,
            torch.tensor(g[None], dtype=torch.float32),
            moments,
            step_size=torch.tensor([[size]]),
            decays=(torch.tensor([[first]]), torch.tensor([[second]])),
            together=together,
            released=released,
        )
        np.testing.assert_allclose(weights[0].numpy(), w, rtol=2e-5)


def test_pulls_by_hand():
    weights, initial, gradient = torch.tensor([[2.0]]), torch.tensor([[5.0]]), torch.tensor([[1.0]])
    add_decay(gradient, weights, torch.tensor([[0.25]]))
    assert gradient.item() == 1.5
    add_initial_decay(gradient, weights, initial, torch.tensor([[0.25]]))
    assert gradient.item() == 1.5 + 2 * 0.25 * (2 - 5)
    shrink(weights, torch.tensor([[0.5]]), torch.tensor([[0.25]]))
    assert weights.item() == 2 * (1 - 0.125)


def test_noise_is_normal_and_every_learners_own():
    architecture = Architecture((50,), (97,), 3)
    weights = torch.zeros(3, architecture.parameters)
    start = draws.moment(torch.tensor([1, 1, 2]), torch.zeros(3, dtype=torch.int64), 0, draws.NOISE)
    perturb(weights, torch.tensor([[0.5], [0.25], [0.5]]), start, architecture)
    assert weights.std(1).tolist() == pytest.approx([0.5, 0.25, 0.5], rel=0.05)
    assert weights.mean(1).tolist() == pytest.approx([0, 0, 0], abs=0.03)
    assert weights[0].equal(2 * weights[1])
    assert not weights[0].equal(weights[2])
    assert len(weights[0].unique()) > 0.999 * architecture.parameters, "every weight has its own"
    weights.fill_(1)
    perturb(weights, torch.zeros(3, 1), start, architecture)
    assert bool((weights == 1).all())


# what layers do


def test_dropout_leaves_out_whole_channels_and_scales_the_rest():
    start = draws.moment(torch.arange(3), torch.zeros(3, dtype=torch.int64), 0, draws.DROPOUT)
    share = torch.tensor([[0.5], [0.0], [0.2]])
    taking_part = left_in(start, 400, 6, share)
    assert taking_part.double().mean((1, 2)).tolist() == pytest.approx([0.5, 1.0, 0.8], abs=0.04)
    features = thinned(torch.ones(3, 400, 4, 2, 2), taking_part[..., 1:5], share)
    assert features[0].unique().tolist() == [0.0, 2.0]
    assert bool((features == features[..., :1, :1]).all()), "pixels of a channel go together"
    assert bool((features[..., 0, 0] > 0).equal(taking_part[..., 1:5]))
    assert bool((features[1] == 1).all())
    copies = thinned(torch.ones(3, 400, 8), taking_part[..., 1:5], share)
    assert copies[..., :4].equal(copies[..., 4:])


def test_layer_normalization_by_hand():
    sums = torch.tensor([[[1.0, 3.0], [10.0, 10.0]]])
    expected = torch.tensor([[[-1.0, 1.0], [0.0, 0.0]]]) / math.sqrt(1 + 1e-5)
    torch.testing.assert_close(layer_normalized(sums), expected)
    maps = torch.randn((2, 3, 4, 5, 6), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer_normalized(maps), nn.functional.layer_norm(maps, (4, 5, 6)))


def test_concatenated_relu_gives_both_signs_and_stays_one_unit():
    sums = torch.tensor([[[2.0, -3.0]]])
    features = concatenated_relu(sums)
    assert features.tolist() == [[[2.0, 0.0, 0.0, 3.0]]]
    given, size = joined(features)
    assert given.tolist() == [[[2.0, -3.0]]]
    assert size.tolist() == [[[2.0, 3.0]]]


def normalized_by_hand(x, slope, state):
    """One step of online normalization of `[units, numbers]`; returns y, its gradient by x, and the state after."""
    mean, variance, error, share = state
    y, dx = np.zeros_like(x), np.zeros_like(x)
    after = np.zeros_like(state)
    for unit in range(len(x)):
        deviation = math.sqrt(variance[unit] + 1e-5)
        y[unit] = (x[unit] - mean[unit]) / deviation
        after[0][unit] = 0.999 * mean[unit] + 0.001 * x[unit].mean()
        after[1][unit] = (
            0.999 * variance[unit] + 0.001 * x[unit].var() + 0.999 * 0.001 * (x[unit].mean() - mean[unit]) ** 2
        )
        inner = slope[unit] - 0.01 * share[unit] * y[unit]
        after[3][unit] = share[unit] + (inner * y[unit]).mean()
        dx[unit] = inner / deviation - 0.01 * error[unit]
        after[2][unit] = error[unit] + dx[unit].mean()
    return y, dx, after


@pytest.mark.parametrize("shape", [(1, 3), (4, 3), (2, 3, 2, 2)])
def test_online_normalization_step_by_step(shape):
    rng, eps = np.random.default_rng(1), 1e-5
    state = np.zeros((4, 3))
    state[1] = 1
    torch_state = online_normalization.newborn(1, 3, torch.device("cpu")).double()
    for _ in range(5):
        x, slope = rng.normal(2, 3, shape), rng.normal(size=shape)
        by_unit = np.moveaxis(x, 1, 0).reshape(3, -1)
        y, _, _ = normalized_by_hand(by_unit, np.zeros_like(by_unit), state)
        y = np.moveaxis(y.reshape(3, shape[0], *shape[2:]), 0, 1)
        z, inner = np.zeros_like(y), np.zeros_like(y)
        for case in range(shape[0]):  # layer scaling and its gradient
            root = math.sqrt((y[case] ** 2).mean() + eps)
            z[case] = y[case] / root
            inner[case] = (slope[case] - z[case] * (slope[case] * z[case]).mean()) / root
        _, dx, state = normalized_by_hand(by_unit, np.moveaxis(inner, 1, 0).reshape(3, -1), state)
        sums = torch.tensor(x[None], requires_grad=True)
        after = torch_state.clone()
        frozen = online_normalization.online_normalized(sums.detach(), torch_state)
        outputs = online_normalization.online_normalized(sums, torch_state, after)
        assert outputs.equal(frozen)
        np.testing.assert_allclose(outputs[0].detach().numpy(), z, rtol=1e-9)
        (gradient,) = torch.autograd.grad(outputs, sums, torch.tensor(slope[None]))
        expected = np.moveaxis(dx.reshape(3, shape[0], *shape[2:]), 0, 1)
        np.testing.assert_allclose(gradient[0].numpy(), expected, rtol=1e-9, atol=1e-12)
        torch_state = after
        np.testing.assert_allclose(torch_state[0].numpy(), state, rtol=1e-9, atol=1e-12)


def test_online_normalization_brings_sums_to_mean_0_and_variance_1_over_time():
    state = online_normalization.newborn(1, 2, torch.device("cpu"))
    rng = torch.Generator().manual_seed(0)
    for _ in range(6000):
        after = state.clone()
        sums = torch.randn((1, 1, 2), generator=rng) * torch.tensor([3.0, 0.5]) + torch.tensor([5.0, -2.0])
        online_normalization.online_normalized(sums, state, after)
        state = after
    assert state[0, 0].tolist() == pytest.approx([5.0, -2.0], abs=0.3)
    assert state[0, 1].tolist() == pytest.approx([9.0, 0.25], rel=0.25)


# initial weights


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("initial", INITIALS)
def test_new_weights_are_as_large_as_torchs(initial, activation):
    layer = MAPS.layers[1]
    module = nn.Conv2d(4, 5, 3)
    known = {"relu": "relu", "leaky_relu": "leaky_relu", "tanh": "tanh", "sigmoid": "sigmoid", "linear": "linear"}
    gain = nn.init.calculate_gain(known.get(activation, "relu"))
    rng = torch.Generator().manual_seed(0)
    largest = 0.0
    for _ in range(40):
        if initial == "kaiming":
            nn.init.kaiming_uniform_(module.weight, nonlinearity=known.get(activation, "relu"), a=0.01, generator=rng)
        elif initial == "default":
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=rng)  # as nn.Conv2d does
        elif initial == "lecun":
            nn.init.uniform_(module.weight, -math.sqrt(3 / 36), math.sqrt(3 / 36), generator=rng)
        else:
            nn.init.xavier_uniform_(module.weight, gain, generator=rng)
        largest = max(largest, float(module.weight.detach().abs().max()))
    bound = bounds(initial, layer, torch.tensor([ACTIVATIONS.index(activation)])).item()
    assert largest <= bound * (1 + 1e-6)
    assert largest > 0.999 * bound
