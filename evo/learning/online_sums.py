"""Sums over rows of weights, for all columns at a time: what a layer's units add up, and the sizes of their weights.

Written as LLVM instructions so that up to 8 vectors of sums stay in registers while the rows go by, each read from its
beginning to its end; one vector at a time, each addition would wait for the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from evo.learning.simd import LLVM_VECTOR, WIDTH, operands, spread_out, unary

VECTORS = 8
"""Vectors summed at a time."""

_LONG = ir.IntType(64)
_WHOLE = types.int64


@intrinsic
def weighted_rows(typing_context, weights, layer, inputs, active, count, biases, vectors, sums):  # type: ignore[no-untyped-def]
    """Write to `sums[layer]` a layer's biases plus its active rows, each times its input.

    Args:
        weights: `[layers, rows, columns]`.
        layer: which.
        inputs: `[layers, rows]`.
        active: `[layers, rows]`, the numbers of active rows.
        count: how many of them there are.
        biases: the number of the row of biases.
        vectors: how many vectors of columns there are.
        sums: `[layers, columns]`, written.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weights, layer, inputs, active, count, biases, vectors, sums = operands(context, builder, signature, arguments)

        def term(number: Any) -> Callable[[Any, Any], Any]:
            row = builder.load(active.address(layer, number))
            value = spread_out(builder, builder.load(inputs.address(layer, row)))

            def add(sum_: Any, place: Any) -> Any:
                product = builder.fmul(value, weights.load(layer, row, place), flags=("contract",))
                return builder.fadd(product, sum_, flags=("contract",))

            return add

        def begin(place: Any) -> Any:
            return weights.load(layer, biases, place)

        _over_rows(builder, count, vectors, begin, term, lambda sum_, place: sums.store(sum_, layer, place))
        return context.get_dummy_value()

    return types.void(weights, _WHOLE, inputs, active, _WHOLE, _WHOLE, _WHOLE, sums), generate


@intrinsic
def sizes_of_columns(typing_context, weights, layer, count, vectors, sums):  # type: ignore[no-untyped-def]
    """Write to `sums[layer]` the sums of the sizes of a layer's first `count` rows; others as in `weighted_rows`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weights, layer, count, vectors, sums = operands(context, builder, signature, arguments)

        def term(row: Any) -> Callable[[Any, Any], Any]:
            return lambda sum_, place: builder.fadd(unary(builder, "fabs", weights.load(layer, row, place)), sum_)

        def begin(place: Any) -> Any:
            return ir.Constant(LLVM_VECTOR, [0.0] * WIDTH)

        _over_rows(builder, count, vectors, begin, term, lambda sum_, place: sums.store(sum_, layer, place))
        return context.get_dummy_value()

    return types.void(weights, _WHOLE, _WHOLE, _WHOLE, sums), generate


def _over_rows(builder: Any, count: Any, vectors: Any, begin: Any, term: Any, end: Any) -> None:
    """Emit sums over `count` rows, for blocks of up to 8 vectors of columns.

    Args:
        begin: emits what the sum at a place begins with.
        term: emits what a row needs once, and returns what emits the sum at a place with the row added.
        end: emits what becomes of the sum at a place.
    """
    with cgutils.for_range_slice(builder, _LONG(0), vectors, _LONG(VECTORS)) as (first, _):
        left = builder.sub(vectors, first)
        for block in range(1, VECTORS + 1):
            fits = builder.icmp_signed("==" if block < VECTORS else ">=", left, _LONG(block))
            with builder.if_then(fits):
                places = [builder.mul(builder.add(first, _LONG(number)), _LONG(WIDTH)) for number in range(block)]
                slots = [cgutils.alloca_once_value(builder, LLVM_VECTOR(None)) for _ in places]
                for slot, place in zip(slots, places, strict=True):
                    builder.store(begin(place), slot)
                with cgutils.for_range(builder, count, intp=_LONG) as loop:
                    add = term(loop.index)
                    for slot, place in zip(slots, places, strict=True):
                        builder.store(add(builder.load(slot), place), slot)
                for slot, place in zip(slots, places, strict=True):
                    end(builder.load(slot), place)
