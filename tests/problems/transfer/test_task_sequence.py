"""Tasks in a row on one supernet: what is kept, what is renewed, and that replicates know nothing of one another."""

import numpy as np
import pytest
import torch
from torch import nn

from evo import seeds
from evo.learning.supernet.kinds import Adapter, Custom, Dense, Residual
from evo.learning.supernet.supernet import Layer, Supernet, Trunk
from evo.pathways import Pathways
from problems.transfer.classification_tasks import ClassificationTasks

TASKS = 5
SMALL = Supernet((Layer(6, (Dense(5),)), Layer(4, (Dense(5),))))


def some_tasks(count=TASKS):
    rng = np.random.default_rng(0)
    sets = []
    for number in range(count):
        classes = 2 + number % 2
        centres = rng.normal(size=(classes, 8))
        made = []
        for cases in (60, 20):
            targets = rng.integers(classes, size=cases)
            targets[:classes] = np.arange(classes)
            made += [centres[targets] + 0.7 * rng.normal(size=(cases, 8)), targets]
        sets.append((f"task {number}", *made))
    return tuple(sets)


SETS = some_tasks()


def problem(**settings):
    return ClassificationTasks(**{"sets": SETS, "supernet": SMALL, "batches": 6, "batch": 5} | settings)


def paths(rows, replicates, tasks, counts=(6, 4)):
    return Pathways(torch.tensor(rows), counts, torch.tensor(replicates), torch.tensor(tasks))


def contests(held, task, replicates, number=0):
    """Two random paths for each replicate, which depend on nothing but the replicate, task and number."""
    rows, owners = [], []
    for turn in (0, 1):
        for replicate in replicates:
            draws = seeds.rng(replicate, "paths", 100 * task + number, turn)
            rows.append([draws.integers(count, size=3).tolist() for count in held.modules_per_layer])
            owners.append(replicate)
    return paths(rows, owners, [task] * len(rows), held.modules_per_layer)


def lived(held, tasks=TASKS, replicates=None, generations=3, state=None, first=0):
    """Yield the state after each task."""
    rng = seeds.rng(1, "begin")
    state = held.begin(rng) if state is None else state
    for task in range(first, tasks):
        for number in range(generations):
            everyone = range(held.replicates) if replicates is None else replicates
            _, state = held.evaluate_from(contests(held, task, everyone, number), rng, state)
        yield state


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(values, other[name]) for name, values in one.items())


INPUTS = torch.randn(7, 8, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("always_active", [False, True])
@pytest.mark.parametrize("contest", ["sequential", "snapshot", "together"])
def test_ended_tasks_give_the_same_bits_for_ever(contest, always_active):
    held = problem(replicates=2, contest=contest, always_active=always_active)
    states = list(lived(held))
    told = {}
    for task, state in enumerate(states[1:]):  # the first evaluation for a task ends the one before it
        for replicate in (0, 1):
            told[replicate, task] = held.predict(state, replicate, task, INPUTS)
            for earlier in range(task + 1):
                now = held.predict(state, replicate, earlier, INPUTS)
                assert torch.equal(now, told[replicate, earlier])
                assert now.shape == (7, held.classes(earlier))
    assert not torch.equal(told[0, 0], told[1, 0])


def test_frozen_modules_never_change_and_the_others_are_renewed():
    held = problem()
    first, *_, last = lived(held)
    (ended,) = lived(held, 2, generations=1, state=first, first=1)
    path = ended["paths"][0, 0]
    assert torch.equal(path, first["best"][0])
    assert torch.equal(path, ended["frozen"][0])
    fresh = held.begin(seeds.rng(1, "begin"))
    touched = contests(held, 1, [0]).used().any(0)
    for layer in (0, 1):
        for part in ("weight", "bias"):
            name = f"modules.{layer}.0.{part}"
            kept = path[layer, : held.modules_per_layer[layer]]
            for state in (ended, last):
                assert torch.equal(state[name][0, kept], first[name][0, kept])
            idle = ~kept & ~touched[layer, : len(kept)]
            for module in torch.nonzero(idle).flatten().tolist():
                assert not torch.equal(ended[name][0, module], first[name][0, module])
                assert not torch.equal(ended[name][0, module], fresh[name][0, module])
    assert bool(last["frozen"].sum() >= path.sum())


def test_modules_of_several_kinds_are_frozen_and_renewed_each_by_its_own_number():
    held = problem(supernet=Supernet((Layer(6, (Dense(5),)), Layer(4, (Dense(5), Residual(5))))))
    row = [[[0, 1, 2], [0, 3, 3]]]
    _, first = held.evaluate_from(paths(row, [0], [0]), None, held.begin(seeds.rng(1, "begin")))
    _, ended = held.evaluate_from(paths(row, [0], [1]), None, first)
    for kind, kept in ((0, [True, False]), (1, [False, True])):  # modules 0 and 2, then 1 and 3
        name = f"modules.1.{kind}.weight"
        alike = [torch.equal(ended[name][0, place], first[name][0, place]) for place in (0, 1)]
        assert alike == kept


def test_each_task_of_each_replicate_has_a_read_out_of_its_own():
    heads = problem(replicates=2).begin(seeds.rng(1, "begin"))["head.weight"].flatten(0, 1)
    assert len(torch.unique(heads.flatten(1), dim=0)) == len(heads) == 2 * TASKS


def test_keep_changes_nothing_and_renew_everything_between_tasks():
    for after in ("keep", "renew"):
        held = problem(after=after)
        (first,) = lived(held, 1)
        _, state = held.evaluate_from(paths([[[0, 0, 0]] * 2], [0], [1]), seeds.rng(0, ""), first)
        for module in range(1, 6):
            alike = torch.equal(state["modules.0.0.weight"][0, module], first["modules.0.0.weight"][0, module])
            assert alike == (after == "keep")
        assert not state["frozen"].any()
        assert not torch.equal(state["modules.0.0.weight"][0, 0], first["modules.0.0.weight"][0, 0])


def test_a_replicate_is_the_same_bits_in_any_company():
    many, one = problem(replicates=4, always_active=True), problem(always_active=True)
    for company, alone in zip(lived(many), lived(one), strict=True):
        for name, values in alone.items():
            assert torch.equal(values[0], company[name][0]), name
    *_, ahead = lived(many, 3, replicates=[0, 2])  # the others wait
    *_, alone = lived(one, 3)
    for name, values in alone.items():
        assert torch.equal(values[0], ahead[name][0]), name
    assert ahead["task"].tolist() == [2, 0, 2, 0]


def test_a_seed_gives_the_same_bytes_and_a_state_is_not_changed_in_place():
    held = problem(replicates=2)
    first, again = list(lived(held)), list(lived(held))
    assert all(same(*pair) for pair in zip(first, again, strict=True))
    before = {name: values.clone() for name, values in first[0].items()}
    held.evaluate_from(contests(held, 1, [0, 1]), seeds.rng(0, ""), first[0])
    assert same(before, first[0])
    other = held.begin(seeds.rng(2, "begin"))
    assert not torch.equal(other["modules.0.0.weight"], held.begin(seeds.rng(1, "begin"))["modules.0.0.weight"])


def test_a_module_that_comes_twice_counts_once():
    held = problem(aggregation="mean")
    state = held.begin(seeds.rng(1, "begin"))
    (once, left), (twice, also) = (
        held.evaluate_from(paths([rows], [0], [0]), seeds.rng(0, ""), state)
        for rows in ([[1, 2, 2], [0, 3, 3]], [[1, 1, 2], [3, 0, 3]])
    )
    torch.testing.assert_close(once.measured["loss"], twice.measured["loss"], atol=1e-6, rtol=0)
    for name, values in left.items():
        torch.testing.assert_close(values, also[name], atol=1e-6, rtol=0)


def test_a_module_that_is_on_the_path_and_behind_it_counts_once():
    held, plain = problem(always_active=True), problem()
    kept = [[[1, 2, 4], [0, 1, 3]]]
    _, state = held.evaluate_from(paths(kept, [0], [0]), None, held.begin(seeds.rng(1, "begin")))
    (with_it, left), (without, also) = (
        each.evaluate_from(paths(kept, [0], [1]), None, state) for each in (held, plain)
    )
    torch.testing.assert_close(with_it.measured["loss"], without.measured["loss"], atol=1e-6, rtol=0)
    torch.testing.assert_close(left["head.weight"], also["head.weight"], atol=1e-6, rtol=0)


def test_of_equally_fit_paths_the_latest_is_kept():
    held = problem(step_size=1e-12, fixed_window=True)  # whoever comes, nothing changes but by its modules
    begun = held.begin(seeds.rng(1, "begin"))
    for part in ("weight", "bias"):
        begun[f"modules.0.0.{part}"][:, 5] = begun[f"modules.0.0.{part}"][:, 0]
    state = begun
    for first in (0, 5, 0):
        outcomes, state = held.evaluate_from(paths([[[first, 1, 1], [0, 1, 1]]], [0], [0]), None, state)
        assert torch.nonzero(state["best"][0, 0]).flatten().tolist() == sorted([first, 1])
        assert float(state["best_fitness"][0]) == float(outcomes.scores[0, 0])


def test_a_task_in_which_everyone_failed_has_no_path():
    held, name = problem(), "modules.0.0.weight"
    row = [[0, 1, 2], [0, 1, 2]]
    _, state = held.evaluate_from(paths([row], [0], [0]), None, held.begin(seeds.rng(1, "begin")))
    broken = {**state, name: torch.full_like(state[name], torch.nan)}
    failed, broken = held.evaluate_from(paths([row], [0], [1]), None, broken)
    assert failed.scores.isnan().all()
    state = {**broken, name: state[name]}
    with pytest.raises(ValueError, match="replicate 0 has no path for task 1, it is at task 1"):
        held.predict(state, 0, 1, INPUTS)
    with pytest.raises(ValueError, match="for which nobody has a score yet"):
        held.evaluate_from(paths([row], [0], [2]), None, state)
    _, state = held.evaluate_from(paths([row], [0], [1]), None, state)
    assert held.predict(state, 0, 1, INPUTS).shape == (7, 3)


def test_mini_batches_are_new_in_every_generation_unless_fixed():
    still = {"step_size": 1e-12, "batches": 3}  # a path's accuracy moves with the cases alone
    losses = {}
    for fixed in (False, True):
        held = problem(fixed_window=fixed, **still)
        state = held.begin(seeds.rng(1, "begin"))
        found = []
        for _ in range(3):
            outcomes, state = held.evaluate_from(paths([[[0, 1, 2], [0, 1, 2]]] * 2, [0, 0], [0, 0]), None, state)
            found += outcomes.measured["loss"].tolist()
        losses[fixed] = [round(loss, 5) for loss in found]
    assert len(set(losses[True])) == 1
    assert losses[False][0::2] == losses[False][1::2]  # contestants meet the same
    assert len(set(losses[False])) == 3


def test_training_learns_and_scores_are_the_accuracy_of_training():
    held = problem(batches=60, batch=10, step_size=0.1)
    state = held.begin(seeds.rng(1, "begin"))
    row = paths([[[0, 1, 2], [0, 1, 2]]], [0], [0])
    scores = []
    for _ in range(4):
        outcomes, state = held.evaluate_from(row, None, state)
        scores.append(float(outcomes.scores[0, 0]))
    assert scores[-1] > 0.95 > scores[0]
    assert held.accuracy(state, 0, 0) > 0.9
    assert float(state["best_fitness"][0]) == max(scores)
    assert state["best"][0].tolist() == [[True] * 3 + [False] * 3] * 2


def test_a_trunk_is_in_front_and_stays_as_it_is():
    trunk = nn.Sequential(nn.Linear(8, 6), nn.Tanh())
    held = problem(supernet=Supernet((Layer(3, (Adapter(2),)), Layer(3, (Adapter(2),))), Trunk(lambda: trunk)))
    before = trunk[0].weight.clone()
    digest = held.provenance()["trunk"]
    first, second = lived(held, 2)
    told = held.predict(second, 0, 0, INPUTS)
    assert told.shape == (7, 2)
    assert torch.equal(trunk[0].weight, before)
    assert held.provenance()["trunk"] == digest
    assert first["modules.0.0.down.weight"].shape == (1, 3, 2, 6)


def made_trained(shape):
    layer = nn.Linear(shape[0], 5)
    nn.init.constant_(layer.weight, 0.1)
    return layer


def test_pretrained_modules_never_change():
    kinds = (Custom(made_trained, pretrained=True), Custom(made_trained))
    held = problem(supernet=Supernet((Layer(2, kinds), Layer(2, (Dense(5),)))))
    *_, last = lived(held, 3)
    begun = held.begin(seeds.rng(1, "begin"))
    assert torch.equal(last["modules.0.0.weight"], begun["modules.0.0.weight"])
    assert not torch.equal(last["modules.0.1.weight"], begun["modules.0.1.weight"])


def test_what_is_no_path_for_the_problem_is_refused():
    held = problem(replicates=2)
    state = held.begin(seeds.rng(1, "begin"))
    row = [[0, 1, 2], [0, 1, 2]]
    for rows, message in (
        (paths([row], [2], [0]), "replicate: ClassificationTasks has replicates=2, numbered from 0, got 2"),
        (paths([row], [0], [5]), "task: ClassificationTasks has tasks=5, numbered from 0, got 5"),
        (paths([row], [0], [1]), "replicate 0 is at task 0, for which nobody has a score yet, got rows for"),
        (paths([row], [0], [0], (7, 4)), r"got pathways for \(7, 4\)"),
    ):
        with pytest.raises(ValueError, match=message):
            held.evaluate_from(rows, None, state)
    _, state = held.evaluate_from(paths([row], [0], [0]), None, state)
    _, state = held.evaluate_from(paths([row], [0], [1]), None, state)
    for tasks in ([0], [0, 1], [3]):
        with pytest.raises(ValueError, match="replicate 0 is at task 1"):
            held.evaluate_from(paths([row] * len(tasks), [0] * len(tasks), tasks), None, state)
    with pytest.raises(ValueError, match="replicate 1 has no path for task 0"):
        held.predict(state, 1, 0, INPUTS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"contest": "duel"}, "contest: expected one of sequential, snapshot, together, got 'duel'"),
        ({"after": "forget"}, "after: expected one of freeze, keep, renew, got 'forget'"),
        ({"aggregation": "max"}, "aggregation: expected one of sum, mean, mean_last, got 'max'"),
        ({"after": "keep", "always_active": True}, "always_active: expected False where after='keep'"),
        ({"batches": 0}, "batches: expected a whole number from 1 up, got 0"),
        ({"step_size": 0.0}, "step_size: expected a number above 0, got 0.0"),
        ({"sets": ()}, "sets: expected one task or more"),
        ({"sets": (SETS[0], ("odd", np.ones((4, 3)), np.arange(4), np.ones((1, 3)), np.arange(1)))}, "odd: training"),
        ({"sets": (("floats", SETS[0][1], SETS[0][2] * 1.0, *SETS[0][3:]),)}, "floats: expected classes as whole"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        problem(**settings)


def test_provenance_tells_arrays_apart():
    other = (SETS[0][0], SETS[0][1] + 1e-3, *SETS[0][2:])
    one, two = problem().provenance(), problem(sets=(other, *SETS[1:])).provenance()
    assert one["sets"][0]["sha256"] != two["sets"][0]["sha256"]
    assert one["sets"][1:] == two["sets"][1:]
