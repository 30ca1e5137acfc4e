"""How paths evolved, as printed figures: the film, and the use of modules (matplotlib, imported when one is drawn)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.inspect.module_use import edges, module_use, rows_drawn
from evo.inspect.path_film import MOST_LINES, opacity
from evo.path_record import PathRecord, Snapshot
from evo.print_style import CAPTION, COLOURS, INK, LETTERS, MILLIMETRE, caption_below, shades, styled
from evo.quantity import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE = COLOURS[:2]


def draw_film(record: PathRecord, width: float) -> Figure:
    """Return nine pictures of how paths evolved, as figure 1 of PathNet (Fernando et al. 2017)."""
    from matplotlib.figure import Figure

    frames = record.frames()
    fit = max(1, int(width // (8.0 + 5.0 * len(record.counts))))
    down = math.ceil(len(frames) / fit)
    across = math.ceil(len(frames) / down)
    held = f" Orange frames: modules {record.held}." if any(any(one.frozen) for one in record.snapshots) else ""
    caption = (
        f"Modules of each layer and the population's paths through them; the stronger, the more of the population. "
        f"Dots: best path of the task so far.{held} {_whose(record)}."
    )
    high = 44.0 * down + CAPTION
    with styled():
        drawn = Figure(figsize=(width * MILLIMETRE, high * MILLIMETRE))
        grid: Any = drawn.subplots(down, across, squeeze=False)
        for place in grid.flat:
            place.set_axis_off()
        for snapshot, place in zip(frames, grid.flat, strict=False):
            _frame(place, record, snapshot)
        caption_below(drawn, caption, width)
        drawn.tight_layout(rect=(0.0, CAPTION / high, 1.0, 1.0), pad=0.3, w_pad=0.6, h_pad=0.8)
    return drawn


def draw_use(record: PathRecord, width: float) -> Figure:
    """Return which share of the population has each module, over generations, a panel per layer."""
    from matplotlib.figure import Figure

    rows = rows_drawn(record)
    ends = [one + 1.0 for one in edges([one.generation for one in record.snapshots])]
    high = min(220.0, 3.0 * sum(map(len, rows)) + 4.0 * len(rows)) + 10.0 + CAPTION
    held = f" Orange: modules {record.held}." if any(any(one.frozen) for one in record.snapshots) else ""
    caption = f"Share of the population with each module on its path. Dashed: the next task begins.{held} "
    with styled():
        drawn = Figure(figsize=(width * MILLIMETRE, high * MILLIMETRE), layout="constrained")
        options: dict[str, Any] = {"height_ratios": [len(one) for one in rows]}
        grid: Any = drawn.subplots(len(rows), 1, sharex=True, squeeze=False, gridspec_kw=options)
        mesh: Any = None
        for layer, (modules, place) in enumerate(zip(rows, grid.flat, strict=True)):
            mesh = _used(place, record, layer, modules, ends)
        grid.flat[-1].set_xlabel("Generation")
        drawn.colorbar(mesh, ax=list(grid.flat), label="Share of the population", aspect=40, pad=0.01)
        caption_below(drawn, caption + _whose(record) + ".", width)
        drawn.get_layout_engine().set(rect=(0.0, CAPTION / high, 1.0, 1.0 - CAPTION / high))  # type: ignore[union-attr, call-arg]
    return drawn


def _frame(axes: Axes, record: PathRecord, snapshot: Snapshot) -> None:
    """Draw one picture: modules as squares in columns, paths as lines between them."""
    from matplotlib.collections import LineCollection

    most = max(record.counts)

    def at(layer: int, module: int) -> tuple[float, float]:
        return float(layer), -(module + (most - record.counts[layer]) / 2)

    lines = [*reversed([*snapshot.lines().items()][:MOST_LINES])]
    ends = [(at(layer, here), at(layer + 1, there)) for (layer, here, there), _ in lines]
    strengths = [(*_rgb(BLUE), opacity(share)) for _, share in lines]
    axes.add_collection(LineCollection(ends, colors=strengths, linewidths=0.6, zorder=1))
    size = max(1.0, min(22.0, 900.0 / most**2 * 2.0))
    for layer, count in enumerate(record.counts):
        x, y = np.array([at(layer, module) for module in range(count)]).T
        use = snapshot.use(layer, count)
        edge = [ORANGE if module in snapshot.frozen[layer] else "#aab2bd" for module in range(count)]
        wide = [1.1 if module in snapshot.frozen[layer] else 0.4 for module in range(count)]
        axes.scatter(x, y, s=size, marker="s", c="#f4f6f9", edgecolors=edge, linewidths=wide, zorder=2)
        strong = [(*_rgb(BLUE), opacity(float(share))) for share in use]
        axes.scatter(x, y, s=size, marker="s", c=strong, linewidths=0, zorder=3)
        best = sorted(snapshot.kept[layer]) if snapshot.kept is not None else []
        if best:
            axes.scatter(x[best], y[best], s=size / 6, marker="o", c=INK, linewidths=0, zorder=4)
    axes.set_xlim(-0.35, len(record.counts) - 0.65)
    axes.set_ylim(-most + 0.3, 0.7)
    axes.set_title(f"Task {snapshot.task + 1}\nGeneration {snapshot.generation + 1}", fontsize=LETTERS - 1)


def _used(axes: Axes, record: PathRecord, layer: int, modules: list[int], ends: list[float]) -> Any:
    """Draw a layer's use over generations; return what the colour bar needs."""
    from matplotlib.patches import Rectangle

    values = module_use(record, layer)[:, modules].T
    sides = np.arange(len(modules) + 1) - 0.5
    mesh = axes.pcolormesh(ends, sides, values, cmap=shades(), vmin=0.0, vmax=1.0)
    axes.invert_yaxis()
    for row, module in enumerate(modules):
        since = next((n for n, one in enumerate(record.snapshots) if module in one.frozen[layer]), None)
        if since is not None:
            left = ends[since]
            frame = Rectangle((left, row - 0.42), ends[-1] - left, 0.84, fill=False, edgecolor=ORANGE, linewidth=0.7)
            axes.add_patch(frame)
    for n in range(1, len(record.snapshots)):
        if record.snapshots[n].task != record.snapshots[n - 1].task:
            axes.axvline(ends[n], color=INK, linewidth=0.7, linestyle=(0, (3, 2)))
    axes.set_ylabel(f"Layer {layer + 1}")
    axes.set_yticks([])
    return mesh


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _whose(record: PathRecord) -> str:
    variant = "" if record.variant == "default" else f"{words(record.variant)}, "
    return f"Of {variant}seed {record.seed}, replicate {record.replicate + 1}"
