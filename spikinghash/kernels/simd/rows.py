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

from spikinghash.kernels.simd.llvm_values import broadcast, data_of_arguments

#: Floats in one vector, and vectors in the widest sum.
LANES = 16
WIDEST = 4
_FLAGS = ir.IntType(LANES)
_MASK = ir.VectorType(ir.IntType(1), LANES)


def _make(vectors: int) -> Callable[..., None]:
    """An intrinsic that adds rows of `vectors` vectors to what is there."""

    @intrinsic
    def add(
        typingctx: Any, out: Any, to: Any, rows: Any, column: Any, at: Any, lo: Any, hi: Any, base: Any, silent: Any
    ) -> Any:
        index = types.intp
        signature = types.void(out, index, rows, index, at, *[index] * 4)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            data = data_of_arguments(context, builder, sig, args, (0, 2, 4))
            _loop(builder, data, [args[1], args[3], *args[5:]], vectors)
            return context.get_dummy_value()

        return signature, codegen

    return add


def _loop(builder: Any, data: list[Any], places: list[Any], vectors: int) -> None:
    """Two rows at a time. An odd last one is joined by the row `silent`, all zeros: a branch on what is left over would
    be guessed wrong half of the time.
    """
    out, rows, at = data
    to, column, low, high, base, silent = places
    vector = ir.VectorType(ir.FloatType(), LANES)
    index = low.type

    def pointer(start: Any, offset: Any, v: int) -> Any:
        at_v = builder.add(offset, ir.Constant(index, v * LANES))
        return builder.bitcast(builder.gep(start, [at_v]), vector.as_pointer())

    def load(start: Any, offset: Any, v: int) -> Any:
        return builder.load(pointer(start, offset, v), align=4)

    def listed(j: Any) -> Any:
        return builder.add(builder.sext(builder.load(builder.gep(at, [j])), index), first)

    first, nothing = builder.add(base, column), builder.add(silent, column)
    sums = [cgutils.alloca_once_value(builder, load(out, to, v)) for v in range(vectors)]
    position = cgutils.alloca_once_value(builder, low)
    test, body, done = (builder.append_basic_block() for _ in range(3))
    builder.branch(test)
    builder.position_at_end(test)
    builder.cbranch(builder.icmp_signed("<", builder.load(position), high), body, done)
    builder.position_at_end(body)
    j = builder.load(position)
    after = builder.add(j, ir.Constant(index, 1))
    chosen = listed(j), builder.select(builder.icmp_signed("<", after, high), listed(after), nothing)
    for v in range(vectors):
        pair = builder.fadd(load(rows, chosen[0], v), load(rows, chosen[1], v))
        builder.store(builder.fadd(builder.load(sums[v]), pair), sums[v])
    builder.store(builder.add(j, ir.Constant(index, 2)), position)
    builder.branch(test)
    builder.position_at_end(done)
    for v in range(vectors):
        builder.store(builder.load(sums[v]), pointer(out, to, v), align=4)


add_1, add_2, add_3, add_4 = (_make(n) for n in range(1, WIDEST + 1))


def _list_spikes(typingctx: Any, x: Any, lo: Any, hi: Any, at: Any, n: Any, first: Any, by: Any) -> Any:
    """Append `first`, `first` + `by`, ... of the values x[lo:hi] that are not zero to at[n:]; the new n.

    hi - lo is a multiple of `LANES`.
    """
    signature = types.intp(x, types.intp, types.intp, at, types.intp, types.intp, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        values, target = data_of_arguments(context, builder, sig, args, (0, 3))
        return _list(builder, values, target, (args[1], args[2], *args[4:]))

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
list_spikes: Callable[..., int] = intrinsic(_list_spikes)


def _list(builder: Any, values: Any, target: Any, bounds: tuple[Any, ...]) -> Any:
    """Without branches, which rare spikes make unpredictable: the lanes that fired are moved together and stored as one
    vector, of which the next one overwrites what was too much. So `at` needs `LANES` places more than there are spikes.
    """
    low, high, count, start, by = bounds
    index, bits = low.type, ir.IntType(32)
    vector, numbers = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(bits, LANES)
    away = builder.mul(spread(builder, builder.trunc(by, bits)), ir.Constant(numbers, list(range(LANES))))
    compress = _declared(builder, "llvm.experimental.vector.compress.v16i32", numbers, [numbers, _MASK, numbers])
    ones = _declared(builder, "llvm.ctpop.i16", _FLAGS, [_FLAGS])
    position, n = (cgutils.alloca_once_value(builder, value) for value in (low, count))
    test, body, done = (builder.append_basic_block() for _ in range(3))
    builder.branch(test)
    builder.position_at_end(test)
    builder.cbranch(builder.icmp_signed("<", builder.load(position), high), body, done)

    builder.position_at_end(body)
    loaded = builder.load(builder.bitcast(builder.gep(values, [builder.load(position)]), vector.as_pointer()), align=4)
    active = builder.fcmp_unordered("!=", loaded, ir.Constant(vector, None))
    number = builder.trunc(builder.add(start, builder.mul(builder.sub(builder.load(position), low), by)), bits)
    here = builder.add(spread(builder, number), away)
    chosen = builder.call(compress, [here, active, ir.Constant(numbers, ir.Undefined)])
    to = builder.bitcast(builder.gep(target, [builder.load(n)]), numbers.as_pointer())
    builder.store(chosen, to, align=4)
    fired = builder.call(ones, [builder.bitcast(active, _FLAGS)])
    builder.store(builder.add(builder.load(n), builder.zext(fired, index)), n)
    builder.store(builder.add(builder.load(position), ir.Constant(index, LANES)), position)
    builder.branch(test)
    builder.position_at_end(done)
    return builder.load(n)


def spread(builder: Any, value: Any) -> Any:
    """A vector of `LANES` copies of a number."""
    return broadcast(builder, value, LANES)


def _declared(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)
