"""One page about a champion, in one file that opens anywhere: from disk, without a network, in light, dark and print.

Its problem runs in the page, with the network as a living graph beside it (live.js). Champions may come from strangers:
everything they say is escaped or data, and nothing but the page's own style and script works (`evo.inspect.document`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evo.champion import Champion
from evo.cohort_record import CohortRecord
from evo.inspect.ancestor import Ancestor
from evo.inspect.curves import COLOURS, Line, bars_svg, curve_svg
from evo.inspect.descent import Picture, film, film_html, slider_html
from evo.inspect.document import document, part
from evo.inspect.figure import style
from evo.inspect.javascript import activations_source
from evo.inspect.lifetimes import LifetimePictures, lifetime_sections
from evo.inspect.live import Live
from evo.inspect.live_html import ruler, stage, surgery
from evo.inspect.structure import Structure
from evo.inspect.study import study_data, study_sections
from evo.inspect.tasks import TaskPictures, task_data, task_sections
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


def champion_page(
    champion: Champion,
    history: Sequence[RunHistory],
    sweep: Sequence[WeightScore],
    command: str,
    live: Live | None = None,
    ancestors: Sequence[Ancestor] = (),
    studies: Sequence[CohortRecord] = (),
    unknown: str = "",
    tasks: TaskPictures | None = None,
    lifetimes: LifetimePictures | None = None,
) -> str:
    """Return the page, an HTML document; the same for the same arguments, byte for byte.

    Args:
        champion: whose page.
        history: the runs of its campaign, to be drawn over each other; may be empty.
        sweep: its scores over shared weights, evenly spaced and ascending; may be empty.
        command: what to type to run the campaign again; empty where that is not known.
        live: what can be watched; None shows the network at rest.
        ancestors: the champion's, the oldest first; may be empty.
        studies: how settings compare, or evolve, over time; may be empty.
        unknown: why its ancestors are not known; empty where they are.
        tasks: how tasks in sequence went; None for none.
        lifetimes: how individuals learn; None for none.
    """
    live = live if live is not None and champion.network is not None else Live()
    shared = bool(champion.problem.get("settings", {}).get("shared_weights"))
    pictures = film(champion, ancestors, shared) if champion.network is not None else []
    weight = _initial(sweep, live.maximize) if live.kind else None
    curves, scores = _score_chart(champion, history), _sweep_chart(champion, sweep, weight)
    tasks = tasks or TaskPictures()
    learned = lifetime_sections(lifetimes or LifetimePictures())
    body = [_headline(champion), *task_sections(tasks), *learned, *study_sections(studies)]
    if live.kind:
        body.append(_side_by_side(stage(live), *(scores or curves)))
    elif live.note:
        body.append(f"<section>\n<p>{escape(live.note, 600)}</p>\n</section>")
    if pictures:
        body.append(_network(pictures, shared, live, unknown))
    charts = [*curves, *scores] if not live.kind else curves if scores else []
    body.append(_side_by_side(*charts, _provenance(champion, command)))
    body += [_genes(champion), _settings(champion)]
    title = f"Champion of {champion.problem.get('name', 'a problem')}"
    data = _data(pictures, live, sweep, weight) if pictures else {}
    scripts = _scripts(live) if pictures else []
    sheet = part("page.css")
    if studies:
        data |= {"studies": study_data(studies)}
        scripts, sheet = [*scripts, part("study.js")], sheet + part("study.css")
    if tasks.paths is not None:
        data |= task_data(tasks)
        scripts = [*scripts, part("path_film.js")]
    return document(title, body, (sheet, style()), scripts, data or None)


def _scripts(live: Live) -> list[str]:
    """Return what runs in the page of a network: its parts from top to bottom, the problem among them."""
    names = ["page.js", "network.js", "graph.js", "descent.js"]
    names += {"control": ["stage.js", "episodes.js"], "pictures": ["pictures.js"]}.get(live.kind, [])
    return [activations_source(), live.source, *map(part, [*names, "live.js"])]


def _data(pictures: Sequence[Picture], live: Live, sweep: Sequence[WeightScore], weight: int | None) -> dict[str, Any]:
    """Return what the script reads: plain JSON."""
    weights = [one.weight for one in sweep]
    return {
        "kind": live.kind,
        "pictures": [picture.data() for picture in pictures],
        "weights": weights if weight is not None else [],
        "weight": weight,
        **{f"problem_{name}": value for name, value in live.data.items()},
    }


def _initial(sweep: Sequence[WeightScore], maximize: bool) -> int | None:
    """Return the place of the weight that the page starts with: the best of those with a score; None without any."""
    if not sweep:
        return None
    sign = 1.0 if maximize else -1.0
    means = [finite(one.mean) for one in sweep]
    merits = [-math.inf if mean is None else sign * mean for mean in means]
    return max(range(len(sweep)), key=lambda place: (merits[place], -place))


def _headline(champion: Champion) -> str:
    tiles = [(str(name).replace("_", " "), shown(score)) for name, score in champion.fitness.items()]
    if champion.network is not None:
        structure = Structure.of(champion.network)
        used = len(structure.inputs) + 1 - len(structure.unused_inputs)
        tiles.append(("hidden nodes", str(structure.first_output - structure.first_hidden)))
        tiles.append(("connections", str(len(structure.edges))))
        tiles.append(("inputs used, with bias", f"{used} of {len(structure.inputs) + 1}"))
    tiles += [("scored best in generation", str(champion.generation)), ("seed", str(champion.seed))]
    cells = "".join(f'<div class="tile"><dt>{escape(k)}</dt><dd>{escape(v, 40)}</dd></div>' for k, v in tiles)
    over = f"Champion · genome {_name(champion.genome)} · algorithm {_name(champion.algorithm)}"
    if champion.variant != "default":
        over += f" · variant {escape(champion.variant)}"
    name = _name(champion.problem)
    return f'<header>\n<p class="over">{over}</p>\n<h1>{name}</h1>\n<dl class="tiles">{cells}</dl>\n</header>'


def _name(thing: dict[str, Any]) -> str:
    return escape(thing.get("name", "unnamed"))


def _side_by_side(*sections: str) -> str:
    return f'<div class="pair">{"".join(sections)}</div>'


def _network(pictures: Sequence[Picture], shared: bool, live: Live, unknown: str) -> str:
    note = "Found with one weight shared by all connections: none has a weight of its own. " if shared else ""
    note += "Point at a node to see what it reads and what reads it."
    note += f" Its ancestors are not known: {escape(unknown)}." if unknown else ""
    large = " large" if Structure.of(pictures[-1].network).depth > DEEPEST_FIT else ""
    return (
        f'<section class="wide network{large}">\n<div class="heading"><div><h2>Network</h2>\n<p>{note}</p></div>\n'
        f"{slider_html(pictures)}</div>\n{surgery(shared) if live.kind else ''}\n{film_html(pictures)}</section>"
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


def _sweep_chart(champion: Champion, sweep: Sequence[WeightScore], weight: int | None) -> list[str]:
    """Return the section about the score per shared weight, with a slider where there is a weight to set; or none."""
    if not sweep:
        return []
    line = Line(
        "recorded: mean ± one standard deviation",
        [one.weight for one in sweep],
        [one.mean for one in sweep],
        [one.deviation for one in sweep],
        2,
        marked=len(sweep) <= 60,
    )
    svg = curve_svg([line], "shared weight", _objective(champion), "Score per shared weight", weight)
    note = "Every connection takes the same weight: what its structure alone can do."
    slider = ruler([one.weight for one in sweep], weight) if weight is not None else ""
    return [
        f'<section class="sweep">\n<h2>Score per shared weight</h2>\n<p>{note}</p>\n{slider}'
        f'<div class="figure">{svg}</div>\n</section>'
    ]


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
    again = (
        f"<p>To run it again:</p>\n<pre><code>{lines}</code></pre>"
        if lines
        else (
            "<p>The campaign that made it, and so the command to run it again, is not beside the champion's file.</p>"
        )
    )
    sources = [
        (f"source of the {r}", getattr(champion, r)["source"])
        for r in ("problem", "genome", "algorithm")
        if "source" in getattr(champion, r)
    ]
    made = [("variant", champion.variant), ("seed", champion.seed), *champion.lineage.items(), *sources]
    return (
        f"<section>\n<h2>Where it comes from</h2>\n{again}\n<h3>Run</h3>{_table(made)}\n"
        f"<details>\n<summary>Versions</summary>\n{_table(champion.versions.items())}\n</details>\n</section>"
    )
