"""What a run leaves in its folder beside its journal: the champion, the archive, and what its algorithm leaves."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch

from evo import lineage, seeds
from evo.archive import Archive, Member
from evo.champion import Champion, network_of
from evo.evaluation.evaluator import Evaluator
from evo.files import write_json
from evo.outcome import Outcome, Outcomes
from evo.search import Search
from evo.settings import describe
from evo.stateful import StatefulProblem
from evo.versions import versions

if TYPE_CHECKING:
    from evo.run import Run

WIDEST_ARCHIVED = 20_000
"""Genes that the archive writes out per genome; the champion has all of them, however many."""


@final
class RunResults:
    """Writes the results of a run, as often as it is asked to.

    Args:
        run: what is run.
        folder: where they go.
        search, archive: what has been found so far.
        evaluator: scores the hall of fame afresh, where scores are chance too.
    """

    def __init__(self, run: Run, folder: Path, search: Search, archive: Archive, evaluator: Evaluator) -> None:
        self.run, self.folder, self.search, self.archive, self.evaluator = run, folder, search, archive, evaluator

    def write(self) -> None:
        """Leave the champion, the hall of fame, the Pareto front and what the algorithm leaves in the folder."""
        member, outcomes = self._champion()
        self._save(member, outcomes).save(self.folder / "champion.json")
        hall, front = ([self._plain(one) for one in members] for members in (self.archive.hall, self.archive.front))
        write_json(self.folder / "archive.json", {"format": "evo.archive/1", "hall_of_fame": hall, "front": front})
        self.leave()

    def leave(self) -> None:
        """Write what the algorithm leaves; once right at the start, since readers of the journal need it."""
        for name, make in self.search.left.items():
            write_json(self.folder / f"{name}.json", make())

    def _plain(self, member: Member) -> dict[str, Any]:
        names = [objective.name for objective in self.search.objectives]
        return {
            "fitness": dict(zip(names, member.scores, strict=True)),
            "complexity": member.complexity,
            "generation": member.generation,
            **self._genes(member),
        }

    def _genes(self, member: Member) -> dict[str, Any]:
        """Return an archived genome field by field; of one too wide for that, what tells it from others."""
        if member.genome.layout.genes <= WIDEST_ARCHIVED:
            return {"genes": member.genome.describe(member.row)}
        return {"features": {name: float(value) for name, value in member.genome.features(member.row[None]).items()}}

    def _champion(self) -> tuple[Member, Outcomes | None]:
        """Return the best of the hall of fame; where scores are chance too, the best on fresh draws, and those."""
        hall = self.archive.hall
        if not self.search.stochastic or not self.run.validations or isinstance(self.run.problem, StatefulProblem):
            return hall[0], None
        scored = [(member, self._validate(member)) for member in hall]
        return max(scored, key=lambda pair: float(self.search.fitness(pair[1]).nan_to_num(nan=-math.inf)[0, 0]))

    def _validate(self, member: Member) -> Outcomes:
        rows = member.row[None].to(self.search.device)
        parts = [
            self.evaluator.evaluate(member.genome, rows, seeds.rng(self.run.seed, "validation", 0, number))
            for number in range(self.run.validations)
        ]
        succeeded = [part for part in parts if bool(part.ok[0])]
        if not succeeded:
            return replace(parts[0].to(torch.device("cpu")), trials={})
        trials = {name: torch.cat([part.trials[name] for part in succeeded], dim=2) for name in succeeded[0].trials}
        scores = torch.stack([part.scores[0].cpu() for part in succeeded]).mean(0)
        self._pool_best_weights(scores, trials)
        return Outcomes(scores[None], (Outcome.OK,), {}, trials)

    def _pool_best_weights(self, scores: torch.Tensor, trials: dict[str, torch.Tensor]) -> None:
        """Score the best weight over all trials together: a mean of bests of a few trials each would flatter."""
        for place, objective in enumerate(self.search.objectives):
            measured = trials.get(objective.name.removeprefix("best_weight_"))
            if objective.name.startswith("best_weight_") and measured is not None:
                per_weight = measured[0].to(torch.float64).mean(1)
                scores[place] = per_weight.max() if objective.maximize else per_weight.min()

    def _save(self, member: Member, outcomes: Outcomes | None) -> Champion:
        configuration = {**self.run.configuration(), "genome": describe(member.genome)}
        names = [objective.name for objective in self.search.objectives]
        scores = member.scores if outcomes is None or not bool(outcomes.ok[0]) else tuple(outcomes.scores[0].tolist())
        layout, row = member.genome.layout, member.row[None]
        parents = [int(lineage.identities(layout, row, name)) for name in ("first_parent", "second_parent")]
        problem = self.run.problem
        return Champion(
            genome=configuration["genome"],
            problem=configuration["problem"],
            algorithm=configuration["algorithm"],
            genes=member.genome.describe(member.row),
            fitness=dict(zip(names, scores, strict=True)),
            generation=member.generation,
            seed=self.run.seed,
            variant=self.run.variant,
            network=network_of(member.genome, member.row, problem.inputs, problem.outputs),
            trials={name: values[0].tolist() for name, values in (outcomes.trials if outcomes else {}).items()},
            lineage={"uid": int(lineage.identities(layout, row)), "parents": [uid for uid in parents if uid >= 0]},
            versions=versions(),
        )
