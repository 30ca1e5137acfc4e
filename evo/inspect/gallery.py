"""All champions of a campaign on one page: pictures to look through, sort, filter and open, above them all curves.

All that champion files say is escaped; see `evo.inspect.document` for what else keeps strangers' words inert.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evo.champion import Champion
from evo.inspect.curves import COLOURS, Line, curve_svg
from evo.inspect.document import document, part
from evo.inspect.figure import style
from evo.inspect.page import RunHistory
from evo.inspect.strip_chart import Dot, strip_svg
from evo.inspect.structure import Structure
from evo.inspect.text import escape, finite, plain, shown
from evo.inspect.thumbnail import thumbnail

MOST_CURVES = 160
"""Runs whose curve is drawn."""
MOST_CELLS = 240
"""Cells of maps that get a picture, on the whole page."""
MOST_SCORES = 6
"""Scores that cards tell."""
COLUMNS = ("hidden nodes", "connections", "generation", "seed", "variant")
"""What cards can be sorted by besides scores."""


@dataclass(frozen=True)
class Card:
    """A champion to show.

    Attributes:
        champion: what its file says.
        place: what tells it from the others: "variant/seed-3", or the name of its file.
        link: the address of its page; empty where it has none.
    """

    champion: Champion
    place: str
    link: str = ""


@dataclass(frozen=True)
class Cell:
    """An elite of a map: its cell's numbers, its features and scores by name, its network or None, and its genes."""

    cell: tuple[int, ...]
    features: Mapping[str, float]
    scores: Mapping[str, float]
    network: dict[str, Any] | None
    genes: dict[str, Any]


@dataclass(frozen=True)
class Map:
    """A run's map of elites.

    Attributes:
        place: of its champion's card.
        svg: the map as an SVG document.
        cells: the best first.
        shared: whether one weight is shared by all connections.
    """

    place: str
    svg: str
    cells: Sequence[Cell]
    shared: bool = False


def gallery_page(
    title: str,
    cards: Sequence[Card],
    history: Sequence[RunHistory],
    directions: Mapping[str, bool],
    maps: Sequence[Map] = (),
    notes: Sequence[str] = (),
) -> str:
    """Return the page, an HTML document; the same for the same arguments, byte for byte.

    Args:
        title: what it is a gallery of.
        cards: the champions, one at least, in the order of their runs.
        history: their runs' curves, drawn over each other; may be empty.
        directions: for each objective, whether more is better; so is what is not named.
        maps: of runs that filled one.
        notes: what could not be shown.
    """
    if not cards:
        raise ValueError("gallery_page: expected at least one card, got none")
    variants = list(dict.fromkeys(card.champion.variant for card in cards))
    columns = _columns(cards, directions)
    parts = [_headline(title, cards, directions), _overview(cards, history, variants, directions)]
    parts += [_bar(columns, len(cards)), _grid(cards, columns, variants, directions)]
    parts += [_map(one, MOST_CELLS // len(maps)) for one in maps]
    if notes:
        parts.append(f'<div class="notes">{"".join(f"<p>{escape(note)}</p>" for note in notes)}</div>')
    return document(title, parts, [part("gallery.css"), style()], [part("gallery.js")], _data(cards, columns))


@dataclass(frozen=True)
class _Column:
    """What cards can be sorted by: a name, whether less comes first, and every card's value; None where it has none."""

    name: str
    up: bool
    values: list[float | str | None]


def _columns(cards: Sequence[Card], directions: Mapping[str, bool]) -> list[_Column]:
    """Return the scores' columns, and those that every gallery has."""
    champions = [card.champion for card in cards]
    objectives = list(dict.fromkeys(name for champion in champions for name in champion.fitness))[:MOST_SCORES]
    columns = [
        _Column(
            f"{plain(name)} score" if name in COLUMNS else plain(name),
            not directions.get(name, True),
            [finite(one.fitness.get(name)) for one in champions],
        )
        for name in objectives
    ]
    sizes = [_sizes(one) or (None, None) for one in champions]
    facts: list[list[float | str | None]] = [
        [nodes for nodes, _ in sizes],
        [connections for _, connections in sizes],
        [finite(one.generation) for one in champions],
        [finite(one.seed) for one in champions],
        [plain(one.variant) for one in champions],
    ]
    told = [_Column(name, True, values) for name, values in zip(COLUMNS, facts, strict=True)]
    return columns + [column for column in told if any(value is not None for value in column.values)]


def _sizes(champion: Champion) -> tuple[int, int] | None:
    """Return how many hidden nodes and connections a champion's network has, or None where it is no network."""
    if champion.network is None:
        return None
    structure = Structure.of(champion.network)
    return structure.first_output - structure.first_hidden, len(structure.edges)


def _data(cards: Sequence[Card], columns: Sequence[_Column]) -> dict[str, Any]:
    """Return what the script sorts and filters by."""
    rows = [
        {"variant": plain(card.champion.variant), "values": [column.values[place] for column in columns]}
        for place, card in enumerate(cards)
    ]
    return {"columns": [{"name": column.name, "up": column.up} for column in columns], "cards": rows}


def _objective(cards: Sequence[Card]) -> str:
    return next(iter(cards[0].champion.fitness), "score")


def _best(cards: Sequence[Card], directions: Mapping[str, bool]) -> Card | None:
    """Return the best of the cards by the first objective, or None where none has a score."""
    name = _objective(cards)
    sign = 1.0 if directions.get(name, True) else -1.0
    scored = [(score, card) for card in cards if (score := finite(card.champion.fitness.get(name))) is not None]
    return max(scored, key=lambda pair: sign * pair[0])[1] if scored else None


def _headline(title: str, cards: Sequence[Card], directions: Mapping[str, bool]) -> str:
    problems = list(dict.fromkeys(str(card.champion.problem.get("name", "a problem")) for card in cards))
    variants = {card.champion.variant for card in cards}
    words = [f"{len(cards)} champion{'s' * (len(cards) > 1)}"]
    words += [f"{len(variants)} variants"] if len(variants) > 1 else []
    best = _best(cards, directions)
    if best:
        name = _objective(cards)
        words.append(f"best {_readable(name)} {shown(best.champion.fitness[name])}, {best.place}")
    heading = ", ".join(problems[:3]) + (" …" if len(problems) > 3 else "")
    return (
        f'<header>\n<p class="over">Gallery · {escape(title)}</p>\n<h1>{escape(heading)}</h1>\n'
        f"<p>{escape(' · '.join(words))}</p>\n</header>"
    )


def _readable(name: object) -> str:
    return plain(name).replace("_", " ")


def _overview(
    cards: Sequence[Card], history: Sequence[RunHistory], variants: Sequence[str], directions: Mapping[str, bool]
) -> str:
    """Return the curves of all runs, and beside them a table of the variants."""
    table = (
        f"<section>\n<h2>Variants</h2>\n{_table(cards, variants, directions)}\n"
        f'<div class="figure traces">{_strips(cards, variants)}</div>\n'
        "<p>Point at a champion below to see it here. Arrow keys walk from one to the next, Enter opens its page.</p>\n"
        "</section>"
    )
    if not history:
        return table
    places = {(card.champion.variant, card.champion.seed): place for place, card in enumerate(cards)}
    legend: list[Line] = []
    lines: list[Line] = []
    for run in history[:MOST_CURVES]:
        colour = (variants.index(run.variant) if run.variant in variants else len(variants)) % COLOURS
        if len(variants) > 1 and plain(run.variant) not in [line.name for line in legend]:
            legend.append(Line(plain(run.variant), [], [], (), colour))
        place = places.get((run.variant, run.seed))
        kind = "traceable" if place is None else f"traceable run{place}"
        lines.append(Line("", run.generations, run.best, (), colour, kind))
    svg = curve_svg(
        [*reversed(legend), *lines], "generation", _readable(_objective(cards)), "Best score per generation"
    )
    cut = f", the first {MOST_CURVES} drawn" if len(history) > MOST_CURVES else ""
    note = f"The best of each generation, {len(history)} run{'s' * (len(history) > 1)}{cut}."
    chart = (
        f'<section>\n<h2>Score per generation</h2>\n<p>{note}</p>\n<div class="figure traces">{svg}</div>\n</section>'
    )
    return f'<div class="pair">{chart}{table}</div>'


def _table(cards: Sequence[Card], variants: Sequence[str], directions: Mapping[str, bool]) -> str:
    """Return a row per variant: its champions' first scores, and how large they are."""
    rows = []
    for number, variant in enumerate(variants):
        mine = [card for card in cards if card.champion.variant == variant]
        scores = sorted(_scores(mine), reverse=directions.get(_objective(mine), True))
        told = [f"{score:.5g}" for score in (scores[0], statistics.median(scores), scores[-1])] if scores else []
        sizes = [size[1] for card in mine if (size := _sizes(card.champion)) is not None]
        told = [str(len(mine)), *(told or ["—"] * 3), f"{statistics.median(sizes):g}" if sizes else "—"]
        first = f'<td><span class="dot hue{number % COLOURS}"></span>{escape(variant, 60)}</td>'
        rows.append(first + "".join(f"<td>{escape(value)}</td>" for value in told))
    heads = "".join(f"<th>{head}</th>" for head in ("variant", "runs", "best", "median", "worst", "size"))
    body = "\n".join(f"<tr>{row}</tr>" for row in (heads, *rows))
    objectives = ", ".join(dict.fromkeys(_readable(next(iter(card.champion.fitness), "score")) for card in cards))
    note = f"Champions by {escape(objectives)}; the size is the median of their connections."
    return f'<p>{note}</p>\n<div class="figure"><table>\n{body}\n</table></div>'


def _scores(cards: Sequence[Card]) -> list[float]:
    """Return the first scores of the cards that have one."""
    scores = [finite(next(iter(card.champion.fitness.values()), None)) for card in cards]
    return [score for score in scores if score is not None]


def _strips(cards: Sequence[Card], variants: Sequence[str]) -> str:
    """Return the champions' first scores as dots, a strip per variant."""
    strips: list[list[Dot]] = [[] for _ in variants]
    for place, card in enumerate(cards):
        dots = [Dot(card.place, score, f"traceable run{place}") for score in _scores([card])]
        strips[variants.index(card.champion.variant)] += dots
    return strip_svg(strips, _readable(_objective(cards)))


def _bar(columns: Sequence[_Column], count: int) -> str:
    buttons = "".join(
        f'<button type="button" data-column="{place}" aria-pressed="false">'
        f"{escape(_readable(column.name), 30)}</button>"
        for place, column in enumerate(columns)
    )
    return (
        f'<div class="bar" role="group" aria-label="Sort and filter"><span class="soft">Sort by</span>{buttons}'
        f'<label class="soft">Variant <input type="search" placeholder="filter" autocomplete="off"></label>'
        f'<output class="soft">{count} of {count}</output></div>'
    )


def _grid(
    cards: Sequence[Card], columns: Sequence[_Column], variants: Sequence[str], directions: Mapping[str, bool]
) -> str:
    best = _best(cards, directions)
    items = []
    for place, card in enumerate(cards):
        hue = f"hue{variants.index(card.champion.variant) % COLOURS}"
        link = f' href="{escape(card.link, 2000)}"' if card.link else ""
        items.append(
            f'<li><a class="card {hue}" data-at="{escape(card.place)}" data-run="{place}"{link}>'
            f"{_drawn(card.champion.network, card.champion.genes, _shared(card.champion))}"
            f"{_words(card.champion, columns, place, card is best)}</a></li>"
        )
    return "\n".join(['<ul class="cards champions">', *items, "</ul>"])


def _shared(champion: Champion) -> bool:
    """Return whether the champion was found with one weight shared by all connections."""
    return bool(champion.problem.get("settings", {}).get("shared_weights"))


def _drawn(network: dict[str, Any] | None, genes: dict[str, Any], shared: bool) -> str:
    if network is not None and shared:
        network = {**network, "edges": [[source, target, 1.0] for source, target, _ in network["edges"]]}
    return thumbnail(network, genes)


def _words(champion: Champion, columns: Sequence[_Column], place: int, best: bool) -> str:
    """Return a card's text: whose it is, the first score large, then the other columns but seed and variant."""
    star = ' <span class="star" title="the best">★</span>' if best else ""
    lead = (
        f'<p class="score" data-value="0">{escape(_value(columns[0].values[place]), 24)}{star} '
        f"<small>{escape(_readable(columns[0].name), 40)}</small></p>"
    )
    rest = "".join(
        f'<div data-value="{number}"><dt>{escape(_readable(column.name), 60)}</dt>'
        f"<dd>{escape(_value(column.values[place]), 24)}</dd></div>"
        for number, column in list(enumerate(columns))[1:-2]
        if column.values[place] is not None
    )
    name = f'<span class="dot"></span><b title="{escape(champion.variant)}">{escape(champion.variant, 60)}</b>'
    return f'<h3>{name}<span class="seed">seed {escape(champion.seed, 12)}</span></h3>{lead}<dl>{rest}</dl>'


def _value(value: float | str | None) -> str:
    if value is None:
        return "—"
    return value if isinstance(value, str) else f"{value:.6g}"


def _map(one: Map, most: int) -> str:
    """Return a run's map, and its elites as cards; beyond `most`, the best."""
    drawn = one.cells[:most]
    items = []
    for number, cell in enumerate(drawn):
        spot = ",".join(str(place) for place in (*cell.cell, 0)[:2])  # as the map tells its cells
        told = [*cell.features.items(), *list(cell.scores.items())[1:MOST_SCORES]]
        lines = "".join(
            f"<div><dt>{escape(_readable(name), 60)}</dt><dd>{escape(_value(finite(value)), 24)}</dd></div>"
            for name, value in told
        )
        lead = _value(finite(next(iter(cell.scores.values()), None)))
        items.append(
            f'<li><a class="card" data-at="{escape(one.place)}/elite-{number}" data-elite="{spot}">'
            f"{_drawn(cell.network, cell.genes, one.shared)}"
            f'<p class="score">{escape(lead, 24)}</p><dl>{lines}</dl></a></li>'
        )
    cut = f", the best {len(drawn)} shown" if len(drawn) < len(one.cells) else ""
    return (
        f'<section class="map">\n<h2>Map of {escape(one.place)}</h2>\n'
        f"<p>The best of every kind: {len(one.cells)} cells are filled{cut}.</p>\n"
        f'<div class="figure">{one.svg}</div>\n<details>\n<summary>Elites</summary>\n<ul class="cards cells">\n'
        + "\n".join(items)
        + "\n</ul>\n</details>\n</section>"
    )
