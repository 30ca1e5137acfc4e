"""What `evo export` does: settle which weights a champion's network has, and write it in another program's format."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

from evo.catalogue import Catalogue
from evo.champion import Champion, ChampionError, load
from evo.recorded import champion_path
from evo.rescore import maximizes, weight_number

FORMATS = Catalogue(
    "format",
    {
        "matrix": "evo.exchange.matrix_champion:write",
        "networkx": "evo.exchange.networkx_graph:write",
        "dot": "evo.exchange.dot:write",
        "torch": "evo.exchange.torch_source:write",
        "onnx": "evo.exchange.onnx_model:write",
        "python": "evo.exchange.python_source:write",
    },
)
"""Names, and functions `write(champion, path)`; they write the network's edges with the weights it has."""


def export(path: Path, to: str, out: Path, weight: str | None = None) -> str:
    """Write a champion's network in another format; return a line that says with which weights.

    Args:
        path: a champion file, or a folder that has one.
        to: one of `FORMATS`.
        out: the file to write.
        weight: a shared weight; "own" for the network's own; None for the champion's best shared weight where it was
            scored with shared weights, else (and for a matrix, where shared weights are not written) its own.

    Raises:
        ValueError: the format or the weight is none.
        ChampionError: the champion is no network, or one that the format cannot hold.
    """
    write = FORMATS.find(to)
    file = champion_path(path)
    if out.exists() and out.samefile(file):
        raise ValueError(f"--out: {out} is the champion file itself; name another file")
    champion = load(file)
    networks = champion.networks()  # refuses what is no network
    if not networks.inputs or not networks.outputs:
        raise ChampionError(f"{file}: its network has {networks.inputs} inputs and {networks.outputs} outputs")
    chosen, why = _weight(champion, file, "own" if weight is None and to == "matrix" else weight)
    write(champion if chosen is None else replace(champion, network=folded(champion.network or {}, chosen)), out)
    return why


def folded(network: dict[str, Any], weight: float) -> dict[str, Any]:
    """Return the network with the same weight on every edge."""
    return {**network, "edges": [[source, target, weight] for source, target, _ in network["edges"]]}


def _weight(champion: Champion, file: Path, weight: str | None) -> tuple[float | None, str]:
    """Return the shared weight to fold in, None for the network's own weights, and a line that says which."""
    if weight == "own":
        return None, "weights: the network's own"
    if weight is not None:
        return weight_number(weight), f"weights: all {weight_number(weight):g}"
    series = champion.problem["settings"].get("shared_weights")
    if not series:
        return None, "weights: the network's own"
    trials = next(iter(champion.trials.values()), [])
    if len(trials) != len(series) or not all(trials):
        return 1.0, "weights: all 1, as the champion file has no scores per shared weight; choose with --weight"
    best = (max if maximizes(champion, file) else min)(range(len(series)), key=lambda n: statistics.fmean(trials[n]))
    return float(series[best]), f"weights: all {series[best]:g}, its best shared weight; choose others with --weight"
