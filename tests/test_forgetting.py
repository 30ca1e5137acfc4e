"""Average accuracy, forgetting and backward transfer of matrices that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from evo.forgetting import forgetting

NAN = np.nan


def test_three_tasks_by_hand() -> None:
    accuracies = np.array([[0.9, NAN, NAN], [0.95, 0.8, NAN], [0.6, 0.85, 0.7]])
    left = forgetting(accuracies)
    assert float(left.first) == 0.6
    assert float(left.last) == 0.7
    assert float(left.average) == pytest.approx((0.6 + 0.85 + 0.7) / 3)
    assert float(left.forgetting) == pytest.approx(((0.95 - 0.6) + (0.8 - 0.85)) / 2)
    assert float(left.backward_transfer) == pytest.approx(((0.6 - 0.9) + (0.85 - 0.8)) / 2)


def test_learners_side_by_side_and_tasks_to_come() -> None:
    accuracies = np.array([[[0.9, NAN, NAN], [0.5, NAN, NAN]], [[0.4, 0.8, NAN], [0.5, 0.6, NAN]]])
    left = forgetting(accuracies)
    np.testing.assert_allclose(left.average, [0.6, 0.55])
    np.testing.assert_allclose(left.forgetting, [0.5, 0.0])
    np.testing.assert_allclose(left.backward_transfer, [-0.5, 0.0])
    np.testing.assert_allclose(left.last, [0.8, 0.6])


def test_tasks_that_come_again() -> None:
    left = forgetting(np.array([[0.9, NAN], [0.4, 0.8], [0.85, 0.5]]))
    assert float(left.average) == pytest.approx(0.675)
    assert float(left.forgetting) == pytest.approx(0.05)
    assert float(left.backward_transfer) == pytest.approx(-0.05)


def test_of_one_task_nothing_can_be_forgotten_and_of_failures_nothing_is_known() -> None:
    one = forgetting(np.array([[0.9, NAN]]))
    assert float(one.average) == 0.9
    assert np.isnan(one.forgetting)
    assert np.isnan(one.backward_transfer)
    failed = forgetting(np.full((2, 1, 2), NAN))
    assert np.isnan(failed.average).all()


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,)])
def test_there_must_be_segments_and_tasks(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one segment"):
        forgetting(np.zeros(shape))
