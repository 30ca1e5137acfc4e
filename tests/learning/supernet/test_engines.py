"""Both engines against a loop over modules with autograd, and against themselves in other company."""

import copy

import pytest
import torch
from learning.supernet.plain_path import linear, trained
from learning.supernet.some_supernet import CLASSES, MODULES, NET, SHAPE, begun, cases, paths_of
from torch import nn

from evo.learning.supernet.dense import DenseEngine
from evo.learning.supernet.engine import engine_for
from evo.learning.supernet.kinds import Adapter, Convolution, Custom, Dense, Residual
from evo.learning.supernet.modules import ModuleEngine
from evo.learning.supernet.supernet import AGGREGATIONS, Layer, Supernet, dense_supernet, templates
from evo.learning.supernet.weights import gathered, scatter, stacks

COUNTS = NET.modules_per_layer
STEP = 0.3
FROZEN = ((0, 3), (1, 1), (2, 2))


def engines(aggregation):
    return {"dense": DenseEngine(len(COUNTS), aggregation), "modules": ModuleEngine(NET, SHAPE, aggregation)}


def plain(weights, replicate, modules, inputs, targets, aggregation, frozen):
    """Return logits, and weights as they are after a plain loop over the path's distinct modules."""
    layers = [
        {
            module: linear(*(weights[f"modules.{number}.0.{part}"][replicate, module] for part in ("weight", "bias")))
            for module in sorted(set(row))
        }
        for number, row in enumerate(modules)
    ]
    head = linear(weights["head.weight"][replicate, 1], weights["head.bias"][replicate, 1])
    logits = trained(layers, head, inputs, targets, STEP, aggregation, frozen)
    after = copy.deepcopy(weights)
    for number, layer in enumerate(layers):
        for module, made in layer.items():
            after[f"modules.{number}.0.weight"][replicate, module] = made.weight.detach()
            after[f"modules.{number}.0.bias"][replicate, module] = made.bias.detach()
    after["head.weight"][replicate, 1], after["head.bias"][replicate, 1] = head.weight.detach(), head.bias.detach()
    return logits, after


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("engine", ["dense", "modules"])
@pytest.mark.parametrize("frozen", [(), FROZEN], ids=["free", "frozen"])
def test_an_engine_does_what_a_plain_loop_does(engine, aggregation, frozen):
    weights, layout = begun(NET, 2), stacks(NET, SHAPE)
    inputs, targets = cases(2)
    paths = paths_of(MODULES, COUNTS, frozen)
    active = gathered(weights, layout, paths)
    logits = engines(aggregation)[engine].descend(active, paths, inputs, targets, STEP)
    expected = copy.deepcopy(weights)
    for replicate in (0, 1):
        wanted, expected = plain(
            expected, replicate, MODULES[replicate], inputs[replicate], targets[replicate], aggregation, frozen
        )
        torch.testing.assert_close(logits[replicate], wanted, atol=1e-5, rtol=0)
    after = copy.deepcopy(weights)
    scatter(after, layout, paths, active, torch.ones(2, dtype=torch.bool))
    for name, values in expected.items():
        torch.testing.assert_close(after[name], values, atol=1e-5, rtol=0)
    assert any((after[name] - weights[name]).abs().max() > 0.01 for name in after)
    for layer, module in frozen:
        for part in ("weight", "bias"):
            name = f"modules.{layer}.0.{part}"
            assert torch.equal(after[name][:, module], weights[name][:, module])


def test_a_path_is_the_same_bits_in_any_company():
    net = dense_supernet(3, 10, 20)  # large enough for the products of a real run
    weights, layout = begun(net, 17, (784,)), stacks(net, (784,))
    inputs, targets = cases(17, batches=3, batch=16, shape=(784,))
    draw = torch.Generator().manual_seed(0)
    modules = torch.randint(10, (17, 3, 3), generator=draw).tolist()
    for aggregation in AGGREGATIONS:
        engine = DenseEngine(3, aggregation)
        together = paths_of(modules, (10, 10, 10), ((0, 3),))
        company = gathered(weights, layout, together)
        logits = engine.descend(company, together, inputs, targets, STEP)
        for count in (1, 2, 3, 5, 8, 16):
            some = paths_of(modules[:count], (10, 10, 10), ((0, 3),))
            active = gathered(weights, layout, some)
            alone = engine.descend(active, some, inputs[:count], targets[:count], STEP)
            assert torch.equal(alone, logits[:count])
            for name, values in active.items():
                assert torch.equal(values, company[name][:count]), (name, count)


def test_outputs_are_those_that_descent_begins_with():
    inputs, targets = cases(2)
    paths = paths_of(MODULES, COUNTS)
    for aggregation in AGGREGATIONS:
        for engine in engines(aggregation).values():
            active = gathered(begun(NET, 2), stacks(NET, SHAPE), paths)
            outputs = engine.outputs(active, paths, inputs[:, 0])
            torch.testing.assert_close(outputs, engine.descend(active, paths, inputs, targets, STEP)[:, 0])


MIXED = Supernet(
    (
        Layer(4, (Convolution(3, 3), Custom(lambda shape: nn.Sequential(nn.Conv2d(shape[0], 3, 3), nn.Tanh())))),
        Layer(3, (Dense(6), Custom(lambda shape: nn.Sequential(nn.Flatten(), nn.Linear(3 * 16, 6)), batched=False))),
        Layer(5, (Residual(6), Adapter(2), Custom(lambda _: nn.Identity()))),
    )
)


def test_kinds_that_differ_within_a_layer_learn_as_their_modules_do():
    shape, modules = (2, 6, 6), [[[0, 1, 2], [1, 0, 1], [0, 1, 2]]]
    weights, layout = begun(MIXED, 1, shape), stacks(MIXED, shape)
    inputs, targets = cases(1, shape=shape)
    paths = paths_of(modules, MIXED.modules_per_layer)
    active = gathered(weights, layout, paths)
    engine = engine_for(MIXED, shape, "sum")
    assert isinstance(engine, ModuleEngine)
    logits = engine.descend(active, paths, inputs, targets, 0.05)
    scatter(weights_after := copy.deepcopy(weights), layout, paths, active, torch.ones(1, dtype=torch.bool))

    layers = []
    for number, row in enumerate(modules[0]):
        layers.append([])
        for module in sorted(set(row)):
            kind = module % len(MIXED.layers[number].kinds)
            own = copy.deepcopy(templates(MIXED, shape).modules[number][kind])
            place = module // len(MIXED.layers[number].kinds)
            own.load_state_dict(
                {name: weights[f"modules.{number}.{kind}.{name}"][0, place] for name, _ in own.named_parameters()}
            )
            layers[-1].append((module, kind, place, own))
    head = linear(weights["head.weight"][0, 1], weights["head.bias"][0, 1])
    learning = [*head.parameters(), *(each for layer in layers for *_, own in layer for each in own.parameters())]
    optimizer = torch.optim.SGD(learning, lr=0.05)
    for step in range(inputs.shape[1]):
        x = inputs[0, step]
        for layer in layers:
            x = sum(own(x) for *_, own in layer)
        wanted = head(x)
        torch.testing.assert_close(logits[0, step], wanted, atol=1e-5, rtol=0)
        optimizer.zero_grad()
        nn.functional.cross_entropy(wanted, targets[0, step]).backward()
        optimizer.step()
    for number, layer in enumerate(layers):
        for _, kind, place, own in layer:
            for name, values in own.named_parameters():
                found = weights_after[f"modules.{number}.{kind}.{name}"][0, place]
                torch.testing.assert_close(found, values, atol=1e-5, rtol=0)


def test_a_fast_engine_is_for_dense_modules_only():
    assert isinstance(engine_for(NET, SHAPE, "sum"), DenseEngine)
    with pytest.raises(ValueError, match=r"aggregation: expected one of sum, mean, mean_last, got 'max'"):
        engine_for(NET, SHAPE, "max")
    assert CLASSES == 3
