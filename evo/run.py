"""One run: one problem, one genome, one algorithm, one seed, in a folder of its own, resumable at any instant.

A run resumes by replay: the algorithm goes through its steps again, and gets the recorded scores without any
evaluation, until the journal ends. Whether it does go through the same steps is checked, generation by generation.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo import lineage, seeds
from evo.algorithm import Algorithm
from evo.archive import Archive
from evo.evaluation.cluster import Cluster
from evo.evaluation.evaluator import Evaluator
from evo.files import append_text
from evo.genome import Genome
from evo.inheritance import changed, changes
from evo.journal import Journal
from evo.outcome import Outcome, Outcomes
from evo.outcome_record import finite, outcomes_in, plain, rows_digest
from evo.problem import Problem
from evo.problem_state import StoredStates
from evo.run_results import RunResults
from evo.search import Search
from evo.settings import describe, digest
from evo.standing import PAUSE, Standing, standing_of, stored
from evo.state import StateFiles
from evo.stateful import StatefulProblem

WRITE_EVERY = 32
"""Generations between writes of the champion while a run goes on, or more, where writing it takes long."""
WRITE_SHARE = 0.01
"""Of the time, that writing champions takes at most; scoring one again may take as long as ten generations."""

ONLY_RECORDED = ("births", "measured", "features")
"""What is journalled for readers; a replay does without, and in memory it would grow large."""


class CampaignError(RuntimeError):
    """A campaign that cannot go on; the text says why and what to do."""


@dataclass(frozen=True)
class Run:
    """What to run.

    Attributes:
        problem, genome, algorithm: see there.
        generations: how many.
        seed: the root of every draw.
        variant: the name of the campaign's variant it belongs to.
        validations: how many times the hall of fame is scored afresh to name the champion of a stochastic problem.
        target: the score of the first objective with which a generation is the last; None for no such end.
    """

    problem: Problem
    genome: Genome
    algorithm: Algorithm
    generations: int
    seed: int
    variant: str = "default"
    validations: int = 8
    target: float | None = None

    def configuration(self) -> dict[str, Any]:
        """Return everything that decides the run's result but the seed, as plain JSON."""
        data = self.problem.provenance()
        return {
            "problem": describe(self.problem),
            "genome": describe(self.genome),
            "algorithm": describe(self.algorithm),
            "validations": self.validations,
            **({} if self.target is None else {"target": self.target}),
            **({"data": data} if data else {}),
        }

    def folder(self, campaign: Path) -> Path:
        """Return where the run lives in its campaign's folder."""
        return campaign / self.variant / f"seed-{self.seed}"


def execute(
    run: Run,
    folder: Path,
    workers: int = 1,
    device: str = "cpu",
    engine: str = "compiled",
    cluster: Cluster | None = None,
) -> None:
    """Run in `folder`, or go on where a run there stopped; on a cluster's nodes, where one is given.

    Raises:
        CampaignError: all evaluations of a generation failed, or the recorded steps are not this run's, or what its
            genomes learned has gone.
        JournalError: the folder holds another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    header = {"seed": run.seed, "variant": run.variant, "configuration": digest(run.configuration())}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads on small tensors were up to 20 times slower, and change sums' last bits
    try:
        with (
            Journal(folder / "journal.jsonl", header, ONLY_RECORDED) as journal,
            Evaluator(run.problem, workers, engine, cluster) as evaluator,
            ThreadPoolExecutor(1, thread_name_prefix="digest") as aside,
        ):
            _Execution(run, folder, journal, evaluator, aside, torch.device(device)).go()
    finally:
        torch.set_num_threads(threads)


class _Execution:
    """The state of a run that is under way."""

    def __init__(
        self, run: Run, folder: Path, journal: Journal, evaluator: Evaluator, aside: Executor, device: torch.device
    ) -> None:
        self.run, self.folder, self.journal, self.evaluator, self.aside = run, folder, journal, evaluator, aside
        objectives = run.problem.objectives
        self.archive = Archive(tuple(objective.maximize for objective in objectives))
        self.search = Search(
            run.genome,
            objectives,
            run.problem.stochastic,
            run.generations,
            run.seed,
            self.evaluate,
            device,
            target=run.target,
        )
        self.results = RunResults(run, folder, self.search, self.archive, evaluator)
        self.began, self.used = time.perf_counter(), time.process_time()
        self.evaluated, self.write_again = 0, 0.0
        self.state = StateFiles(folder) if run.algorithm.state_in_rows else None
        self.over = False
        self.problem_states = StoredStates(folder) if isinstance(run.problem, StatefulProblem) else None
        resumable = run.algorithm.from_rows and self.problem_states is None and self.state is None
        self.standings = StoredStates(folder, "search", PAUSE) if resumable else None
        self.restart, self.learned = self._restart()
        self._begin()
        self._stand()
        self.first_new = len(journal.records)
        self.known = 0

    def go(self) -> None:
        """Search to the end, and leave the champion."""
        if self.over:
            return
        self.run.algorithm.run(self.search)
        self._keep_state(last=True)
        self.results.write()

    def evaluate(self, genome: Genome, rows: torch.Tensor) -> Outcomes:
        """Return a generation's outcomes: recorded ones, or new ones, which are recorded first."""
        generation = self.search.generation
        if generation < len(self.journal.records):
            self.known = self.search.born
            outcomes = self._recorded(generation, rows)
        else:
            told_apart = self.aside.submit(rows_digest, rows)
            outcomes = self.evaluator.evaluate(genome, rows, seeds.rng(self.run.seed, "evaluate", generation))
            self.journal.append(self._record(genome, rows, outcomes, told_apart.result()))
            self._keep_state()
        outcomes = replace(outcomes, measured={})
        if rows.device != outcomes.scores.device:
            outcomes = outcomes.to(rows.device)
        if not bool(outcomes.ok.any()):
            if self.archive.hall:
                self.results.write()
            raise CampaignError(f"generation {generation}: every evaluation failed. {outcomes.explain()}")
        self._remember(genome, rows, outcomes)
        self._keep_standing(genome, rows)
        self._report(outcomes)
        if generation == self.first_new:
            self.results.leave()
        if generation:
            self.journal.forget(generation - 1)
        if generation % WRITE_EVERY == WRITE_EVERY - 1 and generation >= self.first_new:
            self._write_in_between()
        return outcomes

    def _write_in_between(self) -> None:
        """Leave what `write` does, if that was long enough ago."""
        began = time.perf_counter()
        if began >= self.write_again:
            self.results.write()
            ended = time.perf_counter()
            self.write_again = ended + (ended - began) / WRITE_SHARE

    def _remember(self, genome: Genome, rows: torch.Tensor, outcomes: Outcomes) -> None:
        """Show the archive a generation; of lives, or a problem's state, that go on it replaces all before it."""
        if self.problem_states is not None or (self.state is not None and outcomes.rows is not None):
            self.archive.clear()
        self.archive.update(self.search, genome, outcomes.inherited(rows), outcomes)

    def _restart(self) -> tuple[int, torch.Tensor | None]:
        """Return the last recorded generation whose learned rows are at hand, and those; -1 and None without any.

        What was recorded after it is cut off: it comes out the same again. Where none are at hand, a run that has
        ended is over, and stays as it is.
        """
        records = self.journal.records
        if self.state is None or not any("state" in record for record in records):
            return -1, None
        found = self.state.latest([record.get("state", "") for record in records])
        if found is not None:
            self.journal.cut(found[0] + 1)
            return found
        self.over = self._ended()
        if not self.over:
            where = "; what follows in journal.jsonl is damaged, so an undamaged copy of that would do too"
            raise CampaignError(
                f"{self.folder}: {len(records)} generations are recorded, but what the genomes had learned by then is "
                f"gone, so the run cannot go on: expected {self.state.expected(len(records))}. Put them back"
                f"{where if self.journal.damaged else ''}; or, to begin anew, move this folder away, or delete it"
            )
        return -1, None

    def _begin(self) -> None:
        """Give the evaluator the problem's state, if it has one: the last that was stored, or a new one.

        What was recorded after it is cut off: it comes out the same again.
        """
        if self.problem_states is None or not isinstance(self.run.problem, StatefulProblem):
            return
        found = self.problem_states.latest(self.journal.records)
        self.over = found is None and self._ended()
        if not self.over:
            self.journal.cut(0 if found is None else found[0] + 1)
            new = self.run.problem.begin(seeds.rng(self.run.seed, "begin")) if found is None else found[1]
            self.evaluator.state = new

    def _stand(self) -> None:
        """Let the search go on from where it stood when that was stored last, if it was."""
        found = None if self.standings is None else self.standings.latest(self.journal.records)
        if found is not None:
            standing_of(found[1], self.run.genome).resume(self.search, self.archive)

    def _keep_standing(self, genome: Genome, rows: torch.Tensor) -> None:
        """Store where the search stands, if it is time to."""
        if self.standings is None or not self.standings.due or self.search.generation < self.first_new:
            return
        hall, front = list(self.archive.hall), list(self.archive.front)
        standing = Standing(self.search.generation, self.search.born, genome, rows, hall, front)
        state = stored(standing, self.run.genome)
        if state is not None:
            self.standings.save(self.journal.records[-1], state)

    def _keep_state(self, last: bool = False) -> None:
        """Store the problem's state, if it has one and it is time to, or it is the last."""
        states, state = self.problem_states, self.evaluator.state
        if states is None or state is None or not self.journal.records:
            return
        record = self.journal.records[-1]
        if states.saved != record["generation"] and (last or states.due):
            states.save(record, state)

    def _ended(self) -> bool:
        """Return whether all generations asked for are recorded, or the target was reached, and a champion is left."""
        records = self.journal.records
        if not records:
            return False
        enough = len(records) >= self.run.generations or self.search.reached(outcomes_in(records[-1], None))
        return enough and (self.folder / "champion.json").is_file()

    def _recorded(self, generation: int, rows: torch.Tensor) -> Outcomes:
        """Return a generation's recorded outcomes.

        Where learned rows are kept apart, those of past generations are gone; the algorithm goes through its steps
        with rows that never learned, until it is handed the last ones that did.
        """
        record = self.journal.records[generation]
        if "state" not in record:
            return recorded_outcomes(record, rows)
        learned = self.learned if generation == self.restart and self.learned is not None else rows
        return outcomes_in(record, learned.to(rows.device))

    def _record(self, genome: Genome, rows: torch.Tensor, outcomes: Outcomes, digest: str) -> dict[str, Any]:
        births = lineage.births(genome.layout, rows)
        fresh = births[births[:, 0] >= self.known]
        failed = {
            str(index): [kind.name, outcomes.messages.get(index, "")]
            for index, kind in enumerate(outcomes.kinds)
            if kind is not Outcome.OK
        }
        self.known = self.search.born
        return {
            "generation": self.search.generation,
            "rows": digest,
            "scores": finite(outcomes.scores),
            "failed": failed,
            "births": fresh.tolist(),
            **self._learned(rows, outcomes.rows),
            **self._features(genome, rows),
            **({} if not outcomes.measured else {"measured": {n: plain(v) for n, v in outcomes.measured.items()}}),
        }

    def _features(self, genome: Genome, rows: torch.Tensor) -> dict[str, Any]:
        """Return what the journal says of genes: those of the rows' features that the genome wants recorded."""
        if not genome.recorded_features:
            return {}
        features = genome.features(rows).items()
        return {"features": {name: plain(values) for name, values in features if name in genome.recorded_features}}

    def _learned(self, rows: torch.Tensor, learned: torch.Tensor | None) -> dict[str, str]:
        """Return what the journal says of learned rows: how they differ, or the digest of the file that has them."""
        if learned is None:
            return {}
        if self.state is not None:
            return {"state": self.state.save(self.search.generation, learned)}
        return {"learned": changes(rows, learned)}

    def _report(self, outcomes: Outcomes) -> None:
        """Write a line for whoever watches; it is no part of the result."""
        if self.search.generation < self.first_new:
            return
        scores = np.sort(outcomes.scores[:, 0].cpu().numpy()[outcomes.ok.cpu().numpy()])
        self.evaluated += len(outcomes)
        line = {
            "generation": self.search.generation + 1,
            "of": self.run.generations,
            "from": self.first_new,
            "best": float(scores[-1 if self.search.objectives[0].maximize else 0]),
            "median": float(scores[len(scores) // 2]),
            "failed": len(outcomes) - len(scores),
            "evaluated": self.evaluated,
            "seconds": round(time.perf_counter() - self.began, 3),
            "processor_seconds": round(time.process_time() - self.used, 3),  # of this process, without its workers
        }
        append_text(self.folder / "progress.jsonl", json.dumps(line) + "\n")


def recorded_outcomes(record: dict[str, Any], rows: torch.Tensor) -> Outcomes:
    """Return the outcomes that a generation's journal record holds, for the rows `[n, L]` that were evaluated.

    Raises:
        CampaignError: they were others.
    """
    if record["rows"] != rows_digest(rows):
        raise CampaignError(
            f"generation {record['generation']}: the recorded genomes are not the ones this code makes. The "
            f"genome's or the algorithm's code, or a package's version, has changed; start a new run, or go back."
        )
    return outcomes_in(record, changed(rows, record["learned"]) if "learned" in record else None)
