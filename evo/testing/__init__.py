"""Conformance checks for genomes, problems and algorithms, shipped so that users can run them on their own.

A check is a named function that raises `CheckFailed` with what is wrong and why it probably is. Run all of them with
`check_genome`, `check_problem`, `check_pair` and `check_algorithm` of this package's modules, a whole file with
`evo check FILE`, or one by one from pytest:

    from evo.testing import Check
    from evo.testing.genome_checks import genome_checks

    @pytest.mark.parametrize("check", genome_checks, ids=str)
    def test_my_genome(check: Check) -> None:
        check.run(MyGenome())

Models: gymnasium's check_env, scikit-learn's check_estimator, Optuna's shipped test suites.
"""

from __future__ import annotations

import hashlib
import json
import random
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from evo.layout import Layout
from evo.learners import Learners
from evo.networks import Networks, pack
from evo.parametrised import Parametrised
from evo.pathways import Pathways


class CheckFailed(AssertionError):  # noqa: N818 - a check fails; nothing here is in error
    """A check did not pass; the text says what is wrong and why it probably is."""


class CheckSkipped(Exception):  # noqa: N818 - as above
    """A check does not apply; the text says why."""


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: short, for test reports.
        what: what must hold, in words.
        run: raises CheckFailed where it does not, CheckSkipped where it does not apply.
        first: whether the checks behind it make no sense where this one fails.
    """

    name: str
    what: str
    run: Callable[..., None]
    first: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Finding:
    """What one check said.

    Attributes:
        subject: what was checked, such as "genome Topology".
        check: the check's name.
        status: "ok", "FAILED" or "skipped".
        message: where it is not ok, what is wrong and why it probably is.
    """

    subject: str
    check: str
    status: str
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.status != "FAILED"


def require(condition: bool, message: str) -> None:
    """Raise CheckFailed with the message unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


def run_checks(subject: str, checks: Sequence[Check], *things: Any) -> list[Finding]:
    """Return a finding per check; an exception of the code that is checked becomes a finding that says where."""
    findings: list[Finding] = []
    for number, check in enumerate(checks):
        findings.append(_run(subject, check, things))
        if check.first and not findings[-1].ok:
            why = f"not tried: put {check.name!r} right first"
            return findings + [Finding(subject, rest.name, "skipped", why) for rest in checks[number + 1 :]]
    return findings


def _run(subject: str, check: Check, things: tuple[Any, ...]) -> Finding:
    try:
        check.run(*things)
    except CheckFailed as failure:
        return Finding(subject, check.name, "FAILED", str(failure))
    except CheckSkipped as why:
        return Finding(subject, check.name, "skipped", str(why))
    except Exception as error:  # whatever a user's code raises is a finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"raised {type(error).__name__}: {error} ({where.filename}, line {where.lineno}: {where.line})"
        return Finding(subject, check.name, "FAILED", text)
    return Finding(subject, check.name, "ok")


@contextmanager
def global_random_untouched(what: str) -> Iterator[None]:
    """Raise CheckFailed where the block changes a global random generator."""
    before = _global_random()
    yield
    changed = [name for name, state in _global_random().items() if state != before[name]]
    require(
        not changed,
        f"{what} draws from the global generator of {' and '.join(changed)}, so results change with whatever else "
        f"runs: draw from the rng handed in; for torch, see evo.seeds.uniform and normal",
    )


def _global_random() -> dict[str, str]:
    return {
        "random": str(random.getstate()),
        "numpy.random": str(fingerprint(list(np.random.get_state(legacy=True)))),
        "torch": str(fingerprint(torch.get_rng_state())),
    }


def fingerprint(value: Any, _seen: frozenset[int] = frozenset()) -> Any:
    """Return plain data that is equal for equal values, bit by bit, whatever they are: tensors, networks, objects."""
    if isinstance(value, (str, bytes, bool, int, float, complex, type(None))):
        return repr(value)
    if isinstance(value, torch.Tensor):
        held = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return f"{value.dtype} {list(value.shape)} {hashlib.sha256(held).hexdigest()}"
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if id(value) in _seen:
        return "itself"
    seen = _seen | {id(value)}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [fingerprint(item, seen) for item in value]
    if isinstance(value, dict):
        return {repr(key): fingerprint(item, seen) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(fingerprint(item, seen)) for item in value)
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__
    if hasattr(value, "__dict__"):
        return [type(value).__qualname__, fingerprint(vars(value), seen)]
    return repr(value)


def each(phenotypes: Any, count: int) -> list[Any]:
    """Return the fingerprint of each of `count` phenotypes, taken out of the batch one by one."""
    return [fingerprint(phenotypes[number : number + 1]) for number in range(count)]


def reordered(phenotypes: Any, order: Sequence[int]) -> Any:
    """Return a batch of the phenotypes in another order; CheckSkipped for a batch of an unknown type."""
    if isinstance(phenotypes, Networks):
        lists = [_lists(phenotypes[number : number + 1]) for number in order]
        return pack(phenotypes.inputs, phenotypes.outputs, lists).on(phenotypes.execution)
    if isinstance(phenotypes, (Learners, Parametrised, Pathways)):
        return phenotypes[torch.tensor(list(order))]
    if isinstance(phenotypes, (torch.Tensor, np.ndarray)):
        return phenotypes[list(order)]
    if isinstance(phenotypes, (list, tuple)):
        return type(phenotypes)(phenotypes[number] for number in order)
    raise CheckSkipped(f"phenotypes of type {type(phenotypes).__name__} cannot be put in another order here")


def _lists(one: Networks) -> tuple[list[int], list[tuple[int, int, float]]]:
    targets = torch.arange(len(one.activations)).repeat_interleave(one.edge_offsets.diff().cpu()).tolist()
    edges = zip(one.edge_sources.tolist(), targets, one.edge_weights.tolist(), strict=True)
    return one.activations.tolist(), list(edges)


def check_settings(thing: object) -> None:
    """Raise CheckFailed unless what the thing was made with can be recorded as JSON."""
    from evo.settings import settings

    recorded = settings(thing)
    try:
        json.dumps(recorded, allow_nan=False)
    except ValueError as error:
        raise CheckFailed(f"its settings are no JSON ({error}): use finite numbers, strings and tuples") from None
    for name, value in recorded.items():
        held = getattr(thing, name)
        unknown = isinstance(value, dict) and set(value) == {"type"}
        require(
            not unknown or isinstance(held, (dict, Layout)),
            f"setting {name!r} is a {type(held).__name__}, of which only the type can be recorded, so campaigns with "
            f"different ones look the same: make it numbers, strings, tuples or a frozen dataclass of those; if it is "
            f"no setting but worked out from some, use functools.cached_property or a name that starts with _",
        )


def label(thing: object) -> str:
    """Return what to call a genome, a problem or an algorithm in a report."""
    return getattr(thing, "name", "") or type(thing).__name__
