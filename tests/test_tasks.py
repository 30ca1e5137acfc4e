from dataclasses import dataclass

import numpy as np
import pytest
import torch

from evo.tasks import FewShot, TaskDistribution, Tasks, joined


@dataclass(frozen=True)
class Levels(Tasks):
    level: torch.Tensor
    unit: str = "m"


@dataclass(frozen=True)
class Random(TaskDistribution):
    def draw(self, count: int, rng: np.random.Generator) -> Levels:
        return Levels(torch.from_numpy(rng.random((count, 2))))


def draws(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_tasks_are_sliced_and_joined_tensor_by_tensor() -> None:
    tasks = Levels(torch.arange(6).view(3, 2), "km")
    assert len(tasks) == 3
    assert tasks[1:].level.tolist() == [[2, 3], [4, 5]]
    assert tasks[1:].unit == "km"
    again = joined([tasks[:1], tasks[1:]])
    assert torch.equal(again.level, tasks.level)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_tasks_to_learn_from_are_the_generator_s(split: str) -> None:
    first, again, other = (Random(split).sample(4, draws(seed)).level for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_test_tasks_are_frozen_and_fewer_are_the_first_of_more() -> None:
    few, more = Random("test").sample(7, draws(0)).level, Random("test").sample(250, draws(1)).level
    assert torch.equal(few, more[:7])
    assert len(more.unique(dim=0)) == 250
    assert float(few[0, 0]) == pytest.approx(0.06668831337430703, abs=1e-12)  # for ever


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match="split is one of train, validation, test, got 'tests'"):
        Random("tests")
    with pytest.raises(ValueError, match="expected 1 task or more, got 0"):
        Random().sample(0, draws(0))
    with pytest.raises(ValueError, match="FewShot: loss"):
        FewShot(*(torch.zeros(1, 1, 1),) * 4, loss="cross_entropy")
