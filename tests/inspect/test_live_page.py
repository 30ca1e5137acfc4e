"""A champion's page in a browser: what it runs, what it lets one do, and what it does not let strangers do."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evo import show
from evo.champion import Champion
from evo.inspect.ancestor import Ancestor
from evo.inspect.live import Live, live_problem
from evo.inspect.page import RunHistory, WeightScore, champion_page
from problems.control.cartpole_swingup import CartPoleSwingUp
from problems.digits import Digits

pytest_plugins = ["browser"]

SWING = CartPoleSwingUp(steps=60)
NETWORK = {
    "inputs": list(SWING.inputs),
    "outputs": ["force"],
    "activations": [*["linear"] * 6, "tanh", "gaussian", "inverse"],
    "edges": [[2, 6, 1.0], [4, 6, 1.0], [6, 7, 1.0], [5, 8, 1.0], [7, 8, 1.0], [6, 8, 1.0], [8, 7, 1.0]],
}
"""With a recurrent edge; bias, position and cos(angle) are unused."""
WEIGHTS = (-2.0, -1.0, 0.0, 1.0, 2.0)
CHAMPION = Champion(
    genome={"name": "topology", "settings": {"inputs": 5}},
    problem={"name": SWING.name, "settings": {"shared_weights": [-1.0, 1.0], "episodes": 3, "steps": 60}},
    algorithm={"name": "weight-agnostic-search", "settings": {"population": 64}},
    genes={"nodes": [[0.5, "tanh"]]},
    fitness={"reward": 12.5},
    generation=40,
    seed=3,
    network=NETWORK,
    lineage={"uid": 77, "parents": [5, -1]},
    versions={"torch": "2.6"},
)
ANCESTORS = [
    Ancestor(0, 1, {**NETWORK, "activations": [*["linear"] * 6, "inverse"], "edges": [[4, 6, 1.0]]}, 1.5),
    Ancestor(12, 5, {**NETWORK, "edges": NETWORK["edges"][:5]}, None),
    Ancestor(40, 77, NETWORK, 12.5),
]
HISTORY = [RunHistory("default", seed, [0, 1, 2], [1.0, 2.0, 4.0], [0.5, 1.0, 2.0]) for seed in (3, 4)]


@pytest.fixture(scope="module")
def watched():
    """The champion's scores and problem, as `evo show` gathers them, for a few weights and starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(show, "WEIGHTS", WEIGHTS)
        return show.watched(CHAMPION, Path("champion.json"))


@pytest.fixture(scope="module")
def text(watched):
    sweep, live = watched
    return champion_page(CHAMPION, HISTORY, sweep, "evo run swing.py --seeds 2", live, ANCESTORS)


@pytest.fixture
def still(chromium_page):
    """A browser for those who want no motion: episodes begin when asked to. Whatever happens, nothing may go wrong."""
    chromium_page.page.emulate_media(reduced_motion="reduce")
    yield chromium_page
    assert chromium_page.errors == []
    assert len(chromium_page.requests) == 1
    assert chromium_page.outside() == []


def state(page):
    return page.evaluate("({...document.body.dataset})")


def wait(page, condition):
    """Wait until a condition holds; playwright's own waiting would need the page's policy to allow it."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(30)
    raise AssertionError(f"still not: {condition}")


def test_it_moves_by_itself_and_goes_on_to_the_next_start(chromium_page, text):
    page = chromium_page.write(text)
    wait(page, "document.body.dataset.steps > 3")
    page.select_option("#rate", "500")
    wait(page, "document.body.dataset.steps == 60")
    assert page.inner_text("#score") == page.inner_text("#total")
    wait(page, "document.body.dataset.start == 2")
    page.click("#play")
    before = state(page)["steps"]
    page.wait_for_timeout(60)
    assert state(page)["steps"] == before
    assert chromium_page.errors == []
    assert len(chromium_page.requests) == 1


def test_every_node_is_drawn_and_every_connection_can_be_cut(still, text):
    page = still.write(text)
    drawn = page.locator(".figure:not([hidden]) [data-node]")
    assert sorted(int(node.get_attribute("data-node")) for node in drawn.all()) == list(range(9))
    labels = [edge.get_attribute("aria-label") for edge in page.locator(".figure:not([hidden]) .hit").all()]
    assert len(labels) == len(NETWORK["edges"])
    assert "cut sin(angle) to node 6: 1" in labels
    assert page.locator(".unused text").first.inner_html() == "bias"
    assert page.locator("#scene line").count() == 2
    assert page.locator("#scene .still").count() == 1


def test_live_scores_are_those_that_python_recorded(still, text, watched):
    page = still.write(text)
    script = """([network, weight, start]) => {
      const episode = new Episode(problem, new Network(network, activations), start);
      while (!episode.done) episode.step(weight);
      return episode.total;
    }"""
    data = watched[1].data
    for weight, recorded in zip(WEIGHTS, data["recorded"], strict=True):
        totals = [page.evaluate(script, [NETWORK, weight, start]) for start in data["starts"][:5]]
        assert totals == pytest.approx(recorded[:5], rel=2e-3, abs=2e-3)  # float32 there, double precision here
    place = WEIGHTS.index(float(state(page)["weight"]))
    assert float(state(page)["total"]) == pytest.approx(data["recorded"][place][0], rel=2e-3)
    assert float(page.inner_text("#recorded")) == pytest.approx(data["recorded"][place][0], abs=0.06)


def test_steps_pause_and_restart(still, text):
    page = still.write(text)
    assert (state(page)["steps"], page.inner_text("#play")) == ("0", "Play")
    page.click("#step")
    page.click("#step")
    assert (state(page)["steps"], page.inner_text("#clock")) == ("2", "step 2 of 60")
    page.click("#restart")
    assert (state(page)["steps"], state(page)["score"]) == ("0", "0")
    page.click("#next")
    page.click("#previous")
    page.click("#previous")
    assert page.inner_text("#start") == "start 20 of 20"
    page.click("#play")
    wait(page, "document.body.dataset.steps > 1")


def test_the_slider_sets_the_weight_of_all_it_should(still, text):
    page = still.write(text, "#weight=1")
    first = state(page)
    levels = page.evaluate("[...document.querySelectorAll('.activity')].map((disc) => disc.r.baseVal.value)")
    page.focus("#weight")
    page.keyboard.press("ArrowRight")
    now = state(page)
    assert (first["weight"], now["weight"], page.inner_text("#weight-shown")) == ("1", "2", "2")
    assert now["total"] != first["total"]
    assert levels != page.evaluate("[...document.querySelectorAll('.activity')].map((disc) => disc.r.baseVal.value)")
    wait(page, "location.hash === '#weight=2&start=1'")
    page.keyboard.press("Home")
    assert state(page)["weight"] == "-2"


def test_the_slider_shares_the_scale_of_the_chart(still, text):
    page = still.write(text)
    for key, share in (("Home", 0), ("End", 1)):
        page.focus("#weight")
        page.keyboard.press(key)
        slider = page.locator("#weight").bounding_box()
        marker = page.locator(".marker line").bounding_box()
        thumb = slider["x"] + 9 + share * (slider["width"] - 18)
        assert marker["x"] + marker["width"] / 2 == pytest.approx(thumb, abs=1.5)
    chart = page.locator(".sweep svg").bounding_box()
    page.mouse.click(chart["x"] + chart["width"] * (62 + 0.75 * 450) / 534, chart["y"] + chart["height"] / 2)
    assert state(page)["weight"] == "1"


def test_a_cut_changes_what_it_does_until_mended(still, text):
    page = still.write(text, "#weight=1")
    whole = state(page)["total"]
    edge = page.locator(".figure:not([hidden]) .hit[aria-label^='cut sin(angle) to node 6']")
    edge.focus()
    page.keyboard.press("Enter")
    assert (state(page)["cut"], edge.get_attribute("aria-pressed")) == ("1", "true")
    assert state(page)["total"] != whole
    assert page.inner_text("#recorded") == "none"
    wait(page, "location.hash === '#weight=1&start=1&cut=1'")
    page.keyboard.press(" ")
    assert (state(page)["cut"], state(page)["total"]) == ("", whole)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('tabindex')") == "0"
    page.keyboard.press("Enter")
    assert state(page)["cut"] not in ("", "1")
    page.click("#mend")
    assert state(page)["cut"] == ""


def test_a_connection_is_cut_where_it_is_clicked(still, text):
    page = still.write(text)
    x, y = page.evaluate("""() => {
      const path = document.querySelector(".figure:not([hidden]) [data-source='5'][data-target='8']");
      path.scrollIntoView({ block: "center" });
      const place = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
      return [place.x, place.y];
    }""")
    page.mouse.click(x, y)
    assert state(page)["cut"] == "3"


def test_the_address_holds_the_state(still, text):
    page = still.write(text, "#weight=-1&start=4&cut=0,3&generation=20")
    now = state(page)
    assert (now["weight"], now["start"], now["cut"], now["generation"]) == ("-1", "4", "0,3", "12")
    assert page.inner_text("#ancestor").startswith("generation 12 · reward none: its evaluation failed")
    assert page.inner_text("#mend") == "Mend all (2 cut)"
    page.evaluate("location.hash = '#weight=2&start=2'")
    wait(page, "document.body.dataset.weight == 2 && document.body.dataset.start == 2 && !document.body.dataset.cut")
    page.evaluate("location.hash = '#weight=<img src=x>&start=NaN&cut=99,-1,x,&generation='")
    wait(page, "document.body.dataset.start == 1")
    assert (state(page)["cut"], state(page)["generation"]) == ("", "40")


def test_the_ancestors_from_the_first(still, text):
    page = still.write(text)
    total = state(page)["total"]
    page.focus("#generation")
    page.keyboard.press("Home")
    assert page.inner_text("#ancestor") == "generation 0 · reward 1.5"
    assert page.locator(".figure:not([hidden]) > svg [data-node]").count() == 7
    assert state(page)["total"] != total
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#news") == "since generation 0: 1 more gaussian, 1 more tanh, 4 more connections"
    page.keyboard.press("End")
    assert state(page)["total"] == total
    assert page.inner_text("#ancestor").endswith("the champion")


def test_own_weights_have_no_slider(still, watched):
    own = replace(CHAMPION, problem={"name": SWING.name, "settings": {"steps": 60}})
    sweep, live = show.watched(own, Path("champion.json"))
    page = still.write(champion_page(own, HISTORY, sweep, "", live))
    assert page.locator("#weight").count() == 0
    recorded = live.data["recorded"][0][0]
    assert float(state(page)["total"]) == pytest.approx(recorded, rel=2e-3)
    assert float(page.inner_text("#recorded")) == pytest.approx(recorded, abs=0.06)


def test_pictures_are_named_as_python_names_them(still):
    draws = np.random.default_rng(5)
    edges = [[s, t, 1.0] for t in range(65, 75) for s in draws.choice(65, 9, replace=False).tolist()]
    digits = Digits(shared_weights=(-1.0, 1.0))
    network = {
        "inputs": list(digits.inputs),
        "outputs": list(digits.outputs),
        "activations": ["linear"] * 65 + ["sin", "linear"] * 5,
        "edges": edges,
    }
    champion = replace(
        CHAMPION, problem={"name": "digits-v1", "settings": {"shared_weights": [-1, 1]}}, network=network
    )
    sweep = [WeightScore(weight, abs(weight), 0.0) for weight in WEIGHTS]
    page = still.write(champion_page(champion, [], sweep, "", live_problem(digits, draws)), "#weight=1&start=4")
    pictures = digits.exhibit()
    tested = replace(digits, split="test").cases()[0].reshape(-1, 64) / 16
    assert [label for _, label in pictures] == list(digits.outputs) * 2
    assert all((tested == values).all(1).any() for values, _ in pictures)
    for weight in ("1", "2"):
        outputs = champion.networks().forward(
            torch.tensor(np.array([values for values, _ in pictures])), float(weight)
        )[0]
        right = [digits.outputs[named] == label for named, (_, label) in zip(outputs.argmax(1), pictures, strict=True)]
        assert [
            kind == "right"
            for kind in page.evaluate(
                "[...document.querySelectorAll('#pictures button')].map((button) => button.className)"
            )
        ] == right
        assert state(page)["score"] == str(sum(right))
        shares = [float(row.split("%")[0].split()[-1]) for row in page.locator("#bars li").all_inner_texts()]
        assert shares == pytest.approx((100 * outputs[3].softmax(0)).tolist(), abs=0.51)
        page.focus("#weight")
        page.keyboard.press("ArrowRight")
    page.click("#pictures button:nth-child(8)")
    assert page.inner_text("#start") == "picture 8 of 20"
    assert page.inner_text("#verdict").startswith(pictures[7][1])
    wait(page, "location.hash.endsWith('start=8')")


def test_without_physics_the_page_says_why_and_still_shows_the_ancestors(still, watched):
    page = still.write(
        champion_page(CHAMPION, HISTORY, watched[0], "", Live(note="It runs in Python only."), ANCESTORS)
    )
    assert "It runs in Python only." in page.inner_text("main")
    assert page.locator("#scene, #weight, .hit").count() == 0
    page.focus("#generation")
    page.keyboard.press("Home")
    wait(page, "location.hash === '#generation=0'")
    assert state(page)["generation"] == "0"


def test_large_networks_run_whole_and_are_drawn_in_part(still):
    draws = np.random.default_rng(1)
    pairs = {(int(s), int(t)) for s, t in zip(draws.integers(0, 65, 1500), draws.integers(65, 139, 1500), strict=True)}
    network = {
        "inputs": [f"pixel {number}" for number in range(64)],
        "outputs": list("0123456789"),
        "activations": ["linear"] * 65 + ["tanh"] * 74,
        "edges": [[s, t, float(np.sin(s * t))] for s, t in sorted(pairs)],
    }
    champion = replace(CHAMPION, problem={"name": "digits-v1", "settings": {}}, network=network)
    text = champion_page(champion, [], [], "", live_problem(Digits(), draws), [])
    page = still.write(text, "#cut=999")
    assert len(text) < 500_000
    assert state(page)["cut"] == "999"
    assert page.locator(".hit").count() == 400
    assert page.evaluate(
        "JSON.parse(document.getElementById('data').textContent).pictures[0].network.edges.length"
    ) == len(pairs)


def test_narrow_screens_need_no_scrolling_sideways(still, text):
    still.page.set_viewport_size({"width": 360, "height": 800})
    page = still.write(text)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 360


def test_paper_shows_no_controls(still, text):
    page = still.write(text)
    page.emulate_media(media="print")
    assert not page.locator("#weight, #play, #mend, #generation").locator("visible=true").count()


def test_controls_have_names(still, text):
    page = still.write(text)
    for label in ("Shared weight", "Ancestry", "Speed", "Next start"):
        assert page.get_by_label(label, exact=True).count() == 1
    unnamed = page.evaluate("""[...document.querySelectorAll("button, input, select, svg:not([hidden])")].filter(
      (one) => !one.getAttribute("aria-label") && !one.textContent.trim() && !one.labels?.length).length""")
    assert unnamed == 0


PAYLOAD = "</script><img src=x onerror=document.title+=/{}/>"
PLACES = ("problem", "genome", "algorithm", "setting", "value", "gene", "objective", "variant", "input", "output")
PLACES += ("package", "version", "lineage", "source", "command", "note")


def hostile_page(live):
    """Return the page of a champion that is hostile in every text."""
    words = {place: PAYLOAD.format(place) for place in PLACES}
    champion = replace(
        CHAMPION,
        problem={"name": words["problem"], "settings": {words["setting"]: 1, "x": words["value"]}},
        genome={"name": words["genome"], "settings": {}, "source": words["source"]},
        algorithm={"name": words["algorithm"], "settings": {}},
        genes={words["gene"]: [words["gene"]]},
        fitness={words["objective"]: 1.0},
        variant=words["variant"],
        lineage={words["lineage"]: words["lineage"]},
        versions={words["package"]: words["version"]},
        network={**NETWORK, "inputs": [words["input"], "a", "b", "c", "d"], "outputs": [words["output"]]},
    )
    return champion_page(champion, HISTORY, [], words["command"], live or Live(note=words["note"]), ANCESTORS)


@pytest.mark.parametrize("running", [True, False])
def test_hostile_words_are_inert(still, watched, running):
    page = still.write(hostile_page(watched[1] if running else None))
    wait(page, "document.body.dataset.ready")
    page.wait_for_timeout(100)
    assert page.title().startswith("Champion of </script><img src=x")
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.outerHTML").count("onerror=document.title+=/input/") >= 2


def test_the_same_words_attack_a_page_without_defence(chromium_page, monkeypatch):
    monkeypatch.setattr("html.escape", lambda text, quote=True: text)
    monkeypatch.setattr("evo.inspect.document.json_block", lambda data: json.dumps(data))
    text = hostile_page(None)
    open_to_all = re.sub('<meta http-equiv="Content-Security-Policy"[^\n]*\n', "", text)
    page = chromium_page.write(open_to_all)
    title = f"document.title.replace({json.dumps(PAYLOAD.format('problem'))}, '')"
    wait(page, f"{json.dumps(PLACES)}.every((place) => {title}.includes('/' + place + '/'))")
    strict = chromium_page.write(text)  # with the policy alone, what got in is not run
    strict.wait_for_timeout(100)
    assert strict.evaluate(title) == "Champion of "
    assert any("Content Security Policy" in error for error in chromium_page.errors)


class OneShape(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        return ("line", 0.0, 0.0, state[0], 1.0)


class UnknownShape(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        return (("triangle", 0.0, 0.0, state[0]),)


class FewNumbers(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        return (("box", 0.0, 0.0, 1.0, 1.0), ("circle", state[0], 0.0))


class NoNumbers(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        return (("circle", state[0], 0.0, "large"),)


class Nested(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        return (("circle", (state[0], 0.0), 0.0, 1.0),)


class Number(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        return state[0]


class TooManyStates(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        return (("circle", state[9], 0.0, 1.0),)


SCENES = {
    OneShape: "shape 1 of its scene, 'line', is none of",
    UnknownShape: "shape 1 of its scene, 'triangle', is none of",
    FewNumbers: "shape 2 of its scene, 'circle', is none of",
    NoNumbers: "shape 1 of its scene, 'circle', is none of",
    Nested: "shape 1 of its scene, 'circle', is none of",
    Number: "scene returned a Tensor, expected a tuple of shapes",
    TooManyStates: "scene raised IndexError",
}


@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.__name__)
def test_scenes_that_cannot_be_drawn_are_told(kind):
    live = live_problem(kind(steps=60), np.random.default_rng(0))
    assert (live.kind, live.source) == ("", "")
    assert SCENES[kind] in live.note
    assert live_problem(SWING, np.random.default_rng(0)).kind == "control"


def test_steps_that_are_no_number_do_not_become_script():
    problem = replace(SWING, steps="1}; document.title = 'pwned'; ({")
    assert live_problem(problem, np.random.default_rng(0)).source == ""
