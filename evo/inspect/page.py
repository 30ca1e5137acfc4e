"""One page about a champion, in one file that opens anywhere: from disk, without a network, in light, dark and print.

Champions may come from strangers. Everything they say is escaped, and a content security policy names the page's own
style and script by their digests, so that nothing else runs and nothing is ever requested.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evo.champion import Champion
from evo.inspect.curves import COLOURS, Line, bars_svg, curve_svg
from evo.inspect.drawing import network_svg
from evo.inspect.figure import style
from evo.inspect.structure import Structure
from evo.inspect.text import escape, finite, shown

MOST_CHARTS = 12
"""Vectors of genes that get a chart."""
MOST_SEEDS = 40
"""Runs that are drawn."""
DEEPEST_FIT = 18
"""Layers of a network whose drawing is shrunk to the page's width; a deeper one is scrolled."""


@dataclass(frozen=True)
class RunHistory:
    """How the first objective went in one run.

    Attributes:
        variant, seed: which run.
        generations: counted from 1.
        best, median: of each generation, in the problem's own direction.
    """

    variant: str
    seed: int
    generations: list[int]
    best: list[float]
    median: list[float]


@dataclass(frozen=True)
class WeightScore:
    """What the champion scores with one shared weight: mean and standard deviation over episodes."""

    weight: float
    mean: float
    deviation: float


def champion_page(champion: Champion, history: Sequence[RunHistory], sweep: Sequence[WeightScore], command: str) -> str:
    """Return the page, an HTML document; the same for the same arguments, byte for byte.

    Args:
        champion: whose page.
        history: the runs of its campaign, to be drawn over each other; may be empty.
        sweep: its scores over shared weights; may be empty.
        command: what to type to run the campaign again.
    """
    title = f"Champion of {champion.problem.get('name', 'a problem')}"
    parts = [_headline(champion)]
    if champion.network is not None:
        parts.append(_network(champion))
    charts = [*_score_chart(champion, history), *_sweep_chart(champion, sweep)]
    if charts:
        parts.append(f'<div class="pair">{"".join(charts)}</div>')
    parts += [_genes(champion), _settings(champion), _provenance(champion, command)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_part('page.css')}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + f"\n</main>\n<script>{_part('page.js')}</script>\n</body>\n</html>\n"
    )


@cache
def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _policy() -> str:
    styles = f"{_digest(_part('page.css'))} {_digest(style())}"
    return (
        f"default-src 'none'; script-src {_digest(_part('page.js'))}; style-src {styles}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _headline(champion: Champion) -> str:
    tiles = [(str(name).replace("_", " "), shown(score)) for name, score in champion.fitness.items()]
    if champion.network is not None:
        structure = Structure.of(champion.network)
        used = len(structure.inputs) + 1 - len(structure.unused_inputs)
        tiles.append(("hidden nodes", str(structure.first_output - structure.first_hidden)))
        tiles.append(("connections", str(len(structure.edges))))
        tiles.append(("inputs used, with bias", f"{used} of {len(structure.inputs) + 1}"))
    tiles += [("born in generation", str(champion.generation)), ("seed", str(champion.seed))]
    cells = "".join(f'<div class="tile"><dt>{escape(k)}</dt><dd>{escape(v, 40)}</dd></div>' for k, v in tiles)
    over = f"Champion · genome {_name(champion.genome)} · algorithm {_name(champion.algorithm)}"
    if champion.variant != "default":
        over += f" · variant {escape(champion.variant)}"
    name = _name(champion.problem)
    return f'<header>\n<p class="over">{over}</p>\n<h1>{name}</h1>\n<dl class="tiles">{cells}</dl>\n</header>'


def _name(thing: dict[str, Any]) -> str:
    return escape(thing.get("name", "unnamed"))


def _network(champion: Champion) -> str:
    network: dict[str, Any] = dict(champion.network or {})
    note = "Point at a node to see what it reads and what reads it."
    if champion.problem.get("settings", {}).get("shared_weights"):
        network["edges"] = [[source, target, 1.0] for source, target, _ in network["edges"]]
        note = f"It was found with one weight shared by all connections, so none has a weight of its own. {note}"
    large = " large" if Structure.of(network).depth > DEEPEST_FIT else ""
    return (
        f'<section class="wide network{large}">\n<h2>Network</h2>\n<p>{note}</p>\n'
        f'<div class="figure">{network_svg(network)}</div>\n</section>'
    )


def _objective(champion: Champion) -> str:
    return next(iter(champion.fitness), "score")


def _score_chart(champion: Champion, history: Sequence[RunHistory]) -> list[str]:
    """Return the section about the score per generation, or none."""
    if not history:
        return []
    ranked = sorted(history, key=lambda run: (run.variant != champion.variant, run.variant, run.seed))
    variants = list(dict.fromkeys(run.variant for run in ranked))
    drawn = ranked[:MOST_SEEDS]
    medians, others, mine = [], [], []
    for run in drawn:
        where = f", {run.variant}" if len(variants) > 1 else ""
        colour = variants.index(run.variant) % COLOURS
        median = (colour, "faint dashed") if where else (COLOURS - 1, "faint")
        medians.append(Line(f"median{where}", run.generations, run.median, (), *median))
        if (run.variant, run.seed) == (champion.variant, champion.seed):
            name = f"best of seed {run.seed}, the champion's"
            mine.append(Line(name, run.generations, run.best, (), colour, "strong"))
        else:
            others.append(Line(f"best of a seed{where}", run.generations, run.best, (), colour, "faint"))
    svg = curve_svg([*medians, *others, *mine], "generation", _objective(champion), "Score per generation")
    many = f"{len(history)} runs" if len(history) > 1 else "1 run"
    cut = f", the first {MOST_SEEDS} drawn" if len(history) > MOST_SEEDS else ""
    note = f"The best and the median of each generation, {many}{cut}."
    return [f'<section>\n<h2>Score per generation</h2>\n<p>{note}</p>\n<div class="figure">{svg}</div>\n</section>']


def _sweep_chart(champion: Champion, sweep: Sequence[WeightScore]) -> list[str]:
    """Return the section about the score per shared weight, or none."""
    if not sweep:
        return []
    ranked = sorted(sweep, key=lambda one: one.weight)
    line = Line(
        "mean ± one standard deviation",
        [one.weight for one in ranked],
        [one.mean for one in ranked],
        [one.deviation for one in ranked],
        2,
        marked=len(ranked) <= 60,
    )
    svg = curve_svg([line], "shared weight", _objective(champion), "Score per shared weight")
    note = "Every connection takes the same weight: what its structure alone can do."
    return [f'<section>\n<h2>Score per shared weight</h2>\n<p>{note}</p>\n<div class="figure">{svg}</div>\n</section>']


def _table(rows: Iterable[tuple[object, object]]) -> str:
    cells = "\n".join(f"<tr><th>{escape(name)}</th><td>{escape(shown(value))}</td></tr>" for name, value in rows)
    return f"<table>\n{cells}\n</table>" if cells else "<p>none</p>"


def _genes(champion: Champion) -> str:
    """Return the genes as a table, and where there is no network to look at, vectors of numbers as charts too."""
    table = _table(champion.genes.items())
    if champion.network is not None:
        return f"<section>\n<details>\n<summary>Genes</summary>\n{table}\n</details>\n</section>"
    vectors = [(str(name), values) for name, values in champion.genes.items() if _is_vector(values)]
    charts = "".join(f'<div class="figure">{bars_svg(values, name)}</div>' for name, values in vectors[:MOST_CHARTS])
    return f'<section>\n<h2>Genes</h2>\n{table}\n<div class="columns">{charts}</div>\n</section>'


def _is_vector(values: object) -> bool:
    return (
        isinstance(values, list)
        and len(values) > 1
        and all(not isinstance(value, (bool, str)) and finite(value) is not None for value in values)
    )


def _settings(champion: Champion) -> str:
    parts = []
    for role in ("problem", "genome", "algorithm"):
        thing: dict[str, Any] = getattr(champion, role)
        table = _table(thing.get("settings", {}).items())
        parts.append(f"<div><h3>{role.capitalize()}: {_name(thing)}</h3>{table}</div>")
    return f'<section>\n<h2>Settings</h2>\n<div class="columns">{"".join(parts)}</div>\n</section>'


def _provenance(champion: Champion, command: str) -> str:
    lines = "\n".join(escape(line, 2000) for line in command.splitlines())
    sources = [
        (f"source of the {r}", getattr(champion, r)["source"])
        for r in ("problem", "genome", "algorithm")
        if "source" in getattr(champion, r)
    ]
    made = [("variant", champion.variant), ("seed", champion.seed), *champion.lineage.items(), *sources]
    return (
        "<section>\n<h2>Where it comes from</h2>\n<p>To run it again:</p>\n"
        f'<pre><code>{lines}</code></pre>\n<div class="columns"><div><h3>Run</h3>{_table(made)}</div>'
        f"<div><h3>Versions</h3>{_table(champion.versions.items())}</div></div>\n</section>"
    )
