"""The learner genome: what it starts from, how its settings move, and that a lifetime comes and goes to the bit."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from drifting_stream import DriftingStream, live
from hypothesis import given
from hypothesis import settings as steady_settings
from hypothesis import strategies as st
from scipy import stats

from evo import lineage, seeds
from evo.champion import Champion
from evo.learners import ACTIVATIONS, NAMES, SETTINGS, UTILITIES, Convolution, Learners, Rules
from evo.rescore import genome_of
from evo.settings import describe
from evo.settings import settings as settings_of
from evo.testing import Check, CheckSkipped
from evo.testing.genome_checks import genome_checks
from genomes.learner import Learner
from problems.xor import Xor

steady = steady_settings(derandomize=True, deadline=None, max_examples=30)
BY_NAME = {setting.name: setting for setting in SETTINGS}
ADAM = Rules(optimizer="adam", initial="xavier")
BETAS = ("first_moment_decay", "second_moment_decay")
USED = tuple(name for name in NAMES if name not in BETAS)
"""By learners with stochastic gradient descent."""
GENOMES = {
    "plain": Learner((4,), (3,), 2),
    "everything evolves": Learner((4,), (3, 2), 1, activations=ACTIVATIONS, utilities=UTILITIES, evolve=USED),
    "goes on": Learner((4,), (3,), 2, evolve=("step_size", "replacement_rate"), newborn=False, utilities=UTILITIES),
    "adam": Learner((4,), (3,), 2, rules=ADAM, settings={"step_size": 0.001}, evolve=("step_size",)),
    "linear": Learner((4,), (), 2, evolve=("step_size",)),
    "consolidates": Learner((4,), (3,), 2, settings={"consolidation": 2.0}, evolve=("consolidation_decay",)),
    "normalized online": Learner((4,), (3,), 2, normalization="online"),
    "pictures": Learner((2, 8, 8), (5,), 3, convolutions=(Convolution(3), Convolution(4, 2, 1)), concatenated=True),
}
STEP, RATE = "step_size", "replacement_rate"


@pytest.mark.parametrize("check", genome_checks, ids=str)
@pytest.mark.parametrize("genome", GENOMES.values(), ids=GENOMES.keys())
def test_it_is_a_genome(genome: Learner, check: Check) -> None:
    try:
        check.run(genome)
    except CheckSkipped:
        return


def sampled(genome: Learner, count: int = 6, seed: int = 0) -> torch.Tensor:
    return lineage.stamp(genome.layout, genome.sample(count, seeds.rng(seed, "sample")), 0)


def lived(genome: Learner, rows: torch.Tensor, segments: int = 3) -> torch.Tensor:
    """Return rows that are far from newborn: every field of state has numbers of its own."""
    for _ in range(segments):
        learners = live(genome.express(rows))[1]
        rows = genome.absorb(rows, learners)
    others = ("second_moment", "moment_steps", "mean_activations", "mean_magnitudes", "normalization_state")
    for number, name in enumerate(others):
        genome.layout.view(rows, name)[...] += 0.1 + number
    return rows


def view(genome: Learner, rows: torch.Tensor, name: str) -> torch.Tensor:
    return genome.layout.view(rows, name)


def same_but(genome: Learner, rows: torch.Tensor, others: torch.Tensor, *names: str) -> bool:
    """Return whether rows differ from others in no field but those named."""
    left = [field.name for field in genome.layout.fields if field.name not in names]
    return all(torch.equal(view(genome, rows, name), view(genome, others, name)) for name in left)


# Newborn


def torch_bound(initial: str, activation: str, fan_in: int, fan_out: int) -> float:
    """Return the bound that torch's own initialisation uses, found by drawing many weights."""
    kind = activation if activation in ("relu", "leaky_relu", "tanh", "sigmoid", "linear") else "relu"
    torch.manual_seed(0)
    weights = torch.empty(fan_out, fan_in)
    gain = torch.nn.init.calculate_gain(kind, 0.01 if kind == "leaky_relu" else None)
    match initial:
        case "kaiming":
            torch.nn.init.kaiming_uniform_(weights, a=0.01, nonlinearity=kind)
        case "xavier":
            torch.nn.init.xavier_uniform_(weights, gain)
        case "lecun":
            torch.nn.init.kaiming_uniform_(weights, nonlinearity="linear")
        case _:
            weights = torch.nn.Linear(fan_in, fan_out).weight.detach()
    return float(weights.abs().max())


@pytest.fixture
def global_random_kept() -> Any:
    state = torch.get_rng_state()
    yield
    torch.set_rng_state(state)


@pytest.mark.usefixtures("global_random_kept")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("initial", ["kaiming", "xavier", "lecun", "default"])
def test_weights_start_within_the_bounds_that_torch_has(initial: str, activation: str) -> None:
    genome = Learner((30,), (40, 50), 60, rules=Rules(initial=initial), activations=(activation,))
    learners = genome.express(sampled(genome, 2))
    sizes = [(30, 40), (40, 50), (50, 60)]
    for number, (layer, (fan_in, fan_out)) in enumerate(zip(genome.architecture.layers, sizes, strict=True)):
        kind, scheme = (initial, activation) if number < 2 or initial == "default" else ("kaiming", "linear")
        expected = torch_bound(kind, scheme, fan_in, fan_out)
        weights, biases = learners.kernel(layer), learners.bias(layer)
        assert weights.shape == (2, fan_in, fan_out)
        assert float(weights.abs().max()) == pytest.approx(expected, rel=0.01)
        assert stats.kstest(weights.flatten().numpy() / expected, "uniform", (-1, 2)).pvalue > 1e-4
        assert bool((biases.abs().max() > 0.8 * expected) if initial == "default" else (biases == 0).all())
    assert torch.equal(learners.weights, learners.initial_weights)


def test_the_fan_in_of_convolutions_and_of_what_concatenation_doubles() -> None:
    genome = GENOMES["pictures"]
    learners = genome.express(sampled(genome, 200))
    fan_ins = [2 * 3 * 3, 2 * 3 * 2 * 2, 2 * 4 * 2 * 2, 2 * 5]
    for number, (layer, fan_in) in enumerate(zip(genome.architecture.layers, fan_ins, strict=True)):
        gain = math.sqrt(2.0) if number < 3 else 1.0
        assert float(learners.kernel(layer).abs().max()) == pytest.approx(gain * math.sqrt(3 / fan_in), rel=0.01)


def test_all_that_are_sampled_together_live_on_one_stream_with_keys_of_their_own() -> None:
    genome = Learner((4,), (3,), 2, settings={STEP: 0.25})
    learners = genome.express(sampled(genome, 40))
    assert len(set(learners.stream.tolist())) == 1
    assert len(set(learners.key.tolist())) == 40
    assert learners.weights.unique(dim=0).shape[0] == 40
    assert learners.settings[STEP].tolist() == [0.25] * 40
    others = set(NAMES) - {STEP}
    expected = {name: np.float32(BY_NAME[name].default) for name in others}
    assert {name: learners.settings[name].unique().item() for name in others} == expected
    for name in ("segments", "ages", "utilities", "mean_activations", "mean_magnitudes", "due"):
        assert not getattr(learners, name).any()
    others_stream = genome.express(sampled(genome, 2, seed=1)).stream
    assert others_stream[0] != learners.stream[0]


SCALES = {
    "log": np.log,
    "share": lambda values: np.log1p(-values),
    "linear": lambda values: values,
}


@pytest.mark.parametrize("name", NAMES)
def test_evolving_settings_start_anywhere_in_their_range(name: str) -> None:
    setting, rules = BY_NAME[name], Rules("adam" if name in BETAS else "sgd")
    genome = Learner((1,), (), 1, rules=rules, evolve=(name,))
    values = view(genome, sampled(genome, 4000), name).double().numpy()
    ends = SCALES[setting.scale](np.array([setting.low, setting.high]))
    low, width = ends.min(), np.ptp(ends)
    assert stats.kstest(SCALES[setting.scale](values), "uniform", (low, width)).pvalue > 1e-4


def test_an_evolving_setting_that_is_given_starts_there() -> None:
    genome = Learner((1,), (), 1, settings={STEP: 0.25}, evolve=(STEP,))
    rows = sampled(genome, 10)
    assert view(genome, rows, STEP).unique().tolist() == [0.25]
    assert len(view(genome, genome.mutate(rows, seeds.rng(0, "mutate")), STEP).unique()) == 10


def test_choices_start_evenly() -> None:
    genome = Learner((1,), (), 1, activations=("tanh", "relu", "swish"), utilities=("random", "weight"))
    learners = genome.express(sampled(genome, 3000))
    kinds, counts = learners.activation.unique(return_counts=True)
    assert [ACTIVATIONS[kind] for kind in kinds] == ["relu", "tanh", "swish"]
    assert stats.chisquare(counts.numpy()).pvalue > 1e-4
    assert {UTILITIES[kind] for kind in learners.utility.tolist()} == {"random", "weight"}


# Mutation


@st.composite
def populations(draw: st.DrawFn) -> tuple[Learner, torch.Tensor]:
    """Return a genome with some evolving settings, and rows with values anywhere in their ranges, some at the ends."""
    evolve = tuple(draw(st.sets(st.sampled_from(USED))))
    genome = Learner(
        (2,),
        (3,),
        1,
        activations=("relu", "tanh"),
        evolve=evolve,
        newborn=draw(st.booleans()),
        mutation_rate=draw(st.sampled_from([0.0, 0.5, 1.0])),
        mutation_deviation=draw(st.sampled_from([0.0, 0.2, 10.0])),
        toggle_rate=draw(st.sampled_from([0.0, 0.3, 1.0])),
    )
    rows = sampled(genome, 12, draw(st.integers(0, 10**6)))
    for name in evolve:
        setting = BY_NAME[name]
        off = 0.0 if setting.default == 0.0 else setting.low
        view(genome, rows, name)[:3] = torch.tensor([setting.low, setting.high, off])
    return genome, lived(genome, rows)


@steady
@given(populations(), st.integers(0, 10**6))
def test_children_stay_within_the_bounds_and_differ_only_where_they_may(
    population: tuple[Learner, torch.Tensor], seed: int
) -> None:
    genome, rows = population
    children = genome.mutate(rows, seeds.rng(seed, "mutate"))
    for name in genome.evolve:
        setting, values = BY_NAME[name], view(genome, children, name)
        low, high = torch.tensor([setting.low, setting.high])
        off = (values == 0) & (setting.default == 0.0) & (setting.scale == "log")
        assert bool(((values >= low) & (values <= high) | off).all())
        if not genome.mutation_rate and not genome.toggle_rate:
            assert torch.equal(values, view(genome, rows, name))
    state = {field.name for field in fields(Learners)} | {"activation"} if genome.newborn else set()
    assert same_but(genome, children, rows, *genome.evolve, *(state - {"stream", "utility"}), "key")


@pytest.mark.parametrize("newborn", [True, False])
def test_without_anything_that_evolves_only_the_key_is_new(newborn: bool) -> None:
    genome = Learner((3,), (4,), 1, newborn=newborn, settings={"momentum": 0.5}, mutation_deviation=9.0)
    rows = lived(genome, sampled(genome))
    children = genome.mutate(rows, seeds.rng(0, "mutate"))
    assert not (view(genome, children, "key") == view(genome, rows, "key")).any()
    now, before = genome.express(children).settings, genome.express(rows).settings
    assert all(torch.equal(now[name], before[name]) for name in NAMES)
    if not newborn:
        assert same_but(genome, children, rows, "key")


def test_newborn_children_have_weights_and_a_lifetime_of_their_own() -> None:
    genome = Learner((3,), (4,), 1, activations=("relu", "tanh"), choice_rate=0.5, settings={"momentum": 0.5})
    rows = lived(genome, sampled(genome, 400))
    children = genome.express(genome.mutate(rows, seeds.rng(0, "mutate")))
    assert not (children.weights[:, :12] == genome.express(rows).weights[:, :12]).any()
    assert torch.equal(children.weights, children.initial_weights)
    for name in ("segments", "first_moment", "ages", "utilities", "mean_activations", "mean_magnitudes", "due"):
        assert view(genome, rows, name).any()
        assert not getattr(children, name).any()
    for place, gain in ((ACTIVATIONS.index("relu"), math.sqrt(2)), (ACTIVATIONS.index("tanh"), 5 / 3)):
        first = children[children.activation == place].kernel(genome.architecture.layers[0])
        assert float(first.abs().max()) == pytest.approx(gain, rel=0.01)


def changes(name: str, start: float, count: int = 6000, **choices: Any) -> np.ndarray:
    """Return the values of a setting in as many children of learners with a value."""
    genome = Learner((1,), (), 1, settings={name: start}, evolve=(name,), newborn=False, **choices)
    children = genome.mutate(sampled(genome, count), seeds.rng(3, "mutate"))
    values: np.ndarray = view(genome, children, name).double().numpy()
    return values


@pytest.mark.parametrize(
    ("name", "start", "width"),
    [
        (STEP, 0.01, 1.0),
        ("maturity_threshold", 300.0, 1.0),
        ("momentum", 0.9, 1.0),
        ("utility_decay", 0.99, 1.0),
        ("dropout", 0.45, 0.9),
        ("dormancy_threshold", 0.5, 1.0),
    ],
)
def test_steps_are_normal_on_the_settings_scale(name: str, start: float, width: float) -> None:
    deviation = 0.1
    values = changes(name, start, mutation_rate=0.4, mutation_deviation=deviation, toggle_rate=0.0)
    scaled = SCALES[BY_NAME[name].scale]
    moves = (scaled(values) - scaled(float(np.float32(start)))) / width
    moved = moves[values != np.float32(start)]
    assert len(moved) / len(moves) == pytest.approx(0.4, abs=0.02)
    assert stats.kstest(moved, "norm", (0.0, deviation)).pvalue > 1e-4


def test_a_step_beyond_a_bound_ends_there() -> None:
    values = changes(STEP, 0.9, mutation_deviation=5.0)
    share = {bound: float((values == np.float32(bound)).mean()) for bound in (1.0, 1e-5)}
    assert share[1.0] == pytest.approx(stats.norm.sf(math.log(1 / 0.9), scale=5.0), abs=0.02)
    assert share[1e-5] == pytest.approx(stats.norm.cdf(math.log(1e-5 / 0.9), scale=5.0), abs=0.01)


def test_operators_are_switched_on_anywhere_in_their_range_and_off() -> None:
    values = changes(RATE, 0.0, toggle_rate=0.3)
    on = values[values != 0.0]
    assert len(on) / len(values) == pytest.approx(0.3, abs=0.02)
    assert stats.kstest(np.log(on), "uniform", (math.log(1e-7), math.log(0.1 / 1e-7))).pvalue > 1e-4
    values = changes(RATE, 1e-4, toggle_rate=0.3)
    assert float((values == 0.0).mean()) == pytest.approx(0.3, abs=0.02)
    assert not changes(RATE, 0.0, toggle_rate=0.0).any()


def test_what_is_no_operator_is_never_switched_off() -> None:
    for name in ("step_size", "maturity_threshold", "utility_decay"):
        assert changes(name, BY_NAME[name].default, toggle_rate=1.0, mutation_rate=0.0).all()


def test_choices_are_drawn_anew_as_often_as_said() -> None:
    genome = Learner((1,), (), 1, activations=("relu", "tanh"), utilities=("weight", "random"), choice_rate=0.2)
    rows = sampled(genome, 8000)
    children = genome.mutate(rows, seeds.rng(0, "mutate"))
    changed = {gene: view(genome, children, gene) != view(genome, rows, gene) for gene in ("activation", "utility")}
    for others in changed.values():
        assert float(others.double().mean()) == pytest.approx(0.1, abs=0.01)
    assert float((changed["activation"] & changed["utility"]).double().mean()) == pytest.approx(0.01, abs=0.005)


def test_learned_weights_keep_their_activation() -> None:
    genome = Learner((1,), (2,), 1, activations=("relu", "tanh"), newborn=False, choice_rate=1.0)
    rows = sampled(genome, 100)
    assert len(view(genome, rows, "activation").unique()) == 2
    for children in (
        genome.mutate(rows, seeds.rng(0, "mutate")),
        genome.crossover(rows, rows.flip(0), seeds.rng(0, "cross")),
    ):
        assert torch.equal(view(genome, children, "activation"), view(genome, rows, "activation"))


# Crossover


def test_children_take_settings_from_either_parent_and_all_else_from_the_first() -> None:
    genome = Learner((2,), (3,), 1, evolve=USED, utilities=UTILITIES, activations=ACTIVATIONS)
    rows = lived(genome, sampled(genome, 4000))
    first, second = rows[:2000], rows[2000:]
    children = genome.crossover(first, second, seeds.rng(0, "cross"))
    assert same_but(genome, children, first, *USED, "utility", "activation")
    taken = []
    for name in (*USED, "utility", "activation"):
        mine, theirs, child = (view(genome, some, name) for some in (first, second, children))
        differ = mine != theirs
        assert bool(((child == mine) | (child == theirs)).all())
        assert float((child == theirs)[differ].double().mean()) == pytest.approx(0.5, abs=0.05)
        taken.append((child == theirs) | ~differ)
    both = (taken[0] & taken[1]).double().mean()
    assert float(both) == pytest.approx(0.25, abs=0.04), "each setting by itself"


# Lifetimes


@pytest.mark.parametrize("genome", GENOMES.values(), ids=GENOMES.keys())
def test_a_lifetime_is_absorbed_to_the_bit(genome: Learner) -> None:
    rows = lived(genome, sampled(genome))
    learners = genome.express(rows)
    assert torch.equal(genome.absorb(rows, learners), rows)
    after = live(learners)[1]
    learned = genome.absorb(rows, after)
    again = genome.express(learned)
    for field in fields(Learners):
        value = getattr(after, field.name)
        if isinstance(value, torch.Tensor):
            assert torch.equal(getattr(again, field.name), value), field.name
    assert all(torch.equal(again.settings[name], learners.settings[name]) for name in NAMES)
    assert torch.equal(learned[:, genome.layout.genes :], rows[:, genome.layout.genes :])


def test_learners_share_no_memory_with_rows() -> None:
    genome = GENOMES["everything evolves"]
    rows = sampled(genome)
    before = rows.clone()
    learners = genome.express(rows)
    for values in [getattr(learners, field.name) for field in fields(Learners)] + list(learners.settings.values()):
        if isinstance(values, torch.Tensor):
            assert values.is_contiguous()
            values += 1
    assert torch.equal(rows, before)


def test_shapes_are_those_of_the_contract() -> None:
    genome = Learner((4,), (3, 2), 1, rules=ADAM)
    learners = genome.express(sampled(genome, 5))
    parameters = 4 * 3 + 3 + 3 * 2 + 2 + 2 * 1 + 1
    assert genome.complexity(sampled(genome, 2)).tolist() == [parameters] * 2
    for name in ("weights", "initial_weights", "first_moment", "second_moment", "moment_steps"):
        assert getattr(learners, name).shape == (5, parameters)
    for name in ("ages", "utilities", "mean_activations", "mean_magnitudes", "due"):
        assert getattr(learners, name).shape == (5, 2 if name == "due" else 5)
        assert getattr(learners, name).dtype == torch.float32
    for name in ("activation", "utility", "key", "stream", "segments"):
        assert getattr(learners, name).dtype == torch.int64
    assert all(learners.settings[name].shape == (5,) for name in NAMES)


def test_online_normalization_starts_from_mean_0_and_variance_1() -> None:
    genome = replace(GENOMES["normalized online"], newborn=True)
    expected = [[[0.0] * 3, [1.0] * 3, [0.0] * 3, [0.0] * 3]] * 2
    rows = sampled(genome, 2)
    for newborns in (rows, genome.mutate(lived(genome, rows), seeds.rng(0, "mutate"))):
        state = genome.express(newborns).normalization_state
        assert state is not None
        assert state.tolist() == expected
    plain = GENOMES["plain"]
    assert plain.express(sampled(plain, 2)).normalization_state is None


@pytest.mark.parametrize(
    ("choices", "widths"),
    [
        ({}, (0, 0, 0)),
        ({"settings": {"momentum": 0.9}}, (9, 0, 0)),
        ({"settings": {"momentum": 0.0}}, (9, 0, 0)),
        ({"evolve": ("momentum",)}, (9, 0, 0)),
        ({"rules": ADAM}, (9, 9, 9)),
    ],
)
def test_rows_hold_what_the_optimiser_needs(choices: dict[str, Any], widths: tuple[int, ...]) -> None:
    genome = Learner((2,), (2,), 1, **choices)
    learners = genome.express(sampled(genome, 2))
    assert (
        tuple(getattr(learners, name).shape[1] for name in ("first_moment", "second_moment", "moment_steps")) == widths
    )


OLD_FIELDS = [
    *("activation", "utility", "key", "stream", "segments", "step_size", "momentum", "first_moment_decay"),
    *("second_moment_decay", "weight_decay", "decoupled_decay", "initial_decay", "noise", "replacement_rate"),
    *("maturity_threshold", "utility_decay", "dropout", "dormancy_threshold", "dormancy_period", "weights"),
    *("initial_weights", "first_moment", "second_moment", "moment_steps", "ages", "utilities", "mean_activations"),
    *("mean_magnitudes", "due", "normalization_state"),
]


@pytest.mark.parametrize(
    ("choices", "more"),
    [
        ({}, []),
        ({"rules": Rules(fisher="empirical"), "evolve": (STEP,)}, []),
        ({"settings": {"consolidation": 0.0}}, ["consolidation", "precision", "pull"]),
        ({"evolve": ("anchoring",)}, ["anchoring", "precision", "pull"]),
        ({"settings": {"consolidation_decay": 0.5}}, ["consolidation_decay"]),
    ],
)
def test_what_came_later_is_in_rows_only_where_it_is_named(choices: dict[str, Any], more: list[str]) -> None:
    genome = Learner((2,), (2,), 1, **choices)
    names = [field.name for field in genome.layout.fields]
    assert [name for name in names if name not in more] == OLD_FIELDS
    assert [name for name in names if name in more] == more
    learners = genome.express(sampled(genome, 2))
    assert set(learners.settings) == set(NAMES)
    held = (2, genome.architecture.parameters) if "pull" in more else None
    assert [None if state is None else tuple(state.shape) for state in (learners.precision, learners.pull)] == [
        held
    ] * 2


def test_rules_are_recorded_as_they_were_before_there_were_more() -> None:
    old = {"optimizer", "initial", "accumulate", "count_all", "bias_transfer", "corrected"}
    old |= {"reset_optimizer", "released_adam"}
    assert set(settings_of(Rules())) == old
    assert set(settings_of(Rules(consolidate="online", fisher_cases=50))) == old | {"consolidate", "fisher_cases"}


def test_a_cohort_makes_room_for_those_who_consolidate() -> None:
    chosen: list[dict[str, Any]] = [{}, {"consolidation": 3.0}, {"anchoring": 0.5}]
    genome, rows = Learner((2,), (2,), 1).cohort(chosen, [5, 7], seeds.rng(0, "cohort"))
    learners = genome.express(rows)
    assert learners.settings["consolidation"].tolist() == [0, 0, 3, 3, 0, 0]
    assert learners.settings["anchoring"].tolist() == [0, 0, 0, 0, 0.5, 0.5]
    assert learners.settings["consolidation_decay"].tolist() == [1.0] * 6
    assert learners.precision is not None
    assert not learners.precision.any()
    plain, alone = Learner((2,), (2,), 1).cohort([{}], [5, 7], seeds.rng(0, "cohort"))
    assert torch.equal(plain.express(alone).weights, learners.weights[:2])


def test_a_period_is_a_whole_number_of_steps() -> None:
    genome = Learner((2,), (2,), 1, settings={"dormancy_period": 99.7})
    assert genome.express(sampled(genome, 1)).settings["dormancy_period"].tolist() == [100.0]


# Files


def test_a_described_learner_is_restored_to_the_bit() -> None:
    genome = GENOMES["everything evolves"]
    rows = lived(genome, sampled(genome))
    for row in rows:
        described = json.loads(json.dumps(genome.describe(row), allow_nan=False))
        assert described["activation"] in ACTIVATIONS
        assert described["utility"] in UTILITIES
        restored = genome.restore(described)
        assert torch.equal(restored[:, : genome.layout.genes], row[None, : genome.layout.genes])


def test_a_learner_that_went_astray_can_be_described() -> None:
    genome = Learner((2,), (2,), 1)
    rows = sampled(genome, 1)
    view(genome, rows, "weights")[0, :2] = torch.tensor([math.nan, math.inf])
    described = json.loads(json.dumps(genome.describe(rows[0]), allow_nan=False))
    weights = view(genome, genome.restore(described), "weights")[0]
    assert weights[:2].isnan().all()
    assert torch.equal(weights[2:], view(genome, rows, "weights")[0, 2:])


@pytest.mark.parametrize("genome", GENOMES.values(), ids=GENOMES.keys())
def test_a_genome_is_made_again_from_a_champion_file(genome: Learner, tmp_path: Any) -> None:
    described = json.loads(json.dumps(describe(genome)))
    assert "source" not in described
    champion = Champion(described, {}, {}, {}, {}, 0, 0)
    again = genome_of(champion, tmp_path)
    assert again == genome
    assert again.layout == genome.layout


# Cohorts


def test_learners_of_one_stream_differ_by_their_settings_alone() -> None:
    genome = Learner((3,), (4,), 2, settings={"noise": 0.01})
    settings = ({}, {STEP: 0.003, RATE: 1e-4}, {"activation": "tanh"}, {"utility": "random", "noise": 0})
    same, rows = genome.cohort(settings, (7, 3, 11), seeds.rng(0, "cohort"))
    learners = same.express(rows)
    assert same is genome
    assert learners.stream.tolist() == [7, 3, 11] * 4
    table = {name: values.view(4, 3) for name, values in learners.settings.items()}
    assert table[STEP].tolist() == [[pytest.approx(value)] * 3 for value in (0.01, 0.003, 0.01, 0.01)]
    assert table[RATE].tolist() == [[pytest.approx(value)] * 3 for value in (0.0, 1e-4, 0.0, 0.0)]
    assert table["noise"].tolist() == [[pytest.approx(value)] * 3 for value in (0.01, 0.01, 0.01, 0.0)]
    assert learners.activation.view(4, 3)[:, 0].tolist() == [
        ACTIVATIONS.index(n) for n in ("relu", "relu", "tanh", "relu")
    ]
    assert learners.utility.view(4, 3)[:, 2].tolist() == [0, 0, 0, UTILITIES.index("random")]
    keys, weights = learners.key.view(4, 3), learners.weights.view(4, 3, -1)
    assert bool((keys == keys[0]).all())
    assert len(set(keys[0].tolist())) == 3
    assert torch.equal(weights[1], weights[0])
    assert torch.equal(weights[3], weights[0])
    layer = genome.architecture.layers[0]
    relu, tanh = (weights[number, :, layer.begin : layer.bias_begin] for number in (0, 2))
    torch.testing.assert_close(tanh, relu * (5 / 3 / math.sqrt(2.0)))
    assert torch.equal(weights[2, :, layer.end :], weights[0, :, layer.end :]), "outputs are linear in any case"
    assert len(weights[0].unique(dim=0)) == 3


def test_a_stream_has_the_same_learners_whatever_else_is_there() -> None:
    genome = Learner((3,), (4,), 2)
    _, few = genome.cohort(({STEP: 0.1},), (5,), seeds.rng(0, "cohort"))
    _, many = genome.cohort(({}, {STEP: 0.1}), (9, 5, 2), seeds.rng(0, "cohort"))
    assert torch.equal(few[0], many[4])
    _, other = genome.cohort(({STEP: 0.1},), (5,), seeds.rng(1, "cohort"))
    assert not torch.equal(few[0], other[0])


def test_a_cohort_with_momentum_gets_the_room_for_it() -> None:
    genome = Learner((3,), (4,), 2)
    wider, rows = genome.cohort(({}, {"momentum": 0.9}), (1, 2), seeds.rng(0, "cohort"))
    learners = wider.express(rows)
    assert learners.first_moment.shape == learners.weights.shape
    assert learners.settings["momentum"].tolist() == [0.0, 0.0, pytest.approx(0.9), pytest.approx(0.9)]
    assert wider.cohort(({}, {"momentum": 0.9}), (1, 2), seeds.rng(0, "cohort"))[0] is wider


@pytest.mark.parametrize("streams", [(), (1, 1), (-1,), (2**24,)])
def test_streams_are_different_numbers(streams: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="different numbers from 0 to 16777215"):
        Learner((3,), (4,), 2).cohort(({},), streams, seeds.rng(0, "cohort"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"step_sise": 0.1}, "did you mean 'step_size'"),
        ({"activation": "relo"}, "did you mean 'relu'"),
        ({"utility": "contribtion"}, "did you mean 'contribution'"),
        ({STEP: -1.0}, "step_size is a number from 0 up"),
    ],
)
def test_a_cohort_tells_a_wrong_setting(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Learner((3,), (4,), 2).cohort((settings,), (1,), seeds.rng(0, "cohort"))


# What algorithms see


def test_features_are_the_evolving_settings_and_the_size() -> None:
    genome = Learner((3,), (4,), 2, evolve=(RATE, STEP))
    rows = sampled(genome)
    features = genome.features(rows)
    assert list(features) == ["complexity", STEP, RATE]
    assert torch.equal(features[RATE], view(genome, rows, RATE).double())
    assert all(values.dtype == torch.float64 for values in features.values())


def test_distance_counts_settings_by_their_places_in_their_ranges() -> None:
    genome = Learner((3,), (4,), 2, settings={STEP: 1e-5, "dropout": 0.0, RATE: 0.0}, evolve=(STEP, "dropout", RATE))
    changes = ({}, {STEP: 1.0}, {"dropout": 0.45}, {RATE: 1e-4}, {"activation": "tanh"}, {"maturity_threshold": 9})
    _, rows = genome.cohort(changes, (1,), seeds.rng(0, "cohort"))
    expected = [math.sqrt(square / 5) for square in (0.0, 1.0, 0.25, 1.5**2, 1.0, 0.0)]
    distance = genome.distance(rows[:1], rows)
    assert distance.dtype == torch.float64
    assert distance[0].tolist() == [pytest.approx(value, abs=1e-6) for value in expected]
    assert genome.distance(rows, rows[:1])[:, 0].tolist() == distance[0].tolist()


def test_a_stream_shapes_a_learner() -> None:
    genome = Learner.for_problem(DriftingStream(), hidden=(5,), evolve=(STEP,))
    assert genome == Learner((3,), (5,), 2, evolve=(STEP,))
    with pytest.raises(TypeError, match="xor-v1 is no stream"):
        Learner.for_problem(Xor(), hidden=(5,))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"evolve": ("step_sise",)}, "evolve.*did you mean 'step_size'"),
        ({"evolve": (STEP, STEP)}, "each name once"),
        ({"settings": {"momentun": 0.9}}, "settings.*did you mean 'momentum'"),
        ({"settings": {"momentum": 1.0}}, "momentum is a number from 0 up, less than 1"),
        ({"settings": {"dropout": 1.0}}, "dropout is a number from 0 to 0.9"),
        ({"settings": {STEP: math.nan}}, "step_size is a number from 0 up"),
        ({"settings": {STEP: "0.1"}}, "step_size is a number from 0 up"),
        ({"activations": ()}, "at least one activation"),
        ({"activations": ("relo",)}, "did you mean 'relu'"),
        ({"utilities": ("relu",)}, "utilities: expected names among"),
        ({"mutation_rate": 1.1}, "mutation_rate is a probability"),
        ({"toggle_rate": math.nan}, "toggle_rate is a probability"),
        ({"mutation_deviation": -1.0}, "mutation_deviation is a number from 0 up"),
        ({"hidden": (0,)}, "all sizes are at least 1"),
        ({"settings": {"momentum": 0.5}, "rules": Rules("adam")}, "momentum has no effect with the optimizer 'adam'"),
        ({"evolve": ("second_moment_decay",)}, "second_moment_decay has no effect with the optimizer 'sgd'"),
        ({"concatenated": True, "activations": ("relu", "tanh")}, "relu to both signs"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Learner(**{"inputs": (3,), "hidden": (4,), "outputs": 2, **wrong})


def test_a_forgotten_comma_is_understood() -> None:
    assert Learner(3, 4, 2) == Learner((3,), (4,), 2)  # type: ignore[arg-type]


def test_parts_of_the_wrong_kind_are_told() -> None:
    with pytest.raises(TypeError, match="rules: expected Rules"):
        Learner((3,), (4,), 2, rules="adam")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="settings: expected numbers by names"):
        Learner((3,), (4,), 2, settings=(("step_size", 0.1),))  # type: ignore[arg-type]
