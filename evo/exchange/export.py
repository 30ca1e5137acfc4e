"""What `evo export` does: settle which weights a champion's network has, and write it in another program's format."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

from evo.catalogue import Catalogue
from evo.champion import Champion, ChampionError, load
from evo.files import check_output
from evo.recorded import champion_path
from evo.rescore import maximizes, told, weight_number, weight_scores

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
            scored with shared weights, by the scores in its file or, where these are not in it, scored again, else
            (and for a matrix, where shared weights are not written) its own.

    Raises:
        ValueError: the format or the weight is none.
        ChampionError: the champion is no network, or one that the format cannot hold.
    """
    write = FORMATS.find(to)
    file = champion_path(path)
    check_output("--out", out, file)
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
    try:
        numbers = [weight_number(weight) for weight in series]
        means = _means(champion, file, numbers)
    except Exception as error:  # a user's own problem whose source has gone, or changed, can fail in any way
        why = f"as the champion file has no scores per shared weight, nor can it be scored here ({told(error)})"
        return 1.0, f"weights: all 1, {why}; choose with --weight"
    best = numbers[means.index((max if maximizes(champion, file) else min)(means))]
    return best, f"weights: all {best:g}, its best shared weight; choose others with --weight"


def _means(champion: Champion, file: Path, series: list[float]) -> list[float]:
    """Return the first objective's mean score with each shared weight, from the champion file or scored again."""
    trials = champion.trials.get(next(iter(champion.fitness), ""), [])
    if len(trials) == len(series) and all(trials):
        return [statistics.fmean(row) for row in trials]
    return weight_scores(champion, file, series)
