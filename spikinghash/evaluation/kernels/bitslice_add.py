"""Distances bit by bit, 512 at a time, written as LLVM vectors: codes to distances.

A plane holds one bit of 512 numbers. Codes that lie in planes are compared and counted with plain logic: XOR gives
the planes of the differing bits, and a tree of full adders adds them up to the planes of the distances: no population
count per pair.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from spikinghash.evaluation.kernels.bitslice import PLANE, SUM_PLANES, VECTOR, load, number, store, times
from spikinghash.kernels.simd.llvm_values import data_of, intrinsic

#: Full adders that are looked up for a word (its last bit stands alone), what a query takes from the table (two
#: planes for each of them and one), and the 64-bit words of the table.
TRIPLES = 21
PICKS = 2 * TRIPLES + 1
TABLE = (10 * TRIPLES + 2) * PLANE

_ONES = ir.Constant(VECTOR, [-1] * PLANE)


@intrinsic
def tabulate(context: Any, columns: Any, tile: Any, table: Any) -> Any:
    """Fill `table` uint64 [TABLE] with the first sums of a tile, for all that a query may hold.

    columns uint64 [*, 64, 8]: columns[tile, b] is bit b of a 64-bit word of 512 rows. Three bits of a word and three
    of a query have eight cases, so the first full adder of three differing bits is looked up, not computed, for each
    query: entry 10 t + (0, 1) is the sum of bits 3 t, 3 t + 1, 3 t + 2 by the parity of the query's three, entry
    10 t + 2 + f the carry where these are f = 0..7. The last two entries are bit 63 and its complement.
    """

    def generate(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        base = builder.gep(data_of(target, builder, signature.args[0], args[0]), [times(builder, args[1], 64 * PLANE)])
        out = data_of(target, builder, signature.args[2], args[2])
        with cgutils.for_range(builder, number(TRIPLES)) as loop:
            at = times(builder, loop.index, 3 * PLANE)
            bits = [load(builder, base, builder.add(at, number(j * PLANE))) for j in range(3)]
            entry = builder.gep(out, [times(builder, loop.index, 10 * PLANE)])
            parity = builder.xor(builder.xor(bits[0], bits[1]), bits[2])
            carries = [
                _full_adder(builder, *(_flip(builder, bit) if f >> j & 1 else bit for j, bit in enumerate(bits)))[1]
                for f in range(8)
            ]
            for place, plane in enumerate((parity, _flip(builder, parity), *carries)):
                store(builder, plane, entry, number(place * PLANE))
        last = load(builder, base, number(63 * PLANE))
        for place, plane in enumerate((last, _flip(builder, last))):
            store(builder, plane, out, number((10 * TRIPLES + place) * PLANE))
        return target.get_dummy_value()

    return types.void(columns, types.intp, table), generate


@intrinsic
def add_distances(context: Any, table: Any, picks: Any, first: Any, planes: Any, at: Any) -> Any:
    """Add the distances of 512 rows in one 64-bit word to planes[:, at : at + 8], or set them for word 0.

    `table` is the word's (`tabulate`). picks int64 [*] says which places of the table the query takes, from `first`
    on: PICKS times the number of the word. planes uint64 [P, C] holds bit p of the distances in planes[p]. Nothing
    checks bounds or that P is enough.
    """

    def generate(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        entries = data_of(target, builder, signature.args[0], args[0])
        asked = builder.gep(data_of(target, builder, signature.args[1], args[1]), [args[2]])
        out = cgutils.create_struct_proxy(signature.args[3])(target, builder, args[3])
        levels, width = cgutils.unpack_tuple(builder, out.shape)
        total = _sum_of_bits(builder, entries, asked)

        def place(p: Any) -> Any:
            at = builder.gep(out.data, [builder.add(args[4], builder.mul(width, p))])
            return builder.bitcast(at, VECTOR.as_pointer())

        with builder.if_else(builder.icmp_signed("==", args[2], number(0))) as (set_them, add_them):
            with set_them:
                for p, bits in enumerate(total):
                    builder.store(bits, place(number(p)), align=8)
            with add_them:
                carry: Any = ir.Constant(VECTOR, [0] * PLANE)
                for p, bits in enumerate(total):
                    here = place(number(p))
                    both, carry = _full_adder(builder, builder.load(here, align=8), bits, carry)
                    builder.store(both, here, align=8)
                left = cgutils.alloca_once_value(builder, carry)
                with cgutils.for_range(builder, levels, start=number(SUM_PLANES)) as loop:
                    here = place(loop.index)
                    old, carry = builder.load(here, align=8), builder.load(left)
                    builder.store(builder.xor(old, carry), here, align=8)
                    builder.store(builder.and_(old, carry), left)
        return target.get_dummy_value()

    return types.void(table, picks, types.intp, planes, types.intp), generate


def _sum_of_bits(builder: Any, entries: Any, asked: Any) -> list[Any]:
    """Planes of the number of differing bits, from the entries of the table that a query picks."""
    waiting: list[list[Any]] = [[] for _ in range(SUM_PLANES + 1)]

    def put(weight: int, bits: Any) -> None:
        waiting[weight].append(bits)
        # three of one weight at once, as soon as they are there: few vectors are alive at any time
        if len(waiting[weight]) == 3:
            low, high = _full_adder(builder, *waiting[weight])
            waiting[weight] = [low]
            put(weight + 1, high)

    for pick in range(PICKS):
        place = builder.load(builder.gep(asked, [number(pick)]))
        put(pick % 2, load(builder, entries, place))
    for weight in range(SUM_PLANES):
        if len(waiting[weight]) == 2:
            left, right = waiting[weight]
            waiting[weight] = [builder.xor(left, right)]
            put(weight + 1, builder.and_(left, right))
    return [bits for (bits,) in waiting[:SUM_PLANES]]


def _full_adder(builder: Any, a: Any, b: Any, c: Any) -> tuple[Any, Any]:
    carry = builder.or_(builder.and_(a, b), builder.and_(c, builder.or_(a, b)))
    return builder.xor(builder.xor(a, b), c), carry


def _flip(builder: Any, bits: Any) -> Any:
    return builder.xor(bits, _ONES)
