"""Compiled paths of all sizes against a loop over modules with autograd: vectors have remainders, tiles too."""

import copy
from dataclasses import replace

import pytest
import torch
from learning.supernet.plain_path import linear, trained
from learning.supernet.some_supernet import CLASSES, begun, cases, paths_of

from evo.learning.supernet.dense import DenseEngine
from evo.learning.supernet.kinds import Dense
from evo.learning.supernet.supernet import AGGREGATIONS, Layer, Supernet
from evo.learning.supernet.weights import gathered, stacks

STEP = 0.2
FROZEN = ((0, 0), (1, 2))
SIZES = [
    (inputs, units, batch, 1 + (number + place) % 4)
    for number, inputs in enumerate((3, 64, 784, 785))
    for place, (units, batch) in enumerate(((1, 1), (7, 5), (17, 16), (1, 33), (7, 16), (17, 33), (17, 1)))
]
SIZES += [(16, 15, 8, 2), (15, 16, 7, 3), (816, 31, 9, 2), (5, 430, 3, 2)]  # whole vectors; blocks that are not alike


def paths_for(units, inputs, layers, count=3, modules=4, classes=CLASSES):
    """Some paths of a net of one size, the weights that they use, and where they come from."""
    net = Supernet(tuple(Layer(modules, (Dense(units + number),)) for number in range(layers)))
    draw = torch.Generator().manual_seed(units + inputs)
    chosen = torch.randint(modules, (count, layers, 3), generator=draw).tolist()
    frozen = [each for each in FROZEN if each[0] < layers]
    paths = replace(paths_of(chosen, net.modules_per_layer, frozen), classes=classes)
    weights = begun(net, count, (inputs,))
    return paths, gathered(weights, stacks(net, (inputs,)), paths), frozen


def plain(active, paths, number, inputs, targets, aggregation, frozen):
    """The logits of one path, its modules `[layer][place]` (None where there is none) and its head, by plain steps."""
    layers = []
    for layer, there in enumerate(paths.present[number]):
        pairs = zip(active[f"modules.{layer}.0.weight"][number], active[f"modules.{layer}.0.bias"][number], strict=True)
        layers.append([linear(*pair) if there[place] else None for place, pair in enumerate(pairs)])
    head = linear(active["head.weight"][number], active["head.bias"][number])
    by_module = [
        {int(paths.modules[number, layer, place]): module for place, module in enumerate(row) if module is not None}
        for layer, row in enumerate(layers)
    ]
    return trained(by_module, head, inputs, targets, STEP, aggregation, frozen), layers, head


@pytest.mark.parametrize(("inputs", "units", "batch", "layers"), SIZES)
def test_paths_of_any_size_learn_what_a_plain_loop_does(inputs, units, batch, layers):
    shown, targets = cases(3, batches=4, batch=batch, shape=(inputs,))
    shown /= inputs**0.5
    aggregation = AGGREGATIONS[(inputs + units + batch) % 3]
    paths, active, frozen = paths_for(units, inputs, layers)
    before = copy.deepcopy(active)
    logits = DenseEngine(layers, aggregation).descend(active, paths, shown, targets, STEP)
    for number in range(3):
        wanted, modules, head = plain(before, paths, number, shown[number], targets[number], aggregation, frozen)
        torch.testing.assert_close(logits[number], wanted, atol=1e-5, rtol=0)
        torch.testing.assert_close(active["head.weight"][number], head.weight.detach(), atol=1e-5, rtol=0)
        torch.testing.assert_close(active["head.bias"][number], head.bias.detach(), atol=1e-5, rtol=0)
        for layer, row in enumerate(modules):
            for place, module in enumerate(row):
                for part in ("weight", "bias"):
                    name = f"modules.{layer}.0.{part}"
                    found, given = active[name][number, place], before[name][number, place]
                    if module is None or not paths.trained[number, layer, place]:
                        assert torch.equal(found, given)  # neither frozen modules nor absent ones change
                    else:
                        torch.testing.assert_close(found, getattr(module, part).detach(), atol=1e-5, rtol=0)
    assert not torch.equal(active["head.weight"], before["head.weight"])


@pytest.mark.parametrize(("inputs", "units", "batch", "layers"), [(785, 17, 33, 2), (3, 1, 5, 4), (64, 7, 1, 3)])
def test_bits_are_the_same_in_any_company_and_order(inputs, units, batch, layers):
    shown, targets = cases(5, batches=3, batch=batch, shape=(inputs,))
    paths, given, _ = paths_for(units, inputs, layers, count=5)
    company = copy.deepcopy(given)
    logits = DenseEngine(layers, "mean").descend(company, paths, shown, targets, STEP)
    for some in ([3], [4, 1], [2, 0, 3]):
        parts = ("replicate", "modules", "present", "trained")
        chosen = replace(paths, **{part: getattr(paths, part)[some] for part in parts})
        active = {name: values[some] for name, values in given.items()}
        alone = DenseEngine(layers, "mean").descend(active, chosen, shown[some], targets[some], STEP)
        assert torch.equal(alone, logits[some])
        for name, values in active.items():
            assert torch.equal(values, company[name][some]), name


@pytest.mark.parametrize("classes", [1, 2, 16, 40])
def test_heads_have_any_number_of_classes(classes):
    paths, active, frozen = paths_for(6, 10, 2)
    paths = replace(paths, classes=classes)
    draw = torch.Generator().manual_seed(classes)
    active["head.weight"] = torch.randn(3, classes, 7, generator=draw)
    active["head.bias"] = torch.randn(3, classes, generator=draw)
    shown, _ = cases(3, shape=(10,))
    targets = torch.randint(classes, (3, 6, 5), generator=draw)
    before = copy.deepcopy(active)
    logits = DenseEngine(2, "sum").descend(active, paths, shown, targets, STEP)
    for number in range(3):
        wanted, _, head = plain(before, paths, number, shown[number], targets[number], "sum", frozen)
        torch.testing.assert_close(logits[number], wanted, atol=2e-5, rtol=0)
        torch.testing.assert_close(active["head.weight"][number], head.weight.detach(), atol=1e-5, rtol=0)


def test_outputs_change_nothing_and_inputs_need_not_lie_side_by_side():
    paths, active, _ = paths_for(6, 10, 2)
    before = copy.deepcopy(active)
    shown, targets = cases(3, shape=(10,))
    engine = DenseEngine(2, "sum")
    outputs = engine.outputs(active, paths, shown[:, 1])
    assert all(torch.equal(values, before[name]) for name, values in active.items())
    logits = engine.descend(active, paths, shown[:, 1:2], targets[:, 1:2], STEP)
    assert torch.equal(logits[:, 0], outputs)


def test_large_logits_are_no_trouble_to_softmax():
    paths, active, _ = paths_for(6, 10, 1)
    active["head.weight"] *= 1e3
    shown, targets = cases(3, batches=1, shape=(10,))
    before = copy.deepcopy(active)
    DenseEngine(1, "sum").descend(active, paths, shown, targets, 1e-3)
    for name, values in active.items():
        assert values.isfinite().all(), name
    assert not torch.equal(active["head.weight"], before["head.weight"])


def test_numbers_that_are_no_numbers_stay_so():
    for bad in (torch.nan, torch.inf):
        paths, active, _ = paths_for(6, 20, 2)
        shown, targets = cases(3, shape=(20,))
        shown[1, 2, 3, 4] = bad
        logits = DenseEngine(2, "sum").descend(active, paths, shown, targets, STEP)
        assert not logits[1, 2:].isfinite().all()
        assert logits[[0, 2]].isfinite().all()
        assert not active["head.weight"][1].isfinite().all()


def test_what_does_not_fit_is_told():
    paths, active, _ = paths_for(6, 10, 2)
    shown, targets = cases(3, shape=(10,))
    engine = DenseEngine(2, "sum")
    with pytest.raises(ValueError, match=r"inputs: expected 10 numbers a case, .* got 12"):
        engine.descend(active, paths, torch.zeros(3, 6, 5, 12), targets, STEP)
    with pytest.raises(ValueError, match=r"inputs: expected 10 numbers a case, .* got 2"):
        engine.outputs(active, paths, torch.zeros(3, 6, 2))
    for wrong in (-1, CLASSES):
        targets[1, 2, 3] = wrong
        with pytest.raises(ValueError, match=r"targets: expected classes from 0 to 2, those of task 1, got"):
            engine.descend(active, paths, shown, targets, STEP)
        targets[1, 2, 3] = 0
