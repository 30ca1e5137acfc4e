"""Cohorts: who is who, that nobody is selected, and that settings are compared on the same streams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drifting_stream import DriftingStream, target

from evo import lineage
from evo.algorithms.cohort import Cohort
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.learners import Learners
from evo.outcome import Outcomes
from evo.run import Run, execute
from evo.search import Search
from evo.settings import describe
from evo.testing import Check
from evo.testing.algorithm_checks import Numbers, algorithm_checks
from genomes.learner import Learner

SETTINGS = ({"step_size": 0.5}, {"step_size": 0.125, "replacement_rate": 1e-4}, {"momentum": 0.5})
GENOME = Learner((3,), (4,), 2)


def lived(algorithm: Cohort, generations: int = 4, seed: int = 0) -> tuple[list[Learners], list[Outcomes], Search]:
    """Return what each generation evaluated, as learners and outcomes."""
    evaluator = Evaluator(DriftingStream())
    learners, outcomes = [], []

    def evaluate(genome: Genome, rows: torch.Tensor) -> Outcomes:
        learners.append(genome.express(rows))
        outcomes.append(evaluator.evaluate(genome, rows, np.random.default_rng(0)))
        assert lineage.identities(genome.layout, rows).tolist() == list(range(len(rows)))
        return outcomes[-1]

    search = Search(GENOME, DriftingStream.objectives, False, generations, seed, evaluate)
    algorithm.run(search)
    return learners, outcomes, search


@pytest.mark.parametrize("check", algorithm_checks, ids=str)
def test_it_is_an_algorithm(check: Check) -> None:
    check.run(Cohort(SETTINGS, streams=3), GENOME)


def test_every_setting_lives_on_every_stream_from_the_same_start() -> None:
    first = lived(Cohort(SETTINGS, streams=5))[0][0]
    streams, keys = first.stream.view(3, 5), first.key.view(3, 5)
    assert bool((streams == streams[0]).all() and (keys == keys[0]).all())
    assert len(set(streams[0].tolist())) == len(set(keys[0].tolist())) == 5
    assert first.settings["step_size"].tolist() == [0.5] * 5 + [0.125] * 5 + [pytest.approx(0.01)] * 5
    assert first.settings["momentum"].tolist() == [0.0] * 10 + [0.5] * 5
    weights = first.weights.view(3, 5, -1)
    assert bool((weights == weights[0]).all())
    assert len(weights[0].unique(dim=0)) == 5


def test_nobody_is_selected_and_all_go_on_learning() -> None:
    """Losses are those of each learner by itself, generation by generation."""
    learners, outcomes, _ = lived(Cohort(SETTINGS, streams=2), generations=6)
    assert len(learners) == 6
    for number in range(6):
        weights, stream = learners[0].weights[number], learners[0].stream[number]
        for generation in range(6):
            goal = target(stream, torch.tensor(generation))
            loss = float((weights - goal).square().mean())
            assert float(outcomes[generation].scores[number, 0]) == pytest.approx(loss, rel=1e-5)
            weights = weights + learners[0].settings["step_size"][number] * (goal - weights)
        assert learners[5].segments[number] == 5


def test_the_first_streams_are_the_same_for_any_number_of_them() -> None:
    few, many = (lived(Cohort(SETTINGS, streams=number), 1)[0][0] for number in (2, 7))
    assert few.stream.view(3, 2).tolist() == many.stream.view(3, 7)[:, :2].tolist()
    assert torch.equal(few.weights.view(3, 2, -1), many.weights.view(3, 7, -1)[:, :2])


def test_streams_are_those_of_the_seed() -> None:
    one, again, other = (lived(Cohort(SETTINGS, 3), 1, seed)[0][0].stream.tolist() for seed in (0, 0, 1))
    assert one == again != other


def test_who_is_who_is_left_in_the_folder(tmp_path: Path) -> None:
    learners, _, search = lived(Cohort(SETTINGS, streams=2), 1)
    left = json.loads(json.dumps(search.left["cohort"]()))
    assert left == {
        "format": "evo.cohort/1",
        "settings": [dict(one) for one in SETTINGS],
        "labels": ["step_size 0.5", "step_size 0.125, replacement_rate 0.0001", "momentum 0.5"],
        "streams": learners[0].stream[:2].tolist(),
    }
    execute(Run(DriftingStream(), GENOME, Cohort(SETTINGS, 2), 3, 0), tmp_path)
    assert json.loads((tmp_path / "cohort.json").read_text()) == left


def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    for name, steps in (("whole", (5,)), ("stopped", (2, 5))):
        for generations in steps:
            execute(Run(DriftingStream(), GENOME, Cohort(SETTINGS, 2), generations, 0), tmp_path / name)
    journals = [(tmp_path / name / "journal.jsonl").read_bytes() for name in ("whole", "stopped")]
    assert journals[0] == journals[1]


def test_it_is_made_again_from_its_description() -> None:
    described = json.loads(json.dumps(describe(Cohort(SETTINGS, 4))))
    assert Cohort(**described["settings"]) == Cohort(SETTINGS, 4)
    assert Cohort(({},)).labels() == ["as it is"]


def test_other_genomes_are_told() -> None:
    search = Search(Numbers(), DriftingStream.objectives, False, 1, 0, lambda genome, rows: pytest.fail("evaluated"))
    with pytest.raises(TypeError, match="Numbers cannot be made with given settings"):
        Cohort().run(search)


@pytest.mark.parametrize("wrong", [{"settings": ()}, {"streams": 0}])
def test_nothing_to_compare_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="1 setting or more and 1 stream or more"):
        Cohort(**wrong)


@pytest.mark.parametrize("wrong", [{"step_size": 0.1}, ("step_size",)])
def test_a_forgotten_comma_is_told(wrong: Any) -> None:
    with pytest.raises(TypeError, match="is the comma missing"):
        Cohort(wrong)
