"""Any sequence of tasks, for paths that grow by cloning components of one another: `growing-tasks-v1`.

Inputs, outputs, data: those of the sequence inside, of which `supernet` (one kind of module a layer), `replicates`,
`batches` and `batch` count here too. A layer's modules are slots for components: those in slot 0 are the root, all
others are empty until a path clones a component into them. Where the root has an `Adapter`, it adds nothing.
Objective: "score", accuracy x size_base^(parameters accounted / parameters of the root); more is better. The accuracy
is on training cases held out for it, after training; a component that k tasks use counts for 1/k of its parameters.
Measured too: "accuracy", "parameters" (accounted), and "loss", the mean while training.
An evaluation copies what a path trains from its origin, and trains it with the path's own step size, on mini-batches
that are the same for all of a replicate's paths in a generation. All else stays as it is.
End of a task: for a replicate, with the first evaluation of its rows that are for the next one: the best path, of
equals the first, is kept, and nobody may train its components any more.
Version: 1.

Source: muNet (Gesmundo & Dean 2022, arXiv:2205.10937), with plain descent in place of momentum and
schedules, and the weights after an evaluation in place of its best checkpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
import torch

from evo import seeds
from evo.grown_paths import GrownPaths
from evo.learning.denormals import flushed
from evo.learning.supernet.contest import Lesson, Window, sequential
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective
from evo.stateful import State, StatefulProblem
from problems.transfer.components import Components
from problems.transfer.task_data import TaskData
from problems.transfer.task_sequence import TaskSequence

Ledger = dict[str, torch.Tensor]


@final
@dataclass(frozen=True)
class Growing(StatefulProblem):
    """A sequence of tasks for paths that share frozen components, and train clones (muNet).

    Attributes:
        problem: the sequence, whose `step_size`, `contest`, `after`, `always_active` and `fixed_window` do not count.
        validation: training cases of each task that are held out, and scored on.
        size_base: what size costs; 1 for nothing (published: .98, .95, .9, .7, .3, .02).

    Raises:
        ValueError: a setting is outside its range, or the supernet has layers of several kinds or of unequal size.
    """

    name: ClassVar[str] = "growing-tasks-v1"
    accepts: ClassVar[type] = GrownPaths
    after: ClassVar[str] = "freeze"

    problem: TaskSequence
    validation: int = 500
    size_base: float = 1.0

    def __post_init__(self) -> None:
        if self.validation < 1 or not 0 < self.size_base <= 1:
            raise ValueError(
                f"Growing: expected validation from 1 up, and size_base above 0 and up to 1, got {self.validation} and "
                f"{self.size_base}"
            )
        kinds = [len(layer.kinds) for layer in self.problem.supernet.layers]
        if set(kinds) != {1} or len(set(self.problem.modules_per_layer)) != 1:
            raise ValueError(
                f"Growing: problem: expected a supernet with one kind of module in each layer, and as many modules "
                f"(the slots) in all, got {kinds} kinds and {self.problem.modules_per_layer} modules"
            )

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The accuracy on cases held out, less what size costs."""
        return (Objective("score"),)

    @property
    def layers(self) -> int:
        """How many layers a path has, but for the read-out."""
        return len(self.problem.supernet.layers)

    @property
    def slots(self) -> int:
        """How many components a layer has room for."""
        return self.problem.modules_per_layer[0]

    @cached_property
    def _components(self) -> Components:
        return Components(self.problem)

    def provenance(self) -> dict[str, Any]:
        """Return which data the sequence rests on."""
        return self.problem.provenance()

    def begin(self, rng: np.random.Generator) -> State:
        """Return roots, and a ledger without any path; see `StatefulProblem.begin`."""
        roots = rng.integers(2**62, size=self.problem.replicates)
        for task in range(self.problem.tasks):
            self._cases(task, int(roots[0]))
        nothing = torch.full((len(roots), self.layers + 1), -1, dtype=torch.int64)
        return {
            **self._components.newborn(roots.tolist()),
            "task": torch.zeros(len(roots), dtype=torch.int64),
            "seeds": torch.from_numpy(roots),
            "windows": torch.zeros(len(roots), dtype=torch.int64),
            "kept": nothing[:, None].repeat(1, self.problem.tasks, 1),
            "best": nothing.clone(),
            "best_score": torch.full((len(roots),), -torch.inf, dtype=torch.float64),
        }

    def evaluate_from(self, phenotypes: GrownPaths, rng: np.random.Generator, state: State) -> tuple[Outcomes, State]:
        """Train and score paths, row by row; see `StatefulProblem.evaluate_from`.

        Raises:
            ValueError: a row is for no replicate or task there is, for a task that has ended or is not next, or would
                train what an ended task keeps.
        """
        on_the_cpu: dict[str, Any] = {name: values.cpu() for name, values in _tensors(phenotypes).items()}
        phenotypes = replace(phenotypes, **on_the_cpu)
        now = {name: values.clone() for name, values in state.items()}
        for replicate in torch.unique(phenotypes.replicate).tolist():
            self._turn(phenotypes, replicate, now)
        scores = torch.full((len(phenotypes),), torch.nan, dtype=torch.float64)
        measured = {name: scores.clone() for name in ("accuracy", "parameters", "loss")}
        windows: dict[int, Window] = {}
        with flushed():
            for row, replicate in enumerate(phenotypes.replicate.tolist()):
                if replicate not in windows:
                    windows[replicate] = self._window(now, replicate)
                found = self._evaluated(phenotypes, row, windows[replicate], now)
                scores[row], measured["accuracy"][row], measured["parameters"][row], measured["loss"][row] = found
        now["windows"][list(windows)] += 1
        return replace(outcomes_of(scores[:, None]), measured=measured), now

    def predict(self, state: State, replicate: int, task: int, inputs: torch.Tensor) -> torch.Tensor:
        """Return a replicate's logits `[cases, classes]` for a task; those of ended tasks are the same bits for ever.

        Args:
            state: of the replicates.
            replicate: which.
            task: one that has ended, or is at hand.
            inputs: `[cases, *input_shape]` float32.

        Raises:
            ValueError: no path was ever scored for the task.
        """
        at_hand = int(state["task"][replicate])
        path = state["best"][replicate] if task == at_hand else state["kept"][replicate, task]
        if task > at_hand or int(path[-1]) < 0:
            raise ValueError(f"task: replicate {replicate} has no path for task {task}, it is at task {at_hand}")
        frozen = torch.zeros(self.layers + 1, dtype=torch.bool)
        components = self._components
        return components.outputs(dict(state), components.path(replicate, task, path, frozen), inputs)

    def accuracy(self, state: State, replicate: int, task: int) -> float:
        """Return the share of a task's test cases that a replicate names rightly; see `predict`."""
        inputs, targets = self.problem.data(task, int(state["seeds"][replicate])).test_cases()
        return _share(self.predict(state, replicate, task, inputs), targets)

    def _turn(self, paths: GrownPaths, replicate: int, now: Ledger) -> None:
        """Check a replicate's rows, and end its task, in place, if they are for the next one."""
        sequence, mine = self.problem, paths.replicate == replicate
        shape = (self.layers + 1, self.slots)
        if replicate >= sequence.replicates or (paths.component.shape[1], paths.slots) != shape:
            raise ValueError(
                f"phenotypes: expected paths of {shape[0]} layers with {shape[1]} slots, for replicates below "
                f"{sequence.replicates}, got {paths.component.shape[1]}, {paths.slots} and replicate {replicate}; give "
                f"the algorithm as many replicates, and make the genome with its for_problem"
            )
        asked, at_hand = torch.unique(paths.task[mine]).tolist(), int(now["task"][replicate])
        scored = int(now["best"][replicate, -1]) >= 0
        if asked not in ([at_hand], [at_hand + 1] if scored else None) or asked[0] >= sequence.tasks:
            raise ValueError(
                f"task: replicate {replicate} is at task {at_hand} of {sequence.tasks}, got rows for {asked}; a "
                f"generation's rows are for that task, or, once it has a scored path, all for the next one"
            )
        if asked[0] > at_hand:
            now["kept"][replicate, at_hand] = now["best"][replicate]
            now["task"][replicate] = asked[0]
            now["best"][replicate] = -1
            now["best_score"][replicate] = -torch.inf
        locked = paths.component[mine][:, None] == now["kept"][replicate]
        if bool((locked & paths.trained[mine][:, None]).any()):
            raise ValueError(
                f"component: replicate {replicate} keeps components for ended tasks, and a row would train one of them "
                f"where it is; give clones slots of their own (GrownPath.placed), as evo.algorithms.growth does"
            )

    def _evaluated(self, paths: GrownPaths, row: int, window: Window, now: Ledger) -> tuple[float, float, float, float]:
        """Train a path, and return its score, accuracy, accounted parameters and loss; NaN where it failed."""
        replicate, task, components = int(paths.replicate[row]), int(paths.task[row]), self._components
        component, root = paths.component[row], int(now["seeds"][replicate])
        path = components.path(replicate, task, component, paths.trained[row])
        components.clone(now, path, paths.origin[row], root, task)
        lesson = Lesson(components.engine, components.layout, float(paths.step_size[row]))
        (seen,) = sequential(lesson, now, [path], window)
        parameters = components.parameters(now["kept"][replicate, :task], component, task)
        if not bool(seen.finite):
            return math.nan, math.nan, parameters, float(seen.loss)
        held, order = self._cases(task, root)
        shown, targets = held.cases(order[: self.validation])
        accuracy = _share(components.outputs(now, path, shown), targets)
        whole = components.parameters(now["kept"][replicate, :0], torch.zeros_like(component), task)
        score = accuracy * self.size_base ** (parameters / whole)
        if score > float(now["best_score"][replicate]):
            now["best"][replicate], now["best_score"][replicate] = component, score
        return score, accuracy, parameters, float(seen.loss)

    def _window(self, now: Ledger, replicate: int) -> Window:
        """Return the mini-batches that a replicate's paths are trained on in this generation."""
        task, root = int(now["task"][replicate]), int(now["seeds"][replicate])
        batches = (1, self.problem.batches, self.problem.batch)
        held, order = self._cases(task, root)
        draws = seeds.rng(root, f"growing: cases of task {task}", int(now["windows"][replicate]))
        chosen = draws.integers(self.validation, len(order), size=batches[1] * batches[2])
        inputs, targets = held.cases(order[torch.from_numpy(chosen)])
        shown = self._components.features(inputs)
        return Window(torch.tensor([replicate]), shown.view(*batches, *shown.shape[1:]), targets.view(batches))

    def _cases(self, task: int, root: int) -> tuple[TaskData, torch.Tensor]:
        """Return a task's cases, and a replicate's order of the training cases, of which the first are held out."""
        held = self.problem.data(task, root)
        if len(held) <= self.validation:
            raise ValueError(
                f"validation: expected fewer than the {len(held)} training cases that task {task} has, got "
                f"{self.validation}"
            )
        return held, torch.from_numpy(seeds.rng(root, "growing: held out", task).permutation(len(held)))


def _tensors(phenotypes: GrownPaths) -> dict[str, torch.Tensor]:
    return {name: values for name, values in vars(phenotypes).items() if isinstance(values, torch.Tensor)}


def _share(logits: torch.Tensor, targets: torch.Tensor) -> float:
    return float((logits.argmax(1) == targets).to(torch.float64).mean())
