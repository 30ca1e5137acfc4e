"""The three products of a dense layer's step, for one path at a time: sums, what goes back, and the change of weights.

Written as LLVM instructions, so that sums stay in registers. Rows of weights are a unit's, one place for each input and
one for the bias, padded with zeros to whole vectors, so that no loop has a remainder.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from evo.learning.simd import LLVM_VECTOR, WIDTH, operands, spread_out

UNITS = 2
"""Rows that are summed at a time."""
CASES = 8
"""Cases that are summed at a time; with `UNITS`, their sums fill one vector."""
VECTORS = 25
"""Vectors of a row that change at a time."""

_LONG = ir.IntType(64)
_WHOLE = types.int64


@intrinsic
def weighted_sums(  # type: ignore[no-untyped-def]
    typing_context, weights, path, begin, width, inputs, layer, case, cases, vectors, sums, place
):
    """Write to `sums[layer, case + c, place + u]` the sum of a row's weights, each times its input, for 2 rows u.

    Args:
        weights: `[paths, weights]`.
        path: which.
        begin: where the first row does.
        width: of a row, a multiple of 16.
        inputs: `[layers, cases, columns]`.
        layer: which.
        case: the first of them.
        cases: how many, 1 to 8.
        vectors: of a row.
        sums: `[layers, cases, columns]`, written.
        place: in it, of the first row.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weights, path, begin, width, inputs, layer, case, cases, vectors, sums, place = operands(
            context, builder, signature, arguments
        )
        rows = [begin, builder.add(begin, width)]
        for count in range(1, CASES + 1):
            with builder.if_then(builder.icmp_signed("==", cases, _LONG(count))):
                numbers = [builder.add(case, _LONG(number)) for number in range(count)]
                slots = [[_zeros(builder) for _ in rows] for _ in numbers]
                with cgutils.for_range(builder, vectors, intp=_LONG) as loop:
                    column = builder.mul(loop.index, _LONG(WIDTH))
                    given = [inputs.load(layer, number, column) for number in numbers]
                    for unit, row in enumerate(rows):
                        weight = weights.load(path, builder.add(row, column))
                        for slot, value in zip(slots, given, strict=True):
                            _add_product(builder, slot[unit], weight, value)
                totals = _totals(builder, slots)
                for number, shown in enumerate(numbers):
                    pair = builder.shuffle_vector(totals, totals, _mask([UNITS * number, UNITS * number + 1]))
                    target = builder.bitcast(sums.address(layer, shown, place), pair.type.as_pointer())
                    builder.store(pair, target, align=4)
        return context.get_dummy_value()

    whole = (weights, _WHOLE, _WHOLE, _WHOLE, inputs, _WHOLE, _WHOLE, _WHOLE, _WHOLE, sums, _WHOLE)
    return types.void(*whole), generate


@intrinsic
def handed_back(  # type: ignore[no-untyped-def]
    typing_context, weights, path, begin, width, rows, slopes, layer, case, cases, place, back, column
):
    """Add to 16 numbers of `back[case + c]` from `column` on those of rows, each times its unit's slope.

    Args:
        weights, path, begin, width: as in `weighted_sums`.
        rows: how many.
        slopes: `[layers, cases, columns]`.
        layer, case, cases: as in `weighted_sums`.
        place: in slopes, of the first row.
        back: `[cases, columns]`, changed.
        column: a multiple of 16.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weights, path, begin, width, rows, slopes, layer, case, cases, place, back, column = operands(
            context, builder, signature, arguments
        )
        for count in range(1, CASES + 1):
            with builder.if_then(builder.icmp_signed("==", cases, _LONG(count))):
                numbers = [builder.add(case, _LONG(number)) for number in range(count)]
                slots = [_begun(builder, back.load(number, column)) for number in numbers]
                with cgutils.for_range(builder, rows, intp=_LONG) as loop:
                    row = builder.add(begin, builder.mul(loop.index, width))
                    weight = weights.load(path, builder.add(row, column))
                    own = builder.add(place, loop.index)
                    for slot, number in zip(slots, numbers, strict=True):
                        slope = builder.load(slopes.address(layer, number, own))
                        _add_product(builder, slot, weight, spread_out(builder, slope))
                for slot, number in zip(slots, numbers, strict=True):
                    back.store(builder.load(slot), number, column)
        return context.get_dummy_value()

    whole = (weights, _WHOLE, _WHOLE, _WHOLE, _WHOLE, slopes, _WHOLE, _WHOLE, _WHOLE, _WHOLE, back, _WHOLE)
    return types.void(*whole), generate


@intrinsic
def change_rows(  # type: ignore[no-untyped-def]
    typing_context, weights, path, begin, width, rows, inputs, layer, column, vectors, listed, factors, counts
):
    """Add to rows of weights, from `column` on, the inputs of listed cases, each times the row's factor for it.

    Args:
        weights, path, begin, width: as in `weighted_sums`; changed.
        rows: how many.
        inputs, layer: as in `weighted_sums`.
        column: a multiple of 16.
        vectors: that change, 1 to 25.
        listed: `[rows, cases]` int64, the numbers of a row's cases.
        factors: `[rows, cases]`, theirs.
        counts: `[rows]` int64, how many a row has.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weights, path, begin, width, rows, inputs, layer, column, vectors, listed, factors, counts = operands(
            context, builder, signature, arguments
        )
        for count in range(1, VECTORS + 1):
            with (
                builder.if_then(builder.icmp_signed("==", vectors, _LONG(count))),
                cgutils.for_range(builder, rows, intp=_LONG) as loop,
            ):
                first = builder.add(builder.add(begin, builder.mul(loop.index, width)), column)
                steps = [_LONG(number * WIDTH) for number in range(count)]
                slots = [_begun(builder, weights.load(path, builder.add(first, step))) for step in steps]
                with cgutils.for_range(builder, builder.load(counts.address(loop.index)), intp=_LONG) as inner:
                    case = builder.load(listed.address(loop.index, inner.index))
                    factor = spread_out(builder, builder.load(factors.address(loop.index, inner.index)))
                    for slot, step in zip(slots, steps, strict=True):
                        given = inputs.load(layer, case, builder.add(column, step))
                        _add_product(builder, slot, factor, given)
                for slot, step in zip(slots, steps, strict=True):
                    weights.store(builder.load(slot), path, builder.add(first, step))
        return context.get_dummy_value()

    whole = (weights, _WHOLE, _WHOLE, _WHOLE, _WHOLE, inputs, _WHOLE, _WHOLE, _WHOLE, listed, factors, counts)
    return types.void(*whole), generate


def _begun(builder: Any, value: Any) -> Any:
    """Emit a place for a vector, which becomes a register, and write to it."""
    slot = cgutils.alloca_once(builder, LLVM_VECTOR)
    builder.store(value, slot)
    return slot


def _zeros(builder: Any) -> Any:
    return _begun(builder, ir.Constant(LLVM_VECTOR, [0.0] * WIDTH))


def _add_product(builder: Any, slot: Any, one: Any, other: Any) -> None:
    """Emit that a product is added; one instruction where the machine has it."""
    product = builder.fmul(one, other, flags=("contract",))
    builder.store(builder.fadd(product, builder.load(slot), flags=("contract",)), slot)


def _mask(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)


# how two vectors become one, twice: places in the two behind one another, first halves of sums and second ones
_FOLDS = (
    ([*range(8), *range(16, 24)], [*range(8, 16), *range(24, 32)]),
    (
        [*range(4), *range(8, 12), *range(16, 20), *range(24, 28)],
        [*range(4, 8), *range(12, 16), *range(20, 24), *range(28, 32)],
    ),
    (
        [0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29],
        [2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31],
    ),
    (
        [0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30],
        [1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31],
    ),
)


def _totals(builder: Any, slots: list[list[Any]]) -> Any:
    """Emit the totals of vectors `[cases][2]` as one vector, a case's two side by side."""
    nothing = ir.Constant(LLVM_VECTOR, [0.0] * WIDTH)
    found = {(case, unit): builder.load(slot) for case, row in enumerate(slots) for unit, slot in enumerate(row)}
    # quarter q of the result has cases 2q and 2q + 1; the first two folds lay quarters out, the others what is in them
    order = [(2 * quarter + inside // UNITS, inside % UNITS) for inside in range(4) for quarter in range(4)]
    vectors = [found.get(each, nothing) for each in order]
    for low, high in _FOLDS:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [
            builder.fadd(builder.shuffle_vector(a, b, _mask(low)), builder.shuffle_vector(a, b, _mask(high)))
            for a, b in pairs
        ]
    return vectors[0]
