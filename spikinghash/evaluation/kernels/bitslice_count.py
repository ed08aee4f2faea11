"""How often each value occurs among numbers that lie bit by bit, 512 at a time, written as LLVM vectors.

The rows that hold a value are an AND of planes, so a histogram takes no counter per number.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from spikinghash.evaluation.kernels.bitslice import PLANE, SUM_PLANES, VECTOR, load, number, shuffle, store, times
from spikinghash.kernels.simd.llvm_values import broadcast, data_of, intrinsic


@intrinsic
def count_eight(context: Any, planes: Any, members: Any, start: Any, stop: Any, eight: Any, counts: Any) -> Any:
    """counts[j] += how many members have the value 8 * eight + j, j = 0..7.

    planes uint64 [P, C] holds bit p of row 64 c + i as bit i of planes[p, c]; members uint64 [C] is a mask of the same
    rows. Looks at the columns from start to stop - 1, both in groups of eight. counts is int64 [8]. Nothing checks
    bounds.
    """

    def generate(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(VECTOR, [VECTOR])
        count = cgutils.get_or_insert_function(builder.module, kind, f"llvm.ctpop.v{PLANE}i64")
        plane = cgutils.create_struct_proxy(signature.args[0])(target, builder, args[0])
        levels, width = cgutils.unpack_tuple(builder, plane.shape)
        mask = data_of(target, builder, signature.args[1], args[1])
        found = [cgutils.alloca_once_value(builder, ir.Constant(VECTOR, [0] * PLANE)) for _ in range(8)]

        def flip(p: Any) -> Any:
            # a wanted 0 turns the plane round: 0 - 1 is all ones
            wanted = builder.and_(builder.lshr(args[4], builder.sub(p, number(3))), number(1))
            return broadcast(builder, builder.sub(wanted, number(1)), PLANE)

        # planes that codes of any width have: written out, their flips made once
        flips = {p: flip(number(p)) for p in range(3, SUM_PLANES)}
        with cgutils.for_range_slice(builder, args[2], args[3], number(1), ir.IntType(64)) as (group, _):
            at = times(builder, group, PLANE)
            rows = load(builder, mask, at)
            for p, turned in flips.items():
                bits = load(builder, plane.data, builder.add(at, times(builder, width, p)))
                rows = builder.and_(rows, builder.xor(bits, turned))
            left = cgutils.alloca_once_value(builder, rows)
            with cgutils.for_range(builder, levels, start=number(SUM_PLANES)) as loop:
                bits = load(builder, plane.data, builder.add(at, builder.mul(width, loop.index)))
                builder.store(builder.and_(builder.load(left), builder.xor(bits, flip(loop.index))), left)
            # parts[j]: rows that have at least the bits of j, which takes one AND each
            parts = [builder.load(left)]
            for p in range(3):
                bits = load(builder, plane.data, builder.add(at, times(builder, width, p)))
                parts += [builder.and_(part, bits) for part in parts]
            for part, counter in zip(parts, found, strict=True):
                ones = builder.call(count, [part])
                builder.store(builder.add(builder.load(counter), ones), counter)
        totals = _lane_sums(builder, [builder.load(counter) for counter in found])
        for bit in (1, 2, 4):  # from "at least the bits of j" to "the bits of j"; lane 8 is a zero
            more = [PLANE if j & bit else j | bit for j in range(8)]
            totals = builder.sub(totals, shuffle(builder, totals, ir.Constant(VECTOR, [0] * PLANE), more))
        out = data_of(target, builder, signature.args[5], args[5])
        store(builder, builder.add(load(builder, out, number(0)), totals), out, number(0))
        return target.get_dummy_value()

    return types.void(planes, members, types.intp, types.intp, types.intp, counts), generate


def _lane_sums(builder: Any, vectors: list[Any]) -> Any:
    """Lane j = the sum of all lanes of vector j, for eight vectors: neighbouring lanes are added in three rounds."""
    while len(vectors) > 1:
        vectors = [
            builder.add(*(shuffle(builder, left, right, range(first, 2 * PLANE, 2)) for first in (0, 1)))
            for left, right in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    return vectors[0]
