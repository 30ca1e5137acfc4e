"""Champions of the published weight agnostic networks and of prettyNEAT, from and to their matrix files.

The published code expresses disabled connections between hidden nodes as enabled ones with weight 1 (it writes to a
view of the genome's matrix). Its files hold the networks as they were expressed, so nothing is left to do here.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo import seeds
from evo.champion import Champion, ChampionError, networks_of
from evo.evaluation.evaluator import Evaluator
from evo.exchange import matrix_file
from evo.exchange.matrix_file import (
    LARGEST_NETWORK,
    LARGEST_WEIGHT,
    TINY,
    Matrix,
    MatrixError,
    matrix_text,
    read_matrix,
    read_tuned,
)
from evo.files import write_text
from evo.inspect.structure import Structure
from evo.networks import Networks
from evo.outcome import Outcomes
from evo.problem import Problem
from evo.settings import describe
from evo.versions import versions

SHARED_WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
"""The series that the published networks were evolved for (Gaier & Ha 2019, section 3.2)."""
WEIGHT_BIASES = {"cartpole-swingup-v1": -1.5}
"""What is added to tuned weights (released code, WANNTool): the shared weight that tuning began from."""
UNKNOWN_WEIGHT = 1.0
"""Of a disabled connection: the file has lost it."""


def import_matrix(
    file: Path,
    problem: str,
    tuned: Path | None = None,
    weight_bias: float | None = None,
    own_weights: bool = False,
    seed: int = 0,
) -> Champion:
    """Return the champion of a matrix file, scored on a problem.

    Args:
        file: the matrix file.
        problem: the name of the problem, which says how many nodes are inputs and outputs.
        tuned: a file of tuned weights; None for the matrix file's.
        weight_bias: added to tuned weights; None for -1.5 on cartpole-swingup-v1, as published, and else 0.
        own_weights: score with the file's weights; else, unless there are tuned ones, with the published series of
            shared weights, as the weights in files of weight agnostic networks mean nothing.
        seed: of the draws that it is scored with.

    Raises:
        MatrixError: a file cannot be understood, or does not fit the problem.
    """
    scored = _problem(problem, () if tuned or own_weights else SHARED_WEIGHTS)
    matrix = read_matrix(file)
    settings: dict[str, Any] = {"file": file.name}
    if tuned is not None:
        bias = WEIGHT_BIASES.get(scored.name, 0.0) if weight_bias is None else weight_bias
        matrix = _with_weights(matrix, [weight + bias for weight in read_tuned(tuned, len(matrix.enabled))])
        settings |= {"tuned": tuned.name, "weight_bias": bias}
    elif weight_bias is not None:
        raise MatrixError("weight_bias: is added to tuned weights, and there are none; name their file with --tuned")
    network = network_of(matrix, scored.inputs, scored.outputs, file)
    genes = genes_of(matrix, network)
    outcomes = _score(network, scored, seed)
    return Champion(
        genome=_genome(network, genes),
        problem=describe(scored),
        algorithm={"name": "imported", "settings": settings},
        genes=genes,
        fitness={goal.name: score for goal, score in zip(scored.objectives, outcomes.scores[0].tolist(), strict=True)},
        generation=0,
        seed=seed,
        variant="imported",
        network=network,
        trials={name: trials[0].tolist() for name, trials in outcomes.trials.items()},
        lineage={"uid": 0, "parents": []},
        versions=versions(),
    )


def _problem(name: str, shared_weights: tuple[float, ...]) -> Problem:
    import problems

    problem = problems.make(name, shared_weights=shared_weights)
    if not issubclass(Networks, problem.accepts) or not problem.inputs or not problem.outputs:
        raise MatrixError(f"{name} is no problem for networks; a matrix file holds one")
    return problem


def _with_weights(matrix: Matrix, weights: list[float]) -> Matrix:
    if not all(abs(weight) <= LARGEST_WEIGHT for weight in weights):
        raise MatrixError("weight_bias: with it, tuned weights are no finite numbers any more")
    changed = matrix.weights.copy()
    changed[tuple(matrix.enabled.T)] = [weight or TINY for weight in weights]
    return Matrix(changed, matrix.activations)


def network_of(matrix: Matrix, inputs: tuple[str, ...], outputs: tuple[str, ...], file: Path) -> dict[str, Any]:
    """Return the network in a champion file's form.

    Args:
        matrix: what the file says.
        inputs, outputs: names, as the problem has them.
        file: its name, for messages.
    """
    first, nodes = 1 + len(inputs), len(matrix.activations)
    into_inputs = np.argwhere(matrix.weights[:, :first] != 0)
    wrong = "are too few"
    if nodes >= first + len(outputs):
        wrong = f"have a connection into node {into_inputs[0][1]}" if len(into_inputs) else ""
    if wrong:
        raise MatrixError(
            f"{file}: its {nodes} nodes {wrong}, but the problem has {len(inputs)} inputs (nodes 1 to {first - 1}) "
            f"and {len(outputs)} outputs; is it a network for another problem?"
        )
    return {
        "inputs": list(inputs),
        "outputs": list(outputs),
        # the published code never applies what a file says of bias and inputs
        "activations": ["linear"] * first + list(matrix.activations[first:]),
        "edges": [
            [source, target, float(matrix.weights[source, target])] for source, target in matrix.enabled.tolist()
        ],
    }


def genes_of(matrix: Matrix, network: dict[str, Any]) -> dict[str, Any]:
    """Return the matrix as genes of a topology; hidden nodes get identities evenly spaced between 0 and 1."""
    structure = Structure.of(network)
    names = identities(structure)
    hidden = range(structure.first_hidden, structure.first_output)
    enabled = [[names[source], names[target], weight, True] for source, target, weight in network["edges"]]
    disabled = [[names[source], names[target], UNKNOWN_WEIGHT, False] for source, target in matrix.disabled.tolist()]
    return {
        "nodes": [[names[node], network["activations"][node]] for node in hidden],
        "connections": enabled + disabled,
        "interface": [name for node, name in enumerate(network["activations"][1:], 1) if node not in hidden],
    }


def identities(structure: Structure) -> list[float]:
    """Return an identity for each node: inputs below 0, outputs 1, 2 ..., hidden nodes in order between 0 and 1."""
    first, outputs = structure.first_hidden, len(structure.outputs)
    hidden = structure.first_output - first
    return [
        *(float(node - first) for node in range(first)),
        *((place + 1) / (hidden + 1) for place in range(hidden)),
        *(float(place + 1) for place in range(outputs)),
    ]


def _score(network: dict[str, Any], problem: Problem, seed: int) -> Outcomes:
    with Evaluator(problem) as evaluator:
        outcomes = evaluator.score(networks_of(network), seeds.rng(seed, "import"))
    if outcomes.failures():
        raise MatrixError(f"the network cannot be scored on {problem.name}: {outcomes.explain()}")
    return outcomes


def _genome(network: dict[str, Any], genes: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a topology that has room for the genes."""
    import genomes

    topology = genomes.CATALOGUE.find("topology")
    genome = topology(
        len(network["inputs"]),
        len(network["outputs"]),
        hidden=max(1, len(genes["nodes"])),
        connections=max(1, len(genes["connections"])),
        output_activation=network["activations"][-1],
    )
    return describe(genome)


def export_matrix(champion: Champion) -> Matrix:
    """Return a champion's network as a matrix, with its disabled connections where its genes are a topology's.

    Raises:
        ChampionError: it is no network, or one that the format cannot hold.
    """
    champion.networks()  # refuses what is no network
    network = champion.network or {}
    structure = Structure.of(network)
    if structure.nodes > LARGEST_NETWORK:
        raise ChampionError(f"the network has {structure.nodes} nodes; matrix files hold at most {LARGEST_NETWORK}")
    if structure.recurrent:
        raise ChampionError(f"the network has {structure.recurrent} recurrent connections; matrix files hold none")
    if set(structure.activations[1 : structure.first_hidden]) - {"linear"}:
        raise ChampionError("an input has an activation of its own, which readers of matrix files do not apply")
    weights = np.zeros((structure.nodes, structure.nodes))
    for source, target in _disabled(champion, structure):
        weights[source, target] = np.nan
    for source, target, weight in structure.edges:
        weights[source, target] = weight or TINY
    return Matrix(weights, ("linear", *structure.activations[1:]))


def _disabled(champion: Champion, structure: Structure) -> list[tuple[int, int]]:
    """Return the ends of a topology's disabled connections that lead forward; a network's edges come first."""
    if champion.genome["name"] != "topology":
        return []
    try:
        ends = _places(champion, structure)
        enabled = [bool(connection[3]) for connection in champion.genes["connections"]]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ChampionError(f"the champion's genes are not those of its network: {error!r}") from None
    first = structure.first_hidden
    return [
        (source, target)
        for (source, target), used in zip(ends, enabled, strict=True)
        if not used and source < target and target >= first
    ]


def _places(champion: Champion, structure: Structure) -> list[tuple[int, int]]:
    """Return the numbers of the nodes that a topology's connections lead from and to; its nodes may go by depth."""
    from genomes.topology.indexing import index

    hidden = [float(identity) for identity, _ in champion.genes["nodes"]]
    if len(hidden) != structure.first_output - structure.first_hidden:
        raise ValueError(f"{len(hidden)} hidden nodes, unlike the network")
    ends = [(float(source), float(target)) for source, target, _, _ in champion.genes["connections"]]
    known = identities(structure)
    known[structure.first_hidden : structure.first_output] = hidden
    if unknown := {end for pair in ends for end in pair} - set(known):
        raise ValueError(f"connections to {sorted(unknown)[:3]}, which are no nodes")
    by_depth = bool(champion.genome["settings"].get("deeper_only"))
    if by_depth:  # in a circle there is no depth
        sorter: TopologicalSorter[float] = TopologicalSorter()
        for source, target in ends:
            sorter.add(target, source)
        sorter.prepare()
    nodes, columns = torch.tensor([hidden], dtype=torch.float64), torch.tensor(ends, dtype=torch.float64).reshape(-1, 2)
    sources, targets = columns[None, :, 0], columns[None, :, 1]
    where = index(nodes, sources, targets, len(structure.inputs), len(structure.outputs), by_depth)
    return list(zip(where.sources[0].tolist(), where.targets[0].tolist(), strict=True))


def write(champion: Champion, path: Path) -> None:
    """Write the champion's network as a matrix file; ChampionError where that would be too large to be read again."""
    text = matrix_text(export_matrix(champion))
    if len(text) > matrix_file.LARGEST_FILE:
        raise ChampionError(
            f"the network's matrix takes {len(text)} bytes; matrix files have at most {matrix_file.LARGEST_FILE}"
        )
    write_text(path, text)
