"""Learners at birth, and a small archive of pictures that are all different."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from evo.continual import ContinualProblem
from evo.learners import SETTINGS, Architecture, Learners, Rules

Newborn = Callable[..., Learners]
TRAIN, TEST = 6, 3
"""Pictures of each class."""


@pytest.fixture
def newborn() -> Newborn:
    """A function of a problem: learners with weights of their own, one on each of the streams."""

    def make(
        problem: ContinualProblem,
        streams: Sequence[int] = (3, 8),
        hidden: Sequence[int] = (5,),
        rules: Rules | None = None,
        **settings: float,
    ) -> Learners:
        architecture = Architecture(problem.input_shape, tuple(hidden), problem.output_count)
        count, parameters, units = len(streams), architecture.parameters, architecture.units
        weights = 0.2 * torch.randn(count, parameters, generator=torch.Generator().manual_seed(1))
        nothing = torch.zeros(count, units)
        return Learners(
            architecture,
            rules or Rules(),
            {each.name: torch.full((count,), settings.get(each.name, each.default)) for each in SETTINGS},
            activation=torch.zeros(count, dtype=torch.int64),
            utility=torch.zeros(count, dtype=torch.int64),
            key=torch.arange(count),
            stream=torch.tensor(streams, dtype=torch.int64),
            segments=torch.zeros(count, dtype=torch.int64),
            weights=weights,
            initial_weights=weights.clone(),
            first_moment=torch.zeros(count, parameters),
            second_moment=torch.zeros(count, 0),
            moment_steps=torch.zeros(count, 0),
            ages=nothing.clone(),
            utilities=nothing.clone(),
            mean_activations=nothing.clone(),
            mean_magnitudes=nothing.clone(),
            due=torch.zeros(count, len(hidden)),
        )

    return make


def archive(classes: int, channels: int = 3, side: int = 32) -> dict[str, np.ndarray]:
    """Random pictures, all different, whose classes come in a random order."""
    rng = np.random.default_rng(0)
    made = {}
    for part, count in (("train", TRAIN), ("test", TEST)):
        shape = (classes * count, channels, side, side)
        made[f"x_{part}"] = rng.integers(256, size=shape, dtype=np.uint8)
        made[f"y_{part}"] = rng.permutation(np.repeat(np.arange(classes, dtype=np.uint8), count))
    return made


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """An archive of 5 classes in place of CIFAR-10: its arrays."""
    arrays = archive(5)
    np.savez(tmp_path / "cifar10.npz", **arrays)  # type: ignore[arg-type]
    monkeypatch.setenv("EVO_DATA", str(tmp_path))
    return arrays
