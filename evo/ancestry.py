"""A champion's line of descent, from the first generation to itself.

A run's journal tells who descends from whom, but holds no genes. They are made again: draws are stateless, so the
algorithm, given the recorded scores in place of evaluations, breeds the same rows once more, and the ancestors are
picked up on the way (see evo.run on replay). Children of two parents are followed to the first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from evo import journal, lineage
from evo.champion import Champion, load, network_of
from evo.genome import Genome
from evo.inspect.ancestor import Ancestor
from evo.outcome import Outcomes
from evo.recorded import campaign_folder, campaigns
from evo.run import CampaignError, Run, recorded_outcomes
from evo.search import Search
from evo.settings import digest


@dataclass(frozen=True)
class Descent:
    """A champion's ancestors, or why they cannot be told.

    Attributes:
        ancestors: the oldest first, the champion last; empty where they are not known.
        reason: why they are not; empty where they are.
    """

    ancestors: list[Ancestor] = field(default_factory=list)
    reason: str = ""


def ancestry(champion_file: Path, most: int = 60) -> list[Ancestor]:
    """Return the ancestors that `descent` finds; none where there is a reason."""
    return descent(champion_file, most).ancestors


def descent(champion_file: Path, most: int = 60) -> Descent:
    """Return a champion's line of first parents, from the first generation to itself.

    Of neighbours with equal networks only the older is told; beyond `most`, those whose structure changed most.

    Args:
        champion_file: in the folder of the campaign that made it, or of the run.
        most: how many ancestors to tell, the champion included; 2 or more.

    Raises:
        ChampionError: `champion_file` is no champion file.
    """
    if most < 2:
        raise ValueError(f"descent: most is 2 or more, because the first and the champion are told, got {most}")
    champion = load(champion_file)
    if champion.network is None:
        return Descent(reason=f"a genome of kind {champion.genome['name']} is no network")
    try:
        return Descent(_thinned(_merged(_line(champion, champion_file)), most))
    except CampaignError as error:
        return Descent(reason=str(error))
    except Exception as error:  # the campaign's own code, which may have changed since, can fail in any way
        return Descent(reason=f"{type(error).__name__}: {error}")


def _line(champion: Champion, file: Path) -> list[Ancestor]:
    """Return all ancestors and the champion; CampaignError where they cannot be made again."""
    run, records = _run_of(champion, file)
    if not 0 <= champion.generation < len(records):
        raise CampaignError(f"the run's journal holds no generation {champion.generation}, the champion's")
    births = {
        uid: (record["generation"], first, second)
        for record in records[: champion.generation + 1]
        for uid, first, second in record["births"]
    }
    uid = champion.lineage.get("uid", -1)
    if uid not in births or [parent for parent in births[uid][1:] if parent >= 0] != champion.lineage.get("parents"):
        raise CampaignError("the champion is not of the run whose journal is beside it")
    wanted = {}
    while uid in births:
        wanted[uid], uid = births[uid][0], births[uid][1]
    return _Replay(run, records, champion, wanted).go()


def _run_of(champion: Champion, file: Path) -> tuple[Run, list[dict[str, Any]]]:
    """Return the run that made a champion, and its journal's records, a generation each."""
    folder = campaign_folder(file)
    if folder is None:
        raise CampaignError("there is no campaign's folder around the champion file")
    other = None
    try:
        for run in (run for campaign in campaigns(folder) for run in campaign.runs()):
            path = run.folder(folder) / "journal.jsonl"
            if (run.variant, run.seed) == (champion.variant, champion.seed) and path.is_file():
                header, *records = journal.read(path)[0] or [{}]
                if header.get("configuration") == digest(run.configuration()):
                    return run, records
                other = other or (run, records)
    except Exception:
        if other is None:
            raise
    if other is None:
        raise CampaignError(
            f"the campaign's file no longer makes the run of variant {champion.variant}, seed {champion.seed}, or the "
            f"run's journal has gone"
        )
    return other  # settings that look different may come to the same: the replay will tell


class _ReachedError(Exception):
    """The generation that was wanted is there; nothing further has to be bred."""


class _Replay:
    """A run that goes through its recorded steps once more, to pick up some of its individuals.

    Args:
        run: what was run.
        records: its journal's generations.
        champion: with whose generation to stop.
        wanted: for each identity, the champion's and its ancestors', the generation it was born in.
    """

    def __init__(self, run: Run, records: list[dict[str, Any]], champion: Champion, wanted: dict[int, int]) -> None:
        self.run, self.records, self.champion = run, records, champion
        self.born = {generation: uid for uid, generation in wanted.items()}  # a child is younger than its parent
        self.found: list[Ancestor] = []
        self.search = Search(
            run.genome,
            run.problem.objectives,
            run.problem.stochastic,
            run.generations,
            run.seed,
            self.evaluate,
            target=run.target,
        )

    def go(self) -> list[Ancestor]:
        """Breed as the run did, and return those wanted, the oldest first."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as in the run: more change sums' last bits
        try:
            self.run.algorithm.run(self.search)
        except _ReachedError:
            return self.found
        finally:
            torch.set_num_threads(threads)
        raise CampaignError(f"the run ended before generation {self.champion.generation}, the champion's")

    def evaluate(self, genome: Genome, rows: torch.Tensor) -> Outcomes:
        """Return a generation's recorded outcomes, and look for those wanted among its rows `[n, L]`."""
        generation = self.search.generation
        outcomes = recorded_outcomes(self.records[generation], rows)
        lived = outcomes.inherited(rows)
        identities = lineage.identities(genome.layout, lived)
        if generation in self.born:
            uid = self.born[generation]
            place = int((identities == uid).nonzero()[0])
            score = float(outcomes.scores[place, 0]) if bool(outcomes.ok[place]) else None
            self.found.append(Ancestor(generation, uid, self._network(genome, lived[place]), score))
        if generation == self.champion.generation:
            self._finish(genome, lived[identities == self.found[-1].uid])
            raise _ReachedError
        return outcomes

    def _network(self, genome: Genome, row: torch.Tensor) -> Any:
        return network_of(genome, row, self.run.problem.inputs, self.run.problem.outputs)

    def _finish(self, genome: Genome, rows: torch.Tensor) -> None:
        """See that the champion is the one of its file, and take its network as it was scored.

        It was born earlier than it was scored where it was scored again, and may have learned in between.
        """
        network = self._network(genome, rows[0]) if len(rows) else None
        if network is None or network != self.champion.network:
            raise CampaignError("the champion is not the one that its run made")
        self.found[-1] = replace(self.found[-1], network=network)


def _merged(line: list[Ancestor]) -> list[Ancestor]:
    """Return the older of neighbours with equal networks; but the champion in any case."""
    merged = [next(equals) for _, equals in groupby(line, key=lambda one: one.network)]
    if merged[-1] is line[-1]:
        return merged
    return [*(merged[:-1] or merged), line[-1]]


def _thinned(line: list[Ancestor], most: int) -> list[Ancestor]:
    """Return at most `most` of a line: its ends, and of each of as many stretches of time the greatest changes."""
    if len(line) <= most:
        return line
    room, start, end = most - 2, line[0].generation, line[-1].generation
    stretches: dict[int, list[int]] = {}
    for place in range(1, len(line) - 1):
        stretch = (line[place].generation - start) * room // (end - start)
        stretches.setdefault(stretch, []).append(place)
    changes = {place: _change(line[place - 1].network, line[place].network) for place in range(1, len(line) - 1)}
    ranked = []
    for places in stretches.values():
        ordered = sorted(places, key=lambda place: -changes[place])
        ranked += [(rank, -changes[place], place) for rank, place in enumerate(ordered)]
    kept = {0, len(line) - 1, *(place for *_, place in sorted(ranked)[:room])}
    return [line[place] for place in sorted(kept)]


def _change(old: dict[str, Any], new: dict[str, Any]) -> int:
    """Return how many nodes, by activation, and connections came and went; weights do not count."""
    before, after = (Counter(network["activations"]) for network in (old, new))
    return (after - before).total() + (before - after).total() + abs(len(new["edges"]) - len(old["edges"]))
