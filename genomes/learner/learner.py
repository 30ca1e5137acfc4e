"""A genome that is a learner: a network's weights, the state of its learning, and the settings it learns with.

Settings are genes. An algorithm that selects nobody compares them (`evo.algorithms.cohort`); one that selects evolves
them, with children that start afresh, or that go on from what their parents learned (population based training).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch

from evo import seeds
from evo.continual import first_stream
from evo.genome import Genome
from evo.layout import Layout
from evo.learners import ACTIVATIONS, SETTINGS, UTILITIES, Architecture, Convolution, Learners, Rules, Setting
from evo.learning.plasticity.online_normalization import newborn
from evo.problem import Problem
from genomes.learner.fields import HELD, PLACES, STATE, WHOLE, learner_layout, settings_columns
from genomes.learner.genes import drawn, mutated, place
from genomes.learner.initial import initial_weights
from genomes.learner.validity import checked_names, checked_rates, checked_settings, checked_use, rebuilt, sizes

CHOICES = {"activation": ACTIVATIONS, "utility": UTILITIES}
"""Genes that are one of several names."""


@dataclass(frozen=True)
class Learner(Genome):
    """A network that goes on learning, with settings of its own that may evolve (continual backprop and its kin).

    Attributes:
        inputs: the shape of one input: `(features,)`, or `(channels, height, width)` for convolutions.
        hidden: units per dense hidden layer; empty for a linear learner.
        outputs: how many.
        convolutions: layers before the dense ones.
        normalization, concatenated: see `evo.learners.Architecture`.
        rules: how all of them learn.
        activations: names that each learner draws its hidden units' activation from.
        utilities: names that each learner draws its ranking of units from.
        settings: by names of `evo.learners.SETTINGS`, values other than the defaults. A momentum, a consolidation or
            an anchoring named here, even as 0, makes room in the rows for the state it needs.
        evolve: names of settings that mutate; those not in `settings` are drawn over their range at the start.
        newborn: whether children have weights and a lifetime of their own, or go on from what their first parent
            learned. The latter keep their activation: weights were learned for it.
        mutation_rate: the probability that an evolving setting moves.
        mutation_deviation: the standard deviation of a move; see `genomes.learner.genes`.
        toggle_rate: the probability that an operator that evolves is switched on or off.
        choice_rate: the probability that an activation, or a utility, is drawn anew.

    Raises:
        ValueError: a name is unknown, or a number outside its range.
    """

    name: ClassVar[str] = "learner"
    expresses: ClassVar[type] = Learners

    inputs: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: int
    convolutions: tuple[Convolution, ...] = ()
    normalization: str = ""
    concatenated: bool = False
    rules: Rules = field(default_factory=Rules)
    activations: tuple[str, ...] = ("relu",)
    utilities: tuple[str, ...] = ("contribution",)
    settings: Mapping[str, float] = field(default_factory=dict)
    evolve: tuple[str, ...] = ()
    newborn: bool = True
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.2
    toggle_rate: float = 0.02
    choice_rate: float = 0.05

    def __post_init__(self) -> None:
        plain: dict[str, Any] = {
            "inputs": sizes(self.inputs),
            "hidden": sizes(self.hidden),
            "rules": rebuilt("Learner: rules", Rules, self.rules),
            "convolutions": tuple(rebuilt("Learner: convolutions", Convolution, one) for one in self.convolutions),
            "settings": checked_settings("Learner: settings", self.settings),
            **{name: tuple(getattr(self, name)) for name in ("activations", "utilities", "evolve")},
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)  # what JSON gives becomes what was given
        checked_names("Learner: evolve", self.evolve)
        checked_names("Learner: activations", self.activations, ACTIVATIONS)
        checked_names("Learner: utilities", self.utilities, UTILITIES)
        if not self.activations or not self.utilities:
            raise ValueError("Learner: expected at least one activation and one utility, got none")
        used = (*self.settings, *self.evolve)
        checked_use("Learner", used, self.activations, self.rules, self.concatenated)
        checked_rates(self, ("mutation_rate", "toggle_rate", "choice_rate"))
        if not self.mutation_deviation >= 0 or not math.isfinite(self.mutation_deviation):
            raise ValueError(f"Learner: mutation_deviation is a number from 0 up, got {self.mutation_deviation}")
        _ = self.architecture  # refuses impossible shapes now

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a learner with the inputs and outputs of a stream; give `hidden` and what else it is to have."""
        shape, outputs = getattr(problem, "input_shape", None), getattr(problem, "output_count", None)
        if shape is None or outputs is None:
            raise TypeError(
                f"Learner: {problem.name or type(problem).__name__} is no stream to live on: it has no input_shape and "
                f"output_count; use a problem of problems.continual, or write Learner(inputs=..., outputs=...)"
            )
        return cls(inputs=tuple(shape), outputs=int(outputs), **settings)

    @cached_property
    def architecture(self) -> Architecture:
        """What all learners look like."""
        sizes = (self.inputs, self.hidden, self.outputs)
        return Architecture(*sizes, self.convolutions, self.normalization, self.concatenated)

    @cached_property
    def layout(self) -> Layout:
        """Who a learner is, a column per setting, and the state of its weights, optimiser and units."""
        named = {*self.settings, *self.evolve}
        moments = 2 if self.rules.optimizer == "adam" else int("momentum" in named)
        return learner_layout(self.architecture, moments, named)

    @cached_property
    def _settings(self) -> tuple[Setting, ...]:
        """The settings that rows have a column for."""
        names = {field.name for field in self.layout.fields}
        return tuple(setting for setting in SETTINGS if setting.name in names)

    @cached_property
    def _state(self) -> tuple[str, ...]:
        """The fields of rows that a lifetime changes."""
        names = {field.name for field in self.layout.fields}
        return (*STATE, *(name for name in HELD if name in names))

    @property
    def _normalized_online(self) -> bool:
        return self.normalization == "online"

    @cached_property
    def _evolving(self) -> tuple[Setting, ...]:
        return tuple(setting for setting in SETTINGS if setting.name in self.evolve)

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return newborn learners on one stream, a number drawn for all; each draws the rest for itself.

        The stream is the first thing drawn, by `first_stream`, as it is for a cohort of the same seed.
        """
        rows = self._blank(count, {})
        self._write(rows, "stream", first_stream(rng))
        for setting in self._evolving:
            if setting.name not in self.settings:
                self._write(rows, setting.name, drawn(setting, rows[:, 0], rng))
        for gene in CHOICES:
            self._write(rows, gene, self._chosen(gene, count, rng))
        self._write(rows, "key", seeds.integers(rng, WHOLE, (count,), rows))
        self._bear(rows, _uniform(rng, count, self.architecture.parameters))
        return rows

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children whose evolving settings have moved, with a key of their own, newborn or not."""
        children = rows.clone()
        for setting in self._evolving:
            values = self.layout.view(children, setting.name)
            moved = mutated(setting, values, rng, self.mutation_rate, self.mutation_deviation, self.toggle_rate)
            self._write(children, setting.name, moved)
        for gene in self._open_choices:
            values = self.layout.view(children, gene)
            anew = seeds.uniform(rng, (len(rows),), values) < self.choice_rate
            self._write(children, gene, torch.where(anew, self._chosen(gene, len(rows), rng).to(values), values))
        self._write(children, "key", seeds.integers(rng, WHOLE, (len(rows),), rows))
        if self.newborn:
            self._bear(children, _uniform(rng, len(rows), self.architecture.parameters))
        return children

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that take each setting from either parent evenly, and all else from the first."""
        children = first.clone()
        columns = settings_columns(self.layout)
        genes = children[:, columns]
        theirs = seeds.uniform(rng, tuple(genes.shape), genes) < 0.5
        children[:, columns] = torch.where(theirs, second[:, columns], genes)
        for gene in self._open_choices:
            mine, other = (self.layout.view(parents, gene) for parents in (first, second))
            self._write(children, gene, torch.where(seeds.uniform(rng, (len(first),), mine) < 0.5, other, mine))
        return children

    def cohort(
        self, settings: Sequence[Mapping[str, Any]], streams: Sequence[int], rng: np.random.Generator
    ) -> tuple[Self, torch.Tensor]:
        """Return newborn learners with each of the settings on each of the streams, setting by setting.

        On one stream all have the same key, so the same chance, and the same weights (up to the factor between the
        bounds of their activations): they differ by their settings alone. A stream's are the same whichever other
        streams and settings there are.

        Args:
            settings: what differs from this genome's own, by names of settings, "activation" and "utility".
            streams: different whole numbers from 0 to 2^24 - 1.
            rng: draws keys and weights.

        Returns:
            The genome with room for what the settings need, and the rows `[settings * streams, L]`.

        Raises:
            ValueError: a name or a number is not as said.
        """
        if not streams or len(set(streams)) < len(streams) or not 0 <= min(streams) <= max(streams) < WHOLE:
            raise ValueError(f"Learner: a cohort's streams are different numbers from 0 to {WHOLE - 1}, got {streams}")
        genome = self._with_room(settings)
        rows = torch.cat([genome._blank(len(streams), chosen) for chosen in settings])
        root = int(rng.integers(2**63))
        draws = [seeds.rng(root, "learner", index=stream) for stream in streams]
        genome._write(rows, "stream", torch.tensor(streams).repeat(len(settings)))
        genome._write(rows, "key", torch.tensor([int(one.integers(WHOLE)) for one in draws]).repeat(len(settings)))
        uniform = torch.cat([_uniform(one, 1, genome.architecture.parameters) for one in draws])
        genome._bear(rows, uniform.repeat(len(settings), 1))
        return genome, rows

    def express(self, rows: torch.Tensor) -> Learners:
        """Return the learners of the rows, which share no memory with them; steps are whole there."""
        fields: dict[str, Any] = {
            name: self.layout.view(rows, name).clone(memory_format=torch.contiguous_format)
            for name in (*PLACES, *self._state, *(setting.name for setting in self._settings))
        }
        absent = {setting.name: rows.new_full((len(rows),), setting.default) for setting in SETTINGS}
        settings = {name: fields.pop(name, default) for name, default in absent.items()}
        settings["dormancy_period"] = settings["dormancy_period"].round()
        places = {name: fields.pop(name).to(torch.int64) for name in PLACES}
        if not self._normalized_online:
            del fields["normalization_state"]
        return Learners(self.architecture, self.rules, settings, **places, **fields)

    def absorb(self, rows: torch.Tensor, phenotypes: Learners) -> torch.Tensor:
        """Return the rows with the weights, the state and the segments that their learners ended with."""
        learned = rows.clone()
        for name in ("segments", *self._state):
            values = getattr(phenotypes, name)
            if values is not None:
                self._write(learned, name, values)
        return learned

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how many weights and biases each learner has, `[n]` float64: all the same."""
        return torch.full((len(rows),), float(self.architecture.parameters), dtype=torch.float64, device=rows.device)

    def features(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the complexity and every evolving setting."""
        views = {setting.name: self.layout.view(rows, setting.name) for setting in self._evolving}
        return {"complexity": self.complexity(rows), **{name: view.to(torch.float64) for name, view in views.items()}}

    @property
    def recorded_features(self) -> tuple[str, ...]:
        """The settings that evolve."""
        return self.evolve

    def distance(self, rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """Return how different genes are, `[n, m]` float64: root mean square over evolving settings and both choices.

        Settings count by their places in their ranges, from 0 to 1 (off: -1); another choice counts 1.
        """
        mine, theirs = self._coordinates(rows), self._coordinates(others)
        return torch.cdist(mine, theirs) / math.sqrt(len(self._evolving) + len(CHOICES))

    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        """Return one row field by field; choices by name, whole numbers as such, None for what is not finite."""
        described = super().describe(row)
        for name in PLACES:
            described[name] = int(described[name])
        for gene, names in CHOICES.items():
            described[gene] = names[described[gene]]
        for name in self._state:
            described[name] = _nested(described[name], lambda value: value if math.isfinite(value) else None)
        return described

    def restore(self, described: dict[str, Any]) -> torch.Tensor:
        """Return the row `[1, L]` that `describe` described; NaN for what was not finite."""
        fields = dict(described)
        for gene, names in CHOICES.items():
            fields[gene] = names.index(described[gene])
        for name in self._state:
            fields[name] = _nested(described[name], lambda value: math.nan if value is None else value)
        return super().restore(fields)

    @property
    def _open_choices(self) -> tuple[str, ...]:
        """What children may choose otherwise than their parents; weights that were learned keep their activation."""
        return ("activation", "utility") if self.newborn else ("utility",)

    def _chosen(self, gene: str, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return choices `[count]` int64, drawn evenly from those that this genome has."""
        names = self.activations if gene == "activation" else self.utilities
        places = torch.tensor([CHOICES[gene].index(name) for name in names])
        return places[torch.from_numpy(rng.integers(len(places), size=count))]

    def _with_room(self, settings: Sequence[Mapping[str, Any]]) -> Self:
        """Return a genome whose rows hold what learners with these settings need."""
        roomy = {"momentum": 0.0} | {setting.name: setting.default for setting in SETTINGS if setting.later}
        chosen = {name for one in settings for name in one}
        missing = {name: value for name, value in roomy.items() if name in chosen and name not in self.settings}
        return replace(self, settings={**self.settings, **missing}) if missing else self

    def _blank(self, count: int, chosen: Mapping[str, Any]) -> torch.Tensor:
        """Return rows with this genome's settings, changed as chosen, and no weights yet."""
        rows = self.layout.empty(count)
        own = {"activation": self.activations[0], "utility": self.utilities[0], **chosen}
        for gene, names in CHOICES.items():
            checked_names(f"Learner: {gene}", (own[gene],), names)
            self._write(rows, gene, names.index(own.pop(gene)))
        shown = [chosen["activation"]] if "activation" in chosen else ["relu"]
        checked_use("Learner: a cohort's settings", own, shown, self.rules, self.concatenated)
        values = {**self.settings, **checked_settings("Learner: a cohort's settings", own)}
        for setting in self._settings:
            self._write(rows, setting.name, values.get(setting.name, setting.default))
        return rows

    def _bear(self, rows: torch.Tensor, uniform: torch.Tensor) -> None:
        """Give rows weights made of draws `[n, parameters]`, and a lifetime that has not begun, in place."""
        activation = self.layout.view(rows, "activation").to(torch.int64)
        weights = initial_weights(self.architecture, self.rules.initial, activation, uniform.to(rows.device))
        for name in ("segments", *self._state):
            self._write(rows, name, 0.0)
        self._write(rows, "weights", weights)
        self._write(rows, "initial_weights", weights)
        if self._normalized_online:
            self._write(rows, "normalization_state", newborn(len(rows), self.architecture.units, rows.device))

    def _coordinates(self, rows: torch.Tensor) -> torch.Tensor:
        """Return points `[n, k]` whose distances are those of the genes."""
        places = [place(setting, self.layout.view(rows, setting.name))[:, None] for setting in self._evolving]
        for gene, names in CHOICES.items():
            chosen = torch.nn.functional.one_hot(self.layout.view(rows, gene).to(torch.int64), len(names))
            places.append(chosen.to(torch.float64) * math.sqrt(0.5))
        return torch.cat(places, dim=1)

    def _write(self, rows: torch.Tensor, name: str, values: Any) -> None:
        """Write a field of rows, in place."""
        self.layout.view(rows, name)[...] = values.to(rows) if isinstance(values, torch.Tensor) else values


def _nested(values: list[Any], change: Callable[[Any], Any]) -> list[Any]:
    """Return nested lists with every number changed."""
    return [_nested(value, change) if isinstance(value, list) else change(value) for value in values]


def _uniform(rng: np.random.Generator, count: int, width: int) -> torch.Tensor:
    """Return draws from [0, 1), `[count, width]` float32: half the memory of others, for networks of millions."""
    return torch.from_numpy(rng.random((count, width), dtype=np.float32))
