"""Supernets that would fill the memory are refused before anything is made of them."""

from __future__ import annotations

import json
import resource
from typing import Any

import pytest
from torch import nn

import problems
from evo.learning.supernet.described import LARGEST_NUMBER, MOST_LAYERS, MOST_MODULES
from evo.learning.supernet.kinds import Adapter, Convolution, Custom, Dense, Kind, Residual
from evo.learning.supernet.supernet import MOST_WEIGHTS, Layer, Supernet, dense_supernet, templates
from evo.settings import describe

PICTURE = (3, 32, 32)


def written(supernet: Supernet) -> Any:
    return json.loads(json.dumps(describe(supernet)))


def conv(**settings: int) -> Supernet:
    return Supernet((Layer(2, (Convolution(**settings),)),))


@pytest.mark.parametrize(
    ("supernet", "said"),
    [
        (dense_supernet(2, 10**9, 20), f"modules in all layers: expected at most {MOST_MODULES} .* got 2000000000; "),
        (dense_supernet(1, 10**400, 20), f"modules in all layers: expected at most {MOST_MODULES} .* got 1000"),
        (dense_supernet(3, 1, 10**9), f"Dense: units: expected at most {LARGEST_NUMBER} .* got 1000000000; "),
        (dense_supernet(1, 1, -(10**9)), "Dense: units: expected at most .* got -1000000000; "),
        (dense_supernet(MOST_LAYERS + 1, 1, 1), f"layers: expected at most {MOST_LAYERS} .* got {MOST_LAYERS + 1}; "),
        (conv(channels=10**9), "Convolution: channels: expected at most"),
        (conv(kernel=10**9), "Convolution: kernel: expected at most"),
    ],
)
def test_a_file_cannot_ask_for_more_than_memory_holds(supernet: Supernet, said: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=f"^supernet: {said}") as told:
        problems.make("binary-digits-v1", digits="digits", supernet=written(supernet))
    assert len(str(told.value)) < 160
    assert "\n" not in str(told.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**16  # kB, where one of these takes more


@pytest.mark.parametrize(
    "supernet",
    [
        dense_supernet(2, 5, LARGEST_NUMBER),
        Supernet((Layer(MOST_MODULES, (Dense(20),)),)),
        conv(channels=LARGEST_NUMBER, kernel=LARGEST_NUMBER, padding=LARGEST_NUMBER - 1),
        Supernet((Layer(2, (Adapter(LARGEST_NUMBER),)), Layer(MOST_MODULES // 2, (Adapter(2),)))),
        Supernet((Layer(1, (Dense(40_000),)), Layer(1, (Residual(40_000),)))),
    ],
)
def test_weights_beyond_memory_are_never_made(supernet: Supernet) -> None:
    with pytest.raises(ValueError, match=f"layers: [01]: expected at most {MOST_WEIGHTS} weights in a supernet, got"):
        templates(supernet, PICTURE)


@pytest.mark.parametrize("padding", [-1, 3, 10**5])
def test_padding_is_less_than_a_kernel(padding: int) -> None:
    with pytest.raises(ValueError, match=f"padding: expected a number from 0 up and below kernel=3, .* got {padding}"):
        templates(conv(kernel=3, padding=padding), PICTURE)
    assert templates(conv(kernel=3, padding=2), PICTURE).shapes[-1] == (8, 34, 34)


@pytest.mark.parametrize("kind", [Dense(7), Convolution(5, 3, 2, 1), Residual(48), Adapter(4)], ids=str)
def test_weights_are_counted_as_they_are_made(kind: Kind) -> None:
    shape = (48,) if isinstance(kind, Residual) else (3, 4, 4)
    assert kind.weights(shape) == sum(values.numel() for values in kind.make(shape).parameters())


def test_a_layer_counts_each_module_with_its_kind() -> None:
    layer = Layer(5, (Dense(2), Dense(3)))
    assert layer.weights((4,)) == 3 * (2 * 5) + 2 * (3 * 5)
    unknown = Layer(5, (Custom(lambda shape: nn.Linear(shape[0], 2)), Dense(2)))
    assert unknown.weights((4,)) == 2 * (2 * 5)
    assert templates(Supernet((unknown,)), (4,)).shapes == ((4,), (2,))
