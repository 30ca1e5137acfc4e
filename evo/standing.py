"""Where a search stands after a generation, so that a resumed run need not go through its past.

For algorithms that go on from a generation's rows and outcomes alone (`Algorithm.from_rows`). The outcomes are in the
journal, and the journal says whether these are its rows. What is stored never decides a result: without it, a resumed
run goes through all its steps again, and comes to the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from evo.archive import Archive, Stored
from evo.genome import Genome
from evo.search import Search
from evo.settings import settings
from evo.stateful import State

PAUSE = 30.0
"""Seconds between two stores: what a resumed run may have to go through again."""


@dataclass(frozen=True)
class Standing:
    """Where a search stands.

    Attributes:
        generation: the one whose rows these are.
        born: how many individuals had been given an identity.
        genome: with room for the rows.
        rows: `[n, L]`, as they were evaluated.
        hall, front: of the archive, this generation included.
    """

    generation: int
    born: int
    genome: Genome
    rows: torch.Tensor
    hall: Sequence[Stored]
    front: Sequence[Stored]

    def resume(self, search: Search, archive: Archive) -> None:
        """Let a search and an archive that have not begun go on from here."""
        search.generation, search.born = self.generation, self.born
        search.standing = self.genome, self.rows.to(search.device)
        archive.restore(self.hall, self.front)


def stored(standing: Standing, first: Genome) -> State | None:
    """Return where a search stands as tensors by name; None where a genome's room is no plain settings.

    Args:
        standing: where.
        first: the genome that the run began with.
    """
    genomes: list[Genome] = [standing.genome]
    state: dict[str, torch.Tensor] = {"rows": standing.rows.cpu()}
    about: dict[str, Any] = {"generation": standing.generation, "born": standing.born}
    for name in ("hall", "front"):
        members: Sequence[Stored] = getattr(standing, name)
        for place, member in enumerate(members):
            if member.genome not in genomes:
                genomes.append(member.genome)
            state[f"{name}.{place}"] = member.row
        about[name] = [
            [genomes.index(member.genome), member.generation, list(member.scores), member.complexity]
            for member in members
        ]
    rooms = [_room(genome, first) for genome in genomes]
    if None in rooms:
        return None
    text = json.dumps({**about, "genomes": rooms})
    state["about"] = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
    return state


def standing_of(state: State, first: Genome) -> Standing:
    """Return what `stored` stored."""
    about = json.loads(bytes(state["about"].numpy()).decode())
    genomes = [_with_room(first, room) for room in about["genomes"]]
    members = {
        name: [
            Stored(genomes[place], state[f"{name}.{number}"], generation, tuple(scores), complexity)
            for number, (place, generation, scores, complexity) in enumerate(about[name])
        ]
        for name in ("hall", "front")
    }
    return Standing(about["generation"], about["born"], genomes[0], state["rows"], members["hall"], members["front"])


def _room(genome: Genome, first: Genome) -> dict[str, Any] | None:
    """Return the settings in which a genome differs from the first; None where that is not all."""
    if type(genome) is not type(first):
        return None
    began = settings(first)
    room = {name: value for name, value in settings(genome).items() if value != began[name]}
    try:
        return room if _with_room(first, room) == genome else None
    except (TypeError, ValueError):
        return None


def _with_room(first: Genome, room: dict[str, Any]) -> Genome:
    genome: Any = first
    return dataclasses.replace(genome, **room) if room else first
