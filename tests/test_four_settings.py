"""The four settings against closed forms, and what may be seen while tuning against what measures."""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from published_champion import published_champion

from evo.champion import Champion, ChampionError, load, networks_of
from evo.cli import main
from evo.commands import weights as command
from evo.four_settings import SETTINGS, Bench, Effort, changed, comparable_perceptron, copies, four_settings, shared
from evo.learning.evolved_weights import evolve_weights
from evo.learning.gradient_descent import descend
from evo.networks import Execution, Networks
from evo.outcome import Outcomes, outcomes_of
from evo.problem import NetworkProblem, Objective
from evo.rescore import rescore
from evo.settings import describe
from evo.weights import Weighed, weights, weights_json, weights_text
from problems.control.cartpole_swingup import CartPoleSwingUp
from problems.control.double_pole import DoublePole
from problems.digits import Digits

NETWORK: dict[str, Any] = {
    "inputs": ["x"],
    "outputs": ["y"],
    "activations": ["linear"] * 3,
    "edges": [[1, 2, 9.0], [0, 2, 9.0]],
}
"""y = a x + b; its own weights play no part."""
QUICK = Effort(population=16, generations=40, episodes=4, judged=8, swept=8, steps=300)


@dataclass(frozen=True)
class AtOne(NetworkProblem):
    """At x = 1 the output is to be 1: the score is -(a + b - 1)^2."""

    name: ClassVar[str] = "at-one"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("reward"),)
    inputs: ClassVar[tuple[str, ...]] = ("x",)  # type: ignore[misc]
    outputs: ClassVar[tuple[str, ...]] = ("y",)  # type: ignore[misc]
    differentiable: bool = False

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        return outcomes_of(-(phenotypes.forward(torch.ones(1, 1))[:, :, 0] - 1.0).square())

    def training_batch(
        self, rng: np.random.Generator
    ) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]] | None:
        return (torch.ones(1, 1), lambda outputs: (outputs - 1.0).square().mean()) if self.differentiable else None


@dataclass(frozen=True)
class Windy(AtOne):
    """The same, but the output is to be 1 and a start that is drawn; all starts ever drawn are kept."""

    name: ClassVar[str] = "windy"
    stochastic: ClassVar[bool] = True  # type: ignore[misc]
    starts: ClassVar[list[np.ndarray]] = []
    episodes: int = 3

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        starts = rng.standard_normal(self.episodes)
        self.starts.append(starts)
        aim = torch.from_numpy(1.0 + starts).to(torch.float32)
        return outcomes_of(-(phenotypes.forward(torch.ones(1, 1))[:, :, 0] - aim).square().mean(1, keepdim=True))


def test_scores_have_their_closed_forms() -> None:
    """Weights u, v from U(-2, 2) have variance 4/3: E(u + v - 1)^2 = 8/3 + 1, E(2 u - 1)^2 = 16/3 + 1."""
    answer = four_settings(NETWORK, AtOne(), trials=4000, seed=0, effort=QUICK)
    scores = answer.champion.scores
    assert scores[SETTINGS[0]].mean == pytest.approx(-11 / 3, rel=0.06)
    assert scores[SETTINGS[1]].mean == pytest.approx(-19 / 3, rel=0.06)
    assert scores[SETTINGS[0]].n == scores[SETTINGS[1]].n == 4000
    assert answer.champion.shared_weight == 0.5
    assert (scores[SETTINGS[2]].mean, scores[SETTINGS[2]].sd, scores[SETTINGS[2]].n) == (0.0, 0.0, 1)
    assert scores[SETTINGS[3]].mean > -1e-6
    assert sum(edge[2] for edge in answer.champion.network["edges"]) == pytest.approx(1.0, abs=1e-3)
    assert (answer.problem, answer.objective) == ("at-one", "reward")


def test_every_trial_has_a_start_of_its_own_that_no_tuning_saw() -> None:
    Windy.starts.clear()
    bench = Bench(Windy(), 500, seed=0, threads=1, effort=QUICK)
    weight, _ = bench.best_weights(NETWORK)
    assert weight == pytest.approx(0.5, abs=0.3)
    tuned = bench.tuned(shared(NETWORK, weight), shared(NETWORK, weight))
    assert set(tuned) == {"pgpe", "cmaes"}
    seen = np.concatenate(Windy.starts)
    assert {len(starts) for starts in Windy.starts} == {4, 8}
    Windy.starts.clear()
    score = bench.measure_one(shared(NETWORK, 0.5), "any")
    assert [len(starts) for starts in Windy.starts] == [1] * 500
    trials = np.concatenate(Windy.starts)
    assert not set(seen.tolist()) & set(trials.tolist())
    assert len(set(trials.tolist())) == score.n == 500
    assert score.mean == pytest.approx(-float((trials**2).mean()), rel=1e-4)
    assert score.sd == pytest.approx(float((trials**2).std(ddof=1)), rel=1e-4)


def test_tuning_starts_at_the_best_shared_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    evolved = Bench.evolved
    monkeypatch.setattr(
        Bench, "evolved", lambda self, start, search: (started.append(start), evolved(self, start, search))[1]
    )
    four_settings(NETWORK, AtOne(), trials=2, seed=0, effort=QUICK)
    weights_of = [[edge[2] for edge in start["edges"]] for start in started]
    assert weights_of[:2] == [[0.5, 0.5]] * 2
    assert weights_of[2] == [-0.1, -0.1], "the best of the other sign"
    assert all(0.0 < abs(weight) < 5.0 for weight in weights_of[3])
    assert len(weights_of) == 5  # three searches for the champion, two for the perceptron


def test_gradients_are_used_where_there_are_any() -> None:
    tuned = Bench(AtOne(differentiable=True), 1, 0, 1, QUICK).tuned(shared(NETWORK, 2.0), shared(NETWORK, 2.0))
    assert set(tuned) == {"pgpe", "cmaes", "gradient"}
    assert tuned["gradient"][1] > -1e-4


@dataclass(frozen=True)
class Sloped(AtOne):
    """The output is to be 3 x - 1, at x = 1 and x = 2: weights that change places are wrong."""

    name: ClassVar[str] = "sloped"

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        outputs = phenotypes.forward(torch.tensor([[1.0], [2.0]]))[:, :, 0]
        return outcomes_of(-(outputs - torch.tensor([2.0, 5.0])).square().sum(1, keepdim=True))

    def training_batch(
        self, rng: np.random.Generator
    ) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]] | None:
        return torch.tensor([[1.0], [2.0]]), lambda outputs: (outputs[:, 0] - torch.tensor([2.0, 5.0])).square().sum()


@pytest.mark.parametrize("edges", [[[1, 2, 9.0], [0, 2, 9.0]], [[0, 2, 9.0], [1, 2, 9.0]]])
def test_each_networks_weights_are_judged_in_its_own_order(edges: list[Any]) -> None:
    """What searches return is sorted by target, then source; what gradients return is as the file has it."""
    bench = Bench(Sloped(), 1, 0, 1, replace(QUICK, steps=1200))
    start = shared({**NETWORK, "edges": edges}, 1.0)
    tuned = bench.tuned(start, start)
    for network, judged in tuned.values():
        own = {source: weight for source, _, weight in network["edges"]}
        slope, offset = own[1], own[0]
        assert judged == pytest.approx(-((slope + offset - 2) ** 2) - (2 * slope + offset - 5) ** 2, abs=1e-4)
    assert tuned["gradient"][1] > -1e-3
    own = {source: weight for source, _, weight in tuned["gradient"][0]["edges"]}
    assert (own[1], own[0]) == pytest.approx((3.0, -1.0), abs=0.05)


@dataclass(frozen=True)
class Positive(AtOne):
    """Fails where the weight of x is negative."""

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        scores = super().evaluate(phenotypes, rng).scores
        one = phenotypes.forward(torch.ones(1, 1)) - phenotypes.forward(torch.zeros(1, 1))
        return outcomes_of(torch.where(one[:, :, 0] < 0, torch.nan, scores))


def test_failed_trials_are_counted_and_told() -> None:
    answer = four_settings(NETWORK, Positive(), trials=100, seed=0, effort=QUICK)
    for name in SETTINGS[:2]:
        score = answer.champion.scores[name]
        assert score.n + score.failed == 100
        assert 35 < score.failed < 65
    assert [answer.champion.scores[name].failed for name in SETTINGS[2:]] == [0, 0]
    lines = weights_text(Weighed(None, Positive(), answer)).splitlines()  # type: ignore[arg-type]
    assert lines[0].endswith("of 100 trials")
    assert f" ({answer.champion.scores[SETTINGS[0]].n} of 100)" in lines[2]
    assert f" ({answer.champion.scores[SETTINGS[1]].n} of 100)" in lines[3]
    assert " of " not in lines[4]
    json_ = weights_json(Weighed(None, Positive(), answer))  # type: ignore[arg-type]
    assert json_["champion"]["scores"][SETTINGS[0]]["failed"] == answer.champion.scores[SETTINGS[0]].failed


def test_starts_that_are_not_drawn_are_left_alone() -> None:
    tested = DoublePole().generalization_test()
    bench = Bench(tested, 100, 0, 1, QUICK)
    assert {one.episodes for one in (bench.tuning, bench.sweeping, bench.judging, bench.measuring)} == {625}
    assert Bench(DoublePole(), 9, 0, 1, QUICK).tuning == DoublePole()
    swing = Bench(CartPoleSwingUp(episodes=7), 100, 0, 1, QUICK)
    assert [one.episodes for one in (swing.tuning, swing.sweeping, swing.judging, swing.measuring)] == [4, 8, 8, 1]


def test_what_belongs_to_the_class_is_no_setting_to_change() -> None:
    @dataclass(frozen=True)
    class Fixed(Windy):
        episodes: ClassVar[int] = 3  # type: ignore[misc]

    assert Bench(Fixed(), 1, 0, 1, QUICK).measuring.episodes == 3
    assert changed(Fixed(), episodes=5, shared_weights=(2.0,)) == Fixed(shared_weights=(2.0,))


def test_a_champion_of_one_connection_is_measured() -> None:
    one = {**NETWORK, "edges": [[1, 2, 9.0]]}
    answer = four_settings(one, AtOne(), trials=3, seed=0, effort=QUICK)
    assert set(answer.champion.methods) == {"pgpe", "pgpe from the other sign"}
    assert answer.champion.network["edges"][0][2] == pytest.approx(1.0, abs=1e-2)
    assert set(answer.perceptron.methods) == {"pgpe", "cmaes"}


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_single_weights_in_wider_rows_are_read_row_by_row(engine: str) -> None:
    rows = torch.tensor([[1.0, 7.0, 7.0], [2.0, 7.0, 7.0], [3.0, 7.0, 7.0]])
    networks = networks_of({**NETWORK, "edges": [[1, 2, 9.0]]}).tile(3).with_weights(rows[:, :1])
    assert networks.on(Execution(engine)).forward(torch.ones(1, 1)).flatten().tolist() == [1.0, 2.0, 3.0]


def test_a_champion_without_connections_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bench, "measure", lambda *_: pytest.fail("something was measured"))
    with pytest.raises(ChampionError, match="has no connections") as refused:
        four_settings({**NETWORK, "edges": []}, AtOne(), trials=3, seed=0, effort=QUICK)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("function", [four_settings, weights, evolve_weights, descend])
def test_seeds_are_required_by_name(function: Callable[..., Any]) -> None:
    seed = inspect.signature(function).parameters["seed"]
    assert (seed.kind, seed.default) == (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty)


def test_the_same_seed_gives_the_same_answer() -> None:
    one, again, other = (four_settings(NETWORK, Windy(), 5, seed=seed, effort=QUICK) for seed in (1, 1, 2))
    assert one == again
    assert all(one.champion.scores[name] != other.champion.scores[name] for name in SETTINGS)


def test_less_is_better_where_the_problem_says_so() -> None:
    @dataclass(frozen=True)
    class Error(AtOne):
        objectives: ClassVar[tuple[Objective, ...]] = (Objective("error", maximize=False),)

        def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
            return outcomes_of(-super().evaluate(phenotypes, rng).scores)

    answer = four_settings(NETWORK, Error(), 1, seed=0, effort=QUICK)
    assert answer.champion.shared_weight == 0.5
    assert answer.champion.scores[SETTINGS[3]].mean < 1e-5


def test_only_training_cases_tune_and_only_test_cases_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    splits: list[Any] = []
    draw = Digits.draw
    monkeypatch.setattr(Digits, "draw", lambda self, rng: (splits.append(self.split), draw(self, rng))[1])
    problem = Digits(shared_weights=(1.0, 2.0), batch=40, split="all")
    network = {
        "inputs": list(problem.inputs),
        "outputs": list(problem.outputs),
        "activations": ["linear"] * 75,
        "edges": [[1 + 3 * unit, 65 + unit, 1.0] for unit in range(10)],
    }
    bench = Bench(problem, 3, 0, 1, Effort(population=4, generations=2, steps=2))
    starts = [shared(network, weight) for weight in bench.best_weights(network)]
    assert set(bench.tuned(*starts)) == {"pgpe", "cmaes", "pgpe from the other sign", "gradient"}
    assert set(splits) == {"train"}
    splits.clear()
    scores = bench.settings(network, lambda weight: network).scores
    assert set(splits) == {"train", "test"}
    assert bench.measuring.objectives[0].name == "accuracy"
    assert [scores[name].n for name in SETTINGS] == [3, 3, 1, 1]
    test = Digits(batch=0, split="test", objective="accuracy")
    alone = float(test.evaluate(networks_of(network), np.random.default_rng(0)).scores[0, 0])
    splits.clear()
    assert bench.measure_one(network, "any").mean == alone
    assert splits == ["test"]


def test_copies_take_weights_in_the_order_of_the_networks_edges() -> None:
    outputs = copies(NETWORK, torch.tensor([[2.0, 5.0], [3.0, 7.0]])).forward(torch.tensor([[10.0]]))
    assert outputs.flatten().tolist() == [25.0, 37.0]


def test_the_perceptron_has_about_as_many_connections() -> None:
    problem = CartPoleSwingUp()
    network = {"inputs": list(problem.inputs), "outputs": ["force"], **published_champion().describe(0)}
    perceptron = comparable_perceptron(network)
    assert perceptron.complexity(perceptron.sample(1, np.random.default_rng(0))).tolist() == [50.0]


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="trials: expected 1 or more"):
        four_settings(NETWORK, AtOne(), trials=0, seed=0)

    class Broken(AtOne):
        def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
            return outcomes_of(torch.full((len(phenotypes), 1), torch.nan))

    with pytest.raises(ValueError, match="random weights: every trial failed"):
        four_settings(NETWORK, Broken(), trials=2, seed=0)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    problem = CartPoleSwingUp(shared_weights=(-1.0, 1.0))
    champion = Champion(
        genome={"name": "topology", "settings": {}},
        problem=describe(problem),
        algorithm={"name": "weight-agnostic-search", "settings": {}},
        genes={},
        fitness={"reward": 610.8},
        generation=7,
        seed=0,
        network={"inputs": list(problem.inputs), "outputs": ["force"], **published_champion().describe(0)},
    )
    path = tmp_path_factory.mktemp("weights") / "champion.json"
    champion.save(path)
    return path


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.execute(parser.parse_args(arguments))


def test_the_published_champion_scores_as_published(published: Path) -> None:
    """Measured with the published code over 100 trials: shared 0.78: 723.4 +- 15.8; random ones: 525.6 +- 251.8."""
    bench = Bench(CartPoleSwingUp(), 100, 0, 2, Effort(swept=64))
    network = load(published).network or {}
    assert bench.measure_one(shared(network, 0.78), "any").mean == pytest.approx(723.4, abs=5.0)
    best, opposite = bench.best_weights(network)
    assert best == pytest.approx(0.78, abs=0.041)
    assert opposite == -1.0
    drawn = torch.from_numpy(np.random.default_rng(0).uniform(-2, 2, (100, 1))).expand(-1, 52)
    assert bench.measure(copies(network, drawn), "any").mean == pytest.approx(525.6, abs=80.0)


def test_the_command_prints_a_table_beside_the_papers_and_saves_tuned_weights(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "tuned.json"
    quick = ["--trials", "4", "--generations", "3", "--population", "8", "--workers", "2"]
    assert run([str(published), *quick, "--save", str(saved)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "cartpole-swingup-v1: reward, mean +- standard deviation of 4 trials"
    assert "champion (52 connections)" in lines[1]
    assert "layered (50 connections)" in lines[1]
    assert [line.split("  ")[1] for line in lines[2:6]] == list(SETTINGS)
    assert "57 +- 121" in lines[2]
    assert "918 +- 7" in lines[5]
    assert lines[6].startswith("  the paper's 515 +- 58")
    champion = load(saved)
    assert champion.problem["settings"]["shared_weights"] == []
    assert champion.problem["settings"]["episodes"] == CartPoleSwingUp().episodes
    assert champion.genome["name"] == "fixed-network"
    assert champion.generation == 7
    score = rescore(saved, episodes=20)["objectives"]["reward"]
    assert score["mean"] == pytest.approx(champion.fitness["reward"], abs=60.0)
    network = champion.network or {}
    assert [edge[2] for edge in network["edges"]] == champion.genes["edge_weight"]
    assert network["edges"][0][2] != 1.0


def test_a_classifiers_weights_are_looked_at_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Digits(shared_weights=(0.5, 1.0), batch=50)
    edges = [[1 + 6 * unit, 65 + unit, 1.0] for unit in range(10)]
    network = {"inputs": list(problem.inputs), "outputs": list(problem.outputs), "activations": ["linear"] * 75}
    parts = {"name": "any", "settings": {}}
    path, figure = tmp_path / "champion.json", tmp_path / "figure.svg"
    Champion(parts, describe(problem), parts, {}, {}, 0, 0, network={**network, "edges": edges}).save(path)
    monkeypatch.setattr("evo.weights.Effort", partial(Effort, steps=3))
    quick = ["--trials", "3", "--generations", "2", "--population", "4"]
    assert run([str(path), *quick, "--json", "--figure", str(figure)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["objective"] == "accuracy"
    assert len(answer["series"]["accuracy"]) == 40
    assert answer["own_weights"]["weights"] == [0.5, 1.0]
    assert {"pgpe", "cmaes", "gradient"} <= set(answer["champion"]["methods"])
    assert figure.read_text().startswith("<svg")
    text = weights_text(weights(path, trials=3, seed=0, effort={"generations": 2, "population": 4, "steps": 3}))
    assert "majority vote" in text
    assert "accuracy on 355 cases (test) per shared weight:" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--figure", "f.svg"], "--figure is of classifiers"),
        (["--save", "no/such/tuned.json"], r"--save: there is no folder .*no/such to write tuned.json"),
        (["--figure", "no/f.svg"], "--figure: there is no folder"),
        (["--save", "."], "--save: .* is a folder"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_measured(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.setattr("evo.weights.four_settings", lambda *_, **__: pytest.fail("it was measured"))
    with pytest.raises(ChampionError, match=said):
        run([str(published), options[0], str(tmp_path / options[1])])


def test_the_table_is_printed_before_files_are_written(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Any, path: Path) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Weighed, "save_champion", fail)
    measured = four_settings(NETWORK, AtOne(), trials=2, seed=0, effort=QUICK)
    monkeypatch.setattr("evo.weights.four_settings", lambda *_, **__: measured)
    with pytest.raises(OSError, match="the disk is full"):
        run([str(published), "--save", str(tmp_path / "tuned.json")])
    assert capsys.readouterr().out.startswith("at-one: reward")


def test_a_classifiers_file_has_the_problem_that_its_score_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Digits(shared_weights=(0.5, 1.0), batch=50)
    edges = [[1 + 6 * unit, 65 + unit, 1.0] for unit in range(10)]
    network = {"inputs": list(problem.inputs), "outputs": list(problem.outputs), "activations": ["linear"] * 75}
    parts, path, saved = {"name": "any", "settings": {}}, tmp_path / "champion.json", tmp_path / "tuned.json"
    Champion(parts, describe(problem), parts, {}, {}, 0, 0, network={**network, "edges": edges}).save(path)
    monkeypatch.setattr("evo.weights.Effort", partial(Effort, steps=3))
    monkeypatch.setattr("evo.four_settings.COARSE", (0.5, 1.0))
    monkeypatch.setattr("evo.four_settings.FINE", (0.0,))
    assert run([str(path), "--trials", "1", "--generations", "1", "--population", "4", "--save", str(saved)]) == 0
    described = load(saved).problem["settings"]
    assert described == {"shared_weights": [], "batch": 0, "split": "test", "objective": "accuracy"}
    assert rescore(saved)["objectives"]["accuracy"]["mean"] == pytest.approx(load(saved).fitness["accuracy"])


USERS = """
from dataclasses import dataclass
from typing import ClassVar
import torch, evo
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.learning.weight_tuning import TunedWeights
from evo.networks import Networks
from evo.outcome import outcomes_of
from evo.problem import NetworkProblem, Objective
from genomes.topology import Topology

@dataclass(frozen=True)
class Mine(NetworkProblem):
    name: ClassVar[str] = "mine"
    objectives: ClassVar = (Objective("nearness"),)
    inputs: ClassVar = ("a", "b")
    outputs: ClassVar = ("y",)

    def evaluate(self, phenotypes, rng):
        scores = []
        for weight in self.shared_weights or (None,):
            scores.append(-(phenotypes.forward(torch.ones(1, 2), weight)[:, :, 0] - 1.5).abs())
        return outcomes_of(torch.stack(scores).mean(0))

@evo.fitness(maximize="nearness", accepts=Networks, batch=True)
def nameless(networks):
    return -(networks.forward(torch.ones(1, 2))[:, 0, 0] - 1.5).abs().double()

weighted = Mine(shared_weights=(-1.0, 1.0))
campaign = evo.Campaign(
    {problem}, Topology(2, 1, initial_connection_rate=1.0), MuPlusLambda(population=4), generations=2, seeds=(0,)
)
"""


@pytest.mark.parametrize("problem", ["weighted", "nameless", "TunedWeights(Mine(), steps=1, population=2)"])
def test_champions_of_a_users_problem_are_measured_and_scored_again(
    tmp_path: Path, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One with shared weights, which tuned weights take the place of; one that names no inputs; one in a lifetime."""
    file, folder = tmp_path / "mine.py", tmp_path / "run"
    file.write_text(USERS.replace("{problem}", problem))
    assert main(["run", str(file), "--out", str(folder)]) == 0
    quick = ["--trials", "4", "--generations", "60", "--population", "8"]
    assert run([str(folder), *quick, "--save", str(folder / "tuned.json")]) == 0
    assert "layered" in capsys.readouterr().out
    tuned = load(folder / "tuned.json")
    assert tuned.fitness["nearness"] > -0.05
    assert rescore(folder / "tuned.json")["objectives"]["nearness"]["mean"] == pytest.approx(
        tuned.fitness["nearness"], abs=1e-6
    )
    champion = load(next(folder.glob("*/seed-0/champion.json")))
    if "Tuned" not in problem:  # which learns again, by chance
        again = rescore(folder)["objectives"]["nearness"]["mean"]
        assert again == pytest.approx(champion.fitness["nearness"], abs=1e-6)


def test_another_problem_is_still_told_from_the_campaigns(tmp_path: Path) -> None:
    file, folder = tmp_path / "mine.py", tmp_path / "run"
    file.write_text(USERS.replace("{problem}", "nameless"))
    assert main(["run", str(file), "--out", str(folder)]) == 0
    for path in (file, folder / "source.py"):
        path.write_text(path.read_text().replace("1.5", "2.5"))
    with pytest.raises(ChampionError, match="no longer makes the problem"):
        rescore(folder)
