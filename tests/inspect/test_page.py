import base64
import hashlib
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from evo import show
from evo.champion import Champion
from evo.inspect import descent
from evo.inspect.ancestor import Ancestor
from evo.inspect.curves import BUCKETS, MOST_BARS, Line, bars_svg, curve_svg, ticks
from evo.inspect.document import json_block
from evo.inspect.live import Live
from evo.inspect.page import RunHistory, WeightScore, champion_page

HOSTILE = "<img src=x onerror=p()>"
SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "input"}

NETWORK = {
    "inputs": ["position", "velocity"],
    "outputs": ["force"],
    "activations": ["linear", "linear", "linear", "tanh", "linear"],
    "edges": [[1, 3, 1.5], [3, 4, -0.5], [0, 4, 1.0]],
}
CHAMPION = Champion(
    genome={"name": "topology", "settings": {"inputs": 2, "activations": ["tanh", "sin"]}},
    problem={"name": "swing-v1", "settings": {"episodes": 3}},
    algorithm={"name": "search", "settings": {"population": 64}},
    genes={"nodes": [[0.5, "tanh"]], "connections": [[0.0, 1.0, 0.5, True]]},
    fitness={"reward": 584.25},
    generation=12,
    seed=3,
    network=NETWORK,
    lineage={"uid": 77, "parents": [5, 6]},
    versions={"torch": "2.6"},
)
VECTOR = replace(CHAMPION, network=None, genes={"values": [0.5, -1.25, 3.0], "long": list(range(400)), "word": "abc"})
HISTORY = [RunHistory("default", seed, [1, 2, 3], [1.0 + seed, 2.0, 4.0], [0.5, 1.0, 2.0]) for seed in (3, 4)]
SWEEP = [WeightScore(weight, 10.0 * abs(weight), 1.0) for weight in (-2.0, -1.0, 1.0, 2.0)]


class Page(HTMLParser):
    """What an HTML parser makes of a page: its elements, and the text inside styles and scripts."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.inlined, self.open = [], [], [], []
        self.texts = []
        self.data = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs or [("no", "attributes")]]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script" and self.attributes[-1][1:] == ("id", "data"):
            self.data.append(json.loads(data))
        elif self.open and self.open[-1] in ("style", "script"):
            self.inlined.append((self.open[-1], data))
        else:
            self.texts.append(data)


def page(champion=CHAMPION, history=HISTORY, sweep=SWEEP, command="evo run swing --seeds 2"):
    return champion_page(champion, history, sweep, command)


def policy(text):
    parsed = Page(text)
    return next(value for tag, name, value in parsed.attributes if tag == "meta" and value.startswith("default-src"))


def test_the_page_shows_its_sections():
    parsed = Page(page())
    assert not parsed.open
    shown = " ".join(parsed.texts)
    for words in ("swing-v1", "584.25", "Score per generation", "Score per shared weight", "evo run swing --seeds 2"):
        assert words in shown
    assert parsed.elements.count("svg") == 3
    assert [value for _, name, value in parsed.attributes if name == "data-node"] == ["0", "1", "2", "3", "4"]


def test_sections_without_content_are_left_out():
    parsed = Page(page(VECTOR, [], []))
    assert "Score per" not in " ".join(parsed.texts)
    assert not [1 for _, name, _ in parsed.attributes if name == "data-node"]


def test_shared_weights_take_the_place_of_the_networks_own():
    shared = replace(CHAMPION, problem={"name": "swing-v1", "settings": {"shared_weights": [-1.0, 1.0]}})
    assert "position to node 3: 1.5" in page()
    assert "position to node 3: 1.5" not in page(shared)
    assert "position to node 3: 1<" in page(shared)


def test_genomes_that_are_no_network_show_genes_as_table_and_bars():
    text = page(VECTOR, [], [])
    bars = re.findall(r'<rect class="fill[01]"', text)
    assert len(bars) == 3 + MOST_BARS
    assert f"long (the first {MOST_BARS} of 400)" in text
    assert "0.5, -1.25, 3" in text
    assert "11, … (400 in all)" in text


FIELDS = {
    "problem's name": {"problem": {"name": HOSTILE}},
    "setting's name": {"problem": {"name": "p", "settings": {HOSTILE: 1}}},
    "setting": {"algorithm": {"name": "a", "settings": {"x": HOSTILE}}},
    "nested setting": {"genome": {"name": "g", "settings": {"x": [{"deep": [HOSTILE]}]}}},
    "source": {"genome": {"name": "g", "source": HOSTILE}},
    "gene's name": {"genes": {HOSTILE: [1.0, 2.0]}},
    "gene": {"genes": {"word": [HOSTILE, HOSTILE]}},
    "objective": {"fitness": {HOSTILE: 1.0}},
    "score": {"fitness": {"reward": HOSTILE}},
    "generation": {"generation": HOSTILE},
    "seed": {"seed": HOSTILE},
    "variant": {"variant": HOSTILE},
    "input": {"network": {**NETWORK, "inputs": [HOSTILE, "x"]}},
    "output": {"network": {**NETWORK, "outputs": [HOSTILE]}},
    "lineage's name": {"lineage": {HOSTILE: 1}},
    "lineage": {"lineage": {"uid": HOSTILE}},
    "package": {"versions": {HOSTILE: "1"}},
    "version": {"versions": {"torch": HOSTILE}},
}


@pytest.mark.parametrize("change", FIELDS.values(), ids=FIELDS.keys())
@pytest.mark.parametrize("champion", [CHAMPION, VECTOR], ids=["network", "vector"])
def test_hostile_words_are_inert(champion, change, monkeypatch):
    hostile = replace(champion, **change)
    parsed = Page(page(hostile))
    assert "img" not in parsed.elements
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    monkeypatch.setattr("html.escape", lambda text, quote=True: text)
    assert "<img" in page(hostile)  # the control: the words reach the page, and only escaping holds them


@pytest.mark.parametrize(
    "given", [{"command": HOSTILE}, {"history": [*HISTORY, RunHistory(HOSTILE, 1, [1], [1.0], [1.0])]}]
)
def test_hostile_arguments_are_inert(given, monkeypatch):
    assert "img" not in Page(page(**given)).elements
    monkeypatch.setattr("html.escape", lambda text, quote=True: text)
    assert "<img" in page(**given)


def test_hostile_words_do_not_leave_attributes():
    payload = '" onload="p()'
    parsed = Page(page(replace(VECTOR, genes={payload: [1.0, 2.0]})))
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    assert payload in [value for _, name, value in parsed.attributes if name == "aria-label"]


def test_words_that_no_encoding_holds_still_make_a_page():
    page(replace(CHAMPION, variant="\ud800\x00"), command="run \udfff").encode("utf-8")


def test_the_policy_allows_exactly_what_is_inlined():
    text = page()
    rules = dict(rule.split(" ", 1) for rule in policy(text).split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    wanted = {"script": set(rules["script-src"].split()), "style": set(rules["style-src"].split())}
    found = {"script": set(), "style": set()}
    for tag, content in Page(text).inlined:
        found[tag].add(f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'")
    assert found == wanted


def test_the_policy_comes_before_anything_it_rules():
    text = page()
    assert text.index("Content-Security-Policy") < min(
        text.index("<style"), text.index("<script"), text.index("<title")
    )


def test_nothing_is_requested():
    text = page()
    parsed = Page(text)
    assert not {"link", "iframe", "object", "embed", "base", "form", "a"} & set(parsed.elements)
    assert not {"src", "href", "xlink:href", "srcset", "style"} & {name for _, name, _ in parsed.attributes}
    assert "url(" not in text
    assert "@import" not in text
    addresses = re.findall(r"https?://[^\"']*", text)
    assert set(addresses) == {"http://www.w3.org/2000/svg"}
    assert text.count("http://") == text.count('xmlns="http://www.w3.org/2000/svg"')


def test_the_same_arguments_give_the_same_bytes():
    assert page() == page()
    assert page(VECTOR) == page(VECTOR)


def test_data_stays_inside_its_element_and_arrives_whole():
    hostile = {"</script><!--": ["<img>", "&amp;", "\u2028\u2029", "\ud800", '"\\']}
    block = json_block(hostile)
    assert not set("<>&\u2028\u2029") & set(block)
    assert json.loads(block) == hostile
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_block(math.nan)


def test_the_script_gets_every_connection_and_the_weights():
    (data,) = Page(page()).data
    (picture,) = data["pictures"]
    assert picture["network"]["edges"] == NETWORK["edges"]
    assert (data["kind"], data["weights"], data["weight"]) == ("", [], None)
    assert Page(page(VECTOR)).data == []


@pytest.mark.parametrize(
    ("means", "maximize", "place"),
    [
        ([math.nan, -5.0, -3.0, -4.0], True, 2),
        ([2.0, math.nan, 3.0, 1.0], False, 3),
        ([math.nan, math.nan, math.inf, 7.0], True, 3),
        ([1.0, 1.0, math.nan, 0.0], True, 0),
        ([math.nan] * 4, True, 0),
    ],
)
def test_the_page_starts_with_the_best_weight_that_has_a_score(means, maximize, place):
    sweep = [WeightScore(weight, mean, 1.0) for weight, mean in zip((-2.0, -1.0, 1.0, 2.0), means, strict=True)]
    live = Live("control", "", {"starts": [], "recorded": []}, "", maximize)
    (data,) = Page(champion_page(CHAMPION, HISTORY, sweep, "", live)).data
    assert data["weight"] == place


def test_the_page_says_why_there_are_no_ancestors_and_what_the_generation_is_of():
    text = champion_page(CHAMPION, HISTORY, SWEEP, "", unknown=f"the journal has gone {HOSTILE}")
    assert "Its ancestors are not known: the journal has gone &lt;img" in text
    assert "Its ancestors" not in page()
    shown = Page(text).texts
    assert shown[shown.index("scored best in generation") + 1] == "12"


def test_a_champion_without_its_campaign_says_so():
    assert "is not beside the champion" in page(command="")


def small(count):
    """Return a network of `count` hidden nodes in a row."""
    edges = [[node, node + 1, 1.0] for node in range(1, count + 2)]
    return {
        "inputs": ["x"],
        "outputs": ["y"],
        "activations": ["linear"] * 2 + ["sin"] * count + ["linear"],
        "edges": edges,
    }


LINE = [Ancestor(4 * number, number, small(number), float(number)) for number in range(9)]


def test_the_film_tells_what_was_new():
    pictures = descent.film(replace(CHAMPION, network=small(8), lineage={"uid": 8}, generation=32), LINE, False)
    assert [picture.generation for picture in pictures] == list(range(0, 33, 4))
    assert [picture.words for picture in pictures][1:] == [
        *(f"generation {4 * n} · reward {n}" for n in range(1, 8)),
        "generation 32 · reward 584.25 · the champion",
    ]
    assert pictures[0].news == "the first"
    assert {picture.news for picture in pictures[1:]} == {
        f"since generation {n}: 1 more sin, 1 more connection" for n in range(0, 32, 4)
    }
    assert sum("<style>" in picture.svg for picture in pictures) == 1


@pytest.mark.parametrize(
    ("old", "new", "news"),
    [
        (small(2), small(1), "1 fewer sin, 1 fewer connection"),
        (NETWORK, {**NETWORK, "edges": [[1, 3, 2.0], *NETWORK["edges"][1:]]}, "other weights"),
        (
            NETWORK,
            {**NETWORK, "activations": ["linear", "linear", "sin", "tanh", "linear"]},
            "1 input with another activation",
        ),
        (
            NETWORK,
            {**NETWORK, "activations": ["linear", "abs", "sin", "sin", "linear"]},
            "1 more sin, 1 fewer tanh, 2 inputs with another activation",
        ),
        (
            NETWORK,
            {**NETWORK, "activations": ["linear", "linear", "linear", "linear", "tanh"]},
            "other activations",
        ),
        (NETWORK, {**NETWORK, "edges": [[2, 3, 1.5], *NETWORK["edges"][1:]]}, "other connections"),
        (small(1), {**small(1), "activations": ["linear"] * 4}, "1 more linear, 1 fewer sin"),
    ],
)
def test_changes_in_words(old, new, news):
    pictures = descent.film(replace(CHAMPION, network=new), [Ancestor(1, 1, old, 0.0)], False)
    assert pictures[-1].news == f"since generation 1: {news}"


def test_a_long_film_is_thinned_evenly(monkeypatch):
    champion = replace(CHAMPION, network=small(8), lineage={"uid": 8}, generation=32)
    whole = descent.film(champion, LINE, False)
    monkeypatch.setattr(descent, "LARGEST_FILM", 5 * len(whole[-1].svg))
    kept = [picture.generation for picture in descent.film(champion, LINE, False)]
    assert kept == [0, 8, 16, 24, 32]
    assert descent.film(champion, LINE, False)[1].news == "since generation 0: 2 more sin, 2 more connections"


def test_the_marker_knows_the_places_of_the_points():
    svg = curve_svg([Line("", [0.0, 1.0, 2.0], [0.0, math.nan, 10.0])], "x", "y", "t", marker=2)
    (marker,) = [e for e in ElementTree.fromstring(svg).iter() if e.get("class") == "marker"]
    places = [tuple(map(float, pair.split(","))) for pair in marker.get("data-places").split()]
    assert [x for x, _ in places] == [62.0, 287.0, 512.0]
    assert places[1][1] == 290.0  # without a height: on the scale
    assert marker.get("transform") == "translate(512.0 0)"


def recorded(folder, seeds=(0, 1), generations=(30,), **more):
    folder.mkdir()
    (folder / "source.py").write_text("")
    variants = {f"v{number}": {"generations": count} for number, count in enumerate(generations)}
    described = {"format": "evo.campaign/1", "configuration": {"seeds": seeds, "variants": variants}, "file": None}
    (folder / "campaign.json").write_text(json.dumps({**described, **more}))
    return folder / "v0" / "seed-0" / "champion.json"


def test_the_command_runs_the_campaign_as_it_was_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "my swing.py"
    script.write_text("")
    plain = recorded(tmp_path / "a", file=str(script))
    assert show.command_of(plain) == "evo run 'my swing.py' --seeds 2 --generations 30"
    script.unlink()
    assert show.command_of(plain) == "evo run a/source.py --seeds 2 --generations 30"
    other = recorded(tmp_path / "b", seeds=[4, 9], generations=(30, 60), device="cuda")
    assert show.command_of(other) == "evo run b/source.py --device cuda"
    assert show.command_of(tmp_path / "champion.json") == ""


def coordinates(svg):
    for element in ElementTree.fromstring(svg).iter():
        for name in ("d", "points", "cx", "cy", "x", "y", "x1", "x2", "y1", "y2", "width", "height"):
            yield from (float(word) for word in re.findall(r"[^\sMLh,]+", element.get(name, "")))


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [2.0, 2.0, 2.0],
        [math.nan, 1.0, math.inf, 2.0, -math.inf],
        [math.nan] * 3,
        [1e308, -1e308, 0.0],
        [0.0, 5e-324],
        [1e16, 1e16 + 2],
        [None, 10**400, 3],
    ],
)
def test_charts_have_finite_coordinates(values):
    line = Line("score", list(range(len(values))), values, [1.0] * len(values), marked=True)
    for svg in (curve_svg([line], "x", "y", "t"), bars_svg(values, "genes")):
        assert all(map(math.isfinite, coordinates(svg)))


def test_a_line_passes_through_its_points_and_breaks_at_gaps():
    svg = curve_svg([Line("", [0, 1, 2, 3, 4], [0.0, 10.0, math.nan, 5.0, 0.0])], "x", "y", "t")
    paths = [e.get("d") for e in ElementTree.fromstring(svg).iter(f"{SVG}path")]
    assert len(paths) == 2
    heights = [float(pair.split()[1]) for pair in paths[0][1:].split("L") + paths[1][1:].split("L")]
    assert heights[0] == heights[3] > heights[2] > heights[1]
    assert heights[2] == pytest.approx((heights[0] + heights[1]) / 2, abs=0.11)


def test_long_lines_keep_their_extremes():
    values = [math.sin(place / 50) for place in range(10_000)]
    values[4321], values[8765] = 7.0, -9.0
    svg = curve_svg([Line("", range(10_000), values)], "x", "y", "t")
    (path,) = [e.get("d") for e in ElementTree.fromstring(svg).iter(f"{SVG}path")]
    heights = [float(pair.split()[1]) for pair in path[1:].split("L")]
    assert len(heights) <= 2 * BUCKETS + 2
    whole = curve_svg([Line("", [0, 4321, 8765], [0.0, 7.0, -9.0])], "x", "y", "t")
    (short,) = [e.get("d") for e in ElementTree.fromstring(whole).iter(f"{SVG}path")]
    ends = [float(pair.split()[1]) for pair in short[1:].split("L")]
    assert (min(heights), max(heights)) == (min(ends), max(ends))


def test_ticks_are_round():
    assert ticks(0.0, 1000.0) == [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]
    assert ticks(-0.3, 0.3) == pytest.approx([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3])
