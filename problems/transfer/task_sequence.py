"""A sequence of tasks as a problem: pathways through a shared supernet are trained, and scored while they are.

Inputs: what a task's data give. Outputs: its classes; each task has a linear layer of its own behind the supernet.
Objective: "accuracy", the mean over an evaluation's mini-batches, each before it is learned from; more is better.
An evaluation trains each pathway for `batches` mini-batches; all contestants of a replicate in a generation meet the
same ones, drawn with replacement, anew in every generation. What they learn stays: the weights are the state.
Start: random weights. A task ends, for a replicate, with the first evaluation of its rows that are for the next one:
the fittest path is kept and frozen, all other modules are renewed. End: none; the algorithm's.
Replicates are independent runs. Each has weights and draws of its own, and does the same in any company.

Source: Fernando et al. 2017 (PathNet, arXiv:1701.08734), section 2.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from evo import seeds
from evo.learning.denormals import flushed
from evo.learning.supernet.contest import CONTESTS, Lesson, Window
from evo.learning.supernet.described import supernet_of
from evo.learning.supernet.engine import engine_for
from evo.learning.supernet.paths import Paths, places, routed
from evo.learning.supernet.supernet import AGGREGATIONS, Supernet, dense_supernet, templates
from evo.learning.supernet.weights import gathered, stacks
from evo.outcome import Outcomes, outcomes_of
from evo.pathways import Pathways
from evo.problem import Objective
from evo.stateful import State, StatefulProblem
from problems.transfer import ledger as ledgers
from problems.transfer.ledger import AFTER, Ledger
from problems.transfer.rows import check, pieces
from problems.transfer.task_data import TaskData

PATHNET = dense_supernet(layers=3, modules=10, units=20)
"""The supernet for pairs of digits."""
CASES = 1000
"""Cases that outputs are computed for at a time."""
MOST = 100_000
"""Replicates, mini-batches, and cases in one: settings may come from a stranger's file."""


@dataclass(frozen=True)
class TaskSequence(StatefulProblem):
    """Tasks, one after another, for pathways through one supernet.

    Subclasses give `tasks`, `input_shape`, `classes` and `data`.

    Attributes:
        supernet: its layers of modules, and maybe a pretrained trunk.
        replicates: independent runs that a population may hold.
        batches, batch: mini-batches of an evaluation, and cases in each.
        step_size: of plain stochastic gradient descent.
        contest: "sequential", "snapshot" or "together"; see `evo.learning.supernet.contest`.
        after: a task: "freeze" its path and renew the rest (PathNet), "keep" everything as it is and trainable
            (fine-tuning), or "renew" everything (every task from nothing).
        always_active: whether the paths of tasks that ended are active beside the pathway.
        aggregation: of the active modules' outputs: "sum", "mean", or "mean_last" (the mean in the last layer only).
        fixed_window: whether every evaluation of a task meets the same mini-batches.

    Raises:
        ValueError: a setting is outside its range, or two do not fit.
    """

    accepts: ClassVar[type] = Pathways

    supernet: Supernet = PATHNET
    replicates: int = 1
    batches: int = 50
    batch: int = 16
    step_size: float = 0.05
    contest: str = "sequential"
    after: str = "freeze"
    always_active: bool = False
    aggregation: str = "sum"
    fixed_window: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "supernet", supernet_of(self.supernet))  # what JSON gives becomes what was given
        self.at_least(replicates=1, batches=1, batch=1, tasks=1)
        for name, number in (("replicates", self.replicates), ("batches", self.batches), ("batch", self.batch)):
            if number > MOST:
                raise ValueError(f"{type(self).__name__}: {name}: expected at most {MOST:,}, got {number:,}")
        if not self.step_size > 0:
            raise ValueError(f"{type(self).__name__}: step_size: expected a number above 0, got {self.step_size!r}")
        for name, known in (("contest", CONTESTS), ("after", AFTER), ("aggregation", AGGREGATIONS)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{type(self).__name__}: {name}: expected one of {', '.join(known)}, got {getattr(self, name)!r}"
                )
        if self.always_active and self.after != "freeze":
            raise ValueError(
                f"{type(self).__name__}: always_active: expected False where after={self.after!r}, because no paths "
                f"are frozen then; use after='freeze'"
            )

    def at_least(self, **lowest: int) -> None:
        """Raise ValueError where a setting is below the number given for it."""
        for name, low in lowest.items():
            value = getattr(self, name)
            if not isinstance(value, int) or value < low:
                raise ValueError(f"{type(self).__name__}: {name}: expected a whole number from {low} up, got {value!r}")

    @property
    @abstractmethod
    def tasks(self) -> int:
        """How many there are. A field of the subclass will do."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input, the same in all tasks."""

    @abstractmethod
    def classes(self, number: int) -> int:
        """Return how many classes a task has."""

    @abstractmethod
    def data(self, number: int, seed: int) -> TaskData:
        """Return a task's cases; called in every generation, so keep what is costly.

        Args:
            number: of the task, from 0.
            seed: of the replicate; draw from `evo.seeds.rng(seed, purpose, number)` what is to differ between them.
        """

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The accuracy in training."""
        return (Objective("accuracy"),)

    @property
    def modules_per_layer(self) -> tuple[int, ...]:
        """How many modules each layer has."""
        return self.supernet.modules_per_layer

    def provenance(self) -> dict[str, Any]:
        """Return a digest of the trunk's weights, where there is one; subclasses add which data were loaded."""
        trunk = self.supernet.trunk
        return {} if trunk is None else {"trunk": trunk.digest()}

    def begin(self, rng: np.random.Generator) -> State:
        """Return weights and an empty ledger; see `problems.transfer.ledger`."""
        return ledgers.begun(self, rng)

    def evaluate_from(self, phenotypes: Pathways, rng: np.random.Generator, state: State) -> tuple[Outcomes, State]:
        """Train pathways, and score them while they are trained; see `StatefulProblem.evaluate_from`.

        Rows of a replicate are its contestants, in their order. All draws come from the replicates' own seeds, which
        are part of the state. Measured, besides scores: `loss` `[n]`, the mean cross-entropy.

        Raises:
            ValueError: a row is for no replicate or task there is, or for a task that has ended or is not next.
        """
        phenotypes = Pathways(
            phenotypes.modules.cpu(), phenotypes.counts, phenotypes.replicate.cpu(), phenotypes.task.cpu()
        )
        check(self, phenotypes, state)
        now = {name: values.clone() for name, values in state.items()}
        for replicate in torch.unique(phenotypes.replicate[phenotypes.task > now["task"][phenotypes.replicate]]):
            ledgers.end_task(self, now, int(replicate))
        accuracy, loss = torch.full((2, len(phenotypes)), torch.nan, dtype=torch.float64)
        for turns in pieces(self, phenotypes):
            self._train(phenotypes, turns, now, accuracy, loss)
            ledgers.note(now, phenotypes, turns, accuracy)
        now["windows"][torch.unique(phenotypes.replicate)] += 1
        return replace(outcomes_of(accuracy[:, None]), measured={"loss": loss}), now

    def predict(self, state: State, replicate: int, task: int, inputs: torch.Tensor) -> torch.Tensor:
        """Return a replicate's logits `[cases, classes]` for a task; those of ended tasks are the same bits for ever.

        They are where paths are frozen after their task. Of the task at hand, the fittest path so far answers.

        Args:
            state: of the replicates.
            replicate: which.
            task: one that has ended, or is at hand.
            inputs: `[cases, *input_shape]` float32, as `data` gives them.

        Raises:
            ValueError: no path was ever scored for the task, or inputs have another shape.
        """
        given = Ledger(state)
        if not 0 <= replicate < len(given["task"]):
            raise ValueError(f"replicate: expected one of the {len(given['task'])} in the state, got {replicate}")
        if inputs.shape[1:].numel() != torch.Size(self.input_shape).numel():
            expected = ", ".join(map(str, self.input_shape))
            raise ValueError(f"inputs: expected [cases, {expected}], got {list(inputs.shape)}")
        mine = torch.tensor([replicate])
        at_hand = int(state["task"][replicate])
        path = given["best"][mine] if task == at_hand else given["paths"][mine, task]
        if task > at_hand or not bool(path.any()):
            raise ValueError(f"task: replicate {replicate} has no path for task {task}, it is at task {at_hand}")
        if self.always_active:
            path = path | ledgers.behind(given, mine, task)
        modules, present = places(path, int(path.sum(2).max()))
        paths = Paths(mine, modules, present, torch.zeros_like(present), task, self.classes(task))
        active = gathered(given, stacks(self.supernet, self.input_shape), paths)
        engine = engine_for(self.supernet, self.input_shape, self.aggregation)
        parts = torch.split(inputs.reshape(len(inputs), *self.input_shape), CASES)
        return torch.cat([engine.outputs(active, paths, self._features(part)[None])[0] for part in parts])

    def accuracy(self, state: State, replicate: int, task: int) -> float:
        """Return the share of a task's test cases that a replicate names rightly; see `predict`."""
        inputs, targets = self.data(task, int(state["seeds"][replicate])).test_cases()
        answers = self.predict(state, replicate, task, inputs).argmax(1)
        return float((answers == targets).to(torch.float64).mean())

    def _train(
        self, paths: Pathways, turns: list[torch.Tensor], now: Ledger, accuracy: torch.Tensor, loss: torch.Tensor
    ) -> None:
        """Train some replicates' rows, in place, and write down how they did."""
        layout = stacks(self.supernet, self.input_shape)
        lesson = Lesson(engine_for(self.supernet, self.input_shape, self.aggregation), layout, self.step_size)
        window = self._window(now, paths.replicate[turns[0]], int(paths.task[turns[0][0]]))
        routes = [self._routed(paths[rows], now) for rows in turns]
        with flushed():
            seen = CONTESTS[self.contest](lesson, now, routes, window)
        for rows, one in zip(turns, seen, strict=True):
            accuracy[rows] = one.accuracy.masked_fill(~one.finite, torch.nan)
            loss[rows] = one.loss

    def _window(self, now: Ledger, replicates: torch.Tensor, task: int) -> Window:
        """Return the mini-batches that replicates, in increasing order, meet now."""
        count, shape = self.batches * self.batch, templates(self.supernet, self.input_shape).shapes[0]
        inputs = torch.empty(len(replicates), count, *shape)
        targets = torch.empty(len(replicates), count, dtype=torch.int64)
        for place, replicate in enumerate(replicates.tolist()):
            root = int(now["seeds"][replicate])
            held = self.data(task, root)
            number = 0 if self.fixed_window else int(now["windows"][replicate])
            draws = seeds.rng(root, f"task sequence: cases of task {task}", number)
            chosen = torch.from_numpy(draws.integers(len(held), size=count))
            if self.supernet.trunk is None:
                _, targets[place] = held.cases(chosen, out=inputs[place].view(count, -1))
            else:
                shown, targets[place] = held.cases(chosen)
                inputs[place] = self._features(shown)
        batches = (self.batches, self.batch)
        return Window(replicates, inputs.view(-1, *batches, *shape), targets.view(-1, *batches))

    def _features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what the layers see of inputs `[cases, ...]`."""
        shaped = inputs.reshape(len(inputs), *self.input_shape)
        trunk = self.supernet.trunk
        return shaped if trunk is None else trunk.features(shaped)

    def _routed(self, paths: Pathways, now: Ledger) -> Paths:
        """Return rows of different replicates, all at one task, as engines take them."""
        mine, task = paths.replicate, int(paths.task[0])
        carried = ledgers.behind(now, mine, task) if self.always_active and task else None
        frozen, counts = now["frozen"][mine], self.modules_per_layer
        return routed(paths.modules, paths.distinct(), counts, mine, frozen, carried, task, self.classes(task))
