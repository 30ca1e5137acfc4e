from pathlib import Path

import numpy as np
import pytest
import torch

import problems
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.tasks import FewShot
from evo.testing import Check
from evo.testing.problem_checks import pair_checks, problem_checks
from genomes.initial_weights import InitialWeights
from problems.few_shot import omniglot
from problems.few_shot.omniglot import FewShotOmniglot, OmniglotEpisodes, pixel_neighbour

ALPHABETS, EACH = 9, 3  # 7 of the background, of which the last 5 validate, and 2 to test with; of 3 characters each


def archive() -> dict[str, np.ndarray]:
    """Return pictures that say which alphabet, character and drawer they are, in the order of a shuffled file."""
    order = np.random.default_rng(0).permutation(ALPHABETS * EACH * 20)
    character, drawer = order // 20, order % 20
    pictures = np.zeros((len(order), 28, 28), dtype=np.uint8)
    pictures[:, 0, 0], pictures[:, 0, 1], pictures[:, 14, 14] = character, drawer, 255
    alphabet = character // EACH
    return {
        "images": pictures,
        "split": (alphabet >= 7).astype(np.uint8),
        "alphabet_id": alphabet.astype(np.uint8),
        "class_id": character.astype(np.uint16),
        "drawer_id": (drawer + 1).astype(np.uint8),
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    np.savez(tmp_path / "omniglot_28.npz", **archive())
    monkeypatch.setenv("EVO_DATA", str(tmp_path))
    omniglot._provenance.cache_clear()
    return tmp_path


def told(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return character and drawer of pictures `[..., 1, 28, 28]`, upright or turned."""
    values = (pictures[..., 0, :, :] * 255).round().long()
    corners = [values.rot90(-turn, (-2, -1)) for turn in range(4)]
    character = torch.stack([each[..., 0, 0] for each in corners]).amax(0)
    drawer = torch.stack([each[..., 0, 1] * (each[..., 0, 0] == character) for each in corners]).amax(0)
    return character, drawer


@pytest.mark.parametrize(("split", "alphabets"), [("train", {0, 1}), ("validation", {2, 3, 4, 5, 6}), ("test", {7, 8})])
def test_splits_share_no_alphabet(folder: Path, split: str, alphabets: set[int]) -> None:
    tasks = OmniglotEpisodes(split, ways=3).sample(60, np.random.default_rng(0))
    found = told(torch.cat((tasks.support_inputs, tasks.query_inputs), 1))[0] // EACH
    assert set(found[found > 0].tolist()) | ({0} if 0 in alphabets else set()) == alphabets


def test_support_and_query_are_of_the_same_characters_by_other_drawers(folder: Path) -> None:
    tasks = OmniglotEpisodes("test", ways=4, shots=2, queries=3).sample(30, np.random.default_rng(0))
    assert tasks.support_inputs.shape == (30, 8, 1, 28, 28)
    assert tasks.query_inputs.shape == (30, 12, 1, 28, 28)
    assert tasks.support_targets[0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    (known, drawers), (new, others) = told(tasks.support_inputs), told(tasks.query_inputs)
    for task in range(30):
        for way in range(4):
            mine, theirs = tasks.support_targets[task] == way, tasks.query_targets[task] == way
            assert len({*known[task][mine].tolist(), *new[task][theirs].tolist()}) == 1
            assert not {*drawers[task][mine].tolist()} & {*others[task][theirs].tolist()}
        assert len(known[task].unique()) == 4


def test_characters_are_turned_for_training_alone(folder: Path) -> None:
    tasks = {split: OmniglotEpisodes(split, ways=3).sample(40, np.random.default_rng(0)) for split in ("train", "test")}
    upright = {split: (each.support_inputs[..., 0, 0, 0] > 0).float().mean() for split, each in tasks.items()}
    assert upright["test"] == 1
    assert 0.1 < upright["train"] < 0.5
    sets = OmniglotEpisodes("test", ways=3)
    assert torch.equal(sets.sample(40, np.random.default_rng(1)).query_inputs, tasks["test"].query_inputs)


def test_pixel_neighbour_is_right_exactly_where_pictures_are_nearest() -> None:
    x = torch.tensor([[[0.0], [1.0]]]).view(1, 2, 1, 1, 1)
    new = torch.tensor([0.1, 0.9, 0.8, 0.4]).view(1, 4, 1, 1, 1)
    tasks = FewShot(x, torch.tensor([[0, 1]]), new, torch.tensor([[0, 1, 0, 0]]), "cross_entropy", 2)
    assert pixel_neighbour(tasks).tolist() == [0.75]


@pytest.mark.parametrize("check", [*pair_checks, *problem_checks], ids=str)
@pytest.mark.parametrize("learning", [False, True], ids=["embedding", "gradient steps"])
def test_conformance(folder: Path, learning: bool, check: Check) -> None:
    lifetime = {"lifetime": GradientSteps(step_size=0.1)} if learning else {}
    problem = problems.make("few-shot-omniglot-v1", tasks=OmniglotEpisodes(ways=3, queries=2), count=2, **lifetime)
    genome = InitialWeights.for_problem(problem, hidden=(), filters=(3, 2), normalized=True)
    assert genome.outputs == (3 if learning else 0)
    rows = genome.sample(4, np.random.default_rng(0))
    from evo.testing import CheckSkipped

    try:
        check.run(*((genome, problem) if check in pair_checks else (problem, genome.express(rows))))
    except CheckSkipped:
        return


def test_provenance_tells_the_file(folder: Path) -> None:
    found = FewShotOmniglot().provenance()
    assert found["name"] == "omniglot_28.npz"
    assert (found["train"], found["validation"], found["test"]) == (6, 15, 6)


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVO_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"omniglot_28\.npz"):
        OmniglotEpisodes().sample(1, np.random.default_rng(0))
    monkeypatch.delenv("EVO_DATA")
    with pytest.raises(ValueError, match=r"omniglot_28\.npz is not .* EVO_DATA names, which is not set"):
        OmniglotEpisodes().sample(1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda arrays: arrays.pop("drawer_id"), "drawer_id"),
        (lambda arrays: arrays.update(images=arrays["images"] / 255), "scaled"),
        (lambda arrays: arrays.update(class_id=arrays["class_id"] // 2), "characters"),
    ],
)
def test_another_archive_is_refused(tmp_path: Path, change: object, named: str) -> None:
    arrays = archive()
    change(arrays)  # type: ignore[operator]
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ValueError, match=named):
        omniglot.read(tmp_path / "other.npz")


def test_settings_outside_their_range(folder: Path) -> None:
    with pytest.raises(ValueError, match="2 ways"):
        OmniglotEpisodes(ways=1)
    with pytest.raises(ValueError, match="ways: test has 6 characters, got 7"):
        OmniglotEpisodes("test", ways=7).sample(1, np.random.default_rng(0))
