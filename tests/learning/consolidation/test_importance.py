"""The quadratic around what was learned, its controls, and the file that holds it."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as steady_settings
from hypothesis import strategies as st

from evo.learning.consolidation.importance import Importance
from evo.learning.consolidation.importance_file import ImportanceFileError
from evo.settings import describe

numbers = st.floats(0.0, 100.0, width=32)


def some(seed: int = 0, size: int = 6) -> Importance:
    generator = torch.Generator().manual_seed(seed)
    precision = torch.rand(size, generator=generator, dtype=torch.float64)
    return Importance(precision, torch.randn(size, generator=generator, dtype=torch.float64))


def theta(seed: int = 9, size: int = 6) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_penalty_is_nothing_at_the_anchor_and_something_off_it() -> None:
    importance = some()
    assert float(importance.penalty(importance.anchor, 100.0)) == 0.0
    expected = sum(
        0.5 * 3.0 * f * (t - a) ** 2
        for f, t, a in zip(importance.precision.tolist(), theta().tolist(), importance.anchor.tolist(), strict=True)
    )
    assert float(importance.penalty(theta(), 3.0)) == pytest.approx(expected)
    assert expected > 0
    many = torch.stack((importance.anchor, theta()))
    assert importance.penalty(many, 3.0).tolist() == pytest.approx([0.0, expected])


def test_the_gradient_is_that_of_the_penalty_and_of_precision_and_pull() -> None:
    importance, here = some(), theta().requires_grad_()
    (slope,) = torch.autograd.grad(importance.penalty(here, 7.0), here)
    torch.testing.assert_close(importance.gradient(here.detach(), 7.0), slope)
    torch.testing.assert_close(7.0 * (importance.precision * here.detach() - importance.pull), slope)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1e9])
def test_a_proximal_step_is_the_minimum(strength: float) -> None:
    importance, before = some(), theta()
    after = importance.proximal(before, strength)
    slope = after - before + importance.gradient(after, strength)
    assert float((slope / (1.0 + strength * importance.precision)).abs().max()) < 1e-12
    assert bool(((after - importance.anchor).abs() <= (before - importance.anchor).abs()).all())  # never overshoots


def test_joined_quadratics_are_the_sum_of_both_up_to_a_constant() -> None:
    first, second = some(1), some(2)
    both = first.joined(second)
    differences = [
        float(both.penalty(theta(seed)) - first.penalty(theta(seed)) - second.penalty(theta(seed))) for seed in range(4)
    ]
    assert differences == pytest.approx([differences[0]] * 4)
    torch.testing.assert_close(both.gradient(theta()), first.gradient(theta()) + second.gradient(theta()))
    torch.testing.assert_close(both.pull, first.pull + second.pull)


def test_weights_that_matter_for_neither_task_are_anchored_at_the_later() -> None:
    nothing = torch.zeros(2)
    both = Importance(nothing, torch.tensor([1.0, 2.0])).joined(Importance(nothing, torch.tensor([3.0, 4.0])))
    assert both.anchor.tolist() == [3.0, 4.0]


def test_online_sums_precisions_around_the_latest_anchor() -> None:
    first, second = some(1), some(2)
    summed = first.online(second, gamma=1.0)
    torch.testing.assert_close(summed.precision, first.precision + second.precision)
    assert torch.equal(summed.anchor, second.anchor)
    torch.testing.assert_close(first.online(second, gamma=0.25).precision, first.precision / 4 + second.precision)
    assert first.online(second, gamma=0.0) == second
    with pytest.raises(ValueError, match="gamma is a share"):
        first.online(second, gamma=1.5)


def test_no_importance_joins_that_of_other_parameters() -> None:
    with pytest.raises(ValueError, match="of the same parameters"):
        some(size=6).joined(some(size=7))
    named = Importance(torch.ones(2), torch.ones(2), (("weight", (2,)),))
    with pytest.raises(ValueError, match="of the same parameters"):
        named.online(Importance(torch.ones(2), torch.ones(2), (("head", (2,)),)))


def test_damping_and_normalizing() -> None:
    torch.testing.assert_close(some().damped(0.5).precision, some().precision + 0.5)
    assert float(some().normalized().precision.mean()) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="nothing to make 1"):
        Importance(torch.zeros(3), torch.zeros(3)).normalized()


@steady_settings(max_examples=60, deadline=None)
@given(st.lists(numbers, min_size=2, max_size=40), st.floats(1e-6, 10.0), st.floats(0.0, 0.9))
def test_scales_have_a_root_mean_square_of_one_where_weights_are_free(
    precision: list[float], damping: float, frozen: float
) -> None:
    importance = Importance(torch.tensor(precision, dtype=torch.float64), torch.zeros(len(precision)).double())
    scales = importance.scales(damping, frozen)
    free = scales > 0
    assert int((~free).sum()) == round(frozen * len(precision))
    if bool(free.any()):
        assert float(scales[free].square().mean()) == pytest.approx(1.0)
        ratio = scales[free].square() * (importance.precision[free] + damping)  # c^2, the same for all
        torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio))
        if bool((~free).any()):
            assert float(importance.precision[~free].min()) >= float(importance.precision[free].max())


def test_no_scale_without_damping() -> None:
    with pytest.raises(ValueError, match="damping: expected a number above 0"):
        some().scales(0.0)


@steady_settings(max_examples=30, deadline=None)
@given(st.lists(numbers, min_size=2, max_size=40, unique=True), st.integers(0, 2**31))
def test_shuffling_keeps_the_values_and_their_number(precision: list[float], seed: int) -> None:
    importance = Importance(torch.tensor(precision), torch.arange(len(precision)) * 1.0)
    shuffled = importance.shuffled(seed=seed)
    assert sorted(shuffled.precision.tolist()) == sorted(importance.precision.tolist())
    assert torch.equal(shuffled.anchor, importance.anchor)
    assert shuffled == importance.shuffled(seed=seed)


def test_shuffling_moves_values_and_seeds_differ() -> None:
    importance = some(size=50)
    orders = [importance.shuffled(seed=seed).precision.tolist() for seed in range(4)]
    assert len({tuple(order) for order in orders}) == 4
    assert importance.precision.tolist() not in orders


def test_uniform_has_the_same_sum() -> None:
    uniform = some().uniform().precision
    assert float(uniform.sum()) == pytest.approx(float(some().precision.sum()))
    assert float(uniform.std()) == pytest.approx(0.0, abs=1e-12)


def test_overlap_is_one_for_the_same_weights_and_none_for_others() -> None:
    anchor = torch.zeros(4)
    first = Importance(torch.tensor([1.0, 3.0, 0.0, 0.0]), anchor)
    assert float(first.overlap(Importance(10.0 * first.precision, anchor))) == pytest.approx(1.0)
    assert float(first.overlap(Importance(torch.tensor([0.0, 0.0, 2.0, 5.0]), anchor))) == pytest.approx(0.0, abs=1e-6)
    half = Importance(torch.tensor([0.0, 1.0, 0.0, 1.0]), anchor)
    assert float(first.overlap(half)) == pytest.approx((0.75 * 0.5) ** 0.5)  # sum of sqrt(f g) at trace 1


@pytest.mark.parametrize(
    ("precision", "anchor", "parts", "reason"),
    [
        (torch.ones(2), torch.ones(3), (), "one shape"),
        (torch.ones(2), torch.ones(2).double(), (), "one type"),
        (torch.tensor([1.0, -1e-3]), torch.ones(2), (), "not squared"),
        (torch.tensor([1.0, torch.nan]), torch.ones(2), (), "diverge"),
        (torch.ones(2), torch.tensor([1.0, torch.inf]), (), "diverge"),
        (torch.ones(2), torch.ones(2), (("weight", (3,)),), "add up to 2"),
    ],
)
def test_what_is_no_importance_is_refused(precision: Any, anchor: Any, parts: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Importance(precision, anchor, parts)


def test_parameters_go_back_into_their_arrays() -> None:
    importance = Importance(torch.arange(6.0), torch.zeros(6), (("weight", (2, 2)), ("bias", (2,))))
    arrays = importance.named(importance.precision)
    assert arrays["weight"].tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert arrays["bias"].tolist() == [4.0, 5.0]
    assert importance.named(torch.zeros(7, 6))["weight"].shape == (7, 2, 2)
    with pytest.raises(ValueError, match="no names"):
        some().named(theta())


def test_what_campaigns_record_tells_importances_apart() -> None:
    recorded = json.dumps(describe(some(1)), allow_nan=False)
    assert recorded == json.dumps(describe(some(1)))
    assert recorded != json.dumps(describe(some(2)))
    assert some(1) == some(1) != some(2)
    assert len({some(1), some(1), some(2)}) == 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_file_brings_it_back_bit_by_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    for parts in ((), (("a", (2, 3)), ("b.c", ()))):
        size = 7 if parts else 6
        importance = Importance(torch.rand(size).to(dtype), torch.randn(size).to(dtype), parts)
        importance.save(tmp_path / "one.npz")
        assert Importance.load(tmp_path / "one.npz") == importance


class Trap:
    """What runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return os.mkdir, (self.path,)


def archive(path: Path, **arrays: Any) -> Path:
    header = arrays.pop("header", {"format": "evo.importance/1", "parts": []})
    packed = np.frombuffer(json.dumps(header).encode(), np.uint8)
    fields = {"precision": np.ones(2), "anchor": np.ones(2), "header": packed, **arrays}
    np.savez(path, **{name: array for name, array in fields.items() if array is not None})
    return path


def test_files_from_strangers_are_refused_in_one_line(tmp_path: Path) -> None:
    whole = archive(tmp_path / "whole.npz")
    assert Importance.load(whole).anchor.tolist() == [1.0, 1.0]
    cut, text, pickled, huge = (tmp_path / f"{name}.npz" for name in ("cut", "text", "pickled", "huge"))
    cut.write_bytes(whole.read_bytes()[:-40])
    text.write_text("not an archive")
    np.savez(pickled, precision=np.array([Trap(tmp_path / "sprung")]), anchor=np.ones(1), header=np.zeros(1, np.uint8))
    with zipfile.ZipFile(huge, "w", zipfile.ZIP_DEFLATED) as bomb:
        stream = io.BytesIO()
        np.save(stream, np.ones(2))
        bomb.writestr("precision.npy", stream.getvalue())
        bomb.getinfo("precision.npy").file_size = 2**40
    wrong = {
        cut: "not an importance",
        text: "not an importance",
        pickled: "not an importance",
        huge: "unpacks to",
        archive(tmp_path / "format.npz", header={"format": "evo.importance/9", "parts": []}): "later version",
        archive(tmp_path / "list.npz", header=[]): "format",
        archive(
            tmp_path / "named.npz", header={"format": "evo.importance/1", "parts": [[1, [2]]]}
        ): "parts are not names",
        archive(tmp_path / "parts.npz", header={"format": "evo.importance/1", "parts": [["a", [3]]]}): "add up",
        archive(tmp_path / "missing.npz", anchor=None): "expected the arrays",
        archive(tmp_path / "more.npz", more=np.ones(1)): "expected the arrays",
        archive(tmp_path / "shape.npz", anchor=np.ones(3)): "one shape",
        archive(tmp_path / "whole numbers.npz", precision=np.ones(2, int)): "real numbers",
        archive(tmp_path / "nan.npz", precision=np.array([1.0, np.nan])): "not finite",
        archive(tmp_path / "negative.npz", precision=np.array([1.0, -1.0])): "negative",
    }
    for path, reason in wrong.items():
        with pytest.raises(ImportanceFileError, match=reason) as refused:
            Importance.load(path)
        assert "\n" not in str(refused.value)
        assert path.name in str(refused.value)
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(FileNotFoundError):
        Importance.load(tmp_path / "nowhere.npz")
