"""The innermost loop of every network: a node's weighted sum over its edges, for a block of lanes, in registers.

Written out as LLVM instructions, because a compiler does not keep a block of sums in registers across a loop over
edges by itself: measured, 2.4 times the speed of the same loops in plain numba.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WIDTH = 16
"""Lanes in one vector value, float32: a 512-bit register, or several narrower ones."""
VECTORS = 4
"""Vectors summed at a time: enough to hide the latency of a fused multiply-add."""


def weighted_sum(lane_count: int) -> Any:
    """Return compiled code `(values, sources, weights, begin, end, total)`, for blocks of `lane_count` lanes.

    It writes to `total` `[lanes]` the sum over edges `begin` to `end - 1` of `weights[edge] * values[sources[edge]]`,
    in order of the edges, with fused multiply-adds where the machine has them. `values` is `[nodes, lanes]`; all are
    float32 but `sources`, int64.

    Raises:
        ValueError: `lane_count` is not a multiple of 16.
    """
    if lane_count % WIDTH:
        raise ValueError(f"lane_count: expected a multiple of {WIDTH}, got {lane_count}")

    @intrinsic
    def add_up(typing_context, values, sources, weights, begin, end, total):  # type: ignore[no-untyped-def]
        signature = types.void(values, sources, weights, types.int64, types.int64, total)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointers = [
                context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
                for kind, value in zip(signature.args, arguments, strict=True)
            ]
            vectors = lane_count // WIDTH
            for first in range(0, vectors, VECTORS):
                _tile(builder, pointers, lane_count, first, min(VECTORS, vectors - first))
            return context.get_dummy_value()

        return signature, generate

    return add_up


def _tile(builder: Any, pointers: list[Any], lane_count: int, first: int, count: int) -> None:
    """Emit the loop over edges for vectors `first` to `first + count - 1` of the block; pointers as in `add_up`."""
    values, sources, weights, begin, end, total = pointers
    vector = ir.VectorType(ir.FloatType(), WIDTH)
    long = ir.IntType(64)

    def place(pointer: Any, row: Any, number: int) -> Any:
        lane = builder.add(builder.mul(row, long(lane_count)), long((first + number) * WIDTH))
        return builder.bitcast(builder.gep(pointer, [lane]), vector.as_pointer())

    sums = [cgutils.alloca_once_value(builder, vector(None)) for _ in range(count)]
    for slot in sums:
        builder.store(vector([0.0] * WIDTH), slot)
    with cgutils.for_range_slice(builder, begin, end, long(1)) as (edge, _):
        source = builder.load(builder.gep(sources, [edge]))
        weight = builder.load(builder.gep(weights, [edge]))
        single = builder.insert_element(vector(ir.Undefined), weight, ir.IntType(32)(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        spread = builder.shuffle_vector(single, vector(ir.Undefined), mask)
        for number, slot in enumerate(sums):
            lanes = builder.load(place(values, source, number), align=4)
            product = builder.fmul(spread, lanes, flags=("contract",))  # with the sum, one instruction
            builder.store(builder.fadd(product, builder.load(slot), flags=("contract",)), slot)
    for number, slot in enumerate(sums):
        builder.store(builder.load(slot), place(total, long(0), number), align=4)
