"""What must hold for every problem, and for a genome and a problem together.

`check_problem(problem, phenotypes)` and `check_pair(genome, problem)` run all of it; see `evo.testing`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evo.activations import NAMES
from evo.control import ControlProblem
from evo.genome import Genome
from evo.inspect.live import scene_fault
from evo.networks import Networks, pack
from evo.outcome import Outcome, Outcomes
from evo.problem import Objective, Problem
from evo.problem_state import encode
from evo.stateful import StatefulProblem
from evo.testing import (
    Check,
    CheckSkipped,
    Finding,
    check_settings,
    fingerprint,
    global_random_untouched,
    label,
    reordered,
    require,
    run_checks,
)
from evo.testing.genome_checks import draws, grown

TOLERANCE = 1e-4
"""How much, relatively, a score may depend on the batch: float32 sums in another order."""


def check_objectives(problem: Problem, _phenotypes: Any) -> None:
    """There are objectives, each an `evo.Objective` with a name of its own."""
    objectives = problem.objectives
    require(
        isinstance(objectives, tuple) and all(isinstance(objective, Objective) for objective in objectives),
        f"objectives is {objectives!r}, expected a tuple such as (Objective('score'),): is the comma missing?",
    )
    names = [objective.name for objective in objectives]
    require(len(names) > 0, "objectives is empty: say what is scored, as in (Objective('score'),)")
    require(len(set(names)) == len(names), f"objectives share a name: {names}; give each its own")


def check_problem_settings(problem: Problem, _phenotypes: Any) -> None:
    """What the problem was made with can be recorded as JSON."""
    check_settings(problem)


def check_outcomes(problem: Problem, phenotypes: Any) -> None:
    """`evaluate` returns Outcomes: for each phenotype a kind and, where it is OK, a finite score per objective."""
    outcomes: object = problem.evaluate(phenotypes, draws())
    if not isinstance(outcomes, Outcomes):
        kind = type(outcomes).__name__
        require(False, f"evaluate returns a {kind}, not evo.Outcomes: end with return outcomes_of(scores)")
        return
    expected = [len(phenotypes), len(problem.objectives)]
    require(
        list(outcomes.scores.shape) == expected,
        f"scores have shape {list(outcomes.scores.shape)}, expected {expected}: a row per phenotype, a column per "
        f"objective; for a single objective that is scores[:, None]",
    )
    require(outcomes.scores.dtype == torch.float64, f"scores are {outcomes.scores.dtype}: make them with outcomes_of")
    require(
        len(outcomes.kinds) == len(phenotypes) and all(isinstance(kind, Outcome) for kind in outcomes.kinds),
        f"kinds has {len(outcomes.kinds)} entries, expected {len(phenotypes)} evo.Outcome values, one per phenotype",
    )
    finite = outcomes.scores.isfinite().all(1)
    require(
        torch.equal(finite, outcomes.ok),
        "scores are not finite exactly where kinds is OK: make outcomes with outcomes_of, which sees to that",
    )
    require(set(outcomes.messages) <= set(range(len(phenotypes))), "messages has keys that are no phenotype's number")


def check_scores(problem: Problem, phenotypes: Any) -> None:
    """At least one of the phenotypes can be scored."""
    outcomes = problem.evaluate(phenotypes, draws())
    require(bool(outcomes.ok.any()), f"no phenotype could be scored: {outcomes.explain()}")


def check_trials(problem: Problem, phenotypes: Any) -> None:
    """Trials belong to objectives, have the shape `[n, shared weights, episodes]`, and their mean is the score."""
    outcomes = problem.evaluate(phenotypes, draws())
    if not outcomes.trials:
        raise CheckSkipped("the problem gives no trials")
    names = [objective.name for objective in problem.objectives]
    for name, trials in outcomes.trials.items():
        require(name in names, f"trials has {name!r}, which is no objective; there are {names}")
        require(
            trials.dim() == 3 and len(trials) == len(phenotypes),
            f"trials of {name!r} have shape {list(trials.shape)}, expected [{len(phenotypes)}, weights, episodes]",
        )
        mean, score = trials.to(torch.float64).mean((1, 2)), outcomes.scores[:, names.index(name)]
        require(
            bool(torch.isclose(mean, score, TOLERANCE, 1e-6)[outcomes.ok].all()),
            f"the mean of the trials of {name!r} is not its score: {mean.tolist()} and {score.tolist()}",
        )


def check_seeds(problem: Problem, phenotypes: Any) -> None:
    """Scores are the same for the same generator; where `stochastic` is False, for every generator."""
    first, again = (_scores(problem, phenotypes) for _ in range(2))
    require(
        _same(first, again, 0.0),
        f"scores differ with the same generator, so runs would not repeat{_largest(first, again)}: is chance from "
        f"elsewhere than the rng handed in, or something kept from call to call?",
    )
    if not problem.stochastic:
        other = _scores(problem, phenotypes, seed=1)
        require(
            _same(first, other, 0.0),
            f"scores depend on the generator though stochastic is False{_largest(first, other)}: return True from it",
        )


def check_place(problem: Problem, phenotypes: Any) -> None:
    """Scores do not depend on a phenotype's place in the batch."""
    _skip_where_order_matters(problem)
    order = list(reversed(range(len(phenotypes))))
    forward, backward = _scores(problem, phenotypes), _scores(problem, reordered(phenotypes, order))
    require(
        _same(forward, backward[order], TOLERANCE),
        f"scores depend on the place in the batch{_largest(forward, backward[order])}: draw episodes, cases and noise "
        f"once per evaluation, for all phenotypes alike, not one after the other",
    )


def check_neighbours(problem: Problem, phenotypes: Any) -> None:
    """A phenotype scores the same alone and among others."""
    _skip_where_order_matters(problem)
    together = _scores(problem, phenotypes)
    for number in range(min(3, len(phenotypes))):
        alone, among = _scores(problem, phenotypes[number : number + 1]), together[number : number + 1]
        require(
            _same(among, alone, TOLERANCE),
            f"a phenotype scores another number alone than among others{_largest(among, alone)}: "
            f"is something averaged, ranked or normalised over the batch, or drawn with its size?",
        )


def check_phenotypes_kept(problem: Problem, phenotypes: Any) -> None:
    """`evaluate` leaves the phenotypes as they are."""
    before = fingerprint(phenotypes)
    problem.evaluate(phenotypes, draws())
    require(
        fingerprint(phenotypes) == before,
        "evaluate changes the phenotypes in place, and through them the population: work on a copy",
    )


def check_problem_global_random(problem: Problem, phenotypes: Any) -> None:
    """`evaluate` draws nothing from global random generators."""
    with global_random_untouched("evaluate"):
        problem.evaluate(phenotypes, draws())


def _skip_where_order_matters(problem: Problem) -> None:
    if isinstance(problem, StatefulProblem):
        raise CheckSkipped("the problem has a state, so phenotypes are evaluated in order, and one changes the next")


def _scores(problem: Problem, phenotypes: Any, seed: int = 0) -> torch.Tensor:
    return problem.evaluate(phenotypes, draws(seed)).scores.cpu()


def _same(first: torch.Tensor, second: torch.Tensor, tolerance: float) -> bool:
    close = torch.isclose(first, second, rtol=tolerance, atol=tolerance * 1e-2, equal_nan=True)
    return first.shape == second.shape and bool(close.all())


def _largest(first: torch.Tensor, second: torch.Tensor) -> str:
    """Return the pair of scores that differ most, as words for a message."""
    difference = (first - second).abs().nan_to_num(nan=torch.inf)
    difference[first.isnan() & second.isnan()] = 0.0
    place = int(difference.argmax())
    return f" ({first.flatten()[place].item():.6g} and {second.flatten()[place].item():.6g})"


problem_checks: tuple[Check, ...] = (
    Check("objectives", "there are objectives with names of their own", check_objectives, first=True),
    Check("settings", "what the problem was made with can be recorded as JSON", check_problem_settings),
    Check("outcomes", "evaluate returns a kind and scores for each phenotype", check_outcomes, first=True),
    Check("scores", "at least one phenotype can be scored", check_scores),
    Check("trials", "trials have the right shape and average to the score", check_trials),
    Check("seeds", "scores depend on the rng handed in, and only where stochastic says so", check_seeds),
    Check("place", "scores do not depend on the place in the batch", check_place),
    Check("neighbours", "scores do not depend on the others in the batch", check_neighbours),
    Check("phenotypes-kept", "evaluate leaves phenotypes as they are", check_phenotypes_kept),
    Check("global-random", "evaluate draws nothing from global random generators", check_problem_global_random),
)
"""Each takes a problem and a batch of phenotypes."""


def check_scene(problem: ControlProblem, _phenotypes: Any) -> None:
    """What `scene` returns can be drawn on a champion's page."""
    fault = scene_fault(problem)
    require(not fault, fault)


control_checks: tuple[Check, ...] = (Check("scene", "what scene returns can be drawn", check_scene),)
"""Each takes a control problem and a batch of networks."""


def check_state(problem: StatefulProblem, phenotypes: Any) -> None:
    """A state is named tensors, is not changed in place, and with the same draws leads to the same next one."""
    state = problem.begin(draws())
    encode({"generation": 0, "rows": "", "scores": [], "failed": {}}, state)
    before = fingerprint(dict(state))
    require(
        fingerprint(dict(problem.begin(draws()))) == before,
        "begin returns other states with the same generator: draw from the rng handed in, and from nothing else",
    )
    first, again = (problem.evaluate_from(phenotypes, draws(), state) for _ in range(2))
    require(
        fingerprint(dict(state)) == before,
        "evaluate_from changes the state in place, so a failed evaluation could not be undone: work on copies of the "
        "tensors that change",
    )
    require(
        _same(first[0].scores, again[0].scores, 0.0) and fingerprint(dict(first[1])) == fingerprint(dict(again[1])),
        "evaluate_from leaves other states, or scores, with the same state and generator, so runs could not be "
        "resumed: is something kept outside the state?",
    )
    encode({"generation": 0, "rows": "", "scores": [], "failed": {}}, first[1])


stateful_checks: tuple[Check, ...] = (
    Check("state", "evaluations go from state to state, by their arguments alone", check_state),
)
"""Each takes a problem with a state and a batch of phenotypes."""


def _checks_of(problem: Problem) -> tuple[Check, ...]:
    if isinstance(problem, StatefulProblem):
        return (*problem_checks, *stateful_checks)
    return (*problem_checks, *control_checks) if isinstance(problem, ControlProblem) else problem_checks


def check_problem(problem: Problem, phenotypes: Any) -> list[Finding]:
    """Return what every check says of a problem, tried on a batch of two phenotypes or more."""
    return run_checks(f"problem {label(problem)}", _checks_of(problem), problem, phenotypes)


def mismatch(genome: Genome, problem: Problem) -> str:
    """Return why the genome's phenotypes are not what the problem scores; empty where they are."""
    if not issubclass(genome.expresses, problem.accepts):
        return f"it expresses to {genome.expresses.__name__}, the problem scores {problem.accepts.__name__}"
    wanted = (len(problem.inputs), len(problem.outputs))
    if not issubclass(problem.accepts, Networks) or wanted == (0, 0):
        return ""
    one = genome.express(genome.sample(1, draws()))
    has = (one.inputs, one.outputs)
    return "" if has == wanted else f"it has {has} inputs and outputs, the problem {wanted}; make it with for_problem"


def check_fits(genome: Genome, problem: Problem) -> None:
    """The genome's phenotypes are what the problem scores."""
    why = mismatch(genome, problem)
    require(not why, f"the genome does not fit: {why}")


def check_rows_kept(genome: Genome, problem: Problem) -> None:
    """Evaluation leaves the rows as they are, though phenotypes may share their memory."""
    genome, rows = grown(genome)
    before = fingerprint(rows)
    problem.evaluate(genome.express(rows), draws())
    require(fingerprint(rows) == before, "evaluate changes the population's rows: work on a copy of the phenotypes")


def check_rows_place(genome: Genome, problem: Problem) -> None:
    """Rows in reverse score the same in reverse."""
    _skip_where_order_matters(problem)
    genome, rows = grown(genome)
    forward = _scores(problem, genome.express(rows))
    backward = _scores(problem, genome.express(rows.flip(0))).flip(0)
    require(
        _same(forward, backward, TOLERANCE),
        f"rows score other numbers in reverse order{_largest(forward, backward)}: does express keep the order of rows?",
    )


def check_restored_scores(genome: Genome, problem: Problem) -> None:
    """Individuals restored from their descriptions score the same: a champion file can be trusted."""
    genome, rows = grown(genome)
    restored = torch.cat([genome.restore(genome.describe(row)) for row in rows])
    scores = [_scores(problem, genome.express(each)) for each in (rows, restored)]
    require(
        _same(scores[0], scores[1], TOLERANCE),
        f"restored individuals score other numbers{_largest(scores[0], scores[1])}: does describe tell all of a row?",
    )


pair_checks: tuple[Check, ...] = (
    Check("fits", "the genome's phenotypes are what the problem scores", check_fits, first=True),
    Check("rows-kept", "evaluation leaves rows as they are", check_rows_kept),
    Check("rows-place", "rows in reverse score the same in reverse", check_rows_place),
    Check("restored-scores", "restored individuals score the same", check_restored_scores),
)
"""Each takes a genome and a problem."""


def check_pair(genome: Genome, problem: Problem) -> list[Finding]:
    """Return what every check says of a genome and a problem together, and of the problem with its phenotypes."""
    subject = f"genome {label(genome)} on problem {label(problem)}"
    findings = run_checks(subject, pair_checks, genome, problem)
    if not findings[0].ok:
        return findings
    genome, rows = grown(genome)
    return findings + run_checks(subject, _checks_of(problem), problem, genome.express(rows))


def made_up_networks(inputs: int, outputs: int, count: int, rng: np.random.Generator) -> Networks:
    """Return small random networks with hidden nodes, to try a problem on where there is no genome."""
    networks = []
    for _ in range(count):
        hidden = int(rng.integers(1, 5))
        first, size = inputs + 1, inputs + 1 + hidden + outputs
        kinds = [1] * first + [int(kind) for kind in rng.integers(1, len(NAMES) + 1, hidden)] + [1] * outputs
        pairs = [(s, t) for t in range(first, size) for s in range(min(t, size - outputs)) if rng.random() < 0.5]
        networks.append((kinds, [(source, target, float(rng.standard_normal())) for source, target in pairs]))
    return pack(inputs, outputs, networks)
