"""What `evo gallery` does: gather the champions of a campaign, or of a folder, and write a page of them all.

Every champion gets its own page too, which its card leads to (see evo.show).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from evo.champion import LARGEST_FILE, Champion, ChampionError, load, network_of
from evo.files import check_output, write_text
from evo.genome import Genome
from evo.inspect.archive_map import map_svg
from evo.inspect.gallery import Card, Cell, Map, gallery_page
from evo.inspect.page import RunHistory
from evo.recorded import campaign_file
from evo.rescore import genome_of, problem_of, recorded_direction, told
from evo.run import CampaignError
from evo.show import histories, show

NO_CHAMPIONS = ("archive.json", "campaign.json", "map.json")


@dataclass(frozen=True)
class _Found:
    """A champion, its file, and what tells it from the others."""

    champion: Champion
    file: Path
    place: str


def gallery(folder: Path, out: Path | None = None, pages: bool = True) -> tuple[Path, list[str]]:
    """Write the page; return where it is, and a line about everything that could not be shown.

    Args:
        folder: of a campaign, finished or not, or any that holds champion files.
        out: where to write it; by default gallery.html in the folder.
        pages: whether to write each champion's page too, where there is none newer than the champion.

    Raises:
        CampaignError: the folder holds no champion.
    """
    target = out or folder / "gallery.html"
    notes: list[str] = []
    found = _champions(folder, notes)
    check_output("--out", target, *(one.file for one in found))
    if not found:
        raise CampaignError(
            f"{folder}: no champion yet; runs leave one after 32 generations, then now and again, and when they end"
            if (folder / "campaign.json").is_file()
            else f"{folder}: holds neither a campaign nor champion files"
        )
    cards = [Card(one.champion, one.place, _page(one, target, pages, notes)) for one in found]
    maps = [drawn for one in found if (drawn := _map(one, notes)) is not None]
    text = gallery_page(folder.resolve().name, cards, _histories(folder, found, notes), _directions(found), maps, notes)
    write_text(target, text)
    return target, notes


def _champions(folder: Path, notes: list[str]) -> list[_Found]:
    """Return a campaign's champions, variant by variant, seed by seed, or those whose files lie in the folder."""
    if (folder / "campaign.json").is_file():
        configuration = campaign_file(folder)["configuration"]
        places = [f"{name}/seed-{seed}" for name in configuration["variants"] for seed in configuration["seeds"]]
        files = {place: folder / place / "champion.json" for place in places}
    else:
        names = sorted(path for path in folder.glob("*.json") if path.name not in NO_CHAMPIONS)
        files = {path.stem: path for path in names}
    found = []
    for place, file in files.items():
        if file.is_file():
            try:
                found.append(_Found(load(file), file, place))
            except ChampionError as error:
                notes.append(f"left out {error}")
    return found


def _page(one: _Found, target: Path, write: bool, notes: list[str]) -> str:
    """Return the address of a champion's page as seen from the gallery; empty where there is none."""
    page = one.file.with_suffix(".html")
    fresh = page.is_file() and page.stat().st_mtime >= one.file.stat().st_mtime
    if write and not fresh:
        try:
            show(one.file, page)
        except Exception as error:  # whatever is wrong with one of them, the others are shown
            notes.append(f"no page for {one.place}: {told(error)}")
    return quote(os.path.relpath(page.resolve(), target.resolve().parent)) if page.is_file() else ""


def _histories(folder: Path, found: list[_Found], notes: list[str]) -> list[RunHistory]:
    """Return the curves of all runs of a campaign, or of a run's folder; champion files alone have none."""
    whole = folder / "champion.json"
    finished = whole.is_file() and (folder / "campaign.json").is_file()
    curves: list[RunHistory] = []
    for file in [whole] if finished else [one.file for one in found]:
        try:
            curves += histories(file)
        except Exception as error:  # as above: a journal, or the campaign beside it, may be damaged in any way
            notes.append(f"no curves of {file}: {told(error)}")
    return curves


def _directions(found: list[_Found]) -> dict[str, bool]:
    """Return for each objective whether more is better, as far as the champions' problems can be made."""
    directions: dict[str, bool] = {}
    for one in found:
        if not one.champion.fitness.keys() <= directions.keys():
            try:
                problem = problem_of(one.champion, one.file, None, {})
            except Exception:  # a user's own problem whose source has gone, or changed, can fail in any way
                directions |= {name: recorded_direction(one.champion, one.file) for name in [*one.champion.fitness][:1]}
                continue
            directions |= {objective.name: objective.maximize for objective in problem.objectives}
    return directions


def _map(one: _Found, notes: list[str]) -> Map | None:
    """Return the map of elites that a run has left beside its champion, or None."""
    file = one.file.with_name("map.json")
    if one.file.name != "champion.json" or not file.is_file():
        return None
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise ValueError(f"larger than {LARGEST_FILE} bytes")
        shared = bool(one.champion.problem["settings"].get("shared_weights"))
        described = json.loads(file.read_text(encoding="utf-8"))
        return Map(one.place, map_svg(described), _cells(one, described), shared)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        notes.append(f"{file}: no map that can be drawn: {error!r}")
        return None


def _cells(one: _Found, described: dict[str, Any]) -> list[Cell]:
    """Return a map's elites, the best first."""
    features = [str(feature["name"]) for feature in described["features"]]
    objectives = [str(objective["name"]) for objective in described["objectives"]]
    sign = 1.0 if described["objectives"][0]["maximize"] else -1.0
    elites = sorted(described["elites"], key=lambda elite: -sign * float(elite["fitness"][0]))
    genome = None if one.champion.network is None else _roomy(genome_of(one.champion, one.file), elites)
    return [
        Cell(
            tuple(int(number) for number in elite["cell"]),
            dict(zip(features, elite["features"], strict=True)),
            dict(zip(objectives, elite["fitness"], strict=True)),
            None if genome is None else _network(genome, elite["genes"], one.champion),
            elite["genes"],
        )
        for elite in elites
    ]


def _roomy(genome: Genome, elites: list[dict[str, Any]]) -> Genome:
    """Return the genome with room for all elites: a champion's has room for the champion, and others may be larger."""
    if not {"hidden", "connections"} <= {field.name for field in fields(genome)}:  # type: ignore[arg-type]
        return genome
    nodes, connections = (max(len(elite["genes"][name]) for elite in elites) for name in ("nodes", "connections"))
    return replace(genome, hidden=max(1, nodes), connections=connections)  # type: ignore[type-var]


def _network(genome: Genome, genes: dict[str, Any], champion: Champion) -> Any:
    """Return an elite's network in a champion file's form; inputs and outputs are called as the champion's."""
    network = champion.network or {}
    return network_of(genome, genome.restore(genes), tuple(network["inputs"]), tuple(network["outputs"]))
