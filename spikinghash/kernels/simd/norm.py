"""The element-wise halves of a batch norm on pieces of flat arrays, a vector at a time.

The compiler does not vectorise a loop over `x[start + i]`: it must expect that the place is negative and counts from
the end.
"""

from __future__ import annotations

from typing import Any

from spikinghash.kernels.simd.code import Code
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic


@vector_intrinsic
def add_moments(code: Code, y: Any, at: Any, n: Any, pivot: Any, part: Any, square: Any) -> None:
    """part[n] += y[at : at + n] - pivot[n], and square[n] its square; n whole vectors."""
    with code.vectors(n) as i:
        away = code.sub(code.load(y, code.at(at, i)), code.load(pivot, i))
        code.store(code.add(code.load(part, i), away), part, i)
        code.store(code.add(code.load(square, i), code.mul(away, away)), square, i)


@vector_intrinsic
def through_norm(code: Code, g: Any, y: Any, at: Any, n: Any, slope: Any, offset: Any, out: Any, to: Any) -> None:
    """out[to : to + n] = g + (slope * y + offset), g and y from `at` on; n a multiple of `LANES`."""
    with code.vectors(n) as i:
        here = code.at(at, i)
        rest = code.add(code.mul(code.load(y, here), code.load(slope, i)), code.load(offset, i))
        code.store(code.add(rest, code.load(g, here)), out, code.at(to, i))
