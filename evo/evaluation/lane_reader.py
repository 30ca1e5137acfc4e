"""Reading one lane's numbers out of a block as a tuple, in a way that leaves the loop over lanes vectorisable."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def lane_reader(count: int, lane_count: int) -> Any:
    """Return compiled code `(block, lane) -> tuple of count floats`, for a C-ordered block `[>= count, lane_count]`."""

    @intrinsic
    def read(typing_context, block, lane):  # type: ignore[no-untyped-def]
        kind = types.UniTuple(types.float32, count)
        signature = kind(block, types.int64)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            long = ir.IntType(64)
            values = [
                builder.load(builder.gep(data, [builder.add(arguments[1], long(row * lane_count))]))
                for row in range(count)
            ]
            return context.make_tuple(builder, kind, values)

        return signature, generate

    return read
