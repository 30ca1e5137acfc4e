import argparse
import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import networkx
import pytest
import torch

from evo.champion import Champion, networks_of
from evo.commands import export as command
from evo.evaluation.stepping import Stepper
from evo.exchange.dot import to_dot
from evo.exchange.export import FORMATS, export, folded
from evo.exchange.networkx_graph import to_networkx
from evo.exchange.onnx_model import to_onnx
from evo.exchange.python_source import to_python
from evo.exchange.torch_module import NetworkModule
from evo.exchange.torch_source import to_torch_source
from evo.networks import Execution

HOSTILE = [
    'a"b',
    "back\\",
    '\\" -> n0; evil [label="',
    "two\nlines",
    "\"\"\"\nimport os  # '''",
    "{x!r} %s",
    "<b>&amp;</b>]]>",
    "\x00\x07\x1b[31m",
    "\ud800",
    "",
    "\N{GREEK SMALL LETTER ALPHA}",
    "\\N",
]


def hostile(network):
    """The network with names that would be code, or break a file, if they were not escaped."""
    return {**network, "inputs": HOSTILE, "outputs": HOSTILE[:2]}


def saved(tmp_path, network, shared_weights=(), trials=None, genome="perceptron"):
    part = {"name": genome, "settings": {}}
    problem = {"name": "cartpole-swingup-v1", "settings": {"shared_weights": list(shared_weights)}}
    path = tmp_path / "champion.json"
    Champion(part, problem, part, {}, {"reward": 1.0}, 0, 0, network=network, trials=trials or {}).save(path)
    return path


def close(given, expected):
    torch.testing.assert_close(torch.as_tensor(given).to(torch.float32), expected, rtol=2e-3, atol=2e-3)


def cases_of(network, count=7, seed=0):
    return torch.randn(count, len(network["inputs"]), generator=torch.Generator().manual_seed(seed))


def in_another_process(tmp_path, source, script, blocked=()):
    """Run a script beside an exported file `network_file.py`, with packages that cannot be imported; its JSON."""
    (tmp_path / "network_file.py").write_text(source, encoding="utf-8")
    guard = f"import sys, json\nfor name in {list(blocked)}: sys.modules[name] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", guard + script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


NUMPY_ALONE = ("torch", "evo", "networkx", "scipy", "onnx")


@pytest.mark.parametrize("seed", range(2))
def test_python_needs_numpy_alone_and_acts_alike(make_network, tmp_path, seed):
    network = make_network(seed)
    cases = cases_of(network)
    script = (
        "import network_file as n\n"
        f"cases = json.loads({json.dumps(cases.tolist())!r})\n"
        "import numpy\n"
        "print(json.dumps([n.act(numpy.array(cases)).tolist(), [n.act(case).tolist() for case in cases]]))"
    )
    batch, single = in_another_process(tmp_path, to_python(network), script, NUMPY_ALONE)
    expected = networks_of(network).forward(cases)[0]
    close(batch, expected)
    close(single, expected)


def recurrent_outputs(network, steps=4):
    stepper = Stepper(networks_of(network).on(Execution("torch")), torch.ones(1))
    cases = cases_of(network, steps)
    return cases, torch.stack([stepper.step(case[None, None])[0, 0] for case in cases])


def test_recurrent_python_keeps_its_state(make_network, tmp_path):
    network = make_network(1, recurrent=True, kinds=["tanh", "linear", "cos"])
    cases, expected = recurrent_outputs(network)
    script = (
        f"import network_file as n\ncases = json.loads({json.dumps(cases.tolist())!r})\n"
        "first = [n.act(case).tolist() for case in cases]\nn.reset()\n"
        "other = n.Network()\n"
        "print(json.dumps([first, [n.act(case).tolist() for case in cases], [other.act(case).tolist() "
        "for case in cases]]))"
    )
    for outputs in in_another_process(tmp_path, to_python(network), script, NUMPY_ALONE):
        close(outputs, expected)


@pytest.mark.parametrize("recurrent", [False, True])
def test_torch_source_acts_alike(make_network, tmp_path, recurrent):
    network = make_network(3, recurrent=recurrent)
    (tmp_path / "network_file.py").write_text(to_torch_source(network))
    spec = importlib.util.spec_from_file_location("network_file", tmp_path / "network_file.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written, cases = module.Network(), cases_of(network)
    first, state = written.step(cases)
    second, _ = written.step(cases, state)
    stepper = Stepper(networks_of(network).on(Execution("torch")), torch.ones(len(cases)))
    for outputs in (first, second):
        close(outputs.detach(), stepper.step(cases[None])[0])
    assert torch.equal(written(cases), first)
    own = NetworkModule(network)
    for trained in (written, own):
        trained(cases).square().mean().backward()
    order = [network["edges"].index(list(edge)) for edge in module.EDGES]
    torch.testing.assert_close(written.weight.grad, own.weight.grad[order], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_onnx_acts_alike_for_any_number_of_cases(make_network, seed):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network = make_network(seed)
    model = to_onnx(network)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for count in (1, 7, 130):
        cases = cases_of(network, count)
        (actions,) = session.run(["actions"], {"observations": cases.numpy()})
        close(actions, networks_of(network).forward(cases)[0])


def test_recurrent_onnx_gives_and_takes_its_state(make_network):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network = make_network(1, recurrent=True, kinds=["tanh", "linear", "cos"])
    cases, expected = recurrent_outputs(network)
    session = onnxruntime.InferenceSession(to_onnx(network).SerializeToString())
    size = session.get_inputs()[1].shape[1]
    state, outputs = torch.zeros(1, size).numpy(), []
    for case in cases:
        actions, state = session.run(["actions", "next_state"], {"observations": case[None].numpy(), "state": state})
        outputs.append(torch.from_numpy(actions[0]))
    close(torch.stack(outputs), expected)


def test_onnx_has_a_checked_model_with_names_and_without_edges_too(make_network):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network = {**make_network(0), "edges": []}
    model = to_onnx(network)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17
    assert {prop.key: json.loads(prop.value) for prop in model.metadata_props} == {
        "inputs": network["inputs"],
        "outputs": network["outputs"],
    }
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (actions,) = session.run(None, {"observations": cases_of(network).numpy()})
    close(actions, networks_of(network).forward(cases_of(network))[0])


def test_onnx_missing_says_what_to_install(make_network, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'evo-genomes\[onnx\]'"):
        to_onnx(make_network(0))


def test_networkx_has_everything(make_network):
    network = make_network(0, recurrent=True)
    graph = to_networkx(network)
    assert [graph.nodes[node]["activation"] for node in sorted(graph)] == network["activations"]
    assert [graph.nodes[node]["kind"] for node in (0, 1, 3, 4, 15, 16, 17)] == [
        "bias", "input", "input", "hidden", "hidden", "output", "output",
    ]  # fmt: skip
    assert graph.nodes[2]["name"] == "input 1"
    assert {(one, other): graph.edges[one, other]["weight"] for one, other in graph.edges} == {
        (one, other): weight for one, other, weight in network["edges"]
    }
    assert all(graph.edges[one, other]["recurrent"] == (one >= other) for one, other in graph.edges)
    assert any(data["recurrent"] for *_, data in graph.edges(data=True))


def test_networkx_files_read_back(make_network, tmp_path):
    network = hostile(make_network(2, inputs=len(HOSTILE)))
    champion = saved(tmp_path, network)
    for name in ("graph.graphml", "graph.json"):
        export(champion, "networkx", tmp_path / name)
    linked = json.loads((tmp_path / "graph.json").read_text())
    assert [node["name"] for node in linked["nodes"]][1 : 1 + len(HOSTILE)] == HOSTILE
    from_json = networkx.node_link_graph(linked, edges="edges")
    assert networkx.utils.graphs_equal(from_json, to_networkx(network))
    from_xml = networkx.read_graphml(tmp_path / "graph.graphml", node_type=int)
    assert sorted(from_xml.edges(data="weight")) == sorted(from_json.edges(data="weight"))
    names = [name for _, name in sorted(from_xml.nodes(data="name"))]
    assert names[1:3] == HOSTILE[:2]
    assert names[7] == HOSTILE[6]
    with pytest.raises(ValueError, match=r"graphml or \.json"):
        export(champion, "networkx", tmp_path / "graph.gml")


def read_dot(text):
    """A tiny reader of DOT: labels of nodes, edges with their attributes; fails on whatever it does not know."""
    string = r'"((?:[^"\\]|\\.)*)"'
    assert text.startswith("digraph network {\n  rankdir=LR;\n")
    assert text.endswith("\n}\n")
    nodes, edges = {}, {}
    for line in text.split("\n")[2:-2]:
        node = re.fullmatch(rf"  n(\d+) \[shape=\w+, label={string}\];", line)
        edge = re.fullmatch(rf"  n(\d+) -> n(\d+) \[label={string}(, style=dashed, constraint=false)?\];", line)
        if node:
            nodes[int(node[1])] = re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), node[2])
        elif edge:
            edges[int(edge[1]), int(edge[2])] = (float(edge[3]), bool(edge[4]))
        else:
            assert re.fullmatch(r"  \{ rank=(source|sink)(; n\d+)+; \}", line), line
    return nodes, edges


def test_dot_reads_back_whatever_names_there_are(make_network):
    network = hostile(make_network(4, inputs=len(HOSTILE), recurrent=True))
    nodes, edges = read_dot(to_dot(network))
    assert len(nodes) == len(network["activations"])
    assert set(edges) == {(one, other) for one, other, _ in network["edges"]}
    for one, other, weight in network["edges"]:
        assert edges[one, other] == (pytest.approx(weight, abs=1e-2), one >= other)
    for node in range(1, 7):
        activation = network["activations"][node]
        assert nodes[node] == HOSTILE[node - 1] + (f"\n{activation}" if activation != "linear" else "")
    assert nodes[8].startswith("\N{REPLACEMENT CHARACTER}" * 3)


def test_names_become_no_code(make_network, tmp_path):
    network = hostile(make_network(5, inputs=len(HOSTILE), edges=60))
    for source in (to_python(network), to_torch_source(network)):
        source.encode("ascii")
        tree = ast.parse(source)
        assert [node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.Import)] in (["numpy"], ["torch"])
        values = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and node.targets[0].id in ("INPUTS", "OUTPUTS")
        }
        assert values == {"INPUTS": HOSTILE, "OUTPUTS": HOSTILE[:2]}
    cases = cases_of(network)
    script = f"import network_file as n, numpy\nprint(json.dumps(n.act(numpy.array({cases.tolist()})).tolist()))"
    close(in_another_process(tmp_path, to_python(network), script), networks_of(network).forward(cases)[0])


def run(*arguments):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.execute(parser.parse_args([str(argument) for argument in arguments]))


SUFFIXES = {"networkx": ".graphml", "onnx": ".onnx", "dot": ".dot", "matrix": ".out"}


@pytest.mark.parametrize("to", FORMATS.places)
def test_every_format_has_a_command_and_names_stay_data(make_network, tmp_path, to, capsys):
    pytest.importorskip("onnx", reason="onnx is not installed")
    network = hostile(make_network(0, inputs=len(HOSTILE), kinds=["tanh"]))
    network["activations"][: 1 + len(HOSTILE)] = ["linear"] * (1 + len(HOSTILE))
    out = tmp_path / f"network{SUFFIXES.get(to, '.py')}"
    assert run(saved(tmp_path, network), "--to", to, "--out", out) == 0
    assert out.stat().st_size > 100
    said = capsys.readouterr().out
    assert str(out) in said
    assert "the network's own" in said
    assert list(tmp_path.glob(".*")) == []


def weights_in(path: Path):
    return {data for *_, data in networkx.read_graphml(path).edges(data="weight")}


def test_the_weights_that_are_written(make_network, tmp_path, capsys):
    network, out = make_network(0), tmp_path / "graph.graphml"
    own = {weight for *_, weight in network["edges"]}
    trials = {"reward": [[1.0, 2.0], [5.0, 4.0], [3.0, 4.0]]}
    for shared, measured, arguments, written, said in (
        ((), None, (), own, "the network's own"),
        ((), None, ("--weight", "0.5"), {0.5}, "all 0.5"),
        ((-1.0, 0.7, 2.0), trials, (), {0.7}, "all 0.7, its best shared weight"),
        ((-1.0, 0.7, 2.0), trials, ("--weight", "own"), own, "the network's own"),
        ((-1.0, 0.7, 2.0), trials, ("--weight", "-2"), {-2.0}, "all -2"),
        ((-1.0, 0.7, 2.0), {}, (), {1.0}, "no scores per shared weight"),
    ):
        champion = saved(tmp_path, network, shared, measured)
        assert run(champion, "--to", "networkx", "--out", out, *arguments) == 0
        assert weights_in(out) == written
        assert said in capsys.readouterr().out


def test_the_best_weight_is_that_of_the_first_objective(make_network, tmp_path, capsys):
    from evo.settings import describe
    from problems.digits import Digits

    part = {"name": "perceptron", "settings": {}}
    problem = describe(Digits(objective="accuracy", shared_weights=(-1.0, 0.5, 2.0)))
    trials = {"cross_entropy": [[3.0], [1.0], [2.0]], "accuracy": [[0.2], [0.6], [0.4]]}
    path = tmp_path / "champion.json"
    Champion(
        part, problem, part, {}, {"accuracy": 0.4, "best_weight_accuracy": 0.6}, 0, 0,
        network=make_network(0), trials=trials,
    ).save(path)  # fmt: skip
    assert run(path, "--to", "networkx", "--out", tmp_path / "x.graphml") == 0
    assert "all 0.5, its best" in capsys.readouterr().out


def test_recurrent_python_gives_its_outputs_away(make_network, tmp_path):
    network = make_network(1, recurrent=True, kinds=["tanh", "linear", "cos"])
    script = (
        "import network_file as n\nn.act([1.0, 2.0, 3.0])[:] = 99.0\nchanged = n.act([1.0, 0.0, 0.0]).tolist()\n"
        "n.reset()\nn.act([1.0, 2.0, 3.0])\nprint(json.dumps([changed, n.act([1.0, 0.0, 0.0]).tolist()]))"
    )
    network["edges"] += [[17, 16, 0.5]] if not any(edge[:2] == [17, 16] for edge in network["edges"]) else []
    changed, expected = in_another_process(tmp_path, to_python(network), script)
    assert changed == expected


@pytest.mark.parametrize("recurrent", [False, True])
def test_inputs_of_another_number_are_refused(make_network, tmp_path, recurrent):
    network = make_network(3, recurrent=recurrent)
    script = (
        "import network_file as n\nsaid = []\nfor given in ([1.0], [[1.0]], 1.0, [1.0] * 4, [[[1.0] * 3]]):\n"
        "    try:\n        n.act(given)\n        said.append('')\n"
        "    except ValueError as error:\n        said.append(str(error))\nprint(json.dumps(said))"
    )
    for said in in_another_process(tmp_path, to_python(network), script):
        assert said.startswith("observation: expected [3]")
    module = {}
    exec(to_torch_source(network), module)
    for shape in ((7, 1), (7, 4), (3,), (1, 7, 3)):
        with pytest.raises(ValueError, match=r"inputs: expected shape \[cases, 3\]"):
            module["Network"]()(torch.ones(shape))


@pytest.mark.parametrize("recurrent", [False, True])
def test_torch_source_takes_double_precision(make_network, recurrent):
    network = make_network(3, recurrent=recurrent)
    module = {}
    exec(to_torch_source(network), module)
    written, cases = module["Network"](), cases_of(network)
    outputs, state = written.step(cases.double())
    assert torch.equal(outputs, written(cases))
    assert torch.equal(written.step(cases.double(), state.double())[0], written.step(cases, state)[0])


def test_a_problem_that_minimises_takes_the_least(make_network, tmp_path, monkeypatch):
    from evo.exchange import export as module

    monkeypatch.setattr(module, "maximizes", lambda champion, file: False)
    champion = saved(tmp_path, make_network(0), (-1.0, 0.7), {"reward": [[1.0, 2.0], [5.0, 4.0]]})
    assert "all -1, its best" in export(champion, "dot", tmp_path / "network.dot")


def test_a_shared_weight_is_the_same_folded_in_as_given(make_network):
    network = make_network(3)
    cases = cases_of(network)
    close(networks_of(folded(network, -0.5)).forward(cases)[0], networks_of(network).forward(cases, -0.5)[0])


def test_wrong_use_is_told(make_network, tmp_path):
    champion = saved(tmp_path, make_network(0))
    with pytest.raises(ValueError, match="did you mean 'dot'"):
        export(champion, "dott", tmp_path / "x")
    for weight in ("heavy", "nan", "inf"):
        with pytest.raises(ValueError, match="--weight: expected a number or 'own'"):
            export(champion, "dot", tmp_path / "x", weight)
    with pytest.raises(ValueError, match="is a file that is read for it"):
        export(champion, "dot", champion)
    with pytest.raises(ValueError, match="no network but a genome of kind 'vector'"):
        export(saved(tmp_path, None, genome="vector"), "dot", tmp_path / "x")
    bare = {"inputs": [], "outputs": ["y"], "activations": ["linear", "cos"], "edges": []}
    with pytest.raises(ValueError, match="0 inputs and 1 outputs"):
        export(saved(tmp_path, bare), "onnx", tmp_path / "x")
    assert not (tmp_path / "x").exists()
