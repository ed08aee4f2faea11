"""Sums of selected matrix rows in vector registers: the inner loop of convolutions of spikes.

The compiler keeps a sum of unknown length in memory and pays for it at every row; here its length is part of the
generated code. Additions are plain and in list order, two rows at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

#: Floats in one vector, and vectors in the widest sum.
LANES = 16
WIDEST = 4


def _make(vectors: int) -> Callable[..., None]:
    """An intrinsic that adds rows of `vectors` vectors."""

    @intrinsic
    def add(typingctx: Any, total: Any, rows: Any, at: Any, lo: Any, hi: Any, first: Any, start: Any) -> Any:
        signature = types.void(total, rows, at, types.intp, types.intp, types.intp, types.intp)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            arrays = [context.make_array(t)(context, builder, a) for t, a in zip(sig.args[:3], args[:3], strict=True)]
            low, high, shift, column = args[3:]
            width = builder.extract_value(arrays[1].shape, 1)
            _loop(builder, [a.data for a in arrays], (low, high, shift, column), width, vectors)
            return context.get_dummy_value()

        return signature, codegen

    return add


def _loop(builder: Any, data: list[Any], bounds: tuple[Any, Any, Any, Any], width: Any, vectors: int) -> None:
    total, rows, at = data
    low, high, shift, column = bounds
    vector = ir.VectorType(ir.FloatType(), LANES)
    index = low.type

    def pointer(base: Any, offset: Any, v: int) -> Any:
        at_v = builder.add(offset, ir.Constant(index, v * LANES))
        return builder.bitcast(builder.gep(base, [at_v]), vector.as_pointer())

    def load(base: Any, offset: Any, v: int) -> Any:
        return builder.load(pointer(base, offset, v), align=4)

    def row(j: Any) -> Any:
        number = builder.sext(builder.load(builder.gep(at, [j])), index)
        return builder.add(builder.mul(builder.sub(number, shift), width), column)

    sums = [cgutils.alloca_once_value(builder, load(total, column, v)) for v in range(vectors)]
    position = cgutils.alloca_once_value(builder, low)
    for together in (2, 1):
        test, body, done = (builder.append_basic_block() for _ in range(3))
        builder.branch(test)
        builder.position_at_end(test)
        end = builder.add(builder.load(position), ir.Constant(index, together))
        builder.cbranch(builder.icmp_signed("<=", end, high), body, done)
        builder.position_at_end(body)
        j = builder.load(position)
        chosen = [row(builder.add(j, ir.Constant(index, i))) for i in range(together)]
        for v in range(vectors):
            value = load(rows, chosen[0], v)
            if together == 2:
                value = builder.fadd(value, load(rows, chosen[1], v))
            builder.store(builder.fadd(builder.load(sums[v]), value), sums[v])
        builder.store(end, position)
        builder.branch(test)
        builder.position_at_end(done)
    for v in range(vectors):
        builder.store(builder.load(sums[v]), pointer(total, column, v), align=4)


add_rows_1, add_rows_2, add_rows_3, add_rows_4 = (_make(n) for n in range(1, WIDEST + 1))


def _list_spikes(typingctx: Any, x: Any, lo: Any, hi: Any, at: Any, n: Any, first: Any) -> Any:
    """Append `first`, `first` + 1, ... of the values x[lo:hi] that are not zero to at[n:]; the new n.

    hi - lo is a multiple of `LANES`. A vector of silence costs one comparison.
    """
    signature = types.intp(x, types.intp, types.intp, at, types.intp, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        values = context.make_array(sig.args[0])(context, builder, args[0]).data
        target = context.make_array(sig.args[3])(context, builder, args[3]).data
        low, high, count, start = args[1], args[2], args[4], args[5]
        return _list(builder, values, target, (low, high, count, start))

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
list_spikes: Callable[..., int] = intrinsic(_list_spikes)


def _list(builder: Any, values: Any, target: Any, bounds: tuple[Any, Any, Any, Any]) -> Any:
    low, high, count, start = bounds
    index, lanes, bits = low.type, ir.IntType(LANES), ir.IntType(32)
    vector = ir.VectorType(ir.FloatType(), LANES)
    position, n = (cgutils.alloca_once_value(builder, value) for value in (low, count))
    mask = cgutils.alloca_once_value(builder, ir.Constant(bits, 0))
    test, body, inner, take, after, done = (builder.append_basic_block() for _ in range(6))
    builder.branch(test)
    builder.position_at_end(test)
    builder.cbranch(builder.icmp_signed("<", builder.load(position), high), body, done)

    builder.position_at_end(body)
    here = builder.bitcast(builder.gep(values, [builder.load(position)]), vector.as_pointer())
    active = builder.fcmp_unordered("!=", builder.load(here, align=4), ir.Constant(vector, None))
    builder.store(builder.zext(builder.bitcast(active, lanes), bits), mask)
    builder.branch(inner)

    builder.position_at_end(inner)
    left = builder.load(mask)
    builder.cbranch(builder.icmp_unsigned("!=", left, ir.Constant(bits, 0)), take, after)

    builder.position_at_end(take)
    lane = builder.zext(builder.cttz(left, ir.Constant(ir.IntType(1), 1)), index)
    number = builder.add(start, builder.add(builder.sub(builder.load(position), low), lane))
    builder.store(builder.trunc(number, bits), builder.gep(target, [builder.load(n)]))
    builder.store(builder.add(builder.load(n), ir.Constant(index, 1)), n)
    builder.store(builder.and_(left, builder.sub(left, ir.Constant(bits, 1))), mask)
    builder.branch(inner)

    builder.position_at_end(after)
    builder.store(builder.add(builder.load(position), ir.Constant(index, LANES)), position)
    builder.branch(test)
    builder.position_at_end(done)
    return builder.load(n)
