"""The element-wise halves of a batch norm on pieces of flat arrays, a vector at a time.

The compiler does not vectorise a loop over `x[start + i]`: it must expect that the place is negative and counts from
the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spikinghash.kernels.simd.code import Code
from spikinghash.kernels.simd.llvm_values import data_of_arguments
from spikinghash.kernels.simd.rows import LANES


def _each(builder: Any, n: Any, do: Callable[[Any], None]) -> None:
    lanes = ir.Constant(n.type, LANES)
    with cgutils.for_range_slice(builder, n.type(0), n, lanes, n.type) as (i, _):
        do(i)


def _add_moments(typingctx: Any, y: Any, at: Any, n: Any, pivot: Any, part: Any, square: Any) -> Any:
    """part[n] += y[at : at + n] - pivot[n], and square[n] its square; n whole vectors."""
    signature = types.void(y, types.intp, types.intp, pivot, part, square)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        code, (values, start, sums, squares) = (
            Code(builder),
            data_of_arguments(context, builder, sig, args, (0, 3, 4, 5)),
        )

        def one(i: Any) -> None:
            away = code.sub(code.load(values, code.at(args[1], i)), code.load(start, i))
            code.store(code.add(code.load(sums, i), away), sums, i)
            code.store(code.add(code.load(squares, i), code.mul(away, away)), squares, i)

        _each(builder, args[2], one)
        return context.get_dummy_value()

    return signature, codegen


def _through_norm(typingctx: Any, g: Any, y: Any, at: Any, n: Any, slope: Any, offset: Any, out: Any, to: Any) -> Any:
    """out[to : to + n] = g + (slope * y + offset), g and y from `at` on; n a multiple of `LANES`."""
    index = types.intp
    signature = types.void(g, y, index, index, slope, offset, out, index)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        code, data = Code(builder), data_of_arguments(context, builder, sig, args, (0, 1, 4, 5, 6))
        given, values, a, b, result = data

        def one(i: Any) -> None:
            here = code.at(args[2], i)
            rest = code.add(code.mul(code.load(values, here), code.load(a, i)), code.load(b, i))
            code.store(code.add(rest, code.load(given, here)), result, code.at(args[7], i))

        _each(builder, args[3], one)
        return context.get_dummy_value()

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
add_moments: Callable[..., None] = intrinsic(_add_moments)
through_norm: Callable[..., None] = intrinsic(_through_norm)
