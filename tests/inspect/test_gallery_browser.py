"""The gallery in a browser: sorted, filtered, walked through, its state in the address, strangers' words inert."""

import json
import re
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from evo.champion import Champion
from evo.inspect import document as document_module
from evo.inspect.gallery import Card, Cell, Map, gallery_page
from evo.inspect.page import RunHistory

pytest_plugins = ["browser"]

PAYLOAD = "<img src=x onerror=document.title='pwned'>"
NETWORK = {
    "inputs": ["position", "velocity"],
    "outputs": ["force"],
    "activations": ["linear", "linear", "linear", "tanh", "linear"],
    "edges": [[1, 3, 1.5], [3, 4, -0.5]],
}
CHAMPION = Champion(
    genome={"name": "topology", "settings": {}},
    problem={"name": "swing-v1", "settings": {}},
    algorithm={"name": "search", "settings": {}},
    genes={},
    fitness={},
    generation=0,
    seed=0,
    network=NETWORK,
)
SCORES = (5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 6.0)
SVG = '<svg class="evo"><rect data-cell="1,2"></rect></svg>'


def champion(place, score):
    grown = {**NETWORK, "edges": [*NETWORK["edges"], *([0, 3, 1.0], [0, 4, 1.0])[: place % 3]]}
    variant = ("small", "Large")[place % 2]
    fitness = {"reward": score, "cost": 10.0 - score} if place else {"reward": score}
    return replace(CHAMPION, network=grown, variant=variant, seed=place, generation=20 - place, fitness=fitness)


CARDS = [
    Card(champion(place, score), f"run-{place}", f"run-{place}.html" if place else "")
    for place, score in enumerate(SCORES)
]
HISTORY = [RunHistory(one.champion.variant, one.champion.seed, [0, 1], [0.0, 1.0], [0.0, 1.0]) for one in CARDS]
MAPS = [Map("run-0", SVG, [Cell((1, 2), {"depth": 1.0}, {"reward": 1.0}, NETWORK, {})] * 3)]
DIRECTIONS = {"reward": True, "cost": False}
DESCENDING = sorted(range(len(SCORES)), key=lambda place: -SCORES[place])


def written(cards=CARDS, notes=()):
    return gallery_page("swings", cards, HISTORY, DIRECTIONS, MAPS, notes)


@pytest.fixture
def opened(chromium_page):
    """The gallery in a window with four cards in a row; afterwards nothing has gone wrong in it."""
    chromium_page.page.set_viewport_size({"width": 1000, "height": 900})
    chromium_page.page.emulate_media(reduced_motion="reduce")
    chromium_page.write(written())
    yield chromium_page
    assert chromium_page.errors == []
    assert chromium_page.outside() == []
    assert {address.partition("#")[0] for address in chromium_page.requests} == {chromium_page.page.url.split("#")[0]}


def order(page):
    """The places of the champions that are shown, in order."""
    places = page.eval_on_selector_all(".champions li:not([hidden]) a", "cards => cards.map((card) => card.dataset.at)")
    return [int(place.removeprefix("run-")) for place in places]


def state(page):
    return {name: values[0] for name, values in parse_qs(page.evaluate("location.hash.slice(1)")).items()}


def focused(page):
    return page.evaluate("document.activeElement.dataset.at")


def sort_by(page, name):
    page.locator("[data-column]").filter(has_text=re.compile(f"^{name}$")).click()


def test_the_best_come_first(opened):
    page = opened.page
    assert page.evaluate("document.body.dataset.ready") == "yes"
    assert order(page) == DESCENDING
    assert page.locator(".star").count() == 1
    assert page.locator("output").inner_text() == "9 of 9"


def test_buttons_sort_and_sort_the_other_way_round(opened):
    page = opened.page
    sort_by(page, "seed")
    assert order(page) == list(range(9))
    assert state(page) == {"sort": "seed", "order": "up"}
    sort_by(page, "seed")
    assert order(page) == list(range(9))[::-1]
    assert state(page) == {"sort": "seed", "order": "down"}
    sort_by(page, "connections")
    assert order(page) == [0, 3, 6, 1, 4, 7, 2, 5, 8]
    sort_by(page, "variant")
    assert order(page) == [1, 3, 5, 7, 0, 2, 4, 6, 8]
    assert page.locator("[aria-pressed=true]").inner_text().startswith("variant")


def test_who_has_no_such_score_is_last_either_way(opened):
    page = opened.page
    sort_by(page, "cost")
    assert order(page) == [*filter(None, DESCENDING), 0]  # less is better
    sort_by(page, "cost")
    assert order(page) == [*filter(None, DESCENDING[::-1]), 0]


def test_the_filter_shows_a_variant(opened):
    page = opened.page
    page.locator("input").fill("LARGE")
    assert order(page) == [place for place in DESCENDING if place % 2]
    assert page.locator("output").inner_text() == "4 of 9"
    assert state(page)["filter"] == "LARGE"
    page.locator("input").fill("none such")
    assert order(page) == []
    page.locator("input").fill("")
    assert order(page) == DESCENDING


def test_keys_walk_through_the_champions(opened):
    page = opened.page
    for key, place in (
        ("ArrowRight", 0),
        ("ArrowRight", 1),
        ("ArrowDown", 5),
        ("ArrowLeft", 4),
        ("ArrowUp", 0),
        ("ArrowUp", 0),
        ("End", 8),
        ("ArrowRight", 8),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        assert focused(page) == f"run-{DESCENDING[place]}", key
        assert state(page)["at"] == f"run-{DESCENDING[place]}"
    assert page.locator(".champions a[tabindex='0']").count() == 1
    sort_by(page, "seed")
    page.keyboard.press("Shift+Tab")
    page.locator("input").focus()
    page.keyboard.press("ArrowDown")
    assert focused(page) == "run-0"


def test_keys_skip_what_is_filtered_out(opened):
    page = opened.page
    page.locator("input").fill("large")
    page.keyboard.press("ArrowDown")
    walked = [focused(page)]
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        walked.append(focused(page))
    assert walked == [f"run-{place}" for place in DESCENDING if place % 2]


def test_enter_opens_the_champions_page(opened):
    page = opened.page
    (opened.folder / f"run-{DESCENDING[0]}.html").write_text("<!doctype html><title>its page</title>")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/run-{DESCENDING[0]}.html")
    assert page.title() == "its page"
    page.go_back()
    assert focused(page) == f"run-{DESCENDING[0]}"
    opened.requests[:] = [page.url]


def test_the_address_restores_what_was_seen(opened):
    page = opened.page
    sort_by(page, "generation")
    page.locator("input").fill("small")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    seen = (order(page), focused(page), page.evaluate("location.hash"))
    assert seen[:2] == ([8, 6, 4, 2, 0], "run-6")
    page.goto("about:blank")
    opened.write(written(), seen[2])
    assert (order(page), focused(page), page.evaluate("location.hash")) == seen
    assert page.locator("input").input_value() == "small"
    page.evaluate("location.hash = '#sort=seed&order=down&at=run-2'")
    page.locator("[data-at='run-2']:focus").wait_for()
    assert order(page) == list(range(9))[::-1]


@pytest.mark.parametrize("fragment", ["#sort=nothing&at=nobody", "#order=sideways", "#%", "#at=]%22", "#=&&=&sort"])
def test_an_address_that_means_nothing_is_the_default(chromium_page, fragment):
    chromium_page.write(written(), fragment)
    assert sorted(order(chromium_page.page)) == list(range(9))
    assert chromium_page.errors == []


def test_a_champion_is_shown_in_the_curves_and_among_its_variant(opened):
    page = opened.page
    assert page.locator(".traced").count() == 0
    page.keyboard.press("ArrowRight")
    classes = page.eval_on_selector_all(".traced", "marks => marks.map((mark) => mark.getAttribute('class'))")
    assert len(classes) == 2
    assert all(f"run{DESCENDING[0]} " in one for one in classes)
    page.locator("input").focus()
    assert page.locator(".traced").count() == 0


def test_elites_are_walked_through_too_and_shown_on_their_map(opened):
    page = opened.page
    page.locator("summary").click()
    page.locator(".cells a").first.focus()
    page.keyboard.press("ArrowRight")
    assert focused(page) == "run-0/elite-1"
    assert page.locator("[data-cell='1,2'].traced").count() == 1
    page.keyboard.press("End")
    assert focused(page) == "run-0/elite-2"


def test_cards_glide_to_their_places_unless_motion_is_unwanted(chromium_page):
    page = chromium_page.page
    for wanted, motion in ((True, "no-preference"), (False, "reduce")):
        page.emulate_media(reduced_motion=motion)
        chromium_page.write(written())
        moving = "[...document.querySelectorAll('.champions li')].some((item) => item.getAnimations().length)"
        assert page.evaluate(moving) is False
        assert page.evaluate(f"document.querySelector('[data-column=\"5\"]').click(), {moving}") is wanted


def test_narrow_windows_need_no_scrolling_sideways(opened):
    for wide in (360, 700, 1300):
        opened.page.set_viewport_size({"width": wide, "height": 800})
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= wide


def hostile_page():
    """A page in which every text that a champion file or a folder gives is an attack."""
    attack = f"</script>{PAYLOAD}"
    thing = {"name": attack, "settings": {attack: attack}}
    network = {**NETWORK, "inputs": [attack, attack], "outputs": [attack]}
    words = {"genome": thing, "problem": thing, "algorithm": thing, "variant": attack, "network": network}
    more = {"genes": {attack: attack}, "versions": {attack: attack}, "lineage": {attack: attack}}
    bad = replace(CHAMPION, **words, **more, fitness={attack: 1.0}, trials={attack: [[1.0]]})
    cards = [Card(bad, attack, f'"{attack}'), *CARDS]
    cells = [Cell((0, 0), {attack: 1.0}, {attack: 1.0}, network, {attack: attack})]
    history = [RunHistory(attack, 0, [0, 1], [0.0, 1.0], [0.0, 1.0])]
    return gallery_page(attack, cards, history, {}, [Map(attack, SVG, cells)], [attack])


def attacked(opened):
    opened.page.wait_for_timeout(150)
    return opened.page.title() == "pwned"


def test_hostile_words_are_inert_and_the_page_works(chromium_page):
    page = chromium_page.write(hostile_page())
    assert not attacked(chromium_page)
    assert page.locator("img").count() == 0
    assert len(page.locator(".champions li").all()) == 10
    sort_by(page, "seed")
    page.keyboard.press("ArrowRight")
    page.locator("[data-column]").first.click()
    assert not attacked(chromium_page)
    assert chromium_page.errors == []
    assert chromium_page.outside() == []


def test_without_escaping_the_policy_holds_and_without_both_the_attack_succeeds(chromium_page, monkeypatch):
    monkeypatch.setattr("html.escape", lambda text, quote=True: text)
    monkeypatch.setattr(document_module, "json_block", lambda data: json.dumps(data))
    unescaped = hostile_page()
    chromium_page.write(unescaped)
    assert not attacked(chromium_page)
    assert any("Content Security Policy" in error for error in chromium_page.errors)
    head, meta, rest = unescaped.partition('<meta http-equiv="Content-Security-Policy"')
    assert meta
    chromium_page.write(head + rest[rest.index(">") + 1 :])
    assert attacked(chromium_page)
