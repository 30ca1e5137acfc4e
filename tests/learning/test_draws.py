"""Draws are functions of what they are for: uniform, normal, the same in compiled code, unlike each other."""

import math

import numpy as np
import pytest
import torch
from numba import njit

from evo.learning import draws, online_draws

KEYS = torch.tensor([0, 1, -1, 2**62, -(2**63)])
SEGMENTS = torch.tensor([0, 3, 0, 7, 2**40])


def by_hand(key, segments, step, purpose, place):
    """A uniform draw in Python's own whole numbers."""
    wrap = 2**64

    def mix(number):
        number %= wrap
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % wrap
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB % wrap
        return number ^ (number >> 31)

    golden = 0x9E3779B97F4A7C15
    number = mix(mix(mix(key + golden) + segments * golden) + step * 8 + purpose)
    return (mix(number + (place + 1) * golden) >> 40) / 2**24


def test_mixing_is_that_of_splitmix64():
    """The first numbers of SplitMix64 from seed 1234567, as its reference implementation prints them."""
    places = 1234567 + torch.arange(1, 4) * draws.GOLDEN
    mixed = [number % 2**64 for number in draws.mix(places).tolist()]
    assert mixed == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_uniform_draws_as_defined():
    for step, purpose in ((0, 0), (12345, draws.DROPOUT), (9_999_999, draws.UTILITY)):
        drawn = draws.uniform(draws.moment(KEYS, SEGMENTS, step, purpose), torch.arange(6)).tolist()
        for number, (key, segments) in enumerate(zip(KEYS.tolist(), SEGMENTS.tolist(), strict=True)):
            assert drawn[number] == [by_hand(key, segments, step, purpose, place) for place in range(6)]


@njit
def compiled_draws(keys, segments, step, purpose, count):
    uniform = np.empty((len(keys), count), np.float32)
    normals = np.empty((2, len(keys), count), np.float32)
    for number in range(len(keys)):
        start = online_draws.moment(keys[number], segments[number], step, purpose)
        for place in range(count):
            uniform[number, place] = online_draws.uniform(start, place)
            normals[0, number, place], normals[1, number, place] = online_draws.normals(start, place)
    return uniform, normals


def test_compiled_draws_are_the_same():
    for step, purpose in ((0, 0), (12345, draws.NOISE)):
        uniform, normals = compiled_draws(KEYS.numpy(), SEGMENTS.numpy(), step, purpose, 20_000)
        start = draws.moment(KEYS, SEGMENTS, step, purpose)
        assert torch.equal(draws.uniform(start, torch.arange(20_000)), torch.from_numpy(uniform))
        expected = torch.stack(draws.normals(start, torch.arange(20_000)))
        torch.testing.assert_close(expected, torch.from_numpy(normals), rtol=1e-5, atol=2e-6)


def test_compiled_cosines_and_sines():
    @njit
    def around(turns):
        found = np.empty((2, len(turns)), np.float32)
        for number in range(len(turns)):
            found[0, number], found[1, number] = online_draws.around(turns[number])
        return found

    turns = (np.arange(0, 2**24, 37) / 2**24).astype(np.float32)
    angles = 2 * np.pi * turns.astype(np.float64)
    assert np.abs(around(turns) - np.stack([np.cos(angles), np.sin(angles)])).max() < 4e-7


def test_the_compiled_logarithm():
    @njit
    def logarithms(values):
        found = np.empty_like(values)
        for number in range(len(values)):
            found[number] = online_draws.logarithm(values[number])
        return found

    values = np.concatenate([np.linspace(2**-24, 1, 200_001), np.logspace(-37, 37, 10_001)]).astype(np.float32)
    exact = np.log(values.astype(np.float64))
    assert np.max(np.abs(logarithms(values) - exact) / np.maximum(np.abs(exact), 0.3)) < 4e-7


@pytest.mark.parametrize("purpose", [draws.REPLACED_WEIGHTS, draws.NOISE])
def test_draws_are_distributed_as_they_say(purpose):
    start = draws.moment(torch.arange(100), torch.zeros(100, dtype=torch.int64), 17, purpose)
    uniform = draws.uniform(start, torch.arange(10_000)).double()
    count = uniform.numel()
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 5 / math.sqrt(12 * count)
    assert abs(uniform.var() - 1 / 12) < 5 * math.sqrt(1 / 180 / count)
    bins = torch.histc(uniform, 256, 0, 1)
    assert ((bins - count / 256) ** 2 / (count / 256)).sum() < 255 + 5 * math.sqrt(2 * 255)
    cosines, sines = (drawn.double() for drawn in draws.normals(start, torch.arange(10_000)))
    for normal in (cosines, sines):
        assert abs(normal.mean()) < 5 / math.sqrt(count)
        assert abs(normal.var() - 1) < 5 * math.sqrt(2 / count)
        assert abs((normal**3).mean()) < 5 * math.sqrt(15 / count)
        assert abs((normal**4).mean() - 3) < 5 * math.sqrt(96 / count)
    assert abs((cosines * sines).mean()) < 5 / math.sqrt(count)
    assert abs((cosines**2 * sines**2).mean() - 1) < 5 * math.sqrt(8 / count)


def test_draws_for_other_keys_steps_purposes_segments_and_places_differ():
    key, zero, places = torch.tensor([5]), torch.tensor([0]), torch.arange(2000)
    others = [
        draws.uniform(draws.moment(key, zero, 3, 1), places),
        draws.uniform(draws.moment(key + 1, zero, 3, 1), places),
        draws.uniform(draws.moment(key, zero + 1, 3, 1), places),
        draws.uniform(draws.moment(key, zero, 4, 1), places),
        draws.uniform(draws.moment(key, zero, 3, 2), places),
        draws.uniform(draws.moment(key, zero, 3, 1), places + 2000),
    ]
    together = torch.cat(others)
    correlations = torch.corrcoef(together) - torch.eye(len(others))
    assert correlations.abs().max() < 5 / math.sqrt(len(places))
    assert len(torch.unique(together)) > 0.999 * together.numel()
