"""Tell characters apart after one example of each: `few-shot-omniglot-v1`.

Task: `ways` characters, `shots` pictures of each to learn from, `queries` others of each to be scored on.
Inputs: pictures of 28 x 28 pixels, strokes 1 on 0. Outputs: a number per class; classes are numbered anew in each task.
Objective: "cross_entropy" of the query, the mean over tasks and horizons; less is better. Measured: `accuracy`.
Start: the network's initial weights. End: after the last horizon's step.
Data: `omniglot_28.npz` in the folder that EVO_DATA names: arrays `images` uint8 [cases, 28, 28], `split` (0 for
the background, 1 for the evaluation alphabets), `alphabet_id`, `class_id`, `drawer_id`. Training characters are those
of 25 background alphabets, in four orientations that count as four characters; validation ones those of the other 5,
test ones those of the 20 evaluation alphabets, upright. Test tasks are frozen.
Version: 1.

Much published work mixes all alphabets and splits characters at random (Vinyals et al. 2016), which is easier: a test
character's alphabet is then known. This is the data set's own split, so numbers do not compare to the last point.

Source: Lake, Salakhutdinov & Tenenbaum 2015 (Science 350); protocol, Vinyals et al. 2016 (arXiv:1606.04080), 4.1.1.
"""

from __future__ import annotations

import functools
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, final

import numpy as np
import torch

from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.comparison import Comparison
from evo.meta import LifetimeProblem
from evo.parametrised import Parametrised
from evo.problem import Objective
from evo.tasks import FewShot, TaskDistribution
from problems import data

FILE = "omniglot_28.npz"
VALIDATION_ALPHABETS = 5
"""Of the background ones, the last in the order of their numbers."""
DRAWERS = 20
PROTOTYPES = Comparison()


class Characters(NamedTuple):
    """Pictures uint8 `[characters, 20, 28, 28]`, drawer by drawer, and which split each character belongs to."""

    pictures: np.ndarray
    splits: np.ndarray


def characters() -> Characters:
    """Return all characters, loaded once per process; raises ValueError where the file is not at hand, or broken."""
    folder = data.data_folder()
    if folder is None or not (folder / FILE).is_file():
        where = "the folder that EVO_DATA names, which is not set" if folder is None else folder
        raise ValueError(
            f"Omniglot: {FILE} is not at hand: expected it in {where}; see problems/few_shot/omniglot.py for what it "
            f"holds"
        )
    return read(folder / FILE)


@functools.lru_cache(maxsize=1)
def read(path: Path) -> Characters:
    """Return the characters that an archive holds; raises ValueError, saying what is wrong, where it is another."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            pictures, split, alphabet, number, drawer = (
                archive[name] for name in ("images", "split", "alphabet_id", "class_id", "drawer_id")
            )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path}: not the archive expected, could not be read: {error}; was the copy cut short?"
        ) from error
    cases = len(pictures)
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (28, 28) or cases == 0 or cases % DRAWERS:
        raise ValueError(
            f"{path}: images: expected uint8 [characters * {DRAWERS}, 28, 28], got {pictures.dtype} "
            f"{list(pictures.shape)}; is it scaled already?"
        )
    order = np.lexsort((drawer, number))
    counts = np.unique(number, return_counts=True)[1]
    if any(len(each) != cases for each in (split, alphabet, number, drawer)) or set(counts.tolist()) != {DRAWERS}:
        raise ValueError(
            f"{path}: expected split, alphabet_id, class_id and drawer_id of each picture, and {DRAWERS} pictures of "
            f"each character, got {cases} pictures of {len(counts)} characters"
        )
    first = order[::DRAWERS]
    background = np.unique(alphabet[split == 0])[-VALIDATION_ALPHABETS:]
    splits = np.where(split[first] == 1, "test", np.where(np.isin(alphabet[first], background), "validation", "train"))
    return Characters(pictures[order].reshape(-1, DRAWERS, 28, 28), splits)


@final
@dataclass(frozen=True)
class OmniglotEpisodes(TaskDistribution):
    """Characters drawn at random, each by a few of its 20 drawers.

    Attributes:
        ways: characters per task.
        shots: pictures of each to learn from.
        queries: other pictures of each.

    Raises:
        ValueError: the numbers are more than there is, or less than 2 ways, 1 shot and 1 query.
    """

    ways: int = 5
    shots: int = 1
    queries: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ways < 2 or min(self.shots, self.queries) < 1 or self.shots + self.queries > DRAWERS:
            raise ValueError(
                f"OmniglotEpisodes: expected 2 ways or more, and shots and queries from 1 up, together at most "
                f"{DRAWERS}, got {self.ways}, {self.shots} and {self.queries}"
            )

    def draw(self, count: int, rng: np.random.Generator) -> FewShot:
        """Return `count` tasks of pictures `[count, ways * shots, 1, 28, 28]`, class by class."""
        found = characters()
        pool = np.flatnonzero(found.splits == self.split)
        turns = 4 if self.split == "train" else 1
        if self.ways > len(pool) * turns:
            raise ValueError(
                f"OmniglotEpisodes: ways: {self.split} has {len(pool) * turns} characters, got {self.ways}"
            )
        support, query = [], []
        for _ in range(count):
            chosen = rng.choice(len(pool) * turns, self.ways, replace=False)
            drawers = rng.permuted(np.tile(np.arange(DRAWERS), (self.ways, 1)), axis=1)
            each = found.pictures[pool[chosen // turns][:, None], drawers[:, : self.shots + self.queries]]
            each = np.stack([np.rot90(one, turn, (1, 2)) for one, turn in zip(each, chosen % turns, strict=True)])
            support.append(each[:, : self.shots])
            query.append(each[:, self.shots :])
        x, query_x = (_images(np.stack(part)) for part in (support, query))
        y, query_y = (
            torch.arange(self.ways).repeat_interleave(many).expand(count, -1) for many in (self.shots, self.queries)
        )
        return FewShot(x, y.contiguous(), query_x, query_y.contiguous(), "cross_entropy", self.ways)

    def provenance(self) -> dict[str, Any]:
        """Return the file's name, how many characters each split has, and a sha256 of the pictures."""
        return dict(_provenance(data.data_folder()))


@functools.lru_cache(maxsize=1)
def _provenance(folder: Path | None) -> dict[str, Any]:
    found = characters()
    counts = {name: int((found.splits == name).sum()) for name in ("train", "validation", "test")}
    return {"name": FILE, **counts, "sha256": hashlib.sha256(found.pictures.tobytes()).hexdigest()}


def _images(pictures: np.ndarray) -> torch.Tensor:
    """Return pictures `[tasks, ways, each, 28, 28]` as float32 `[tasks, ways * each, 1, 28, 28]`."""
    flat = pictures.reshape(len(pictures), -1, 1, 28, 28).astype(np.float32)
    return torch.from_numpy(flat / np.float32(255))


def pixel_neighbour(tasks: FewShot) -> torch.Tensor:
    """Return the accuracy `[tasks]` of the nearest support picture by squared distance of pixels: the baseline."""
    known, new = tasks.support_inputs.flatten(2), tasks.query_inputs.flatten(2)
    nearest = torch.cdist(new, known).argmin(-1)
    return (tasks.support_targets.gather(1, nearest) == tasks.query_targets).to(torch.float32).mean(1)


@final
@dataclass(frozen=True)
class FewShotOmniglot(LifetimeProblem):
    """Tell characters apart after one example of each (Lake, Salakhutdinov & Tenenbaum 2015)."""

    name: ClassVar[str] = "few-shot-omniglot-v1"
    accepts: ClassVar[type] = Parametrised
    objectives = (Objective("cross_entropy", maximize=False),)
    input_shape: ClassVar[tuple[int, ...]] = (1, 28, 28)

    tasks: TaskDistribution = OmniglotEpisodes()
    lifetime: Lifetime = PROTOTYPES
    count: int = 4

    @property
    def output_count(self) -> int:
        """One per class, or 0 where embeddings are compared."""
        return 0 if isinstance(self.lifetime, Comparison) else getattr(self.tasks, "ways", 0)
