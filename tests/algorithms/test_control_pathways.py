"""Controls: one pathway for ever, the one that evolution kept, or others each time."""

from __future__ import annotations

import pytest
from algorithms.task_runs import GENOME, task_run

from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.fine_tuned_pathway import FineTunedPathway
from evo.algorithms.fixed_pathway import FixedPathway
from evo.algorithms.random_pathways import RandomPathways
from evo.pathways import Pathways
from genomes.pathway import Pathway


def paths(run: object, replicate: int, task: int) -> set[str]:
    return {
        str(modules)
        for generation, _ in run.of(replicate)  # type: ignore[attr-defined]
        for modules, number in generation
        if number == task
    }


@pytest.mark.parametrize("renew", [False, True])
def test_a_fixed_pathway_stays(renew: bool) -> None:
    run = task_run(FixedPathway(replicates=3, tasks=3, generations_per_task=4, renew=renew))
    found = [[paths(run, replicate, task) for task in range(3)] for replicate in range(3)]
    assert all(len(one) == 1 for tasks in found for one in tasks)
    assert len(set.union(*(tasks[0] for tasks in found))) == 3, "each replicate has its own"
    for tasks in found:
        assert len(set.union(*tasks)) == (3 if renew else 1)


def test_copies_of_later_tasks_descend_from_the_one_before() -> None:
    run = task_run(FixedPathway(tasks=2, generations_per_task=4))
    assert run.generations[4].parents == [run.generations[0].uids[1]] * 2, "of equals the latest"
    assert not set(run.generations[4].uids) & set(run.generations[0].uids)


def test_the_whole_network_is_a_fixed_pathway() -> None:
    run = task_run(FixedPathway(generations_per_task=2), genome=Pathway((4, 3), active=4))
    assert run.generations[0].pathways.used().sum().item() == 2 * 7


def test_fine_tuning_goes_on_with_what_evolution_kept() -> None:
    options = {"replicates": 3, "generations_per_task": 6}
    evolved = task_run(BinaryTournament(8, **options))
    tuned = task_run(FineTunedPathway(8, tasks=3, **options))
    for replicate in range(3):
        assert tuned.of(replicate)[:6] == evolved.of(replicate), "the first task is the tournament's"
        kept = [course for course in tuned.left["courses"] if course["replicate"] == replicate]
        assert paths(tuned, replicate, 1) == paths(tuned, replicate, 2) == {str(kept[0]["kept"]["modules"])}


def test_random_pathways_are_others_each_time() -> None:
    run = task_run(RandomPathways(contestants=3, replicates=2, generations_per_task=8))
    everyone = [str(one.pathways.modules[number]) for one in run.generations for number in range(6)]
    assert len(set(everyone)) > 0.9 * len(everyone)
    assert [parent for one in run.generations for parent in one.parents] == [-1] * len(everyone)
    assert isinstance(run.generations[0].pathways, Pathways)
    assert GENOME.active == 2
