"""Max pooling of a normed image, `LANES` channels of one window in registers, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spikinghash.layers.vector_code import VECTOR, Code, constant
from spikinghash.layers.vector_rows import LANES, spread

_BYTES = ir.VectorType(ir.IntType(8), LANES)


class _Window:
    """Inputs of one output: rows dy in [box[0], box[1]) and columns dx in [box[2], box[3]) of the window at `at`."""

    def __init__(self, code: Code, at: Any, row: Any, column: Any, box: Any) -> None:
        self.code, self.at, self.row, self.column, self.box = code, at, row, column, box

    def each(self, do: Callable[[Any, Any], None]) -> None:
        """`do` with the place of each input and its number, 3 dy + dx, as a byte."""
        code, b = self.code, self.code.builder
        top, bottom, left, right = (b.extract_value(self.box, i) for i in range(4))
        with _from_to(b, top, bottom) as (dy, _), _from_to(b, left, right) as (dx, _):
            number = b.trunc(code.at((dy, ir.Constant(dy.type, 3)), dx), ir.IntType(8))
            do(code.at(self.at, (dy, self.row), (dx, self.column)), number)


def _from_to(builder: Any, first: Any, stop: Any) -> Any:
    return cgutils.for_range_slice(builder, first, stop, ir.Constant(first.type, 1), first.type)


def _byte_pointer(builder: Any, base: Any, place: Any) -> Any:
    return builder.bitcast(builder.gep(base, [place]), _BYTES.as_pointer())


_BOX = types.UniTuple(types.intp, 4)


def _largest(
    typingctx: Any, x: Any, at: Any, row: Any, column: Any, box: Any, affine: Any, lane: Any, out: Any, raw: Any,
    tap: Any, to: Any,
) -> Any:  # fmt: skip
    """The window's largest x * affine[0] + affine[1] to out[to], the x of it to raw[to] and its number to tap[to]; the
    first of equals. affine[2, C] is read at `lane`.
    """
    index = types.intp
    signature = types.void(x, index, index, index, box, affine, index, out, raw, tap, index)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        arrays = {i: context.make_array(sig.args[i])(context, builder, args[i]) for i in (0, 5, 7, 8, 9)}
        code, place = Code(builder), args[10]
        scale = code.load(arrays[5].data, args[6])
        shift = code.load(arrays[5].data, code.at(args[6], builder.extract_value(arrays[5].shape, 1)))
        best, value = code.variables(2)
        builder.store(constant(-np.inf), best)
        winner = cgutils.alloca_once_value(builder, ir.Constant(_BYTES, None))

        def compare(where: Any, number: Any) -> None:
            here = code.load(arrays[0].data, where)
            normed = code.add(code.mul(here, scale), shift)
            larger = builder.fcmp_ordered(">", normed, builder.load(best))
            for new, variable in ((normed, best), (here, value), (spread(builder, number), winner)):
                builder.store(builder.select(larger, new, builder.load(variable)), variable)

        _Window(code, args[1], args[2], args[3], args[4]).each(compare)
        code.store(builder.load(best), arrays[7].data, place)
        code.store(builder.load(value), arrays[8].data, place)
        builder.store(builder.load(winner), _byte_pointer(builder, arrays[9].data, place), align=1)
        return context.get_dummy_value()

    return signature, codegen


def _give_back(
    typingctx: Any, gx: Any, at: Any, row: Any, column: Any, box: Any, gain: Any, lane: Any, g: Any, tap: Any, to: Any
) -> Any:
    """Add g[to] * gain to gx where the window's input number tap[to] lies. gain[C] is read at `lane`."""
    index = types.intp
    signature = types.void(gx, index, index, index, box, gain, index, g, tap, index)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = {i: context.make_array(sig.args[i])(context, builder, args[i]).data for i in (0, 5, 7, 8)}
        code, place = Code(builder), args[9]
        gradient = code.mul(code.load(data[7], place), code.load(data[5], args[6]))
        winner = builder.load(_byte_pointer(builder, data[8], place), align=1)

        def add(where: Any, number: Any) -> None:
            mine = builder.icmp_unsigned("==", winner, spread(builder, number))
            share = builder.select(mine, gradient, ir.Constant(VECTOR, None))
            code.store(code.add(code.load(data[0], where), share), data[0], where)

        _Window(code, args[1], args[2], args[3], args[4]).each(add)
        return context.get_dummy_value()

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
largest_normed: Callable[..., None] = intrinsic(_largest)
give_back: Callable[..., None] = intrinsic(_give_back)
