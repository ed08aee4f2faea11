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

from spikinghash.kernels.simd.code import INTEGERS, LANES, Code
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic

_FLAGS = ir.IntType(LANES)
_MASK = ir.VectorType(ir.IntType(1), LANES)


def _make(vectors: int) -> Callable[..., None]:
    """An intrinsic that adds rows of `vectors` vectors to what is there."""

    def add(
        code: Code, out: Any, to: Any, rows: Any, column: Any, at: Any, lo: Any, hi: Any, base: Any, silent: Any
    ) -> None:
        """Two rows at a time. An odd last one is joined by the row `silent`, all zeros: a branch on what is left over
        would be guessed wrong half of the time.
        """
        builder, index = code.builder, lo.type
        first, nothing = builder.add(base, column), builder.add(silent, column)

        def listed(j: Any) -> Any:
            return builder.add(builder.sext(builder.load(builder.gep(at, [j])), index), first)

        places = [index(v * LANES) for v in range(vectors)]
        sums = [cgutils.alloca_once_value(builder, code.load(out, code.at(to, place))) for place in places]
        with cgutils.for_range_slice(builder, lo, hi, index(2), index) as (j, _):
            after = builder.add(j, index(1))
            chosen = listed(j), builder.select(builder.icmp_signed("<", after, hi), listed(after), nothing)
            for total, place in zip(sums, places, strict=True):
                pair = code.add(*(code.load(rows, code.at(start, place)) for start in chosen))
                builder.store(code.add(builder.load(total), pair), total)
        for total, place in zip(sums, places, strict=True):
            code.store(builder.load(total), out, code.at(to, place))

    return vector_intrinsic(add)


add_1, add_2, add_3, add_4 = (_make(n) for n in range(1, 5))


def _list_spikes(code: Code, x: Any, lo: Any, hi: Any, at: Any, n: Any, first: Any, by: Any) -> Any:
    """Append `first`, `first` + `by`, ... of the values x[lo:hi] that are not zero to at[n:]; the new n.

    hi - lo is a multiple of `LANES`. Without branches, which rare spikes make unpredictable: the lanes that fired are
    moved together and stored as one vector, of which the next one overwrites what was too much. So `at` needs `LANES`
    places more than there are spikes.
    """
    builder, index, bits = code.builder, lo.type, ir.IntType(32)
    away = builder.mul(code.spread(builder.trunc(by, bits)), ir.Constant(INTEGERS, list(range(LANES))))
    compress = _declared(builder, "llvm.experimental.vector.compress.v16i32", INTEGERS, [INTEGERS, _MASK, INTEGERS])
    ones, count = _declared(builder, "llvm.ctpop.i16", _FLAGS, [_FLAGS]), cgutils.alloca_once_value(builder, n)
    with cgutils.for_range_slice(builder, lo, hi, index(LANES), index) as (position, _):
        active = builder.fcmp_unordered("!=", code.load(x, position), ir.Constant(code.vector, None))
        number = builder.trunc(builder.add(first, builder.mul(builder.sub(position, lo), by)), bits)
        here = builder.add(code.spread(number), away)
        chosen = builder.call(compress, [here, active, ir.Constant(INTEGERS, ir.Undefined)])
        to = builder.bitcast(builder.gep(at, [builder.load(count)]), INTEGERS.as_pointer())
        builder.store(chosen, to, align=4)
        fired = builder.call(ones, [builder.bitcast(active, _FLAGS)])
        builder.store(builder.add(builder.load(count), builder.zext(fired, index)), count)
    return builder.load(count)


list_spikes: Callable[..., int] = vector_intrinsic(_list_spikes, types.intp)


def _declared(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)
