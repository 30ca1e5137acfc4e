import math
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from evo.activations import IDS
from evo.inspect import drawing
from evo.inspect.drawing import LARGEST_COLUMN, MOST_EDGES, MOST_NODES, RADIUS, network_svg
from evo.inspect.layers import NODE_ROOM, WAYPOINT_ROOM, arrange
from evo.inspect.structure import Structure

HOSTILE = "<img src=x onerror=p()>"
SVG = "{http://www.w3.org/2000/svg}"

SMALL = {
    "inputs": ["position", "velocity"],
    "outputs": ["left", "right"],
    "activations": ["linear", "linear", "linear", "tanh", "gaussian", "sin", "linear", "relu"],
    "edges": [
        [1, 3, 1.5],
        [3, 4, -0.5],
        [0, 4, 1.0],
        [1, 6, 0.25],
        [4, 5, 2.0],
        [5, 6, -1.0],
        [4, 7, 1.0],
        [6, 7, 1.0],  # between outputs, of one layer
        [7, 3, 1.0],  # recurrent
        [5, 5, -1.0],  # recurrent, to itself
        [7, 6, 0.0],  # recurrent, within a layer
    ],
}
"""Every kind of edge; velocity is unused."""


def perceptron(inputs, hidden, outputs):
    units = range(1 + inputs, 1 + inputs + hidden)
    last = range(1 + inputs + hidden, 1 + inputs + hidden + outputs)
    edges = [[s, t, math.sin(s + 3 * t)] for t in units for s in range(1 + inputs)]
    edges += [[s, t, math.cos(s * t)] for t in last for s in units]
    return {
        "inputs": [f"x{n}" for n in range(inputs)],
        "outputs": [f"y{n}" for n in range(outputs)],
        "activations": ["linear"] * (1 + inputs) + ["tanh"] * hidden + ["sigmoid"] * outputs,
        "edges": edges,
    }


def parts(svg, attribute):
    return [element for element in ElementTree.fromstring(svg).iter() if attribute in element.attrib]


def numbers(text):
    return [float(word) for word in re.findall(r"[^\sMCLhH,]+", text)]


def test_every_node_and_every_edge_is_drawn_once():
    svg = network_svg(SMALL)
    nodes = [int(element.get("data-node")) for element in parts(svg, "data-node")]
    edges = [(int(e.get("data-source")), int(e.get("data-target"))) for e in parts(svg, "data-source")]
    assert nodes == list(range(8))
    assert sorted(edges) == sorted((s, t) for s, t, _ in SMALL["edges"])


def test_edges_show_sign_size_and_direction():
    drawn = {(e.get("data-source"), e.get("data-target")): e for e in parts(network_svg(SMALL), "data-source")}
    assert drawn["1", "3"].get("class") == "edge positive"
    assert drawn["3", "4"].get("class") == "edge negative"
    assert drawn["7", "6"].get("class") == "edge recurrent"  # a weight of 0 has no sign
    assert drawn["5", "5"].get("class") == "edge negative recurrent"
    widths = {edge: float(element.get("stroke-width")) for edge, element in drawn.items()}
    assert widths["4", "5"] == max(widths.values()) > widths["3", "4"] > widths["7", "6"] > 0


def test_one_shared_weight_has_no_sign():
    svg = network_svg({**SMALL, "edges": [[s, t, -1.0] for s, t, _ in SMALL["edges"]]})
    assert "negative" not in {word for e in parts(svg, "data-source") for word in e.get("class").split()}


def test_inputs_stand_left_outputs_right_and_unused_inputs_are_grey():
    nodes = {int(e.get("data-node")): e for e in parts(network_svg(SMALL), "data-node")}
    across = {node: float(e.find(f"{SVG}circle").get("cx")) for node, e in nodes.items()}
    assert across[0] == across[1] == across[2] == min(across.values())
    assert across[6] == across[7] == max(across.values())
    assert across[3] < across[4] < across[5]
    unused = [node for node, element in nodes.items() if "unused" in element.get("class").split()]
    assert unused == [2]
    assert [e.find(f"{SVG}title").text for e in (nodes[2], nodes[4], nodes[7])] == [
        "velocity (unused)",
        "node 4: gaussian",
        "right: relu",
    ]


def test_nodes_keep_their_distance():
    svg = network_svg(perceptron(20, 20, 10))
    circles = [e.find(f"{SVG}circle") for e in parts(svg, "data-node")]
    places = sorted((float(c.get("cx")), float(c.get("cy"))) for c in circles)
    assert all(b[0] > a[0] or b[1] - a[1] >= 2 * RADIUS for a, b in pairwise(places))


@pytest.mark.parametrize(
    "network",
    [
        SMALL,
        perceptron(3, 4, 2),
        {**SMALL, "edges": []},
        {**SMALL, "edges": [[1, 3, 1e300], [3, 6, 1e-300], [2, 4, "nan"], [4, 6, "inf"]]},
        {"inputs": ["x"], "outputs": ["y"], "activations": ["linear"] * 3, "edges": [[2, 2, 1.0]]},
    ],
)
def test_coordinates_are_finite_and_inside_the_picture(network):
    root = ElementTree.fromstring(network_svg(network))
    left, top, width, height = map(float, root.get("viewBox").split())
    for element in root.iter():
        for name in ("d", "cx", "cy", "x", "y", "r", "width", "height", "stroke-width"):
            assert all(map(math.isfinite, numbers(element.get(name, ""))))
    for element in root.iter(f"{SVG}circle"):
        if element.get("cy") != "0":
            assert left < float(element.get("cx")) < left + width
            assert top < float(element.get("cy")) < top + height
    for element in parts(network_svg(network), "data-source"):
        curve = numbers(element.get("d"))
        heights = curve[1::2]
        assert (min(heights[0], heights[-1]) + 3 * min(heights)) / 4 > top  # a cubic curve stays below


def test_the_same_network_gives_the_same_bytes():
    shuffled = {**SMALL, "edges": SMALL["edges"][::-1]}
    assert network_svg(SMALL) == network_svg(SMALL)
    assert parts(network_svg(SMALL), "data-node")[3].attrib == parts(network_svg(shuffled), "data-node")[3].attrib


def test_large_networks_are_drawn_in_part_and_say_so():
    network = perceptron(257, 128, 10)
    svg = network_svg(network)
    nodes, edges = parts(svg, "data-node"), parts(svg, "data-source")
    assert len(nodes) == 2 * LARGEST_COLUMN + 10 <= MOST_NODES
    assert len(edges) == MOST_EDGES
    assert f"{len(nodes)} of 396 nodes" in svg
    assert f"{MOST_EDGES} of {len(network['edges'])} connections" in svg
    assert "Drawn:" not in network_svg(SMALL)


def test_what_is_left_out_has_the_fewest_connections_and_the_least_weights():
    network = perceptron(257, 40, 1)
    network["edges"] = [[s, t, w] for s, t, w in network["edges"] if not 1 <= s <= 200]
    svg = network_svg(network)
    inputs = [int(e.get("data-node")) for e in parts(svg, "data-node") if "input" in e.get("class").split()]
    assert all(node == 0 or node > 200 for node in inputs)
    kept = {(int(e.get("data-source")), int(e.get("data-target"))) for e in parts(svg, "data-source")}
    shown = {int(e.get("data-node")) for e in parts(svg, "data-node")}
    among = [edge for edge in network["edges"] if {edge[0], edge[1]} <= shown]
    assert min(abs(w) for s, t, w in among if (s, t) in kept) >= max(abs(w) for s, t, w in among if (s, t) not in kept)


@pytest.mark.parametrize("field", ["inputs", "outputs"])
def test_hostile_names_are_inert(field, monkeypatch):
    network = {**SMALL, field: [HOSTILE, "plain"]}
    assert ElementTree.fromstring(network_svg(network)).find(".//{*}img") is None
    monkeypatch.setattr("html.escape", lambda text, quote=True: text)
    assert "<img" in network_svg(network)


def test_names_with_control_characters_still_make_a_document():
    svg = network_svg({**SMALL, "inputs": ["a\x00\x1b[31m\ud800", "\u202egnp"]})
    svg.encode("utf-8")
    assert "a[31m" in [e.text for e in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("activation", IDS)
def test_glyphs_are_the_activations_curves(activation):
    points = drawing._curve(activation)
    assert points[0][0] == -0.5
    assert points[-1][0] == 0.5
    assert min(y for _, y in points) == -0.5
    assert max(y for _, y in points) == 0.5
    middle = points[len(points) // 2][1]
    if activation in ("linear", "tanh", "sigmoid"):
        assert [y for _, y in points] == sorted(y for _, y in points)
    if activation in ("gaussian", "cos"):
        assert middle == 0.5
    if activation in ("abs", "squared", "relu", "step"):
        assert middle == -0.5


def test_layers_are_longest_paths():
    structure = Structure.of(SMALL)
    assert structure.layers == (0, 0, 0, 1, 2, 3, 4, 4)
    assert structure.depth == 4
    assert structure.recurrent == 3
    assert structure.unused_inputs == ["velocity"]
    assert structure.counts()[0] == ("gaussian", 1)


def test_crossings_that_can_be_avoided_are():
    columns = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    edges = [(0, 7), (1, 6), (2, 5), (3, 4), (7, 8), (6, 8), (5, 9), (4, 9), (0, 8)]
    assert arrange(columns, edges).crossings == 0


def test_edges_keep_out_of_the_way_of_nodes_between():
    columns = [[0, 1], [2], [3]]
    arranged = arrange(columns, [(0, 2), (1, 2), (2, 3), (0, 3), (1, 3)])
    for edge in [(0, 3), (1, 3)]:
        (start, _), (between, height), (end, _) = arranged.routes[edge]
        assert (start, between, end) == (0, 1, 2)
        assert abs(height - arranged.heights[2]) >= NODE_ROOM + WAYPOINT_ROOM - 1e-9


def test_nodes_without_connections_stay_with_the_others():
    heights = arrange([[0, 1, 2, 3, 4, 5], [6], [7]], [(1, 6), (6, 7), (3, 7)]).heights
    column = sorted(heights[node] for node in range(6))
    assert [below - above for above, below in pairwise(column)] == pytest.approx([2 * NODE_ROOM] * 5)
