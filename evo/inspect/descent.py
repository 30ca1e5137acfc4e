"""A champion's ancestors as a film: a drawing of each, and in words what was new about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evo.champion import Champion
from evo.inspect.ancestor import Ancestor
from evo.inspect.drawing import network_svg
from evo.inspect.structure import Structure
from evo.inspect.text import escape, finite, plain, shown

LARGEST_FILM = 2_000_000
"""Characters that all drawings together may take, were each as large as the last; beyond, some are left out evenly."""


@dataclass(frozen=True)
class Picture:
    """One picture of the film.

    Attributes:
        generation: when the ancestor was born; for the champion, when it scored best.
        network: its own, as in a champion file.
        words: that generation, and its score.
        news: what was new about it.
        svg: its drawing.
    """

    generation: Any
    network: dict[str, Any]
    words: str
    news: str
    svg: str

    def data(self) -> dict[str, Any]:
        """Return what the page's script reads of it, as plain JSON: all its connections, drawn or not."""
        structure = Structure.of(self.network)
        network = {
            "inputs": structure.inputs,
            "outputs": structure.outputs,
            "activations": structure.activations,
            "edges": structure.edges,
            "uniform": structure.uniform,
        }
        return {"generation": self.generation, "words": self.words, "news": self.news, "network": network}


def film(champion: Champion, ancestors: Sequence[Ancestor], shared: bool) -> list[Picture]:
    """Return the pictures, from the oldest ancestor to the champion itself.

    Args:
        champion: of whom; it has a network.
        ancestors: the oldest first; the champion may be the last of them, or not among them.
        shared: whether one weight takes the place of all: then connections have none of their own.
    """
    own = champion.network or {}
    older = [one for one in ancestors if one.uid != champion.lineage.get("uid", -1)]
    objective, score = next(iter(champion.fitness.items()), ("score", None))
    line = [(one.generation, _unit(one.network) if shared else one.network, one.score) for one in older]
    line.append((champion.generation, _unit(own) if shared else own, score))
    last = network_svg(line[-1][1])
    pictures: list[Picture] = []
    for place in _kept(len(line), len(last)):
        generation, network, scored = line[place]
        svg = last if place == len(line) - 1 else network_svg(network, styled=False)  # one style sheet is enough
        words = f"generation {plain(generation, 40)} · {plain(objective, 40)} {_score(scored)}"
        words += " · the champion" if place == len(line) - 1 else ""
        before = pictures[-1] if pictures else None
        news = (
            f"since generation {plain(before.generation, 40)}: {_news(before.network, network)}"
            if before
            else "the first"
        )
        pictures.append(Picture(generation, network, words, news if len(line) > 1 else "", svg))
    return pictures


def film_html(pictures: Sequence[Picture]) -> str:
    """Return the drawings; all but the champion's are hidden until the page's script shows them."""
    last = len(pictures) - 1
    figures = [
        f'<div class="figure" data-picture="{place}"{"" if place == last else " hidden"}>{picture.svg}</div>'
        for place, picture in enumerate(pictures)
    ]
    opening = '<div class="film">' if last else "<div>"
    return "\n".join([opening, *figures, "</div>"])


def slider_html(pictures: Sequence[Picture]) -> str:
    """Return the slider through the film; none where there is only the champion."""
    if len(pictures) < 2:
        return ""
    last = len(pictures) - 1
    return (
        '<div class="descent scripted">\n<div class="line"><label for="generation">Ancestry</label>'
        f'<output id="ancestor" for="generation">{escape(pictures[-1].words)}</output></div>\n'
        f'<input type="range" id="generation" min="0" max="{last}" step="1" value="{last}">\n'
        f'<p class="news" id="news">{escape(pictures[-1].news)}</p>\n</div>'
    )


def _unit(network: dict[str, Any]) -> dict[str, Any]:
    return {**network, "edges": [[source, target, 1.0] for source, target, _ in network["edges"]]}


def _score(score: object) -> str:
    return shown(float(number)) if (number := finite(score)) is not None else "none: its evaluation failed"


def _kept(count: int, size: int) -> list[int]:
    """Return the places of the pictures to keep of `count`: the first, the last, and evenly those between."""
    room = max(2, LARGEST_FILM // size)
    if room >= count:
        return list(range(count))
    return sorted({round(number * (count - 1) / (room - 1)) for number in range(room)})


def _news(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Return how the nodes, by activation, the inputs and the connections of two networks differ."""
    before, after = (Structure.of(network) for network in (old, new))
    nodes = Counter(dict(after.counts()))
    nodes.subtract(dict(before.counts()))
    words = [
        f"{abs(count)} {'more' if count > 0 else 'fewer'} {name}" for name, count in sorted(nodes.items()) if count
    ]
    first = min(before.first_hidden, after.first_hidden)
    inputs = sum(before.activations[node] != after.activations[node] for node in range(1, first))
    if inputs:
        words.append(f"{inputs} input{'s' * (inputs > 1)} with another activation")
    grown = len(after.edges) - len(before.edges)
    if grown:
        words.append(f"{abs(grown)} {'more' if grown > 0 else 'fewer'} connection{'s' * (abs(grown) > 1)}")
    if words:
        return ", ".join(words)
    if {edge[:2] for edge in before.edges} != {edge[:2] for edge in after.edges}:
        return "other connections"
    return "other activations" if before.activations[first:] != after.activations[first:] else "other weights"
