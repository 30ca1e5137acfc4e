import json

import pytest

from evo.cli import main


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    from evo import Campaign
    from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
    from genomes.topology import Topology
    from problems.control.cartpole_swingup import CartPoleSwingUp

    problem = CartPoleSwingUp(shared_weights=(-1.0, 1.0), episodes=2, steps=60)
    folder = tmp_path_factory.mktemp("cli") / "campaign"
    Campaign(problem, Topology.for_problem(problem), WeightAgnosticSearch(population=16), 3, (0,)).run(
        out=folder, quiet=True
    )
    return folder


def test_best_names_the_champion(finished, capsys):
    assert main(["best", str(finished), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["champion"] == str(finished / "champion.json")
    assert set(answer) == {"champion", "fitness", "generation", "seed"}
    assert set(answer["fitness"]) == {"reward", "best_weight_reward"}


def test_eval_scores_again(finished, capsys):
    arguments = ["eval", str(finished / "champion.json"), "--json"]
    assert main([*arguments, "--weight", "0.5", "--episodes", "7", "--seed", "3"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["problem"] == "cartpole-swingup-v1"
    assert answer["objectives"]["reward"]["n"] == 7
    assert main([*arguments, "--weight", "0.5", "--episodes", "7", "--seed", "3"]) == 0
    assert json.loads(capsys.readouterr().out) == answer
    assert main([*arguments, "--weight", "1.5", "--episodes", "7", "--seed", "3"]) == 0
    assert json.loads(capsys.readouterr().out) != answer
    assert main([*arguments, "--weight", "own", "--episodes", "2"]) == 0
    assert main([*arguments, "--problem", "cartpole-swingup-v1", "--episodes", "2", "--weight", "1"]) == 0


def test_eval_on_a_problem_that_does_not_fit_says_so(finished, capsys):
    assert main(["eval", str(finished), "--problem", "gymnasium:CartPole-v1"]) == 1
    assert "gymnasium-v1 has 4 inputs and 2 outputs, the champion's network 5 and 1" in capsys.readouterr().err
    assert main(["eval", str(finished), "--problem", "cartpole-swingup"]) == 1
    assert "did you mean 'cartpole-swingup-v1'" in capsys.readouterr().err
    assert main(["eval", str(finished), "--weight", "heavy"]) == 1
    assert "expected a number or 'own'" in capsys.readouterr().err


def test_show_writes_a_page(finished, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["show", str(finished), "--page", str(page)]) == 0
    assert str(page) in capsys.readouterr().out
    text = page.read_text()
    assert "angular velocity" in text
    assert "score per" in text.lower()


def test_list_has_a_line_for_everything(capsys):
    assert main(["list"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert {"topology", "cartpole-swingup-v1", "weight-agnostic-search", "cmaes"} <= {line.split()[0] for line in lines}
    assert all(len(line.split()) > 3 for line in lines)


def test_errors_are_one_line_and_a_code(tmp_path, capsys):
    assert main(["best", str(tmp_path)]) == 1
    assert main(["run", str(tmp_path / "nothing.py")]) == 1
    (tmp_path / "empty.py").write_text("x = 1\n")
    assert main(["run", str(tmp_path / "empty.py")]) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert "campaign = evo.Campaign" in told[2]
    with pytest.raises(SystemExit) as usage:
        main(["fly"])
    assert usage.value.code == 2
