"""Scores are those of plain softmax regression, whatever the batch is cut into."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import problems
from evo.networks import Execution, Networks, pack
from evo.outcome import Outcome
from problems.digits import Digits


def readers(weights: np.ndarray) -> Networks:
    """Linear networks with weights [n, 1 + 64, 10], bias first; zeros are no edges."""
    kinds = [1] * 75
    return pack(64, 10, [(kinds, [(i, 65 + o, float(one[i, o])) for i, o in np.argwhere(one)]) for one in weights])


def random_readers(count: int) -> Networks:
    rng = np.random.default_rng(4)
    return readers(rng.normal(size=(count, 65, 10)) * (rng.random((count, 65, 10)) < 0.2))


def test_scores_are_softmax_regressions() -> None:
    inputs, classes = Digits(batch=0).draw(np.random.default_rng(0))
    model = LogisticRegression(max_iter=60, tol=1e-2, C=0.1).fit(inputs.numpy(), classes.numpy())
    network = readers(np.vstack((model.intercept_, model.coef_.T))[None])
    problem = Digits(batch=0, split="test")
    outcomes = problem.evaluate(network, np.random.default_rng(0))
    inputs, classes = problem.draw(np.random.default_rng(0))
    entropy = -model.predict_log_proba(inputs.numpy())[np.arange(len(classes)), classes].mean()
    expected = [entropy, model.score(inputs.numpy(), classes.numpy())]
    np.testing.assert_allclose(outcomes.scores[0].numpy(), expected, rtol=1e-5)
    assert expected[1] > 0.9
    assert not problem.stochastic


def test_a_network_that_guesses_scores_ln_10() -> None:
    outcomes = Digits().evaluate(readers(np.zeros((1, 65, 10))), np.random.default_rng(0))
    assert outcomes.scores[0, 0].item() == pytest.approx(np.log(10), rel=1e-6)


@pytest.mark.parametrize(
    ("objective", "names", "best"),
    [
        ("cross_entropy", ["cross_entropy", "best_weight_cross_entropy", "accuracy"], "amin"),
        ("accuracy", ["accuracy", "best_weight_accuracy", "cross_entropy"], "amax"),
    ],
)
def test_shared_weights_are_tried_in_turn(objective: str, names: list[str], best: str) -> None:
    problem = Digits((-1.0, 0.5, 2.0), batch=50, objective=objective)
    networks = random_readers(3)
    outcomes = problem.evaluate(networks, np.random.default_rng(7))
    assert [one.name for one in problem.objectives] == names
    assert [one.maximize for one in problem.objectives] == ["accuracy" in name for name in names]
    inputs, classes = problem.draw(np.random.default_rng(7))
    trials = outcomes.trials
    assert trials["cross_entropy"].shape == trials["accuracy"].shape == (3, 3, 1)
    for column, weight in enumerate(problem.shared_weights):
        for n in range(3):
            logits = networks[n : n + 1].forward(inputs, weight)[0]
            entropy = torch.nn.functional.cross_entropy(logits, classes).item()
            assert trials["cross_entropy"][n, column, 0].item() == pytest.approx(entropy, rel=1e-5)
            right = (logits.argmax(1) == classes).double().mean().item()
            assert trials["accuracy"][n, column, 0].item() == pytest.approx(right)
    torch.testing.assert_close(outcomes.scores[:, 0], trials[objective].mean((1, 2)))
    torch.testing.assert_close(outcomes.scores[:, 1], getattr(trials[objective][..., 0], best)(1))
    torch.testing.assert_close(outcomes.scores[:, 2], trials[names[2]].mean((1, 2)))


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_chunks_do_not_matter(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    networks = random_readers(5).on(Execution(engine))
    problem = Digits(batch=30)
    whole = problem.evaluate(networks, np.random.default_rng(1)).scores
    monkeypatch.setattr("evo.evaluation.classification.VALUES", 2 * 30 * 85)
    torch.testing.assert_close(problem.evaluate(networks, np.random.default_rng(1)).scores, whole)


def test_batches_are_drawn_without_replacement_from_the_split() -> None:
    problem = Digits(batch=300, split="test")
    assert problem.stochastic
    first, _ = problem.draw(np.random.default_rng(1))
    second, _ = problem.draw(np.random.default_rng(2))
    held_out, _ = replace(problem, batch=0).draw(np.random.default_rng(0))
    assert len(first.unique(dim=0)) == 300
    assert not torch.equal(first, second)
    assert {tuple(row) for row in first.tolist()} <= {tuple(row) for row in held_out.tolist()}
    assert len(replace(problem, split="all", batch=0).draw(np.random.default_rng(0))[1]) == 1797
    assert not replace(problem, batch=400).stochastic


def test_outputs_that_overflow_are_failures() -> None:
    weights = np.zeros((2, 65, 10))
    weights[1, 0, 3] = 3e38
    weights[1, 1:, 3] = 3e38
    outcomes = Digits().evaluate(readers(weights), np.random.default_rng(0))
    assert outcomes.kinds == (Outcome.OK, Outcome.NAN)


def test_settings_and_networks_are_checked() -> None:
    with pytest.raises(ValueError, match="split: expected one of train, test, all"):
        Digits(split="validation")
    with pytest.raises(ValueError, match="objective"):
        Digits(objective="loss")
    with pytest.raises(ValueError, match="batch"):
        Digits(batch=-1)
    with pytest.raises(ValueError, match="64 inputs and 10 outputs, got 1 and 1"):
        Digits().evaluate(pack(1, 1, [([1, 1, 1], [])]), np.random.default_rng(0))


def test_problems_are_made_by_name() -> None:
    assert problems.make("digits-v1", batch=10) == Digits(batch=10)
    for name, line in problems.CATALOGUE.available().items():
        assert problems.CATALOGUE.find(name).name == name
        assert line
    made = problems.make("gymnasium:Pendulum-v1", episodes=1)
    assert made == problems.make("gymnasium-v1", environment="Pendulum-v1", episodes=1)


def test_unknown_names_and_settings_are_explained() -> None:
    with pytest.raises(ValueError, match="did you mean 'digits-v1'"):
        problems.make("digits")
    with pytest.raises(ValueError, match=r"only shared_weights, batch.*did you mean 'batch'"):
        problems.make("digits-v1", batches=3)
    with pytest.raises(ValueError, match="needs environment"):
        problems.make("gymnasium-v1")
