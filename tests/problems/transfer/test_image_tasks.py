"""Two sets of pictures in a row, from small archives made here."""

import numpy as np
import pytest
import torch

from evo import seeds
from evo.learning.supernet.kinds import Convolution, Dense
from evo.learning.supernet.supernet import Layer, Supernet
from evo.pathways import Pathways
from problems.transfer.image_tasks import SVHN, ImageTasks

CIFAR = "cifar10_subset_20k_5k.npz"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name, shape in ((CIFAR, (3, 32, 32)), (SVHN, (32, 32))):
        made = {}
        for part, count in (("train", 40), ("test", 20)):
            made[f"x_{part}"] = rng.integers(256, size=(count, *shape), dtype=np.uint8)
            made[f"y_{part}"] = np.tile(np.arange(10, dtype=np.uint8), count // 10)
        np.savez(tmp_path / name, **made)
    monkeypatch.setenv("EVO_DATA", str(tmp_path))
    return tmp_path


def test_pictures_are_standardised_and_grey_ones_have_three_equal_channels(folder):
    held = ImageTasks()
    colour, grey = held.data(0, 0), held.data(1, 0)
    for task in (colour, grey):
        inputs, targets = task.cases(torch.arange(40))
        assert inputs.shape == (40, 3072)
        assert targets.tolist() == list(range(10)) * 4
        channels = inputs.view(40, 3, 1024).transpose(0, 1).flatten(1)
        assert torch.allclose(channels.mean(1), torch.zeros(3), atol=1e-4)
        assert torch.allclose(channels.std(1), torch.ones(3), atol=1e-3)
    with np.load(folder / SVHN) as archive:
        pixels = archive["x_test"][:, None].repeat(3, 1).astype(np.float64)
        mean, deviation = archive["x_train"].mean(), archive["x_train"].std()
    shown = grey.test_cases()[0].view(20, 3, 32, 32).numpy()
    assert np.allclose(shown, (pixels - mean) / deviation, atol=1e-4)


def test_files_are_named_as_they_are(folder):
    found = ImageTasks().provenance()["sets"]
    assert [each["name"] for each in found] == [CIFAR, SVHN]
    assert [each["train"] for each in found] == [40, 40]


def test_convolutions_learn_from_them_and_predict(folder):
    net = Supernet((Layer(3, (Convolution(2, 8, 4),)), Layer(3, (Dense(5),))))
    held = ImageTasks(supernet=net, batches=2, batch=4, sets=("svhn", "cifar10"))
    state = held.begin(seeds.rng(0, "begin"))
    for task in (0, 1):
        rows = Pathways(torch.tensor([[[0, 1], [0, 2]]]), (3, 3), torch.tensor([0]), torch.tensor([task]))
        outcomes, state = held.evaluate_from(rows, None, state)
        assert outcomes.ok.all()
    assert held.predict(state, 0, 0, torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert 0 <= held.accuracy(state, 0, 1) <= 1


def test_what_is_missing_or_another_file_is_told(folder, monkeypatch):
    np.savez(folder / SVHN, x_train=np.zeros((2, 3)), y_train=np.zeros(2), x_test=np.zeros((2, 3)), y_test=np.zeros(2))
    with pytest.raises(ValueError, match="expected uint8 pictures"):
        ImageTasks().data(1, 0)
    (folder / SVHN).unlink()
    monkeypatch.setenv("EVO_DATA", str(folder.parent))
    with pytest.raises(ValueError, match=f"'svhn' is not at hand: expected {SVHN}"):
        ImageTasks().data(1, 0)
    with pytest.raises(ValueError, match="sets: expected some of cifar10, svhn, got 'faces'"):
        ImageTasks(sets=("faces",))
