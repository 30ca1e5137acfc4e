"""Tasks for paths that grow: what is trained and what is shared, sizes by hand, and that kept components stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from evo import seeds
from evo.grown_paths import GrownPaths
from evo.learning.supernet.kinds import Adapter, Dense
from evo.learning.supernet.supernet import Layer, Supernet, dense_supernet
from evo.testing.problem_checks import problem_checks, stateful_checks
from genomes.grown_path import GrownPath
from problems.transfer.classification_tasks import ClassificationTasks
from problems.transfer.growing import Growing

SLOTS = 6


def some_tasks(count: int = 3) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    sets = []
    for number in range(count):
        centres, made = rng.normal(size=(2 + number % 2, 8)), []
        for cases in (60, 20):
            targets = np.arange(cases) % len(centres)
            made += [centres[targets] + 0.7 * rng.normal(size=(cases, 8)), targets]
        sets.append((f"task {number}", *made))
    return tuple(sets)


SETS = some_tasks()


def problem(supernet: Supernet | None = None, replicates: int = 1, **settings: Any) -> Growing:
    held = supernet or dense_supernet(layers=2, modules=SLOTS, units=5)
    sequence = ClassificationTasks(sets=SETS, supernet=held, batches=6, batch=5, replicates=replicates)
    return Growing(sequence, **{"validation": 20} | settings)


def path(component: list[int], origin: list[int], trained: list[int], task: int = 0, step: float = 0.1) -> GrownPaths:
    shown = [torch.tensor([values]) for values in (component, origin)]
    one = torch.tensor([0])
    learn = torch.tensor([trained]).bool()
    return GrownPaths(*shown, learn, torch.tensor([step], dtype=torch.float64), SLOTS, one, one + task)


def evaluated(held: Growing, *rows: GrownPaths, state: Any = None) -> tuple[Any, Any]:
    state = held.begin(seeds.rng(1, "begin")) if state is None else state
    outcomes = None
    for row in rows:
        outcomes, state = held.evaluate_from(row, seeds.rng(0, "unused"), state)
    return outcomes, state


def test_training_is_plain_descent_on_clones_and_leaves_the_rest() -> None:
    """The first layer shared, the second cloned, a new read-out: against a loop in plain torch."""
    held = problem()
    before = held.begin(seeds.rng(1, "begin"))
    outcomes, after = evaluated(held, path([0, 3, 2], [0, 0, -1], [0, 1, 1], step=0.2), state=before)
    first, second, head = nn.Linear(8, 5), nn.Linear(5, 5), nn.Linear(5, 2)
    from evo.learning.supernet.weights import newborn_head

    sequence = held.problem
    seed = seeds.torch_seed(int(before["seeds"][0]), "growing: read-out", 0)
    weight, bias = newborn_head(sequence.supernet, (8,), 3, seed)
    with torch.no_grad():
        for layer, number in ((first, 0), (second, 1)):
            layer.weight.copy_(before[f"modules.{number}.0.weight"][0, 0])
            layer.bias.copy_(before[f"modules.{number}.0.bias"][0, 0])
        head.weight.copy_(weight[:2])
        head.bias.copy_(bias[:2])
    cases = sequence.data(0, 0)
    order = seeds.rng(int(before["seeds"][0]), "growing: held out", 0).permutation(60)
    chosen = order[seeds.rng(int(before["seeds"][0]), "growing: cases of task 0", 0).integers(20, 60, size=30)]
    optimizer = torch.optim.SGD([*second.parameters(), *head.parameters()], lr=0.2)
    for batch in chosen.reshape(6, 5):
        optimizer.zero_grad()
        answers = head(torch.relu(second(torch.relu(first(cases.inputs[batch])))))
        nn.functional.cross_entropy(answers, cases.targets[batch]).backward()
        optimizer.step()
    torch.testing.assert_close(after["modules.1.0.weight"][0, 3], second.weight.detach())
    torch.testing.assert_close(after["head.weight"][0, 2, :2], head.weight.detach())
    shown = cases.inputs[order[:20]]
    right = head(torch.relu(second(torch.relu(first(shown))))).argmax(1) == cases.targets[order[:20]]
    assert float(outcomes.measured["accuracy"][0]) == pytest.approx(float(right.double().mean()))
    changed = before["modules.1.0.weight"] != after["modules.1.0.weight"]
    assert changed.flatten(2).any(2).nonzero().tolist() == [[0, 3]]
    assert torch.equal(before["modules.0.0.weight"], after["modules.0.0.weight"])


def test_sizes_are_shared_among_tasks_and_cost_score() -> None:
    layers = (Layer(SLOTS, (Dense(5),)), Layer(SLOTS, (Adapter(2),)), Layer(SLOTS, (Dense(4),)))
    held = problem(Supernet(layers), size_base=0.5)
    dense, adapter, last = 8 * 5 + 5, 5 * 2 + 2 + 2 * 5 + 5, 5 * 4 + 4
    root, nothing_new = dense + last + 2 * 5, [0, 0, 0, 1]
    outcomes, state = evaluated(held, path([0, 0, 0, 0], [0, 0, 0, -1], nothing_new))
    assert float(outcomes.measured["parameters"][0]) == root, "an adapter that adds nothing counts for nothing"
    assert float(outcomes.scores[0, 0]) == pytest.approx(0.5 * float(outcomes.measured["accuracy"][0]))
    outcomes, state = evaluated(held, path([1, 1, 0, 1], [0, 0, 0, -1], [1, 1, 0, 1], 1), state=state)
    parameters = dense + adapter + last / 2 + 3 * 5
    assert float(outcomes.measured["parameters"][0]) == parameters, "the last layer is task 0's as well"
    cost = 0.5 ** (parameters / (dense + last + 3 * 5))
    assert float(outcomes.scores[0, 0]) == pytest.approx(cost * float(outcomes.measured["accuracy"][0]))
    outcomes, _ = evaluated(held, path([1, 1, 0, 2], [1, 1, 0, -1], nothing_new, 2), state=state)
    expected = dense if int(state["best"][0, 0]) != 1 else dense / 2
    assert float(outcomes.measured["parameters"][0]) == pytest.approx(expected + adapter / 2 + last / 3 + 2 * 5)


def test_an_adapter_that_adds_nothing_changes_no_output() -> None:
    plain = problem()
    layers = (Layer(SLOTS, (Dense(5),)), Layer(SLOTS, (Adapter(2),)), Layer(SLOTS, (Dense(5),)))
    adapted = problem(Supernet(layers))
    ours, theirs = adapted.begin(seeds.rng(1, "begin")), plain.begin(seeds.rng(1, "begin"))
    state = {**ours, "best": torch.zeros(1, 4, dtype=torch.int64)}
    for name in ("weight", "bias"):
        state[f"modules.0.0.{name}"], state[f"modules.2.0.{name}"] = (
            theirs[f"modules.{layer}.0.{name}"] for layer in (0, 1)
        )
    inputs = torch.randn(9, 8, generator=torch.Generator().manual_seed(0))
    expected = plain.predict({**theirs, "best": torch.zeros(1, 3, dtype=torch.int64)}, 0, 0, inputs)
    torch.testing.assert_close(adapted.predict(state, 0, 0, inputs), expected)


def test_a_read_out_begins_as_its_origin_or_anew() -> None:
    held = problem()
    _, state = evaluated(held, path([0, 0, 1], [0, 0, -1], [0, 0, 1], step=0.5))
    for origin, number in ((1, 2), (-1, 3)):
        _, state = evaluated(held, path([0, 0, number], [0, 0, origin], [0, 0, 1], step=1e-30), state=state)
    taught, cloned, new = (state["head.weight"][0, number, :2] for number in (1, 2, 3))
    assert torch.equal(cloned, taught)
    assert not torch.equal(new, taught)


def test_mini_batches_are_new_in_every_generation() -> None:
    held, state, losses = problem(), None, []
    for _ in range(3):  # a new read-out is the same one each time, and learns nothing
        outcomes, state = evaluated(held, path([0, 0, 1], [0, 0, -1], [0, 0, 1], step=1e-30), state=state)
        losses.append(float(outcomes.measured["loss"][0]))
    assert len(set(losses)) == 3


def test_what_an_ended_task_keeps_cannot_be_trained() -> None:
    held = problem()
    _, state = evaluated(held, path([1, 0, 1], [0, 0, -1], [1, 0, 1]))
    with pytest.raises(ValueError, match="keeps components for ended tasks"):
        evaluated(held, path([1, 0, 2], [1, 0, -1], [1, 0, 1], 1), state=state)
    evaluated(held, path([2, 0, 2], [1, 0, -1], [1, 0, 1], 1), state=state)


def test_of_equals_the_first_is_kept_and_failures_never_are() -> None:
    held = problem()
    _, state = evaluated(
        held, path([0, 0, 0], [0, 0, -1], [0, 0, 1]), path([0, 0, 1], [0, 0, 0], [0, 0, 1], step=1e-30)
    )
    assert state["best"].tolist() == [[0, 0, 0]]
    outcomes, state = evaluated(held, path([2, 2, 2], [0, 0, -1], [1, 1, 1], step=1e30), state=state)
    assert bool(outcomes.scores.isnan().all())
    assert state["best"].tolist() == [[0, 0, 0]]


def test_tasks_come_in_their_order() -> None:
    held = problem()
    with pytest.raises(ValueError, match="is at task 0 of 3, got rows for"):
        evaluated(held, path([0, 0, 0], [0, 0, -1], [0, 0, 1], 1))
    _, state = evaluated(held, path([0, 0, 0], [0, 0, -1], [0, 0, 1]))
    with pytest.raises(ValueError, match="has no path for task 1"):
        held.predict(state, 0, 1, torch.zeros(1, 8))


def test_settings_that_do_not_fit_are_refused() -> None:
    uneven = Supernet((Layer(3, (Dense(5),)), Layer(2, (Dense(5),))))
    for held in (uneven, Supernet((Layer(4, (Dense(5), Adapter(5))),))):
        with pytest.raises(ValueError, match="one kind of module in each layer"):
            problem(held)
    with pytest.raises(ValueError, match="size_base above 0"):
        problem(size_base=1.5)
    with pytest.raises(ValueError, match="fewer than the 60 training cases"):
        problem(validation=60).begin(seeds.rng(0, "begin"))


@pytest.mark.parametrize("check", [*problem_checks, *stateful_checks], ids=str)
def test_contract(check: Any) -> None:
    from evo.testing import CheckSkipped

    held = problem()
    genome = GrownPath.for_problem(held)
    rows = genome.mutate(genome.sample(3, np.random.default_rng(0)), np.random.default_rng(1))
    placed = genome.placed(rows, genome.sample(1, np.random.default_rng(0)))
    try:
        check.run(held, genome.express(genome.assign(genome.assign(placed, 0, -1), 0, 0)))
    except CheckSkipped:
        return
