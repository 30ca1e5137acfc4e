"""How paths evolved over tasks, as SVG documents: nine small pictures, and one that a page's script moves in time.

As figure 1 of PathNet (Fernando et al. 2017, arXiv:1701.08734): layers are columns of modules, and a line from a module
to one of the next layer is the stronger the more of the population run through both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from evo.inspect.figure import LETTER, figure, label
from evo.inspect.text import escape
from evo.path_record import PathRecord, Snapshot

STEP, BOX = 34.0, 12.0
"""From column to column, and a module's width, in a small picture."""
TALLEST, HIGHEST, LOWEST = 150.0, 14.0, 2.0
"""A column, and from module to module at most and at least."""
WIDTH = 990.0
"""Of all pictures side by side."""
SIDE, HEAD, FOOT, GAP = 8.0, 46.0, 44.0, 12.0
WIDER, LARGER = 4.2, 1.9
"""How far apart columns are in the moving picture, and how large modules, as multiples."""
MOST_LINES, MOST_BOXES = 400, 400
"""Of a picture; the most frequent."""
MOST_MOVING = 1200
"""Lines of the moving picture."""
FAINTEST = 0.08
"""Opacity of the rarest line, so that it can be seen."""

Line = tuple[int, int, int]


class _Layout:
    """Where modules stand in one picture."""

    def __init__(self, record: PathRecord, wider: float = 1.0, scale: float = 1.0) -> None:
        self.counts = record.counts
        self.step, self.box = STEP * wider, BOX * scale
        self.pitch = max(LOWEST, min(HIGHEST, TALLEST / max(record.counts))) * scale
        self.width = 2 * SIDE + self.box + self.step * (len(record.counts) - 1)
        self.height = self.pitch * max(record.counts)

    def corner(self, layer: int, module: int) -> tuple[float, float]:
        """Return the upper left corner of a module; columns are centred."""
        top = (self.height - self.pitch * self.counts[layer]) / 2
        return SIDE + self.step * layer, top + self.pitch * module

    def rect(self, layer: int, module: int, attributes: str) -> str:
        x, y = self.corner(layer, module)
        high = max(1.0, self.pitch - 2.0)
        return f'<rect {attributes} x="{x:.1f}" y="{y:.1f}" width="{self.box:.1f}" height="{high:.1f}" rx="1.5"/>'

    def line(self, one: Line, attributes: str) -> str:
        layer, here, there = one
        (x, y), (to_x, to_y) = self.corner(layer, here), self.corner(layer + 1, there)
        down = (self.pitch - 2.0) / 2
        return (
            f'<line {attributes} x1="{x + self.box:.1f}" y1="{y + down:.1f}" x2="{to_x:.1f}" y2="{to_y + down:.1f}"/>'
        )

    def dot(self, layer: int, module: int, attributes: str = "") -> str:
        x, y = self.corner(layer, module)
        r = max(0.8, min(self.pitch - 2.0, self.box) / 4.5)
        middle = f'cx="{x + self.box / 2:.1f}" cy="{y + (self.pitch - 2.0) / 2:.1f}"'
        return f'<circle class="best" {attributes}{middle} r="{r:.1f}"/>'


def film_svg(record: PathRecord) -> str:
    """Return the nine pictures as one SVG document."""
    layout = _Layout(record)
    frames = record.frames()
    rows = -(-len(frames) // max(1, int((WIDTH - GAP) // (layout.width + GAP))))
    across = -(-len(frames) // rows)
    wide = max(across * (layout.width + GAP) + GAP, 560.0)
    high = layout.height + HEAD
    body = []
    for number, snapshot in enumerate(frames):
        x, y = GAP + (number % across) * (layout.width + GAP), 10.0 + (number // across) * (high + GAP)
        body.append(f'<g class="frame" transform="translate({x:.1f} {y + HEAD - 6:.1f})">')
        body.append(label(SIDE, -22, f"task {snapshot.task + 1}", "heading"))
        body.append(label(SIDE, -7, f"generation {snapshot.generation + 1}", "soft"))
        body += [*_still(layout, record, snapshot), "</g>"]
    bottom = 10.0 + rows * (high + GAP)
    body.append(_legend(record, GAP + SIDE, bottom + 12))
    return figure(0, 0, wide, bottom + FOOT - 10, "Paths over generations", "\n".join(body))


def _still(layout: _Layout, record: PathRecord, snapshot: Snapshot) -> Iterator[str]:
    """Yield the marks of one picture: lines, modules, the best path's dots."""
    for one, share in reversed([*snapshot.lines().items()][:MOST_LINES]):  # the most frequent on top
        yield layout.line(one, f'class="hue0" stroke-opacity="{opacity(share):.2f}" stroke-width="1.2"')
    for layer, module in _boxes(record, [snapshot]):
        share = snapshot.use(layer, record.counts[layer])[module]
        frozen = module in snapshot.frozen[layer]
        yield layout.rect(layer, module, f'class="module{" frozen" if frozen else ""}"')
        if share > 0:
            yield layout.rect(layer, module, f'class="fill0" fill-opacity="{opacity(float(share)):.2f}"')
        if snapshot.kept is not None and module in snapshot.kept[layer]:
            yield layout.dot(layer, module)


def opacity(share: float) -> float:
    """Return how opaque a mark of a share of the population is."""
    return FAINTEST + (1.0 - FAINTEST) * share if share > 0 else 0.0


def _boxes(record: PathRecord, snapshots: list[Snapshot]) -> list[tuple[int, int]]:
    """Return the modules that are drawn: all, or of very many those that the most paths have, and the frozen."""
    every = [(layer, module) for layer, count in enumerate(record.counts) for module in range(count)]
    if len(every) <= MOST_BOXES:
        return every
    found: Counter[tuple[int, int]] = Counter()
    for one in snapshots:
        for path, count in one.paths.items():
            found.update({(layer, module): count for layer, chosen in enumerate(path) for module in chosen})
        for extra in (one.frozen, one.kept or ()):
            found.update({(layer, module): 1 for layer, chosen in enumerate(extra) for module in chosen})
    return sorted(place for place, _ in found.most_common(MOST_BOXES))


def _legend(record: PathRecord, x: float, y: float) -> str:
    """Return what marks mean."""
    entries = [
        ('<line class="hue0" stroke-width="1.6" {}/>', "paths: the stronger, the more of the population"),
        ('<circle class="best" {}/>', "best path of the task so far"),
    ]
    if any(any(one.frozen) for one in record.snapshots):
        entries.append(('<rect class="module frozen" {}/>', record.held))
    places = (
        'x1="{0}" y1="{1}" x2="{2}" y2="{1}"',
        'cx="{3}" cy="{1}" r="3"',
        'x="{3}" y="{4}" width="12" height="10"',
    )
    parts = []
    for (mark, words), place in zip(entries, places, strict=False):
        numbers = [f"{one:.1f}" for one in (x, y, x + 22, x + 8, y - 5)]
        parts += [mark.format(place.format(*numbers)), label(x + 28, y + 4, words, "soft", 60)]
        x += 28 + LETTER * len(words) + 18
    return "\n".join(parts)


def moving_html(record: PathRecord) -> str:
    """Return the picture that a slider moves in time; its script is path_film.js, and its data `moving_data`."""
    layout = _Layout(record, WIDER, LARGER)
    last = record.snapshots[-1]
    body = [layout.line(one, f'class="hue0" stroke-width="2" data-line="{n}"') for n, one in enumerate(_moving(record))]
    for layer, module in _boxes(record, [*record.snapshots]):
        rects = [layout.rect(layer, module, f'class="{kind}"') for kind in ("module", "fill0")]
        marks = "".join([*rects, layout.dot(layer, module)])
        body.append(f'<g data-module="{layer} {module}">{marks}<title></title></g>')
    body += [label(*_below(layout, layer), f"layer {layer + 1}", "soft middle") for layer in range(len(record.counts))]
    marks = "\n".join(body)
    drawn = figure(
        -20, -14, max(layout.width, 200.0) + 40, layout.height + 40, "Paths of a generation", marks, styled=False
    )
    words = escape(f"generation {last.generation + 1} · task {last.task + 1}")
    return (
        '<div class="scripted paths film">\n<div class="line"><label for="paths-at">Paths of the population at</label>'
        f'<output id="paths-said" for="paths-at">{words}</output></div>\n'
        f'<input type="range" id="paths-at" min="0" max="{len(record.snapshots) - 1}" step="1" '
        f'value="{len(record.snapshots) - 1}">\n<div class="figure">{drawn}</div>\n</div>'
    )


def _below(layout: _Layout, layer: int) -> tuple[float, float]:
    return layout.corner(layer, 0)[0] + layout.box / 2, layout.height + 16


def moving_data(record: PathRecord) -> dict[str, Any]:
    """Return what the script shows: of each snapshot lines and modules with shares in percent, plain JSON."""
    number = {line: place for place, line in enumerate(_moving(record))}
    return {
        "faintest": FAINTEST,
        "held": record.held,
        "snapshots": [
            {
                "words": f"generation {one.generation + 1} · task {one.task + 1}",
                "lines": [
                    [number[line], round(100 * share, 1)]
                    for line, share in [*one.lines().items()][:MOST_LINES]
                    if line in number
                ],
                "use": {
                    f"{layer} {module}": round(100 * float(share), 1)
                    for layer, count in enumerate(record.counts)
                    for module, share in enumerate(one.use(layer, count))
                    if share > 0
                },
                "frozen": _listed(one.frozen),
                "best": _listed(one.kept or ()),
            }
            for one in record.snapshots
        ],
    }


def _listed(layers: tuple[frozenset[int], ...]) -> list[str]:
    return [f"{layer} {module}" for layer, chosen in enumerate(layers) for module in sorted(chosen)]


def _moving(record: PathRecord) -> list[Line]:
    """Return the lines of the moving picture: all there ever are, or of very many those most frequent in sum."""
    total: Counter[Line] = Counter()
    for one in record.snapshots:
        for line, share in [*one.lines().items()][:MOST_LINES]:
            total[line] += share  # type: ignore[assignment]
    return sorted(line for line, _ in total.most_common(MOST_MOVING))
