"""Evolution learns a second task and keeps more of the first where important weights move less."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RUNS = Path(__file__).parents[3] / "runs"


@pytest.fixture(scope="module")
def script() -> Any:
    """Return the experiment's script as a module."""
    spec = importlib.util.spec_from_file_location("importance_scaled_mutation", RUNS / "importance_scaled_mutation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def learned(script: Any) -> Any:
    return script.learn(0)


def test_the_old_task_is_learned_the_same_way_every_time(script: Any, learned: Any) -> None:
    assert script.learn(0)[1] == learned[1]
    genome, _, _ = script.made("strategy", "naive", learned[1], 0, 0)
    start = genome.layout.empty(1)
    assert script.accuracy(genome, start, script.OLD) > 0.98


def test_scaled_moves_keep_more_of_the_old_task_and_learn_the_new(script: Any, learned: Any) -> None:
    naive, scaled = (
        script.run_one((0, "strategy", f"{condition}, steps x 4", 0), learned, 120) for condition in ("naive", "scaled")
    )
    assert scaled["old"] > naive["old"] + 0.05
    assert scaled["old"] > 0.95
    assert min(scaled["new"], naive["new"]) > 0.75


def test_conditions_are_what_their_names_say(script: Any, learned: Any) -> None:
    importance = learned[1]

    def made(algorithm: str, condition: str) -> Any:
        return script.made(algorithm, condition, importance, 3, 5)

    for algorithm in ("strategy", "genetic"):
        genome, problem, _ = made(algorithm, "naive")
        rows = genome.layout.empty(1)
        rows[:, 0] = 1.0
        off = genome.unwrapped(rows)[:, :1] - importance.anchor[:1]
        assert float(off) == 1.0
        assert problem.strength == 0.0
        assert problem.problem == replace(script.OLD, permutation_seed=3, batch=script.CASES)
        scaled, shuffled = (made(algorithm, name)[0].scale for name in ("scaled", "scaled, shuffled"))
        assert float(scaled.square().mean()) == pytest.approx(1.0, rel=1e-4)
        assert sorted(scaled.tolist()) == pytest.approx(sorted(shuffled.tolist()))
        assert float((scaled - shuffled).abs().max()) > 0.1
        moved = importance.anchor + 0.1
        uniform = made(algorithm, "uniform penalty 0.01")[1]
        expected = 0.5 * 0.01 * 0.01 * len(moved)  # of moves by 0.1
        assert float(uniform.importance.penalty(moved, uniform.strength)) == pytest.approx(expected, rel=1e-3)
        assert made(algorithm, "penalty 30")[1].strength == 30.0
    assert made("strategy", "uniform decay 0.003")[2].anchored_decay == 0.003
    drawn, rows = made("genetic", "uniform decay 0.003")[0], scaled.new_zeros(1, genome.layout.width)
    still = replace(drawn, genome=replace(drawn.genome, mutation_deviation=0.0))
    rows[:, : len(scaled)] = 1.0
    after = still.mutate(rows, np.random.default_rng(0))[:, : len(scaled)]
    np.testing.assert_allclose(after, 1.0 / 1.003, rtol=1e-4)
    rates = [made("strategy", name)[2].center_learning_rate for name in ("naive", "half steps", "naive, steps x 4")]
    assert rates == pytest.approx([rates[0], rates[0] / 2, rates[0] * 4])
    sizes = [made("genetic", name)[0].genome.mutation_deviation for name in ("naive", "half steps")]
    assert sizes == pytest.approx([sizes[0], sizes[0] / 2])


def test_a_run_that_stopped_goes_on_and_makes_a_table(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--permutations", "2", "--generations", "2", "--workers", "1", "--out", str(tmp_path / "out")]

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["script", *arguments])
        script.main()
        return capsys.readouterr().out

    call(*few, "--seeds", "1", "--conditions", "naive")
    results = tmp_path / "out" / "results.jsonl"
    first = results.read_text()
    assert len(first.splitlines()) == 4
    results.write_text(first[:-30])  # cut in the middle of the last line
    printed = call(*few, "--seeds", "1", "--conditions", "naive", "scaled")
    lines = [json.loads(line) for line in results.read_text().splitlines() if line.endswith("}")]
    assert [json.loads(line) for line in first.splitlines()[:3]] == lines[:3]
    assert {script.key_of(line) for line in lines} == {
        (order, search, condition, 0)
        for order in (0, 1)
        for search in ("strategy", "genetic")
        for condition in ("naive", "scaled")
    }
    assert len(lines) == 8
    assert printed == call("--table", str(tmp_path / "out"))
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in printed.splitlines()]
    assert [row[:2] for row in rows[2:]] == [
        ["strategy", "naive"],
        ["strategy", "scaled"],
        ["genetic", "naive"],
        ["genetic", "scaled"],
    ]
    old = [line["old"] for line in lines if (line["algorithm"], line["condition"]) == ("strategy", "scaled")]
    assert rows[3][2].startswith(f"{sum(old) / 2:.3f} ± ")
    assert rows[3][-2:] == ["2", "2"]
