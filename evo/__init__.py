"""Genome-centric evolutionary search: define a genome and a fitness, evolve populations in parallel, inspect champions.

The contracts, by name; each is imported when it is first used, so that `import evo` is quick.

Genomes:    `Genome`, `Layout`, `Field`; `Networks`, what topologies and perceptrons express to
Problems:   `Problem`, `NetworkProblem`, `ControlProblem`, `StatefulProblem`, `Objective`, and `fitness`, which makes
            one of a function
Outcomes:   `Outcome`, `Outcomes`, `outcomes_of`
Algorithms: `Algorithm`, `Search`
Campaigns:  `Campaign`, `Champion`, `CampaignError`
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evo.algorithm import Algorithm as Algorithm
    from evo.campaign import Campaign as Campaign
    from evo.champion import Champion as Champion
    from evo.control import ControlProblem as ControlProblem
    from evo.function_problem import fitness as fitness
    from evo.genome import Genome as Genome
    from evo.layout import Field as Field
    from evo.layout import Layout as Layout
    from evo.networks import Networks as Networks
    from evo.outcome import Outcome as Outcome
    from evo.outcome import Outcomes as Outcomes
    from evo.outcome import outcomes_of as outcomes_of
    from evo.problem import NetworkProblem as NetworkProblem
    from evo.problem import Objective as Objective
    from evo.problem import Problem as Problem
    from evo.run import CampaignError as CampaignError
    from evo.search import Search as Search
    from evo.stateful import StatefulProblem as StatefulProblem

_PLACES = {
    "Algorithm": "algorithm",
    "Campaign": "campaign",
    "CampaignError": "run",
    "Champion": "champion",
    "ControlProblem": "control",
    "Field": "layout",
    "Genome": "genome",
    "Layout": "layout",
    "NetworkProblem": "problem",
    "Networks": "networks",
    "Objective": "problem",
    "Outcome": "outcome",
    "Outcomes": "outcome",
    "Problem": "problem",
    "Search": "search",
    "StatefulProblem": "stateful",
    "fitness": "function_problem",
    "outcomes_of": "outcome",
}
__all__ = sorted(_PLACES)  # the names of the table above


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'evo' has no attribute {name!r}")
    return getattr(importlib.import_module(f"evo.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
