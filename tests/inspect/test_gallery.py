"""The gallery's page and the command that gathers it; what its script does is tested in a browser."""

import argparse
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from evo.champion import Champion
from evo.commands.gallery import configure, execute
from evo.gallery import gallery
from evo.inspect.gallery import Card, Cell, Map, gallery_page
from evo.inspect.page import RunHistory
from evo.inspect.strip_chart import Dot, strip_svg
from evo.inspect.thumbnail import LARGEST_COLUMN, MOST_BARS, MOST_EDGES, thumbnail
from evo.loading import load_campaign
from evo.run import CampaignError

HOSTILE = "<img src=x onerror=p()>"
NETWORK = {
    "inputs": ["position", "velocity"],
    "outputs": ["force"],
    "activations": ["linear", "linear", "linear", "tanh", "linear"],
    "edges": [[1, 3, 1.5], [3, 4, -0.5], [0, 4, 1.0], [4, 3, 1.0]],
}
CHAMPION = Champion(
    genome={"name": "topology", "settings": {}},
    problem={"name": "swing-v1", "settings": {}},
    algorithm={"name": "search", "settings": {}},
    genes={"nodes": [[0.5, "tanh"]]},
    fitness={"reward": 584.25, "seed": 7.0},
    generation=12,
    seed=3,
    network=NETWORK,
)
VECTOR = replace(CHAMPION, network=None, genes={"values": [0.5, -1.25, 3.0]}, fitness={"loss": 2.0}, variant="vector")
CARDS = [Card(CHAMPION, "default/seed-3", "default/seed-3/champion.html"), Card(VECTOR, "vector/seed-3")]
HISTORY = [RunHistory(card.champion.variant, 3, [1, 2, 3], [1.0, 2.0, 4.0], [0.5, 1.0, 2.0]) for card in CARDS]
CELLS = [
    Cell((2, 1), {"depth": 3.0}, {"reward": 5.0}, NETWORK, {}),
    Cell((0, 0), {"depth": 1.0}, {"reward": 4.0}, None, {}),
]
MAPS = [Map("default/seed-3", "<svg></svg>", CELLS)]

SOURCE = """
from evo import Campaign
from evo.algorithms.map_elites import MapElites
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp

problem = CartPoleSwingUp(shared_weights=(-1.0, 1.0), episodes=2, steps=40)
grown = {"add_node_rate": 1.0, "add_connection_rate": 1.0}
campaign = Campaign(
    problem, Topology.for_problem(problem, **grown), WeightAgnosticSearch(population=8), generations=4, seeds=(0, 1),
    variants={"wann": {}, "mapped": {"algorithm": MapElites(population=24, highs=(40.0, 10.0), cells=(10, 10)),
                                     "generations": 24}},
)
"""


class Page(HTMLParser):
    """What an HTML parser makes of a page: elements and attributes, texts, and the JSON block."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.texts, self.block, self.open = [], [], [], "", ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        self.open = "data" if ("id", "data") in attrs else tag

    def handle_data(self, data):
        if self.open == "data":
            self.block += data
            self.open = ""
        elif self.open not in ("style", "script"):
            self.texts.append(data)

    def values(self, wanted):
        return [value for _, name, value in self.attributes if name == wanted]


def page(cards=CARDS, history=HISTORY, directions=None, maps=MAPS, notes=("left out one",), title="swings"):
    return gallery_page(title, cards, history, {"loss": False} if directions is None else directions, maps, notes)


def test_a_card_per_champion_and_per_elite_with_its_words():
    parsed = Page(page())
    assert parsed.values("data-at") == [
        "default/seed-3",
        "vector/seed-3",
        "default/seed-3/elite-0",
        "default/seed-3/elite-1",
    ]
    assert parsed.values("data-elite") == ["2,1", "0,0"]
    assert parsed.values("href") == ["default/seed-3/champion.html"]
    words = " ".join(parsed.texts)
    for expected in ("swing-v1", "584.25", "Score per generation", "seed 3", "2 cells are filled", "left out one"):
        assert expected in words
    assert words.count("★") == 1


def test_what_cards_are_sorted_by():
    data = json.loads(Page(page()).block)
    named = {column["name"]: (column["up"], number) for number, column in enumerate(data["columns"])}
    assert list(named) == [
        "reward", "seed score", "loss", "hidden nodes", "connections", "generation", "seed", "variant",
    ]  # fmt: skip
    assert named["reward"][0] is False
    assert named["loss"][0] is True
    assert [card["values"] for card in data["cards"]] == [
        [584.25, 7.0, None, 1, 4, 12.0, 3.0, "default"],
        [None, None, 2.0, None, None, 12.0, 3.0, "vector"],
    ]


def test_galleries_without_networks_have_no_sizes_to_sort_by():
    names = [column["name"] for column in json.loads(Page(page(CARDS[1:], maps=())).block)["columns"]]
    assert names == ["loss", "generation", "seed", "variant"]


@pytest.mark.parametrize(("maximize", "expected"), [(True, "5"), (False, "2")])
def test_the_best_is_the_best_in_the_objectives_direction(maximize, expected):
    cards = [Card(replace(VECTOR, fitness={"loss": score}), f"{score:g}") for score in (3.0, 5.0, 2.0)]
    text = page(cards, (), {"loss": maximize}, ())
    best = text[: text.index("★")].rpartition('data-at="')[2].partition('"')[0]
    assert best == expected
    row = re.search(r"<td>3</td><td>([\d.]+)</td><td>([\d.]+)</td><td>([\d.]+)</td>", text)
    assert row.groups() == (expected, "3", "2" if maximize else "5")


def test_an_empty_gallery_is_refused():
    with pytest.raises(ValueError, match="at least one card"):
        page([])


def test_the_same_arguments_give_the_same_bytes():
    assert page() == page()


FIELDS = {
    "problem's name": {"problem": {"name": HOSTILE, "settings": {}}},
    "objective": {"fitness": {HOSTILE: 1.0}},
    "score": {"fitness": {"reward": HOSTILE}},
    "generation": {"generation": HOSTILE},
    "seed": {"seed": HOSTILE},
    "variant": {"variant": HOSTILE},
    "input": {"network": {**NETWORK, "inputs": [HOSTILE, "x"]}},
    "gene": {"network": None, "genes": {HOSTILE: [HOSTILE, 1.0]}},
}
SHOWN = ("problem's name", "objective", "seed", "variant")


@pytest.mark.parametrize("where", FIELDS)
def test_hostile_words_are_inert(where, monkeypatch):
    cards = [Card(replace(CHAMPION, **FIELDS[where]), "a"), *CARDS]
    parsed = Page(page(cards))
    assert "img" not in parsed.elements
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    json.loads(parsed.block)
    if where in SHOWN:
        monkeypatch.setattr("html.escape", lambda text, quote=True: text)
        assert "<img" in page(cards)  # the control: the words reach the page, and only escaping holds them


@pytest.mark.parametrize(
    "given",
    [
        {"title": HOSTILE},
        {"notes": (HOSTILE,)},
        {"cards": [Card(CHAMPION, HOSTILE)]},
        {"cards": [Card(CHAMPION, "a", f'"{HOSTILE}')]},
        {"maps": [replace(MAPS[0], place=HOSTILE)]},
        {"maps": [replace(MAPS[0], cells=[replace(CELLS[0], features={HOSTILE: 1.0})])]},
        {"history": [*HISTORY, RunHistory(HOSTILE, 1, [1], [1.0], [1.0])]},
    ],
)
def test_hostile_arguments_are_inert(given, monkeypatch):
    assert "img" not in Page(page(**given)).elements
    monkeypatch.setattr("html.escape", lambda text, quote=True: text)
    assert "<img" in page(**given)


def test_the_block_cannot_be_left():
    hostile = replace(CHAMPION, variant="</script><img src=x>", fitness={"<!--<script>": 1.0})
    parsed = Page(page([Card(hostile, "a")]))
    assert json.loads(parsed.block)["cards"][0]["variant"] == "</script><img src=x>"
    assert parsed.elements.count("script") == 2


def test_thumbnails_of_large_networks_are_drawn_in_part_and_inside_the_picture():
    inputs, hidden = 60, 60
    edges = [[source, 61 + place, 0.1 + source] for source in range(61) for place in range(hidden)]
    edges += [[61 + place, 121, -1.0] for place in range(hidden)] + [[121, 61, 1.0], [62, 62, 1.0]]
    network = {
        "inputs": [f"i{n}" for n in range(inputs)],
        "outputs": ["o"],
        "activations": ["linear"] * 61 + ["sin"] * hidden + ["tanh"],
        "edges": edges,
    }
    text = thumbnail(network, {})
    assert text.count("<circle") == 2 * LARGEST_COLUMN + 1
    assert text.count("<path") == MOST_EDGES
    numbers = [float(word) for word in re.findall(r'c[xy]="([-\d.]+)"', text)]
    assert min(numbers) >= 0
    assert max(numbers) <= 240


@pytest.mark.parametrize(
    ("genes", "bars"),
    [
        ({}, 0),
        ({"a": [1.0, [2.0, {"b": -3}]], "c": "word", "d": 0.0}, 4),
        ({"a": list(range(1000))}, MOST_BARS),
        ({"a": [float("nan"), float("inf"), 10**400, -1e300, None, True]}, 5),
    ],
)
def test_thumbnails_of_genes_are_a_bar_each(genes, bars):
    text = thumbnail(None, genes)
    assert text.count("<rect") == bars
    assert not re.search(r"nan|inf", text)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0], [float("nan"), 1.0], [1e308, -1e308, 0.0]])
def test_strips_have_a_dot_per_number_that_can_be_drawn(values):
    text = strip_svg([[Dot("a", value) for value in values], []], "reward")
    drawn = [value for value in values if abs(value) <= 1e100]
    assert text.count("<circle") == len(drawn)
    assert not re.search(r'"-?(nan|inf)', text)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """The folder of a finished campaign of two variants and two seeds."""
    folder = tmp_path_factory.mktemp("gallery")
    source = folder / "campaign.py"
    source.write_text(SOURCE)
    load_campaign(source).run(out=folder / "run", source=source, quiet=True)
    return folder / "run"


def test_a_campaigns_gallery_has_all_its_champions_their_pages_and_maps(campaign, tmp_path, capsys):
    out = tmp_path / "deep er" / "all.html"
    out.parent.mkdir()
    command = argparse.ArgumentParser()
    configure(command)
    assert execute(command.parse_args([str(campaign), "--out", str(out)])) == 0
    assert str(out) in capsys.readouterr().out
    parsed = Page(out.read_text())
    places = ["wann/seed-0", "wann/seed-1", "mapped/seed-0", "mapped/seed-1"]
    assert [place for place in parsed.values("data-at") if "elite" not in place] == places
    links = parsed.values("href")
    assert [(out.parent / unquote(link)).resolve() for link in links] == [
        (campaign / place / "champion.html").resolve() for place in places
    ]
    assert all((out.parent / unquote(link)).is_file() for link in links)
    elites = json.loads((campaign / "mapped" / "seed-0" / "map.json").read_text())["elites"]
    mine = [place for place in parsed.values("data-at") if place.startswith("mapped/seed-0/elite")]
    assert len(mine) == len(elites) > 5
    assert out.read_text().count('class="line traceable') == 4
    best = max(elites, key=lambda elite: elite["fitness"][0])
    first = out.read_text().partition('data-at="mapped/seed-0/elite-0"')[2].partition("</li>")[0]
    assert f"{best['fitness'][0]:.6g}" in first
    assert first.count('<path class="edge') == best["features"][0]  # its connections


def test_pages_are_only_written_where_they_are_wanted_and_old(campaign):
    pages = sorted(campaign.glob("*/*/champion.html"))
    for path in pages:
        path.unlink(missing_ok=True)
    assert gallery(campaign, pages=False) == (campaign / "gallery.html", [])
    assert not list(campaign.glob("*/*/champion.html"))
    assert Page((campaign / "gallery.html").read_text()).values("href") == []
    kept = campaign / "wann" / "seed-0" / "champion.html"
    kept.write_text("mine")
    gallery(campaign)
    assert kept.read_text() == "mine"
    assert len(list(campaign.glob("*/*/champion.html"))) == 4
    kept.unlink()


def test_a_folder_of_files_shows_those_that_are_champions(tmp_path):
    CHAMPION.save(tmp_path / "one & only.json")
    VECTOR.save(tmp_path / "other.json")
    (tmp_path / "map.json").write_text("{}")
    (tmp_path / "broken.json").write_text((tmp_path / "other.json").read_text().replace("3.0", "4.0"))
    page, notes = gallery(tmp_path, pages=False)
    parsed = Page(page.read_text())
    assert parsed.values("data-at") == ["one & only", "other"]
    assert len(notes) == 1
    assert "broken.json: its checksum does not match" in notes[0]
    assert "broken.json" in " ".join(parsed.texts)
    assert "Score per generation" not in " ".join(parsed.texts)


def test_champions_whose_page_cannot_be_made_are_shown_without(tmp_path, monkeypatch):
    shared = replace(CHAMPION, problem={"name": "nobody-has-this-v1", "settings": {"shared_weights": [1.0]}})
    shared.save(tmp_path / "stranger.json")
    page, notes = gallery(tmp_path)
    assert Page(page.read_text()).values("data-at") == ["stranger"]
    assert notes == []
    assert "Its problem cannot be made here" in (tmp_path / "stranger.html").read_text()
    (tmp_path / "stranger.html").unlink()
    monkeypatch.setattr("evo.gallery.show", lambda path, page: 1 / 0)
    page, notes = gallery(tmp_path)
    assert Page(page.read_text()).values("data-at") == ["stranger"]
    assert Page(page.read_text()).values("href") == []
    assert notes == ["no page for stranger: ZeroDivisionError: division by zero"]
    assert not (tmp_path / "stranger.html").is_file()


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "evo.map/1"}', '{"format": "evo.map/1", "features": 3}'])
def test_a_map_that_is_none_is_noted(tmp_path, text):
    CHAMPION.save(tmp_path / "champion.json")
    (tmp_path / "map.json").write_text(text)
    page, notes = gallery(tmp_path, pages=False)
    assert ["map.json: no map" in note for note in notes] == [True]
    assert "Map of" not in page.read_text()


def test_folders_without_champions_are_told_apart(tmp_path, campaign):
    with pytest.raises(CampaignError, match="neither a campaign nor champion files"):
        gallery(tmp_path)
    (tmp_path / "campaign.json").write_text((campaign / "campaign.json").read_text())
    with pytest.raises(CampaignError, match="no champion yet"):
        gallery(tmp_path)
