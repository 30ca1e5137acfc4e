"""What must hold for every genome. `check_genome(MyGenome())` runs all of it; see `evo.testing`."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import torch

from evo import lineage, seeds
from evo.genome import Genome
from evo.layout import Layout
from evo.testing import (
    Check,
    CheckFailed,
    CheckSkipped,
    Finding,
    check_settings,
    each,
    fingerprint,
    global_random_untouched,
    label,
    require,
    run_checks,
)

COUNT = 8
"""Genomes per check."""
ROUNDS = 6
"""Variations they went through, so that checks see more than first generations."""


def draws(seed: int = 0, purpose: str = "check") -> np.random.Generator:
    """Return a generator of a seed."""
    return seeds.rng(seed, purpose)


def grown(genome: Genome, count: int = COUNT, rounds: int = ROUNDS) -> tuple[Genome, torch.Tensor]:
    """Return a genome and rows `[count, L]` of its layout that were varied a few times, with room for one more."""
    genome, rows = genome.fit(genome.sample(count, draws()))
    for step in range(rounds):
        genome, rows = genome.fit(genome.mutate(rows, draws(step, "grow")))
    parents = lineage.stamp(genome.layout, rows.clone(), 1000)
    return genome, lineage.stamp(genome.layout, rows, 2000, parents, parents.flip(0))


def _genes(genome: Genome, rows: torch.Tensor) -> Any:
    """Return the bits of the rows' genes, and what these stand for, which rows may only point to."""
    return fingerprint([rows[:, : genome.layout.genes], *(genome.describe(row) for row in rows)])


def check_layout(genome: Genome) -> None:
    """The layout is an `evo.Layout`, the same at every look."""
    require(
        isinstance(genome.layout, Layout),
        f"layout is a {type(genome.layout).__name__}, not an evo.Layout: write layout = Layout(Field('x', (3,)))",
    )
    require(
        genome.layout == genome.layout,
        "layout differs from one look to the next: work it out from the genome's settings alone",
    )
    require(
        genome.layout.genes > 0, "layout has no fields: a genome needs at least one, as in Layout(Field('x', (3,)))"
    )


def check_sample(genome: Genome) -> None:
    """`sample` makes rows `[count, L]` of the layout's type, for one and for many."""
    for count in (1, COUNT):
        _check_rows(genome, genome.sample(count, draws()), count, "sample")


def _check_rows(genome: Genome, rows: Any, count: int, maker: str) -> None:
    hint = "make rows with layout.rows(field=values, ...)" if maker == "sample" else "start with rows.clone()"
    require(isinstance(rows, torch.Tensor), f"{maker} returns a {type(rows).__name__}, not a torch.Tensor: {hint}")
    expected = [count, genome.layout.width]
    require(
        list(rows.shape) == expected,
        f"{maker} returns shape {list(rows.shape)}, expected {expected} (its own genes and the lineage): {hint}",
    )
    require(
        rows.dtype == genome.layout.dtype,
        f"{maker} returns {rows.dtype}, but the layout says {genome.layout.dtype}: {hint}",
    )
    require(not rows.requires_grad, f"{maker} returns rows that require gradients: detach them")


def check_sample_seeds(genome: Genome) -> None:
    """`sample` gives the same rows for the same generator, and others for another."""
    genes, again, other = (_genes(genome, genome.sample(COUNT, draws(seed))) for seed in (0, 0, 1))
    alike = len(set(map(str, each(genome.sample(COUNT, draws())[:, : genome.layout.genes], COUNT)))) == 1
    require(
        genes == again, "sample gives other rows for the same generator: all chance must come from the rng handed in"
    )
    require(
        genes != other or alike,  # all may start from one and the same genome
        "sample gives the same rows whatever the generator: draw from the rng handed in",
    )
    genome.sample(COUNT, draws()).fill_(0.0)
    require(
        _genes(genome, genome.sample(COUNT, draws())) == genes,
        "sample hands out the same memory twice, so identities written to one generation change another: clone it",
    )


def check_fit(genome: Genome) -> None:
    """`fit` gives the same individuals with room for one more variation, in the layout of the genome it returns."""
    for rounds in range(ROUNDS):
        before, rows = grown(genome, rounds=rounds)
        rows = lineage.stamp(before.layout, before.mutate(rows, draws()), 3000, rows, rows.flip(0))
        kept = fingerprint(rows)
        after, fitted = before.fit(rows)
        require(fingerprint(rows) == kept, "fit changes the rows it is given: copy them to a tensor of the new layout")
        require(isinstance(after, type(genome)), f"fit returns a {type(after).__name__}: return (genome, rows)")
        _check_rows(after, fitted, COUNT, "fit")
        _same_meaning(before, rows, after, fitted, "fit")
        _same_lineage(before, rows, after, fitted, "fit")


def _same_meaning(before: Genome, rows: torch.Tensor, after: Genome, others: torch.Tensor, maker: str) -> None:
    count = len(rows)
    require(
        each(before.express(rows), count) == each(after.express(others), count),
        f"{maker} changes what rows express to: does every field reach its place in the new layout?",
    )
    require(
        [json.dumps(before.describe(row)) for row in rows] == [json.dumps(after.describe(row)) for row in others],
        f"{maker} changes what describe says of rows: does every field reach its place in the new layout?",
    )


def _same_lineage(before: Genome, rows: torch.Tensor, after: Genome, others: torch.Tensor, maker: str) -> None:
    same = torch.equal(rows[:, before.layout.genes :], others[:, after.layout.genes :])
    require(
        same, f"{maker} changes the lineage columns, the last of each row: start with rows.clone(), write own fields"
    )


def check_mutate(genome: Genome) -> None:
    """`mutate` makes as many rows of the same shape and type, for one and for many, and they can be fitted again."""
    for rounds in (0, ROUNDS):
        fitted, rows = grown(genome, rounds=rounds)
        for parents in (rows[:1], rows):
            children = fitted.mutate(parents, draws())
            _check_rows(fitted, children, len(parents), "mutate")
            fitted.express(children)
            fitted.fit(children)


def check_mutate_input(genome: Genome) -> None:
    """`mutate` leaves the rows it is given as they are, and its children have memory of their own."""
    genome, rows = grown(genome)
    before = fingerprint(rows)
    for seed in range(4):
        children = genome.mutate(rows, draws(seed))
        require(fingerprint(rows) == before, "mutate changes its input in place: start with rows.clone()")
        children += 1.0
        require(fingerprint(rows) == before, "mutate returns the parents' own memory: start with rows.clone()")


def check_mutate_seeds(genome: Genome) -> None:
    """`mutate` makes the same children with the same generator, and others with another."""
    genome, rows = grown(genome)
    children = [_genes(genome, genome.mutate(rows, draws(seed))) for seed in (0, 0, 1, 2, 3)]
    require(
        children[0] == children[1],
        "mutate makes other children with the same generator: all chance must come from the rng handed in",
    )
    require(
        any(other != children[0] for other in children[1:]),
        "mutate makes the same children whatever the generator: draw from the rng handed in; is the rate 0?",
    )


def check_mutate_lineage(genome: Genome) -> None:
    """`mutate` leaves the lineage columns as they were given; who breeds writes them."""
    genome, rows = grown(genome)
    _same_lineage(genome, rows, genome, genome.mutate(rows, draws()), "mutate")


def _parents(genome: Genome) -> tuple[Genome, torch.Tensor, torch.Tensor]:
    genome, rows = grown(genome, 2 * COUNT)
    return genome, rows[:COUNT], rows[COUNT:]


def check_crossover(genome: Genome) -> None:
    """`crossover` makes a child of each pair, for one pair and for many, and they can be fitted and mutated."""
    genome, first, second = _parents(genome)
    for count in (1, COUNT):
        children = genome.crossover(first[:count], second[:count], draws())
        _check_rows(genome, children, count, "crossover")
        genome.express(genome.mutate(children, draws(1)))
        genome.fit(children)


def check_crossover_input(genome: Genome) -> None:
    """`crossover` leaves both parents as they are, and its children have memory of their own."""
    genome, first, second = _parents(genome)
    before = fingerprint([first, second])
    children = genome.crossover(first, second, draws())
    require(fingerprint([first, second]) == before, "crossover changes its input in place: start with first.clone()")
    children += 1.0
    require(fingerprint([first, second]) == before, "crossover returns a parent's own memory: start with first.clone()")


def check_crossover_seeds(genome: Genome) -> None:
    """`crossover` makes the same children with the same generator."""
    genome, first, second = _parents(genome)
    children = [_genes(genome, genome.crossover(first, second, draws(3))) for _ in range(2)]
    require(
        children[0] == children[1],
        "crossover makes other children with the same generator: all chance must come from the rng handed in",
    )


def check_crossover_lineage(genome: Genome) -> None:
    """`crossover` leaves the lineage columns as the first parents have them; who breeds writes them."""
    genome, first, second = _parents(genome)
    _same_lineage(genome, first, genome, genome.crossover(first, second, draws()), "crossover")


def check_global_random(genome: Genome) -> None:
    """Nothing draws from global random generators."""
    with global_random_untouched("sample"):
        rows = genome.sample(2 * COUNT, draws())
    genome, rows = grown(genome, 2 * COUNT)
    with global_random_untouched("mutate"):
        genome.mutate(rows, draws())
    with global_random_untouched("crossover"):
        genome.crossover(rows[:COUNT], rows[COUNT:], draws())
    with global_random_untouched("express"):
        genome.express(rows)


def check_express(genome: Genome) -> None:
    """`express` gives one phenotype per row, of the type that `expresses` says, for one row and for many."""
    genome, rows = grown(genome)
    for some in (rows[:1], rows):
        phenotypes = genome.express(some)
        require(
            isinstance(phenotypes, genome.expresses),
            f"express returns a {type(phenotypes).__name__}, but expresses says {genome.expresses.__name__}: "
            f"put 'expresses: ClassVar[type] = {type(phenotypes).__name__}' into the class",
        )
        require(
            len(phenotypes) == len(some),
            f"express returns {len(phenotypes)} phenotypes for {len(some)} rows: return one per row",
        )


def check_express_repeatable(genome: Genome) -> None:
    """`express` leaves rows as they are and gives a row the same phenotype alone, among others, and every time."""
    genome, rows = grown(genome)
    before = fingerprint(rows)
    together = each(genome.express(rows), COUNT)
    require(fingerprint(rows) == before, "express changes the rows: work on a copy")
    require(
        each(genome.express(rows), COUNT) == together,
        "express gives the same rows other phenotypes the second time: is anything drawn at random, or kept between?",
    )
    alone = [each(genome.express(rows[place : place + 1]), 1)[0] for place in range(COUNT)]
    require(alone == together, "express gives a row another phenotype alone than among others: rows must not mix")


def check_describe(genome: Genome) -> None:
    """`describe` gives plain JSON, and `restore` makes of it a row `[1, L]` that expresses to the same phenotype."""
    genome, rows = grown(genome)
    for place, row in enumerate(rows):
        described = genome.describe(row)
        try:
            text = json.dumps(described, allow_nan=False)
        except (TypeError, ValueError) as error:
            hint = "give plain lists, strings and finite numbers (tensor.tolist()); leave out what is empty"
            raise CheckFailed(f"describe gives what JSON cannot hold ({error}): {hint}") from None
        restored = genome.restore(json.loads(text))
        _check_rows(genome, restored, 1, "restore")
        require(
            each(genome.express(restored), 1) == each(genome.express(rows[place : place + 1]), 1),
            "a row restored from its description expresses to another phenotype: does describe tell all of it?",
        )


def check_complexity(genome: Genome) -> None:
    """`complexity` gives a finite number from 0 up for each row."""
    genome, rows = grown(genome)
    complexity = genome.complexity(rows)
    require(
        isinstance(complexity, torch.Tensor) and list(complexity.shape) == [COUNT],
        f"complexity returns {complexity!r}, expected a tensor of shape [{COUNT}], a number per row",
    )
    require(
        complexity.dtype == torch.float64,
        f"complexity returns {complexity.dtype}: end with .to(torch.float64), as agreed",
    )
    bad = not bool(((complexity >= 0) & complexity.isfinite()).all())
    require(
        not bad, f"complexity is {complexity.tolist()}: expected finite numbers from 0 up; are empty slots counted?"
    )


def check_features(genome: Genome) -> None:
    """`features` are numbers per row, and those to be recorded are among them."""
    genome, rows = grown(genome)
    features = genome.features(rows)
    for name, values in features.items():
        require(
            isinstance(values, torch.Tensor) and values.shape == (len(rows),) and values.dtype == torch.float64,
            f"features: {name!r} is not a number per row, [count] float64: use .to(torch.float64)",
        )
    unknown = set(genome.recorded_features) - set(features)
    require(not unknown, f"recorded_features names what features does not return: {', '.join(sorted(unknown))}")


def check_graph(genome: Genome) -> None:
    """`graph` gives a networkx DiGraph or None; where nothing is recurrent, it has no cycle."""
    import networkx

    genome, rows = grown(genome)
    graphs = [genome.graph(row) for row in rows]
    if graphs[0] is None:
        raise CheckSkipped("the genome is no graph")
    for graph in graphs:
        require(
            isinstance(graph, networkx.DiGraph),
            f"graph returns a {type(graph).__name__}, not a networkx.DiGraph or None",
        )
        if not getattr(genome, "recurrent", True) and isinstance(graph, networkx.DiGraph):
            require(
                networkx.is_directed_acyclic_graph(graph),
                "a graph has a cycle, though recurrent is False: does mutate lead connections backward?",
            )


def check_weights(genome: Genome) -> None:
    """`weights` names a field of numbers that distribution-based algorithms may move, or is None."""
    genome, rows = grown(genome)
    if genome.weights is None:
        raise CheckSkipped("the genome has no field of weights")
    names = [field.name for field in genome.layout.fields]
    require(genome.weights in names, f"weights is {genome.weights!r}, which is no field of the layout; it has {names}")
    moved = rows.clone()
    values = genome.layout.view(moved, genome.weights)
    require(values.isfinite().all().item() is True, f"field {genome.weights!r} holds numbers that are not finite")
    values += 0.01
    require(
        len(genome.express(moved)) == COUNT and math.isfinite(float(genome.complexity(moved).sum())),
        "rows whose weights were moved no longer express",
    )


genome_checks: tuple[Check, ...] = (
    Check("layout", "the layout is an evo.Layout, the same at every look", check_layout, first=True),
    Check("settings", "what the genome was made with can be recorded as JSON", check_settings),
    Check("sample", "sample makes rows [count, L] of the layout's type", check_sample, first=True),
    Check("sample-seeds", "sample draws from the rng handed in, and only from it", check_sample_seeds),
    Check("mutate", "mutate makes as many rows of the same shape and type", check_mutate, first=True),
    Check("mutate-keeps-input", "mutate leaves the rows it is given as they are", check_mutate_input),
    Check("mutate-seeds", "mutate draws from the rng handed in, and only from it", check_mutate_seeds),
    Check("mutate-lineage", "mutate leaves the lineage columns as they are", check_mutate_lineage),
    Check("crossover", "crossover makes a child of each pair", check_crossover),
    Check("crossover-keeps-input", "crossover leaves both parents as they are", check_crossover_input),
    Check("crossover-seeds", "crossover draws from the rng handed in, and only from it", check_crossover_seeds),
    Check("crossover-lineage", "crossover leaves the lineage columns as they are", check_crossover_lineage),
    Check("global-random", "nothing draws from global random generators", check_global_random),
    Check("express", "express gives one phenotype per row, of the declared type", check_express),
    Check(
        "express-repeatable",
        "a row expresses to the same phenotype alone, among others and again",
        check_express_repeatable,
    ),
    Check("describe", "describe is JSON, and restore makes the same individual of it", check_describe),
    Check("complexity", "complexity is a finite number from 0 up", check_complexity),
    Check("features", "features are numbers per row, and those to be recorded are among them", check_features),
    Check("fit", "fit gives room and changes no individual", check_fit),
    Check("graph", "graph is a networkx DiGraph or None, acyclic unless recurrent", check_graph),
    Check("weights", "weights names a field that may be moved, or is None", check_weights),
)
"""Each takes a genome."""


def check_genome(genome: Genome) -> list[Finding]:
    """Return what every check says of a genome."""
    return run_checks(f"genome {label(genome)}", genome_checks, genome)
