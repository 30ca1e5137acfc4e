"""The files in runs/: each makes a campaign that fits together, and settings found are judged as they say."""

from __future__ import annotations

import importlib.util
import json
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evo.campaign import Campaign
from evo.loading import load_campaign

RUNS = Path(__file__).parents[1] / "runs"
FILES = sorted(path for path in RUNS.glob("*.py") if "\ncampaign = " in path.read_text())


def script(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, RUNS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_makes_the_campaign_that_its_text_starts(path: Path) -> None:
    campaign = load_campaign(path)
    assert campaign.name == path.stem
    assert f"evo run runs/{path.name}" in path.read_text()


def test_reproduce_knows_every_campaign() -> None:
    known = set(script("reproduce").EXPERIMENTS)
    assert known == {path.stem for path in FILES}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the search for settings, cut down to 3 segments of 2 seeds that do not count from 0."""
    folder: Path = tmp_path_factory.mktemp("runs") / "searched"
    path = RUNS / "evolved_settings.py"
    campaign: Campaign = load_campaign(path).with_settings(seeds=(3, 7), generations=3)
    campaign.run(out=folder, source=path, quiet=True)
    return folder


def test_every_run_has_its_settings_judged(searched: Path) -> None:
    judge: Any = script("judge_settings")
    found = judge.found_settings(searched)
    assert [(name, seed) for name, seed, _ in found] == [
        (name, seed)
        for name in ("evolution", "grid, last tenth", "grid, whole life", "more_settings")
        for seed in (3, 7)
    ]
    assert all(set(settings) == {"step_size", "replacement_rate"} for _, _, settings in found[:6])
    grid = load_campaign(RUNS / "evolved_settings.py").variants["grid"]["algorithm"].settings
    assert all(settings in grid for name, _, settings in found if name.startswith("grid"))


def test_grids_and_populations_of_a_seed_live_on_one_stream(searched: Path) -> None:
    for seed in (3, 7):
        cohort = json.loads((searched / "grid" / f"seed-{seed}" / "cohort.json").read_text())
        genome = load_campaign(RUNS / "evolved_settings.py").genome
        learned = np.load(next((searched / "evolution" / f"seed-{seed}").glob("state-*2.npy")))
        streams = genome.layout.view(torch.from_numpy(learned), "stream").unique().tolist()
        assert streams == cohort["streams"]


def test_learners_that_failed_are_told_and_spoil_no_mean(searched: Path) -> None:
    judge: Any = script("judge_settings")
    found = [*judge.PLAIN, ("grid, whole life", 3, {"step_size": 1.0}), ("evolution", 3, {"step_size": 0.5})]
    errors = np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 0.7], [0.5, np.inf]])
    lines = judge.table(found, errors).splitlines()
    assert "| backprop | - | step_size 0.01 | 1.500 +- 6.353 | 0 |" in lines
    assert "| evolution | 3 | step_size 0.5 | infinite | 1 |" in lines
    assert lines[-1] == "| evolution | infinite | infinite |"
    assert "| grid, whole life | 0.600 +- 1.271 | 0.000 +- 0.000 |" in lines
