"""Studies as arrays, intervals and tables, against numpy and scipy by hand on folders whose numbers are known."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from study_folder import LEARNER, PROBLEM, write_campaign, write_run

from evo.cli import main
from evo.cohort_record import CohortRecord, studies
from evo.interval import LARGEST, mean, mean_interval, quartiles, stretches
from evo.journal import decode, encode
from evo.panel import log_ticks, moments, panel, power
from evo.quantity import axis_label, one_number
from evo.run import CampaignError
from evo.study_table import plus_minus, sentences, study_table, tables

LABELS = ("step_size 0.01", "step_size 0.01, replacement_rate 0.0001", "as it is")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def cohort(
    folder: Path, scores: np.ndarray, streams: tuple[int, ...] = (7, 8, 9, 10), **measured: np.ndarray
) -> CohortRecord:
    """The study of one run with three settings, for scores `[generations, settings, streams]`."""
    flat = {name: values.reshape(len(values), -1, *values.shape[3:]) for name, values in measured.items()}
    write_campaign(folder)
    write_run(folder / "default" / "seed-0", scores.reshape(len(scores), -1), flat, None, LABELS, streams)
    (record,) = studies(folder)
    return record


def test_individuals_are_told_by_setting_and_stream(tmp_path: Path) -> None:
    """Individual i has setting i // streams and stream i % streams."""
    scores = 100.0 * np.arange(5)[:, None] + np.arange(12.0)
    dead = np.stack((scores, scores + 0.5), axis=2) / 1000
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", scores, {"dead": dead}, None, LABELS, (7, 8, 9, 10))
    (record,) = studies(tmp_path)
    assert record.labels == ("step size 0.01", "step size 0.01, replacement rate 0.0001", "as it is")
    assert record.streams == ("seed 0, 7", "seed 0, 8", "seed 0, 9", "seed 0, 10")
    assert record.values["score"].shape == (5, 3, 4)
    assert record.values["score"][3, 2, 1] == 300 + 2 * 4 + 1
    assert record.values["dead"].shape == (5, 3, 4, 2)
    assert record.values["dead"][3, 2, 1].tolist() == [0.309, 0.3095]
    assert (record.objective, record.maximize, record.moment, record.evolving) == (
        "squared_error",
        False,
        "segment",
        False,
    )


def test_what_is_not_finite_is_nan(tmp_path: Path) -> None:
    scores = noise(3, 3, 4)
    scores[1:, 2, 3] = np.nan
    loss = np.stack((scores, scores), axis=3)
    loss[1, 0, 0, 1] = np.inf
    record = cohort(tmp_path, scores, loss=loss)
    np.testing.assert_array_equal(record.values["score"], scores)
    assert np.isnan(record.values["loss"][1, 0, 0]).tolist() == [False, True]
    assert np.isnan(record.curves["loss"][1, 0, 0])
    assert record.failed().tolist() == [0, 0, 1]


def test_seeds_join_as_streams_and_variants_as_settings(tmp_path: Path) -> None:
    """Variants share the streams that have the same seed and number; what a variant has not is NaN."""
    write_campaign(tmp_path, ("plain", "wide_ones"), (0, 1))
    arrays = {
        (variant, seed): noise(2, 2 * count, seed=10 * seed + count)
        for variant, count in (("plain", 2), ("wide_ones", 3))
        for seed in (0, 1)
    }
    for (variant, seed), scores in arrays.items():
        streams = [50 * seed + number for number in range(scores.shape[1] // 2)]
        loss = {"loss": scores[..., None]}
        write_run(tmp_path / variant / f"seed-{seed}", scores, loss, None, ("slow", "fast"), streams)
    (record,) = studies(tmp_path)
    assert record.labels == ("plain: slow", "plain: fast", "wide ones: slow", "wide ones: fast")
    assert record.streams == ("seed 0, 0", "seed 0, 1", "seed 1, 50", "seed 1, 51", "seed 0, 2", "seed 1, 52")
    score = record.curves["score"]
    np.testing.assert_array_equal(score[:, 1, 2:4], arrays["plain", 1][:, 2:])
    np.testing.assert_array_equal(score[:, 3][:, [2, 3, 5]], arrays["wide_ones", 1][:, 3:])
    assert np.isnan(score[:, :2, 4:]).all()
    assert record.lived.sum(1).tolist() == [4, 4, 6, 6]
    assert record.failed().tolist() == [0, 0, 0, 0]


def test_a_variant_of_one_setting_is_called_by_its_name(tmp_path: Path) -> None:
    write_campaign(tmp_path, ("sgd", "adam"))
    for variant in ("sgd", "adam"):
        write_run(tmp_path / variant / "seed-0", noise(2, 3), {"loss": noise(2, 3)}, None, ("as it is",), (0, 1, 2))
    assert studies(tmp_path)[0].labels == ("sgd", "adam")


def test_two_settings_of_one_label_are_numbered(tmp_path: Path) -> None:
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", noise(2, 2), {"loss": noise(2, 2)}, None, ("same", "same"), (0,))
    assert studies(tmp_path)[0].labels == ("same (1)", "same (2)")


def test_layers_count_by_their_units(tmp_path: Path) -> None:
    """LEARNER has hidden layers of 10 and 30 units: 5 and 3 dead ones are a fifth of all."""
    dead = np.broadcast_to([0.5, 0.1], (2, 3, 4, 2))
    rank = np.broadcast_to([5.0, 6.0], (2, 3, 4, 2))
    replaced = np.broadcast_to([2.0, 3.0], (2, 3, 4, 2))
    accuracy = np.broadcast_to([0.5, 1.0], (2, 3, 4, 2))
    given = {"dead": dead, "effective_rank": rank, "replaced": replaced, "accuracy": accuracy}
    record = cohort(tmp_path, noise(2, 3, 4), **given)
    expected = {"dead": 20.0, "effective_rank": (50 + 20) / 2, "replaced": 5.0, "accuracy": 75.0}
    for name, value in expected.items():
        np.testing.assert_allclose(record.curves[name], value, rtol=1e-12, err_msg=name)
    assert axis_label("effective_rank", record.relative) == "Effective rank (% of hidden units)"


@pytest.mark.parametrize(
    ("genome", "dead", "rank", "label"),
    [
        ({"name": "mine", "settings": {"hidden": [3]}}, 30.0, 5.5, "Effective rank (units)"),  # no learner
        ({**LEARNER, "settings": {**LEARNER["settings"], "hidden": [10, 30, 5]}}, 30.0, 5.5, "Effective rank (units)"),
        (
            {**LEARNER, "settings": {**LEARNER["settings"], "concatenated": True}},
            20.0,
            100 * (5 / 20 + 6 / 60) / 2,
            "Effective rank (% of hidden units)",
        ),
        (
            {
                "name": "learner",
                "settings": {
                    "hidden": [40],
                    "concatenated": False,
                    "convolutions": [{"name": "Convolution", "settings": {"channels": 10, "size": 3, "pool": 2}}],
                },
            },
            100 * (5 + 4) / 50,
            100 * (5 / 10 + 6 / 40) / 2,
            "Effective rank (% of hidden units)",
        ),
    ],
    ids=["no learner", "other layers", "concatenated", "convolutions"],
)
def test_units_are_those_of_the_genome(tmp_path: Path, genome: dict, dead: float, rank: float, label: str) -> None:
    write_campaign(tmp_path, genome=genome)
    given = {"dead": np.broadcast_to([0.5, 0.1], (1, 2, 2)), "effective_rank": np.broadcast_to([5.0, 6.0], (1, 2, 2))}
    write_run(tmp_path / "default" / "seed-0", noise(1, 2), given, None, ("a", "b"), (0,))
    (record,) = studies(tmp_path)
    assert record.curves["dead"][0, 0, 0] == pytest.approx(dead)
    assert record.curves["effective_rank"][0, 0, 0] == pytest.approx(rank)
    assert axis_label("effective_rank", record.relative) == label


def test_variants_with_other_layers_join(tmp_path: Path) -> None:
    """A linear learner has no hidden units, so no share of dead ones; nothing is left out of the others'."""
    linear = {**LEARNER, "settings": {**LEARNER["settings"], "hidden": []}}
    write_campaign(tmp_path, ("linear", "deep"), genome=(linear, LEARNER))
    for variant, dead in (("linear", np.zeros((2, 3, 0))), ("deep", np.broadcast_to([0.5, 0.1], (2, 3, 2)))):
        given = {"dead": dead, "replaced": np.ones_like(dead)}
        write_run(tmp_path / variant / "seed-0", noise(2, 3), given, None, ("as it is",), (0, 1, 2))
    (record,) = studies(tmp_path)
    assert np.isnan(record.curves["dead"][:, 0]).all()
    np.testing.assert_allclose(record.curves["dead"][:, 1], 20.0)
    assert record.curves["replaced"][0, :, 0].tolist() == [0.0, 2.0]
    assert "| -" in study_table(record).markdown()


def test_runs_are_compared_over_the_generations_that_all_have(tmp_path: Path) -> None:
    write_campaign(tmp_path, seeds=(0, 1, 2))
    for seed, generations in ((0, 7), (1, 4)):
        scores = noise(generations, 2)
        write_run(tmp_path / "default" / f"seed-{seed}", scores, {"loss": scores}, None, ("a", "b"), (seed,))
    write_run(tmp_path / "default" / "seed-2", noise(0, 2))  # begun, with no generation yet
    (record,) = studies(tmp_path)
    assert (record.generations, record.longest, len(record.streams)) == (4, 7, 2)
    assert "Cut at 4 segments, which all runs have; the longest has 7." in sentences(record)


def test_a_torn_journal_counts_up_to_the_damage(tmp_path: Path) -> None:
    cohort(tmp_path, noise(6, 3, 4), loss=noise(6, 3, 4))
    journal = tmp_path / "default" / "seed-0" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert studies(tmp_path)[0].generations == 5


def test_a_runs_folder_is_a_study_too(tmp_path: Path) -> None:
    scores = noise(3, 3, 4)
    whole = cohort(tmp_path / "campaign", scores, dead=np.broadcast_to([0.5, 0.1], (3, 3, 4, 2)))
    (one,) = studies(tmp_path / "campaign" / "default" / "seed-0")
    assert (one.labels, one.objective, one.problem) == (whole.labels, "squared_error", "some-stream-v1")
    np.testing.assert_array_equal(one.curves["dead"], whole.curves["dead"])
    (tmp_path / "campaign" / "default" / "seed-0").rename(tmp_path / "seed-0")
    (alone,) = studies(tmp_path / "seed-0")
    assert (alone.objective, alone.relative, alone.moment) == ("score", False, "generation")
    np.testing.assert_array_equal(alone.curves["score"], scores)


def test_populations_are_lines_of_their_own(tmp_path: Path) -> None:
    """Each run is a line; individuals stand where streams do, whatever their number."""
    write_campaign(tmp_path, ("cohort", "evolving"), (0, 1))
    write_run(tmp_path / "cohort" / "seed-0", noise(3, 2), {"loss": noise(3, 2)}, None, ("a", "b"), (0,))
    described = json.loads((tmp_path / "campaign.json").read_text())
    described["configuration"]["variants"]["evolving"]["algorithm"]["name"] = "population-based-training"
    (tmp_path / "campaign.json").write_text(json.dumps(described))
    steps = {seed: np.exp(noise(3, 4 + seed, seed=seed)) for seed in (0, 1)}
    for seed, step_size in steps.items():
        scores = noise(3, 4 + seed)
        write_run(tmp_path / "evolving" / f"seed-{seed}", scores, {"loss": scores}, {"step_size": step_size})
    compared, evolving = studies(tmp_path)
    assert (compared.labels, compared.evolving, compared.genes) == (("a", "b"), False, ())
    assert (evolving.labels, evolving.evolving, evolving.genes) == (("seed 0", "seed 1"), True, ("step_size",))
    np.testing.assert_array_equal(evolving.curves["step_size"][:, 1], steps[1])
    np.testing.assert_array_equal(evolving.curves["step_size"][:, 0, :4], steps[0])
    assert np.isnan(evolving.curves["step_size"][:, 0, 4]).all()
    assert evolving.names() == ["score", "step_size"]


def test_a_cohort_that_has_not_said_who_is_who_is_no_population(tmp_path: Path) -> None:
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", noise(3, 2), {"loss": noise(3, 2)})
    assert studies(tmp_path) == []
    assert "says who is who in cohort.json" in tables(tmp_path)


def test_runs_that_measure_nothing_are_no_study(tmp_path: Path) -> None:
    write_campaign(tmp_path, algorithm="mu-plus-lambda")
    write_run(tmp_path / "default" / "seed-0", noise(3, 2))
    assert studies(tmp_path) == []


def test_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="holds no campaign"):
        studies(tmp_path)
    write_campaign(tmp_path, seeds=(0, 1))
    for seed, labels in ((0, ("a", "b")), (1, ("a", "c"))):
        folder = tmp_path / "default" / f"seed-{seed}"
        write_run(folder, noise(2, 4), {"loss": noise(2, 4)}, None, labels, (0, 1))
    with pytest.raises(CampaignError, match="setting 2 is 'c' here, and 'b' in another seed"):
        studies(tmp_path)
    who = tmp_path / "default" / "seed-1" / "cohort.json"
    for content, said in (
        ({"format": "evo.cohort/2"}, "not of the format"),
        ({"format": "evo.cohort/1", "labels": ["a"], "streams": [0]}, "1 labels and 1 streams.*4 individuals"),
        ({"format": "evo.cohort/1"}, "0 labels and 0 streams"),
    ):
        who.write_text(json.dumps(content))
        with pytest.raises(CampaignError, match=said):
            studies(tmp_path)


def test_what_is_there_twice_or_0_throughout_is_not_shown(tmp_path: Path) -> None:
    scores = noise(3, 3, 4)
    given = {
        "gradient_norm": np.abs(noise(3, 3, 4, seed=1)),
        "loss": np.round(scores, 9)[..., None],
        "saturated": np.zeros((3, 3, 4, 2)),
        "mine": noise(3, 3, 4, seed=2),
        "dead": np.full((3, 3, 4, 2), np.nan),
        "layer_weight_magnitude": np.ones((3, 3, 4, 3)),
    }
    record = cohort(tmp_path, scores, **given)
    assert record.names() == ["score", "gradient_norm", "mine"]
    assert record.still() == ["saturated"]


# --- numbers


@pytest.mark.parametrize("missing", [0, 3])
def test_intervals_are_student_ts(missing: int) -> None:
    values = noise(4, 5, 9)
    values[1, 2, :missing] = np.nan
    centre, half = mean_interval(values)
    for place in np.ndindex(4, 5):
        one = values[place][~np.isnan(values[place])]
        low, high = stats.t.interval(0.95, len(one) - 1, one.mean(), stats.sem(one))
        assert centre[place] == pytest.approx(one.mean(), rel=1e-12)
        assert (centre - half)[place] == pytest.approx(low, rel=1e-9)
        assert (centre + half)[place] == pytest.approx(high, rel=1e-9)


def test_one_value_has_no_interval_and_none_no_mean() -> None:
    centre, half = mean_interval(np.array([[1.0, np.nan], [np.nan, np.nan], [2.0, 2.0], [3.0, 10 * LARGEST]]))
    np.testing.assert_array_equal(centre, [1.0, np.nan, 2.0, 3.0])
    np.testing.assert_array_equal(half, [np.nan, np.nan, 0.0, np.nan])


def test_quartiles_leave_out_what_is_not_finite() -> None:
    values = noise(6, 2, 11)
    values[0, 0] = np.nan
    values[1, 1, 4:] = np.inf
    found = quartiles(values)
    assert all(math.isnan(one[0, 0]) for one in found)
    for share, one in zip((0.25, 0.5, 0.75), found, strict=True):
        assert one[1, 1] == pytest.approx(np.quantile(values[1, 1, :4], share))
        assert one[5, 1] == pytest.approx(np.quantile(values[5, 1], share))


def test_stretches_are_means_of_equal_parts() -> None:
    values = noise(1000, 3)
    values[3, 1] = np.nan
    short = stretches(values, 200)
    assert short.shape == (200, 3)
    np.testing.assert_allclose(short[:, 0], values[:, 0].reshape(200, 5).mean(1))
    assert short[0, 1] == pytest.approx(np.delete(values[:5, 1], 3).mean())
    assert stretches(np.arange(8.0), 3).tolist() == [0.5, 3.0, 6.0]
    assert stretches(values, 1000) is values
    assert np.isnan(stretches(np.full(10, np.nan), 2)).all()
    assert mean(np.array([1.0, np.nan, 3.0])) == 2.0


def test_a_panel_is_the_mean_over_streams_of_stretches(tmp_path: Path) -> None:
    scores = noise(600, 3, 4)
    record = cohort(tmp_path, scores, loss=noise(600, 3, 4, seed=1))
    drawn = panel(record, "squared_error")
    assert drawn.name == "score"
    assert (drawn.centre.shape, drawn.x[0], drawn.x[-1]) == ((200, 3), 2.0, 599.0)
    block = scores[300:303].mean(0)
    np.testing.assert_allclose(drawn.centre[100], block.mean(1))
    low, high = stats.t.interval(0.95, 3, block.mean(1), stats.sem(block, axis=1))
    np.testing.assert_allclose(drawn.low[100], low)
    np.testing.assert_allclose(drawn.high[100], high)
    with pytest.raises(ValueError, match=r"'los': nothing of that name.*did you mean 'loss'"):
        panel(record, "los")


def test_scales_are_logarithmic_where_values_span_decades(tmp_path: Path) -> None:
    gradient = np.broadcast_to(np.geomspace(1e-2, 1e3, 6)[:, None, None], (6, 3, 4))
    record = cohort(tmp_path, noise(6, 3, 4), gradient_norm=gradient, mine=np.sqrt(gradient) / 4, small=gradient / 1e3)
    drawn = panel(record, "gradient_norm")
    assert drawn.log
    assert not panel(record, "score").log
    low, high = drawn.ends
    assert drawn.place(low) == 0.0
    assert drawn.place(high) == pytest.approx(1.0)
    assert drawn.place(math.sqrt(low * high)) == pytest.approx(0.5)
    assert [text for _, text in drawn.ticks()] == ["0.01", "0.1", "1", "10", "100", "1000"]
    assert panel(record, "mine").log  # two and a half decades
    assert [text for _, text in panel(record, "small").ticks()] == ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]


def test_a_setting_that_is_off_stands_at_0_below_the_decades(tmp_path: Path) -> None:
    rates = np.broadcast_to(np.array([1e-6, 1e-4, 0.0, 0.0, 1e-3])[:, None], (5, 4))
    write_campaign(tmp_path, algorithm="population-based-training")
    write_run(tmp_path / "default" / "seed-0", noise(5, 4), None, {"replacement_rate": rates})
    drawn = panel(studies(tmp_path)[0], "replacement_rate")
    assert drawn.log
    assert drawn.ticks()[0] == (drawn.zero, "0")
    assert 0.0 < drawn.place(0.0) < drawn.place(1e-6) < drawn.place(1e-3) < 1.0
    assert drawn.ticks()[1][0] >= 1e-6 / 1.2


@pytest.mark.parametrize("last", [1e-6, 1e-3, 1.0, 1e4])
def test_no_power_of_ten_is_written_over_0(tmp_path: Path, last: float) -> None:
    rates = np.broadcast_to(np.array([1.05e-8, 0.0, 1e-7, last])[:, None], (4, 4))
    write_campaign(tmp_path, algorithm="population-based-training")
    write_run(tmp_path / "default" / "seed-0", noise(4, 4), None, {"replacement_rate": rates})
    drawn = panel(studies(tmp_path)[0], "replacement_rate")
    places = [drawn.place(value) for value, _ in drawn.ticks()]
    assert drawn.ticks()[0][1] == "0"
    assert len(places) >= 3
    assert min(np.diff(places)) >= 0.06


def test_percentages_are_never_logarithmic(tmp_path: Path) -> None:
    shares = np.broadcast_to(np.geomspace(1e-5, 0.9, 6)[:, None, None], (6, 3, 4))
    record = cohort(tmp_path, noise(6, 3, 4), dead=np.stack((shares, shares), axis=3), mine=shares)
    assert panel(record, "mine").log
    assert not panel(record, "dead").log


def test_bands_are_cut_at_what_is_possible_and_intervals_are_not(tmp_path: Path) -> None:
    """Four streams, one of which differs: the interval reaches beyond all that there is."""
    share = np.broadcast_to([0.0, 0.0, 0.0, 0.4], (3, 3, 4))
    record = cohort(
        tmp_path,
        noise(3, 3, 4),
        dead=np.stack((share, share), axis=3),
        saturated=1.0 - np.stack((share, share), axis=3),
        gradient_norm=share,
        mine=share - 0.1,
    )
    for name, least, most in (
        ("dead", 0.0, 100.0),
        ("saturated", 0.0, 100.0),
        ("gradient_norm", 0.0, math.inf),
        ("mine", -math.inf, math.inf),
    ):
        drawn = panel(record, name)
        low, high = stats.t.interval(0.95, 3, drawn.centre[0, 0], stats.sem(record.curves[name][0, 0]))
        assert (drawn.low[0, 0], drawn.high[0, 0]) == pytest.approx((low, high))
        assert (low < least) or (high > most) or name == "mine"
        bands = drawn.band()
        assert (bands[0][0, 0], bands[1][0, 0]) == pytest.approx((max(low, least), min(high, most)))
        assert all(least <= value <= most for value, _ in drawn.ticks())
    assert panel(record, "dead").ends[0] == 0.0
    assert panel(record, "mine").ends[0] < panel(record, "mine").low.min()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1e-3, 1.0, [1e-3, 1e-2, 1e-1, 1.0]),
        (0.3, 30.0, [1.0, 10.0]),
        (0.3, 8.0, [0.5, 1.0, 2.0, 5.0]),
        (1e-9, 1e4, [1e-9, 1e-6, 1e-3, 1.0, 1e3]),
    ],
)
def test_ticks_of_logarithmic_scales_are_round(low: float, high: float, expected: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(expected)


def test_powers_and_moments_are_written_as_people_do() -> None:
    assert [power(value) for value in (1e-5, 1.0, 2e4)] == ["10⁻⁵", "10⁰", "2·10⁴"]
    assert moments(60) == [1, 20, 40, 60]
    assert moments(1) == [1]
    assert moments(3) == [1, 2, 3]


def test_one_number_is_nan_where_a_layer_is() -> None:
    values = np.array([[[[0.5, np.nan], [0.5, 0.1]]]])
    found = one_number("dead", values, (10, 30))
    np.testing.assert_allclose(found, [[[np.nan, 20.0]]])


# --- tables


def test_the_tables_numbers_are_those_of_scipy(tmp_path: Path) -> None:
    scores = 2.0 + np.array([0.0, -0.5, 0.3])[:, None] + noise(25, 3, 4) + 5.0 * noise(4, seed=3)
    dead = np.abs(noise(25, 3, 4, 2, seed=1)) / 10
    replaced = np.random.default_rng(2).integers(0, 4, (25, 3, 4, 2)).astype(float)
    record = cohort(tmp_path, scores, dead=dead, replaced=replaced)
    table = study_table(record)
    assert table.heads == [
        "#",
        "setting",
        "score, first 3 segments",
        "score, last 3 segments",
        "difference to 1",
        "dead units, % of hidden units",
        "replaced, total",
    ]
    first, last = scores[:3].mean(0), scores[-3:].mean(0)
    killed = 100 * ((10 * dead[..., 0] + 30 * dead[..., 1]) / 40)[-3:].mean(0)
    for number, row in enumerate(table.rows):
        assert row[:2] == [str(number + 1), record.labels[number]]
        for text, values in ((row[2], first[number]), (row[3], last[number]), (row[5], killed[number])):
            centre, half = (float(part) for part in text.split(" ± "))
            interval = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
            assert centre == pytest.approx(values.mean(), abs=0.06 * half)
            assert half == pytest.approx((interval[1] - interval[0]) / 2, rel=0.06)
        assert row[6] == f"{replaced[:, number].sum() / 4:.0f}"
    assert table.rows[0][4] == ""
    for number in (1, 2):
        paired = stats.ttest_rel(last[number], last[0])
        centre, half = (float(part) for part in table.rows[number][4].split(" ± "))
        low, high = paired.confidence_interval(0.95)
        assert (centre - half, centre + half) == pytest.approx((low, high), abs=0.06 * half)
        assert half < 0.5 * float(table.rows[number][3].split(" ± ")[1])  # the streams' own differences are gone


def test_failures_are_counted_and_told(tmp_path: Path) -> None:
    scores = noise(20, 3, 4)
    scores[5:, 1, 2:] = np.nan
    record = cohort(tmp_path, scores, loss=scores)
    table = study_table(record)
    assert table.heads[-1] == "failed"
    assert [row[-1] for row in table.rows] == ["0", "2", "0"]
    assert any(one.startswith("2 of 12 learners failed") for one in table.said)
    left = (scores[-2:].mean(0)[1] - scores[-2:].mean(0)[0])[:2]
    assert float(table.rows[1][4].split(" ± ")[0]) == pytest.approx(left.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (noise(1, 3, 4), "One segment is recorded, so there is nothing to see over time yet."),
        (np.full((4, 3, 4), np.nan), "All learners failed: their numbers stopped being finite."),
        (noise(0, 3, 4), "nothing to compare is recorded yet"),
    ],
    ids=["one generation", "all failed", "none"],
)
def test_too_little_is_a_sentence(tmp_path: Path, scores: np.ndarray, said: str) -> None:
    write_campaign(tmp_path)
    flat = scores.reshape(len(scores), 12)
    write_run(tmp_path / "default" / "seed-0", flat, {"loss": flat}, None, LABELS, (0, 1, 2, 3))
    assert said in tables(tmp_path)


def test_one_stream_has_no_interval(tmp_path: Path) -> None:
    scores = noise(20, 3, 1)
    record = cohort(tmp_path, scores, streams=(5,), loss=noise(20, 3, 1, seed=1))
    text = study_table(record).markdown()
    assert "±" not in text
    assert "nothing can be said of chance" in text


def test_populations_are_told_by_medians(tmp_path: Path) -> None:
    write_campaign(tmp_path, algorithm="population-based-training")
    scores, steps = np.abs(noise(10, 9)), np.exp(noise(10, 9, seed=1))
    write_run(tmp_path / "default" / "seed-0", scores, {"replaced": np.ones((10, 9, 2))}, {"step_size": steps})
    table = study_table(studies(tmp_path)[0])
    assert table.heads == [
        "#",
        "run",
        "score, first segment",
        "score, last segment",
        "step size, last",
        "replaced, total",
    ]
    expected = [np.quantile(values, share) for values in (scores[9], steps[9]) for share in (0.5, 0.25, 0.75)]
    found = [float(one) for text in table.rows[0][3:5] for one in text.strip(")").replace(" (", " to ").split(" to ")]
    assert found == pytest.approx(expected, rel=0.01)
    assert table.rows[0][5] == "20"


@pytest.mark.parametrize(
    ("centre", "half", "text"),
    [
        (0.48151, 0.01312, "0.482 ± 0.013"),
        (1234.5, 56.0, "1234 ± 56"),
        (12.0, 150.0, "12 ± 150"),
        (2.0, 0.0, "2 ± 0"),
        (0.5, math.nan, "0.5"),
        (math.nan, math.nan, "-"),
        (1e-9, 3e-10, "1e-09 ± 3e-10"),
    ],
)
def test_uncertainty_says_how_many_digits_count(centre: float, half: float, text: str) -> None:
    assert plus_minus(centre, half) == text


def test_the_command_prints_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort(tmp_path, noise(20, 3, 4), loss=noise(20, 3, 4, seed=1))
    assert main(["table", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("some-stream-v1: 3 settings on 4 streams, 20 segments. Score: squared error, less is")
    lines = printed.splitlines()[2:]
    assert len(lines) == 5
    assert len({line.count("|") for line in lines}) == 1
    assert len({len(line) for line in lines}) == 1
    assert main(["table", str(tmp_path / "nowhere")]) == 1
    assert "holds no campaign" in capsys.readouterr().err


def test_failed_individuals_of_the_last_generation_are_told(tmp_path: Path) -> None:
    """The first generation is larger; those not in the last have not failed, who failed before has been replaced."""
    write_campaign(tmp_path, seeds=(0, 1), algorithm="mu-plus-lambda")
    scores = noise(4, 6)
    scores[1, :4] = np.nan
    scores[3, 1] = np.nan
    folder = tmp_path / "default" / "seed-0"
    write_run(folder, scores, {"loss": scores}, {"step_size": np.exp(scores)})
    journal = folder / "journal.jsonl"
    header, first, *others = journal.read_bytes().splitlines(keepends=True)
    kept = []
    for record in map(decode, others):
        assert record is not None
        kept.append(encode(record | {"scores": record["scores"][:4]}))
    journal.write_bytes(b"".join([header, first, *kept]))
    write_run(tmp_path / "default" / "seed-1", noise(4, 6), {"loss": noise(4, 6)}, {"step_size": np.ones((4, 6))})
    (record,) = studies(tmp_path)
    assert record.failed().tolist() == [1, 0]
    assert record.only([2]).failed().tolist() == [0]
    table = study_table(record)
    assert any(one.startswith("1 of the 10 individuals of the last segment failed") for one in table.said)
    assert table.heads[-1] == "failed, last"
    assert [row[-1] for row in table.rows] == ["1", "0"]
    well = study_table(record.only([2]))
    assert not any("failed" in one for one in (*well.said, *well.heads))


def test_bars_in_labels_do_not_break_the_table(tmp_path: Path) -> None:
    write_campaign(tmp_path)
    write_run(tmp_path / "default" / "seed-0", noise(2, 2), {"loss": noise(2, 2)}, None, ("a|b", "c"), (0,))
    assert "a\\|b" in tables(tmp_path)


def test_streams_of_a_problem_that_is_a_whole_life_count_generations(tmp_path: Path) -> None:
    described = {**PROBLEM, "settings": {"lifelong": False}}
    write_campaign(tmp_path)
    content = json.loads((tmp_path / "campaign.json").read_text())
    content["configuration"]["variants"]["default"]["problem"] = described
    (tmp_path / "campaign.json").write_text(json.dumps(content))
    dead = np.broadcast_to([0.5, 0.1], (2, 2, 3, 2))  # a life of three segments, two layers
    write_run(tmp_path / "default" / "seed-0", noise(2, 2), {"dead": dead}, None, ("a", "b"), (0,))
    (record,) = studies(tmp_path)
    assert record.moment == "generation"
    np.testing.assert_allclose(record.curves["dead"], 20.0)
