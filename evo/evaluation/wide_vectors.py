"""Asking the compiler for the widest vectors there are: by default LLVM keeps to 256 bits where there are 512.

Measured on an evolved network of 85 nodes: 1.5 times as fast. Machines without such vectors take no notice. Every
compiled function with loops asks for itself: parts are compiled before they are inlined.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

ATTRIBUTE = '"prefer-vector-width"="512"'


@intrinsic
def wide_vectors(typing_context):  # type: ignore[no-untyped-def]
    """Compile the function that calls this for vectors of 512 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        set.add(builder.function.attributes, ATTRIBUTE)  # llvmlite's own `add` knows no attributes with values
        return context.get_dummy_value()

    return types.void(), generate
