"""One recorded evaluation again: the same genome, the same draws, with whatever it did told in full.

The algorithm goes through its steps with the recorded scores, up to the generation asked for; nothing else is
evaluated on the way, and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from evo import journal, seeds
from evo.evaluation.evaluator import Evaluator
from evo.function_problem import FunctionProblem
from evo.genome import Genome
from evo.outcome import Outcome, Outcomes
from evo.recorded import campaign_folder, campaigns
from evo.run import CampaignError, Run, recorded_outcomes
from evo.search import Search
from evo.stateful import StatefulProblem


@dataclass(frozen=True)
class Replayed:
    """An evaluation, then and now.

    Attributes:
        genome: whose layout the row has.
        row: `[1, L]`.
        recorded: how it ended then, and what was said of it; the scores, None where it failed.
        outcomes: of the one individual, now.
    """

    genome: Genome
    row: torch.Tensor
    recorded: tuple[Outcome, str, list[float | None]]
    outcomes: Outcomes

    @property
    def same(self) -> bool:
        """Whether it ended as it did then, with the same scores."""
        kind, _, scores = self.recorded
        if self.outcomes.kinds[0] is not kind:
            return False
        return kind is not Outcome.OK or self.outcomes.scores[0].tolist() == scores


def replay(folder: Path, generation: int, index: int, here: bool = False) -> Replayed:
    """Evaluate an individual of a run again.

    Args:
        folder: the run's, or that of a campaign with a single run.
        generation, index: which individual, as messages about failures number them.
        here: a plain function runs in this process, where a debugger reaches it, and no time or memory limit holds
            that needs a process of its own.

    Raises:
        CampaignError: there is no such individual, or it cannot be evaluated apart from its run.
    """
    run, place = _run_at(folder)
    records = list(journal.generations(place / "journal.jsonl", ("rows", "scores", "failed")))
    if not 0 <= generation < len(records):
        raise CampaignError(f"generation: expected one recorded, 0 to {len(records) - 1}, got {generation}")
    record = records[generation]
    if not 0 <= index < len(record["scores"]):
        last = len(record["scores"]) - 1
        raise CampaignError(f"index: expected one of generation {generation}, 0 to {last}, got {index}")
    if isinstance(run.problem, StatefulProblem) or run.problem.lifelong or run.algorithm.state_in_rows:
        raise CampaignError(
            f"{place}: individuals of {run.problem.name} go on from what was learned before, which only the run itself "
            f"has; resume a copy of the folder instead"
        )
    genome, rows = _rows(run, records, generation)
    row = rows[index : index + 1]
    rng = seeds.rng(run.seed, "evaluate", generation)
    with Evaluator(run.problem) as evaluator:
        if here and isinstance(run.problem, FunctionProblem):
            outcomes = run.problem.evaluate(genome.express(row), rng)
        else:
            outcomes = evaluator.evaluate(genome, row, rng)
    kind, message = record["failed"].get(str(index), ("OK", ""))
    return Replayed(genome, row, (Outcome[kind], message, record["scores"][index]), outcomes)


class _FoundError(Exception):
    """The generation looked for has come."""

    def __init__(self, genome: Genome, rows: torch.Tensor) -> None:
        self.genome, self.rows = genome, rows


def _rows(run: Run, records: list[dict[str, Any]], generation: int) -> tuple[Genome, torch.Tensor]:
    """Return the genome and the rows `[n, L]` that a generation evaluated."""

    def evaluate(genome: Genome, rows: torch.Tensor) -> Outcomes:
        outcomes = recorded_outcomes(records[search.generation], rows)
        if search.generation == generation:
            raise _FoundError(genome, rows)
        return replace(outcomes, measured={})

    problem = run.problem
    search = Search(
        run.genome, problem.objectives, problem.stochastic, run.generations, run.seed, evaluate, target=run.target
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the run has it
    try:
        run.algorithm.run(search)
    except _FoundError as found:
        return found.genome, found.rows
    finally:
        torch.set_num_threads(threads)
    raise CampaignError(f"generation {generation}: the algorithm ended before it; has its code changed?")


def _run_at(folder: Path) -> tuple[Run, Path]:
    """Return the run whose folder, or whose campaign's folder, is given, and its own folder."""
    own = folder / "journal.jsonl"
    journals = [own] if own.is_file() else sorted(folder.glob("*/seed-*/journal.jsonl"))
    if len(journals) != 1:
        named = f": name one of them, such as {journals[0].parent}" if journals else ""
        raise CampaignError(f"{folder}: expected the folder of one run, got one with {len(journals)} runs{named}")
    place = journals[0].parent.resolve()
    campaign = campaign_folder(place / "journal.jsonl")
    if campaign is None:
        raise CampaignError(f"{place}: there is no campaign.json above it, so there is nothing to make the run from")
    for made in campaigns(campaign):
        for run in made.runs():
            if run.folder(campaign).resolve() == place:
                return run, place
    raise CampaignError(f"{place}: its campaign's file no longer makes this run")
