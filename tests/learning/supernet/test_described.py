"""A supernet comes back from what files say of it, and from nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from torch import nn

import problems
from evo.learning.supernet.described import supernet_of
from evo.learning.supernet.kinds import Adapter, Convolution, Custom, Dense, Residual
from evo.learning.supernet.supernet import Layer, Supernet, Trunk, dense_supernet
from evo.settings import describe, settings

MIXED = Supernet((Layer(4, (Convolution(3, 3), Convolution(3, 3))), Layer(6, (Dense(8), Residual(), Adapter(2)))))


@pytest.mark.parametrize("supernet", [dense_supernet(2, 3, 4), MIXED], ids=["dense", "mixed"])
def test_what_is_described_is_what_comes_back(supernet: Supernet) -> None:
    assert supernet_of(json.loads(json.dumps(describe(supernet)))) == supernet
    assert supernet_of(supernet) is supernet


def test_a_problem_comes_back_from_its_settings() -> None:
    problem = problems.make("binary-digits-v1", digits="digits", pairs=((1, 2),), supernet=dense_supernet(2, 5, 3))
    assert problems.make("binary-digits-v1", **json.loads(json.dumps(settings(problem)))) == problem


def trunk() -> nn.Module:
    return nn.Linear(2, 2)


def module(shape: tuple[int, ...]) -> nn.Module:
    return nn.Linear(shape[0], 2)


def changed(**changes: Any) -> Any:
    described = json.loads(json.dumps(describe(dense_supernet(1, 2, 3))))
    described["settings"]["layers"][0]["settings"].update(changes)
    return described


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"layers": []}, "expected {'name': 'Supernet'"),
        ([1, 2], "expected {'name': 'Supernet'"),
        (describe(Supernet((Layer(2),), trunk=Trunk(trunk))), "a trunk that a function makes"),
        (describe(Supernet((Layer(2, (Custom(module),)),))), "a module is one of Dense, Convolution"),
        (changed(count="many"), "a layer's count and kinds"),
        (changed(kinds=[{"name": "Dense", "settings": {"units": "x"}}]), "expected whole numbers"),
        (changed(kinds=[{"name": "Dense", "settings": {"cells": 3}}]), "the settings of Dense"),
        (changed(kinds=[{"name": "__import__", "settings": {}}]), "a module is one of Dense"),
        ({"name": "Supernet", "settings": {"layers": 3}}, "a list of layers"),
    ],
)
def test_anything_else_is_refused_with_a_reason(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        supernet_of(value)
