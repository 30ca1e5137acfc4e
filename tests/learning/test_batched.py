"""The torch engine against separate torch networks, trained one by one, and against itself in other batches."""

from dataclasses import fields, replace

import pytest
import torch
from learning.plain_learner import learn_plainly
from learning.some_learners import DENSE, LINEAR, MAPS, WIDE_MAPS, some_learners, some_segment
from learning.torch_learner import TorchLearner

from evo.learners import ACTIVATIONS, Architecture, Learners, Rules
from evo.learning import batched
from evo.learning.batched import learn_batched
from evo.learning.denormals import flushed
from evo.learning.forward import activations, forward
from evo.learning.layer_sums import in_groups, one_by_one
from evo.learning.training import learn
from evo.networks import Execution

ALL_ARCHITECTURES = {"dense": DENSE, "linear": LINEAR, "maps": MAPS, "wide maps": WIDE_MAPS}
OPTIMIZERS = {
    "sgd": (Rules(), {"step_size": [0.02, 0.1, 0.05]}),
    "momentum": (Rules(), {"step_size": 0.02, "momentum": [0.9, 0.0, 0.5]}),
    "weight decay": (Rules(), {"step_size": 0.05, "weight_decay": [0.1, 0.0, 0.01]}),
    "initial decay": (Rules(), {"step_size": 0.05, "initial_decay": [0.1, 0.0, 0.01]}),
    "adam": (Rules("adam"), {"step_size": [0.01, 0.001, 0.02], "first_moment_decay": [0.9, 0.0, 0.99]}),
    "adam, decay": (Rules("adam"), {"weight_decay": 0.1, "second_moment_decay": [0.999, 0.9, 0.99]}),
    "adamw": (Rules("adam"), {"decoupled_decay": [0.1, 0.01, 0.5]}),
}
EVERYTHING = {
    "step_size": [0.02, 0.05, 0.01, 0.03, 0.02, 0.01],
    "momentum": [0.0, 0.5, 0.9, 0.0, 0.3, 0.0],
    "weight_decay": [0.0, 0.01, 0.001, 0.0, 0.0, 0.0],
    "initial_decay": [0.01, 0.0, 0.0, 0.001, 0.0, 0.0],
    "decoupled_decay": [0.0, 0.0, 0.01, 0.0, 0.0, 0.0],
    "noise": [0.001, 0.0, 0.0, 0.01, 0.0, 0.0],
    "replacement_rate": [0.05, 0.1, 0.0, 0.2, 0.02, 0.1],
    "maturity_threshold": [5.0, 10.0, 3.0, 8.0, 4.0, 6.0],
    "utility_decay": [0.9, 0.99, 0.5, 0.0, 0.8, 0.95],
    "dropout": [0.0, 0.2, 0.0, 0.5, 0.0, 0.1],
    "dormancy_threshold": [0.0, 0.3, 0.0, 0.0, 0.5, 0.0],
    "dormancy_period": [0.0, 13.0, 0.0, 0.0, 9.0, 0.0],
}
SIX = {
    "count": 6,
    "activation": ["relu", "tanh", "relu", "swish", "sigmoid", "leaky_relu"],
    "utility": ["contribution", "random", "weight", "adaptable_contribution", "zero_contribution", "feature_by_input"],
    **EVERYTHING,
}


def agree(learners, segment, tolerance=2e-5):
    """Compare weights, losses, hits and gradient lengths with torch's, learner by learner."""
    after, record = learn_batched(learners, segment, segment.steps)
    for number in range(len(learners)):
        alone = TorchLearner(learners, number)
        seen = alone.learn(segment)
        weights = alone.flat(list(alone.parameters()))
        assert (weights - learners.weights[number]).abs().max() > 1e-3, "nothing was learned"
        torch.testing.assert_close(after.weights[number], weights, rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(record.loss[number], seen[:, 0], rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(record.correct[number], seen[:, 1], equal_nan=True)
        torch.testing.assert_close(record.gradient_norm[number], seen[:, 2].mean(), rtol=1e-4, atol=1e-5)
    return after


def same_bits(one, other):
    """Assert that two populations are the same to the bit."""
    for field in fields(Learners):
        mine, its = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, torch.Tensor):
            assert mine.equal(its), field.name


def joined(records, name):
    return torch.cat([getattr(record, name) for record in records])


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("architecture", ALL_ARCHITECTURES)
def test_learners_learn_as_torch_networks_do_one_by_one(architecture, optimizer, batch):
    rules, settings = OPTIMIZERS[optimizer]
    shape = ALL_ARCHITECTURES[architecture]
    after = agree(some_learners(shape, rules=rules, **settings), some_segment(shape, 15, batch))
    if rules.optimizer == "adam":
        assert bool((after.moment_steps == 15).all())


@pytest.mark.parametrize("shape", [DENSE, MAPS], ids=["dense", "maps"])
def test_every_activation_in_one_population(shape):
    learners = some_learners(shape, len(ACTIVATIONS) + 2, activation=["tanh", *ACTIVATIONS, "relu"], step_size=0.05)
    agree(learners, some_segment(shape, 15, 4))


@pytest.mark.parametrize("concatenated", [False, True])
@pytest.mark.parametrize("shape", [DENSE, WIDE_MAPS], ids=["dense", "maps"])
def test_layer_normalization_and_concatenated_relu(shape, concatenated):
    shape = replace(shape, normalization="layer", concatenated=concatenated)
    agree(some_learners(shape, step_size=0.05), some_segment(shape, 15, 4))
    plain = replace(shape, normalization="", concatenated=concatenated)
    agree(some_learners(plain, step_size=0.05), some_segment(plain, 15, 4))


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("concatenated", [False, True])
@pytest.mark.parametrize("shape", [DENSE, WIDE_MAPS], ids=["dense", "maps"])
def test_dropout_leaves_out_units_by_counted_draws(shape, concatenated, batch):
    shape = replace(shape, concatenated=concatenated)
    agree(some_learners(shape, dropout=[0.5, 0.0, 0.2], step_size=0.005), some_segment(shape, 15, batch))


@pytest.mark.parametrize("classes", [0, 2])
@pytest.mark.parametrize("reset_head", [False, True])
@pytest.mark.parametrize("shape", [DENSE, MAPS], ids=["dense", "maps"])
def test_classes_are_learned_and_heads_reset(shape, reset_head, classes):
    segment = some_segment(shape, 15, 4, "cross_entropy", classes=classes, reset_head=reset_head)
    after = agree(some_learners(shape, step_size=0.1), segment)
    if classes:
        last = shape.layers[-1]
        moved = reset_head or not after.kernel(last)[..., 2:].equal(some_learners(shape).kernel(last)[..., 2:])
        assert moved == reset_head, "outputs that take no part learn nothing"


def test_columns_permute_what_each_stream_reads():
    columns = torch.stack([torch.randperm(6, generator=torch.Generator().manual_seed(n)) for n in range(2)])
    agree(some_learners(step_size=0.05), some_segment(columns=columns, batch=3))


def test_images_may_go_straight_into_dense_layers():
    shape = Architecture((2, 3, 4), (5,), 3)
    agree(some_learners(shape, step_size=0.05), some_segment(shape, batch=3))


@pytest.mark.parametrize(
    "rules", [Rules(), Rules(accumulate=False, count_all=True, bias_transfer=False), Rules("adam")]
)
@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
def test_with_every_operator_and_its_chance_on_as_the_plain_learner(loss, rules):
    chosen = {**SIX, "decoupled_decay": 0.0} if rules.optimizer == "adam" else SIX
    learners, segment = some_learners(rules=rules, **chosen), some_segment(steps=120, loss=loss)
    after, record = learn_batched(learners, segment, 7)
    plain, its_record = learn_plainly(learners, segment, 7)
    assert record.replaced.equal(its_record.replaced)
    assert int((record.replaced > 0).sum()) > 6
    for name in ("loss", "correct", "gradient_norm"):
        mine, its = getattr(record, name), getattr(its_record, name)
        torch.testing.assert_close(mine, its, rtol=1e-3, atol=1e-4, equal_nan=True)
    for name in ("weights", "ages", "utilities", "mean_activations", "mean_magnitudes", "due", "moment_steps"):
        mine, its = getattr(after, name), getattr(plain, name)
        torch.testing.assert_close(mine, its, rtol=1e-3, atol=2e-4, msg=lambda text, name=name: f"{name}: {text}")


BITS = {
    "dense": (DENSE, 1, "squared"),
    "wide": (Architecture((50,), (40, 33), 10), 1, "cross_entropy"),
    "wide batches": (Architecture((50,), (40, 33), 10), 16, "cross_entropy"),
    "one output": (Architecture((33,), (50,), 1), 17, "squared"),
    "maps": (WIDE_MAPS, 3, "cross_entropy"),
    "layer norm": (replace(DENSE, normalization="layer"), 4, "squared"),
    "online norm": (replace(WIDE_MAPS, normalization="online"), 4, "squared"),
    "concatenated": (replace(WIDE_MAPS, concatenated=True), 4, "squared"),
}


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("kind", BITS)
def test_a_learners_bits_depend_on_neither_neighbours_nor_pieces_nor_threads(kind, optimizer, monkeypatch):
    shape, batch, loss = BITS[kind]
    segment = some_segment(shape, 12 if shape.convolutions else 25, batch, loss)
    learners = some_learners(shape, rules=Rules(optimizer), **SIX)
    after, record = learn_batched(learners, segment, 4)
    alone = [learn_batched(learners[number : number + 1], segment, 4) for number in range(6)]
    for number, (one, _) in enumerate(alone):
        same_bits(after[number : number + 1], one)
    for name in ("loss", "correct", "gradient_norm", "replaced"):
        assert getattr(record, name).nan_to_num(-1).equal(joined([one for _, one in alone], name).nan_to_num(-1)), name
    mixed = torch.tensor([4, 0, 5, 2])
    same_bits(learn_batched(learners[mixed], segment)[0], after[mixed])
    monkeypatch.setitem(batched.PIECE, "cpu", 1)
    same_bits(learn_batched(learners, segment)[0], after)
    threaded = learn_batched(learners.on(Execution("torch", 2)), segment)[0]
    same_bits(threaded.on(learners.execution), after)


@pytest.mark.parametrize(("batch", "channels", "units", "size"), [(1, 2, 3, 5), (4, 3, 1, 3), (3, 1, 4, 2)])
def test_convolutions_in_groups_are_those_one_by_one(batch, channels, units, size):
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn((5, batch, channels, 7, 6), generator=draw)
    kernels = torch.randn((5, units, channels, size, size), generator=draw, requires_grad=True)
    bias = torch.randn((5, units), generator=draw, requires_grad=True)
    alone, together = one_by_one(inputs, kernels, bias), in_groups(inputs, kernels, bias)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    slope = torch.randn(alone.shape, generator=draw)
    for mine, its in zip(
        *(torch.autograd.grad(sums, (kernels, bias), slope) for sums in (together, alone)), strict=True
    ):
        torch.testing.assert_close(mine, its, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_the_torch_engine_is_called_where_it_is_asked_for_or_needed(engine):
    learners, segment = some_learners(step_size=0.05), some_segment(batch=2)
    same_bits(learn(learners.on(Execution(engine)), segment)[0].on(Execution()), learn_batched(learners, segment)[0])


def test_learners_given_stay_as_they_are_and_live_one_segment_more():
    learners = some_learners(rules=Rules("adam"), **SIX)
    kept = learners.clone()
    after, _ = learn_batched(learners, some_segment())
    same_bits(learners, kept)
    assert after.segments.tolist() == [5] * 6


def test_state_goes_on_in_the_next_segment():
    learners, segment = (
        some_learners(replace(DENSE, normalization="online"), rules=Rules("adam")),
        some_segment(steps=30),
    )
    halves = [replace(segment, order=part) for part in segment.order.split(15, 1)]
    whole = learn_batched(learners, segment)[0]
    middle = learn_batched(learners, halves[0])[0]
    same_bits(replace(learn_batched(middle, halves[1])[0], segments=whole.segments), whole)


def test_state_is_made_where_learners_come_without():
    learners = some_learners(momentum=0.9)
    bare = replace(learners, first_moment=torch.zeros(3, 0))
    same_bits(learn_batched(bare, some_segment())[0], learn_batched(learners, some_segment())[0])


def test_a_learner_that_diverges_stops_as_it_was_and_leaves_its_neighbours_alone():
    learners = some_learners(step_size=[0.01, 1e12, 0.02], replacement_rate=0.1, maturity_threshold=1.0)
    segment = some_segment(steps=40)
    after, record = learn_batched(learners, segment, 40)
    plain, its_record = learn_plainly(learners, segment, 40)
    first = int(record.loss[1].isnan().to(torch.int64).argmax())
    assert 0 < first < 20
    assert bool(record.loss[1, first:].isnan().all())
    assert bool(record.gradient_norm[1].isnan())
    assert its_record.loss[1].isnan().equal(record.loss[1].isnan())
    assert record.replaced.equal(its_record.replaced)
    assert after.ages[1].equal(plain.ages[1])
    others = torch.tensor([0, 2])
    same_bits(after[others], learn_batched(learners[others], segment)[0])


def test_losses_are_means_over_equal_stretches():
    learners, segment = some_learners(step_size=0.05), some_segment(steps=20, loss="cross_entropy", batch=4)
    each, all_ = learn_batched(learners, segment, 20)[1], learn_batched(learners, segment)[1]
    four = learn_batched(learners, segment, 4)[1]
    for name in ("loss", "correct"):
        steps = getattr(each, name)
        torch.testing.assert_close(getattr(four, name), steps.view(3, 4, 5).mean(2), rtol=1e-12, atol=0)
        torch.testing.assert_close(getattr(all_, name), steps.mean(1, keepdim=True), rtol=1e-12, atol=0)
    thirds = learn_batched(learners, segment, 3)[1].loss
    torch.testing.assert_close(thirds[:, 0], each.loss[:, :7].mean(1), rtol=1e-12, atol=0)
    torch.testing.assert_close(thirds[:, 2], each.loss[:, 14:].mean(1), rtol=1e-12, atol=0)


@pytest.mark.parametrize("norm", ["", "layer"])
@pytest.mark.parametrize("concatenated", [False, True])
@pytest.mark.parametrize("shape", [DENSE, WIDE_MAPS], ids=["dense", "maps"])
def test_forward_gives_what_torch_networks_give(shape, concatenated, norm):
    shape = replace(shape, concatenated=concatenated, normalization=norm)
    learners = some_learners(shape, 4, activation=["relu", "tanh", "relu", "elu"], dropout=0.5)
    own = torch.randn((4, 6, *shape.inputs), generator=torch.Generator().manual_seed(3))
    hidden, outputs = activations(learners, own), forward(learners, own)
    shared = activations(learners, own[1])
    for number in range(4):
        alone = TorchLearner(learners, number)
        features, its_outputs = alone(own[number])
        torch.testing.assert_close(outputs[number], its_outputs, rtol=1e-5, atol=1e-5)
        for mine, its in zip(hidden, features, strict=True):
            torch.testing.assert_close(mine[number], its, rtol=1e-5, atol=1e-5)
        for mine, its in zip(shared, alone(own[1])[0], strict=True):
            torch.testing.assert_close(mine[number], its, rtol=1e-5, atol=1e-5)
    assert not outputs.requires_grad


def test_online_normalization_asks_for_the_state_as_it_is():
    shape = replace(DENSE, normalization="online")
    segment = some_segment()
    learned, _ = learn_batched(some_learners(shape), segment)
    assert learned.normalization_state is not None
    before = learned.normalization_state.clone()
    outputs = forward(learned, segment.inputs[0])
    assert learned.normalization_state.equal(before)
    assert not outputs.equal(forward(replace(learned, normalization_state=None), segment.inputs[0]))


def test_denormal_numbers_count_as_zero_while_teaching_and_not_after():
    tiny = torch.tensor(torch.finfo(torch.float32).tiny)
    with flushed():
        assert (tiny * 0.5).item() == 0
        with flushed():
            pass
        assert (tiny * 0.5).item() == 0
    assert (tiny * 0.5).item() > 0


def test_learned_weights_are_never_denormal():
    learners = some_learners(weight_decay=0.1, step_size=0.1)
    learners.weights[:, ::2] = 1e-38
    learners.weights[:, 1::4] = 0
    after, _ = learn_batched(learners, some_segment(steps=60))
    sizes = after.weights.abs()
    assert not bool(((sizes > 0) & (sizes < torch.finfo(torch.float32).tiny)).any())
    assert bool((sizes == 0).any())


def test_compiled_and_torch_engines_agree():
    learners, segment = some_learners(**SIX), some_segment(steps=60, loss="cross_entropy")
    compiled, its_record = learn(learners.on(Execution("compiled")), segment, 3)
    after, record = learn(learners.on(Execution("torch")), segment, 3)
    assert record.replaced.equal(its_record.replaced)
    assert bool(record.replaced[0].any())
    torch.testing.assert_close(record.loss, its_record.loss, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(after.weights, compiled.weights, rtol=1e-3, atol=2e-4)


def test_what_does_not_fit_is_told():
    learners, segment = some_learners(), some_segment()
    with pytest.raises(ValueError, match=r"\(2, 14, 14\), as the learners read, got \(2, 12, 11\)"):
        learn(some_learners(MAPS), some_segment(WIDE_MAPS))
    with pytest.raises(ValueError, match="streams"):
        learn_batched(replace(learners, stream=torch.tensor([0, 1, 3])), segment)
    with pytest.raises(ValueError, match=r"inputs: expected \[batch, 6\].*got \[4, 7\]"):
        forward(learners, torch.zeros(4, 7))


def test_concatenated_units_give_nothing_to_biases():
    shape = replace(WIDE_MAPS, concatenated=True)
    learners = some_learners(shape, step_size=0.0, replacement_rate=0.2, maturity_threshold=2.0)
    after, record = learn_batched(learners, some_segment(shape, steps=8, batch=2))
    assert bool((record.replaced > 0).all())
    for layer in shape.layers:
        moved = after.bias(layer) != learners.bias(layer)
        assert not after.bias(layer)[moved].any(), "a bias is as it was, or that of a new unit"
