"""`evo.learning.draws` for compiled code: the same bits from the same whole numbers.

Normal numbers are computed with float32 polynomials that LLVM vectorises, so these agree within rounding only.
Coefficients of the logarithm: Cephes (S. Moshier, 1989, logf); error below 3e-7 relative, or 1e-7 near 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from evo.evaluation.compiled_lanes import OPTIONS
from evo.learning import draws

_U = np.uint64
_F = np.float32
GOLDEN, FIRST, SECOND = (_U(number % 2**64) for number in (draws.GOLDEN, draws.FIRST, draws.SECOND))
UNIT, ONE = _F(2.0**-24), _F(1.0)

_inline = register_jitable(forceinline=True, **OPTIONS)


@_inline
def mix(number: Any) -> Any:
    """Return uint64 `number` hashed; sums and products wrap around."""
    number = (number ^ (number >> _U(30))) * FIRST
    number = (number ^ (number >> _U(27))) * SECOND
    return number ^ (number >> _U(31))


@_inline
def moment(key: Any, segments: Any, step: Any, purpose: Any) -> Any:
    """Return what all draws of one purpose at one step start from, uint64."""
    number = mix(_U(key) + GOLDEN)
    number = mix(number + _U(segments) * GOLDEN)
    return mix(number + _U(step) * _U(8) + _U(purpose))


@_inline
def uniform(start: Any, place: Any) -> Any:
    """Return a number from [0, 1), float32 with 24 bits."""
    return _F(np.int32(mix(start + _U(place + 1) * GOLDEN) >> _U(40))) * UNIT


@_inline
def normals(start: Any, place: Any) -> Any:
    """Return two independent standard normal numbers, float32."""
    bits = mix(start + _U(place + 1) * GOLDEN)
    share, turn = _F(np.int32(bits >> _U(40))) * UNIT, _F(np.int32((bits >> _U(16)) & _U(0xFFFFFF))) * UNIT
    radius = np.sqrt(_F(-2.0) * logarithm(_F(1.0) - share))
    cosine, sine = around(turn)
    return radius * cosine, radius * sine


@_inline
def around(turn: Any) -> Any:
    """Return cosine and sine of a share of a full turn, from [0, 1), within 2e-7.

    Taylor's series around the nearest quarter, where 4 terms leave less than 4e-8.
    """
    quarter = np.int32(turn * _F(4.0) + _F(0.5))  # from 0 to 4
    x = (turn - _F(quarter) * _F(0.25)) * _F(6.2831853)
    square = x * x
    sine = x * (ONE + square * (_F(-1 / 6) + square * (_F(1 / 120) + square * _F(-1 / 5040))))
    cosine = ONE + square * (_F(-0.5) + square * (_F(1 / 24) + square * (_F(-1 / 720) + square * _F(1 / 40320))))
    crossed = quarter & np.int32(1) == np.int32(1)
    across, up = (sine, cosine) if crossed else (cosine, sine)
    left = (quarter + np.int32(1)) & np.int32(2) == np.int32(2)
    below = quarter & np.int32(2) == np.int32(2)
    return (-across if left else across), (-up if below else up)


@_inline
def logarithm(x: Any) -> Any:
    """Return the natural logarithm of a positive, normal float32."""
    bits = _F(x).view(np.int32)
    exponent = np.int32((bits >> np.int32(23)) - np.int32(126))
    mantissa = np.int32((bits & np.int32(0x007FFFFF)) | np.int32(0x3F000000)).view(np.float32)  # from [1/2, 1)
    low = mantissa < _F(0.70710678)
    power = _F(exponent) - (_F(1.0) if low else _F(0.0))
    r = mantissa + (mantissa if low else _F(0.0)) - _F(1.0)
    p = _F(7.0376836292e-2) * r + _F(-1.1514610310e-1)
    p = p * r + _F(1.1676998740e-1)
    p = p * r + _F(-1.2420140846e-1)
    p = p * r + _F(1.4249322787e-1)
    p = p * r + _F(-1.6668057665e-1)
    p = p * r + _F(2.0000714765e-1)
    p = p * r + _F(-2.4999993993e-1)
    p = p * r + _F(3.3333331174e-1)
    square = r * r
    result = p * r * square + power * _F(-2.12194440e-4) - _F(0.5) * square + r
    return result + power * _F(0.693359375)
