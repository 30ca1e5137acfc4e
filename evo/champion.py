"""The best genome of a run, as a portable file that anyone can open, run, draw and trust.

A champion file is JSON, format `evo.champion/1`: what was run, what came out, the genome field by field, and where
the genome is a network, that network in the plainest form. It is data: reading one imports nothing, calls nothing
and builds nothing; a checksum tells a damaged file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from evo.activations import IDS
from evo.files import json_text, parsed, write_text
from evo.genome import Genome
from evo.networks import Networks, pack
from evo.settings import digest

FORMAT = "evo.champion/1"
LARGEST_FILE = 256 * 2**20
"""Bytes; a file beyond is neither read nor written."""
DEEPEST = 300
"""Levels of lists and objects in each other; Python can copy, write and draw these, and not many more."""


KINDS: dict[str, Any] = {
    "genome": dict,
    "problem": dict,
    "algorithm": dict,
    "genes": dict,
    "fitness": dict,
    "generation": int,
    "seed": int,
    "variant": str,
    "network": (dict, type(None)),
    "trials": dict,
    "lineage": dict,
    "versions": dict,
}
"""What each field of a champion file is in JSON."""
NEEDED = KINDS.keys() - {"variant", "network", "trials", "lineage", "versions"}
LARGEST_WEIGHT = float(torch.finfo(torch.float32).max)


class ChampionError(ValueError):
    """A champion file that cannot be trusted or understood; the text says why in one line."""


@dataclass(frozen=True)
class Champion:
    """What a champion file says.

    Attributes:
        genome, problem, algorithm: name and settings of each.
        genes: the genome field by field, as its `describe` gives it.
        fitness: the score per objective.
        generation: the generation of its best score, counted from 0; it may have been born earlier.
        seed: the run's seed.
        variant: the name of the campaign's variant.
        network: where it is a network: `inputs` and `outputs` by name, `activations` per node (bias, inputs, hidden,
            outputs) and `edges` as [source, target, weight]; else None.
        trials: for each objective measured so, scores per shared weight and episode.
        lineage: `uid` and `parents` within its run.
        versions: of the packages it was made with.
    """

    genome: dict[str, Any]
    problem: dict[str, Any]
    algorithm: dict[str, Any]
    genes: dict[str, Any]
    fitness: dict[str, float]
    generation: int
    seed: int
    variant: str = "default"
    network: dict[str, Any] | None = None
    trials: dict[str, list[list[float]]] = field(default_factory=dict)
    lineage: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the champion file; ChampionError where it would be too large, or too deep, to be read again."""
        if _too_deep(vars(self)):
            raise ChampionError(f"{path}: the champion's genes are nested more than {DEEPEST} levels deep")
        body = asdict(self)
        text = json_text({"format": FORMAT, "sha256": digest(body), **body})
        if len(text) > LARGEST_FILE:
            raise ChampionError(
                f"{path}: the champion takes {len(text)} bytes, and champion files have at most {LARGEST_FILE}; is its "
                f"genome as small as it can be?"
            )
        write_text(path, text)

    def networks(self) -> Networks:
        """Return the champion's network as a population of one.

        Raises:
            ChampionError: it is no network.
        """
        if self.network is None:
            raise ChampionError(f"this champion is no network but a genome of kind {self.genome.get('name')!r}")
        return networks_of(self.network)


def load(path: Path) -> Champion:
    """Return what a champion file says.

    Raises:
        ChampionError: not such a file, of a later format, damaged, or describing something impossible.
        FileNotFoundError: there is none.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise ChampionError(f"{path}: larger than {LARGEST_FILE} bytes, which no champion file is")
    try:
        body = parsed(path.read_bytes())
    except ValueError as error:
        raise ChampionError(f"{path}: not a champion file: {error}") from None
    if _too_deep(body):
        raise ChampionError(f"{path}: nested more than {DEEPEST} levels deep, which no champion is")
    if not isinstance(body, dict) or body.pop("format", None) != FORMAT:
        raise ChampionError(f"{path}: not of the format {FORMAT}; was it written by a later version?")
    if body.pop("sha256", None) != digest(body):
        raise ChampionError(f"{path}: its checksum does not match: the file was damaged or edited")
    wrong = [*(body.keys() - KINDS.keys()), *(NEEDED - body.keys())]
    if wrong:
        raise ChampionError(f"{path}: fields are missing or unknown: {_short(sorted(wrong))}")
    champion = Champion(**body)
    for field_name, kinds in KINDS.items():
        value = getattr(champion, field_name)
        if not isinstance(value, kinds):
            raise ChampionError(f"{path}: {field_name} is of the wrong type: {type(value).__name__}")
    for part in (champion.genome, champion.problem, champion.algorithm):
        if not isinstance(part.get("name"), str) or not isinstance(part.get("settings"), dict):
            raise ChampionError(f"{path}: a genome, problem or algorithm has no name or settings")
    if not all(isinstance(score, (int, float)) for score in champion.fitness.values()):
        raise ChampionError(f"{path}: fitness holds something that is no number")
    for name, trials in champion.trials.items():
        if not _is_table(trials):
            raise ChampionError(
                f"{path}: trials of {_short(name)}: expected a list per shared weight, of a number per episode"
            )
    if champion.network is not None:
        try:
            networks_of(champion.network)
        except ChampionError as error:
            raise ChampionError(f"{path}: {error}") from None
    return champion


def _is_table(rows: Any) -> bool:
    """Return whether it is a list of lists of numbers."""
    return isinstance(rows, list) and all(
        isinstance(row, list) and all(isinstance(number, (int, float)) for number in row) for row in rows
    )


def _too_deep(value: Any) -> bool:
    """Return whether lists and objects are nested more than DEEPEST levels deep."""
    level = [value]
    for _ in range(DEEPEST + 1):
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for values in inside for one in values if isinstance(one, (dict, list, tuple))]
        if not level:
            return False
    return True


def _short(value: Any) -> str:
    """Return a stranger's value as a message can hold it: one line, not long, and nothing a terminal obeys."""
    text = ascii(value)
    return text if len(text) <= 160 else text[:159] + "…"


def networks_of(network: dict[str, Any]) -> Networks:
    """Return a champion file's network as a population of one; ChampionError where it describes none."""
    try:
        for name in ("inputs", "outputs", "activations", "edges"):
            if not isinstance(network[name], list | tuple):
                raise TypeError(f"{name} is no list")
        inputs, outputs = len(network["inputs"]), len(network["outputs"])
        kinds = [IDS[name] for name in network["activations"]]
        edges = [(source, target, float(weight)) for source, target, weight in network["edges"]]
        names = [*network["inputs"], *network["outputs"]]
        wrong_types = [edge for edge in network["edges"] if {type(end) for end in edge[:2]} != {int}]
        wrong_types += [edge for edge in network["edges"] if not isinstance(edge[2], (int, float))]
        if wrong_types or not all(isinstance(name, str) for name in names):
            raise TypeError(f"names are text, connections two whole numbers and a number: {wrong_types[:3]}")
        if not all(abs(weight) <= LARGEST_WEIGHT for _, _, weight in edges):
            raise ValueError("a weight is beyond what float32 can be")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ChampionError(f"the network is described wrongly: {_short(error)}") from None
    if len(kinds) < 1 + inputs + outputs:
        raise ChampionError(f"the network has {len(kinds)} nodes, fewer than bias, inputs and outputs together")
    wrong = [edge for edge in edges if not (0 <= edge[0] < len(kinds) and inputs < edge[1] < len(kinds))]
    if wrong or len({edge[:2] for edge in edges}) < len(edges):
        raise ChampionError(
            f"the network has connections to nowhere, into inputs, or twice: {_short(wrong[:3] or 'twice')}"
        )
    return pack(inputs, outputs, [(kinds, edges)])


def network_of(genome: Genome, row: torch.Tensor, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Any:
    """Return the network of one row in a champion file's form, or None where the genome expresses to none."""
    if genome.expresses is not Networks:
        return None
    networks = genome.express(row.reshape(1, -1))
    names = [inputs or tuple(f"input {n}" for n in range(networks.inputs))]
    names.append(outputs or tuple(f"output {n}" for n in range(networks.outputs)))
    return {"inputs": list(names[0]), "outputs": list(names[1]), **networks.describe(0)}
