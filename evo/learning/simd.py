"""Vectors of 16 numbers in compiled code: what a learner's inner loops are written in.

Written as LLVM's own vectors, because a compiler does not make good ones of loops that are as short as a small
network's layers: it checks before each whether arrays overlap, and takes what is left over one by one. `Vector` values
live in registers, and only inside compiled functions.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

WIDTH = 16
"""Numbers in a vector, float32: a 512-bit register, or several narrower ones."""

LLVM_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)


class _Vector(types.Type):  # type: ignore[misc]
    """The type of vectors, to numba."""

    def __init__(self) -> None:
        super().__init__(name=f"Vector{WIDTH}")


VECTOR = _Vector()


@register_model(_Vector)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, LLVM_VECTOR)


def spread_out(builder: Any, value: Any) -> Any:
    """Emit a vector of one number 16 times; a vector stays as it is."""
    if value.type == LLVM_VECTOR:
        return value
    single = builder.insert_element(LLVM_VECTOR(ir.Undefined), value, ir.IntType(32)(0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(single, LLVM_VECTOR(ir.Undefined), mask)


def _operator(python: Any, instruction: str) -> None:
    """Teach numba one operator between vectors, or a vector and a float32."""
    pairs = [(VECTOR, VECTOR), (VECTOR, types.float32), (types.float32, VECTOR)]

    @infer_global(python)
    class Template(ConcreteTemplate):  # type: ignore[misc]
        cases = [signature(VECTOR, *pair) for pair in pairs]  # noqa: RUF012

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = (spread_out(builder, value) for value in arguments)
        return getattr(builder, instruction)(left, right, flags=("contract",))

    for pair in pairs:
        lower_builtin(python, *pair)(lower)


for _python, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operator(_python, _instruction)


class Operand:
    """An array that instructions are emitted for; places in it are whole numbers, one for each axis."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self._context, self._builder, self._kind, self._data = context, builder, kind, array.data
        self._shape, self._strides = (
            cgutils.unpack_tuple(builder, part, kind.ndim) for part in (array.shape, array.strides)
        )

    def address(self, *places: Any) -> Any:
        """Emit the address of one number."""
        return cgutils.get_item_pointer2(
            self._context, self._builder, self._data, self._shape, self._strides, self._kind.layout, places
        )

    def load(self, *places: Any) -> Any:
        """Emit the 16 numbers from a place on."""
        return self._builder.load(self._vector(*places), align=4)

    def store(self, vector: Any, *places: Any) -> None:
        """Emit that a vector is written over the 16 numbers from a place on."""
        self._builder.store(vector, self._vector(*places), align=4)

    def _vector(self, *places: Any) -> Any:
        return self._builder.bitcast(self.address(*places), LLVM_VECTOR.as_pointer())


def operands(context: Any, builder: Any, signature: Any, arguments: Any) -> Iterator[Any]:
    """Yield the arguments of an intrinsic, arrays as `Operand`."""
    for kind, value in zip(signature.args, arguments, strict=True):
        yield Operand(context, builder, kind, value) if isinstance(kind, types.Array) else value


@intrinsic
def load(typing_context, array, place):  # type: ignore[no-untyped-def]
    """Return the 16 numbers of a float32 array from a place (a tuple) on; the last axis has them all."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place = operands(context, builder, signature, arguments)
        return array.load(*cgutils.unpack_tuple(builder, place))

    return VECTOR(array, place), generate


@intrinsic
def store(typing_context, array, place, vector):  # type: ignore[no-untyped-def]
    """Write a vector over 16 numbers of a float32 array, from a place (a tuple) on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place, vector = operands(context, builder, signature, arguments)
        array.store(vector, *cgutils.unpack_tuple(builder, place))
        return context.get_dummy_value()

    return types.void(array, place, VECTOR), generate


@intrinsic
def spread(typing_context, number):  # type: ignore[no-untyped-def]
    """Return a vector of one float32 number, 16 times."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return spread_out(builder, arguments[0])

    return VECTOR(types.float32), generate


@intrinsic
def total(typing_context, vector):  # type: ignore[no-untyped-def]
    """Return the sum of a vector's 16 numbers, added in pairs."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = f"llvm.vector.reduce.fadd.v{WIDTH}f32"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.FloatType(), [ir.FloatType(), LLVM_VECTOR]), name
        )
        return builder.call(function, [ir.FloatType()(-0.0), arguments[0]], fastmath=("reassoc",))

    return types.float32(VECTOR), generate


def unary(builder: Any, name: str, vector: Any) -> Any:
    """Emit one of LLVM's functions of a number, for all 16."""
    kind = ir.FunctionType(LLVM_VECTOR, [LLVM_VECTOR])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f32")
    return builder.call(function, [vector])


def _unary(name: str) -> Any:
    @intrinsic
    def apply(typing_context, vector):  # type: ignore[no-untyped-def]
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return unary(builder, name, arguments[0])

        return VECTOR(VECTOR), generate

    return apply


magnitude = _unary("fabs")
root = _unary("sqrt")


def _chosen(comparison: str, unordered: bool) -> Any:
    """Return `(a, b, yes, no)`: number by number `yes` where the comparison of a and b holds, else `no`."""

    @intrinsic
    def choose(typing_context, a, b, yes, no):  # type: ignore[no-untyped-def]
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a, b, yes, no = (spread_out(builder, value) for value in arguments)
            compare = builder.fcmp_unordered if unordered else builder.fcmp_ordered
            return builder.select(compare(comparison, a, b), yes, no)

        return VECTOR(a, b, yes, no), generate

    return choose


where_above = _chosen(">", unordered=True)
"""`(a, b, yes, no)`: `yes` where a > b, or where either is NaN, else `no`."""
where_below = _chosen("<", unordered=False)
"""`(a, b, yes, no)`: `yes` where a < b, else `no`."""
