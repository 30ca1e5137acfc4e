"""The stream is the published one: what stays, what flips, and the function to follow."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import problems
from problems.continual.slowly_changing_regression import SlowlyChangingRegression

STREAM = SlowlyChangingRegression()
SHORT = replace(STREAM, flip_after=50)


def of(*streams: int) -> torch.Tensor:
    return torch.tensor(streams)


def threshold_network(problem: SlowlyChangingRegression, stream: int, x: list[float]) -> int:
    """The target, unit by unit, from the texts: with S as the number of negative weights where it is the article's."""
    weights, biases, outgoing, offset = problem.target(stream)
    y = offset
    for w, b, v in zip(weights.tolist(), biases.tolist(), outgoing.tolist(), strict=True):
        negative = sum(each < 0 for each in w)
        s = negative + (b < 0) if problem.paper_threshold else (len(w) - sum(w) + b) / 2
        total = sum(one * bit for one, bit in zip(w, x, strict=True)) + b
        y += v if total > problem.beta * (len(w) + 1) - s else 0
    return y


@pytest.mark.parametrize(
    "changes",
    [{}, {"paper_threshold": True}, {"bits": 9, "slow": 4, "beta": 0.5}],
    ids=["as coded", "as in the article", "with sums that equal their threshold"],
)
def test_targets_are_those_of_the_threshold_network(changes: dict[str, Any]) -> None:
    problem = replace(SHORT, **changes)
    segment = problem.segment(of(2, 5), 7)
    for place, stream in enumerate((2, 5)):
        for case in range(32):
            expected = threshold_network(problem, stream, segment.inputs[place, case].tolist())
            assert segment.targets[place, case, 0].item() == expected
    assert segment.targets.unique().numel() > 3
    weights = [problem.target(stream)[0] for stream in (2, 5)]
    assert (weights[0] != weights[1]).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(("paper_threshold", "least"), [(False, {1: 5, -1: 8}), (True, {1: 6, -1: 7})])
def test_units_are_on_for_as_many_inputs_as_the_binomial_says(paper_threshold: bool, least: dict[int, int]) -> None:
    """A unit is on where enough of its 8 inputs are as its weights want them; how many depends on its bias alone."""
    problem = SlowlyChangingRegression(bits=8, slow=1, flip_after=1, target_units=30, paper_threshold=paper_threshold)
    tail = {bias: sum(math.comb(8, wanted) for wanted in range(count, 9)) for bias, count in least.items()}
    for stream in range(5):
        both = [problem.segment(of(stream), number).targets for number in (0, 1)]  # the slow bit has both its values
        _, biases, outgoing, offset = problem.target(stream)
        expected = 256 * offset + sum(v * tail[b] for b, v in zip(biases.tolist(), outgoing.tolist(), strict=True))
        assert torch.cat(both).sum().item() == expected


def test_targets_are_spread_as_published() -> None:
    """A mean of about -0.6 and a variance of about 4.1 were measured on one draw: others scatter around 0 and 3."""
    problem = replace(SHORT, slow=10)
    targets = problem.segment(torch.arange(20), 0).targets.flatten(1)
    assert targets.mean(1).abs().max() < 4
    assert 2 < targets.var(1).mean() < 4.5


def test_one_slow_bit_flips_between_segments_and_nothing_else() -> None:
    segments = [SHORT.segment(of(4), number) for number in range(60)]
    slow = torch.stack([segment.inputs[0, :, :15] for segment in segments])
    assert (slow == slow[:, :1]).all()  # the same in all cases of a segment
    changed = slow[1:, 0] != slow[:-1, 0]
    assert (changed.sum(1) == 1).all()
    assert (changed.sum(0) > 0).all()  # every slow bit takes its turn
    for segment in segments:
        np.testing.assert_array_equal(segment.inputs[0, :, 15:], segments[0].inputs[0, :, 15:])


def test_as_released_all_slow_bits_are_drawn_anew() -> None:
    problem = replace(SHORT, flip_all=True)
    slow = np.stack([problem.slow_bits(4, number) for number in range(400)])
    changed = slow[1:] != slow[:-1]
    assert changed.sum(1).mean() == pytest.approx(7.5, abs=5 * math.sqrt(15 / 4 / 399))
    assert slow.mean() == pytest.approx(0.5, abs=5 * math.sqrt(0.25 / 6000))


def test_first_slow_bits_and_flips_are_uniform() -> None:
    first = np.stack([STREAM.slow_bits(stream, 0) for stream in range(1000)])
    np.testing.assert_allclose(first.mean(0), 0.5, atol=5 * math.sqrt(0.25 / 1000))
    second = np.stack([STREAM.slow_bits(stream, 1) for stream in range(1000)])
    share = 1 / 15
    np.testing.assert_allclose((first != second).mean(0), share, atol=5 * math.sqrt(share * (1 - share) / 1000))


def test_fast_bits_are_all_combinations_drawn_alike_and_anew_for_each_segment() -> None:
    segment = STREAM.segment(of(4), 0)
    assert segment.inputs.shape == (1, 32, 20)
    assert len(segment.inputs[0, :, 15:].unique(dim=0)) == 32
    assert segment.order.shape == (1, 10_000, 1)
    times = torch.bincount(segment.order.flatten(), minlength=32)
    assert ((times - 312.5).abs() < 5 * math.sqrt(312.5)).all()
    pairs = torch.bincount(segment.order[0, 1:, 0] * 32 + segment.order[0, :-1, 0], minlength=1024)
    assert pairs.max() < 9999 / 1024 + 6 * math.sqrt(9999 / 1024)  # steps do not depend on the steps before
    assert not torch.equal(segment.order, STREAM.segment(of(4), 1).order)


def test_the_target_stays_for_ever() -> None:
    problem = SlowlyChangingRegression(bits=4, slow=1, flip_after=1)
    later = {number: problem.segment(of(4), number) for number in (0, 40, 1001)}
    values: dict[tuple[float, ...], float] = {}
    for segment in later.values():
        for x, y in zip(segment.inputs[0].tolist(), segment.targets[0, :, 0].tolist(), strict=True):
            assert values.setdefault(tuple(x), y) == y


def test_a_stream_is_the_same_in_any_company() -> None:
    together = SHORT.segment(of(2, 5, 9), 3)
    alone = SHORT.segment(of(5), 3)
    for name in ("inputs", "targets", "order"):
        assert torch.equal(getattr(together, name)[1:2], getattr(alone, name))
        assert not torch.equal(getattr(together, name)[1], getattr(together, name)[0])
    assert together.table.tolist() == [0, 1, 2]
    assert together.loss == "squared"
    assert together.inputs.dtype == together.targets.dtype == torch.float32


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="slow: expected from 14 to 30 of the 30 bits"):
        problems.make("slowly-changing-regression-v1", bits=30, slow=13)
    with pytest.raises(ValueError, match="slow: expected from 4 to 20"):
        problems.make("slowly-changing-regression-v1", slow=21)
    with pytest.raises(ValueError, match="flip_after: expected a number from 1 up"):
        problems.make("slowly-changing-regression-v1", flip_after=0)
