"""64 rows at a time: vector instructions that numba has no words for, written as LLVM vectors.

LLVM turns the population count of a vector into AVX-512 VPOPCNT, AVX2 table look-ups or scalar code, whatever the
machine has. Numba alone vectorises a count but not the step from 64 comparisons to one 64-bit mask, which is what
lets a search skip 64 rows with one test.

A block is uint64 [W, B], W the words of a code and B a multiple of 64 rows: word w of row r is block[w, r], so that
one load fetches the same word of neighbouring rows. Nothing here checks bounds.

numba's cache of a kernel looks at the kernel's own file only: after a change here or in another file that kernels call
into, delete the `*.nbi` files in `__pycache__`.
"""

from __future__ import annotations

from typing import Any

import numba.extending
from llvmlite import ir
from numba import types
from numba.core import cgutils

#: Rows that are looked at together; the bits of one mask.
LANES = 64

# numba's own type counts the context as an argument that callers pass; they do not
intrinsic: Any = numba.extending.intrinsic

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_WORDS = ir.VectorType(_I64, LANES)


@intrinsic
def popcount(context: Any, word: Any) -> Any:
    """Number of ones in a uint64, as int64."""
    return types.int64(types.uint64), lambda _, builder, __, args: builder.ctpop(args[0])


@intrinsic
def lowest_one(context: Any, word: Any) -> Any:
    """Place of the lowest one in a uint64 that is not 0, as int64."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def load_word(context: Any, codes: Any, at: Any) -> Any:
    """The uint64 in bytes at..at+7 of uint8 `codes`, C-contiguous and of any alignment."""

    def generate(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.gep(data_of(target, builder, signature.args[0], args[0]), [args[1]])
        return builder.load(builder.bitcast(place, _I64.as_pointer()), align=1)

    return types.uint64(codes, types.intp), generate


@intrinsic
def rows_below(context: Any, block: Any, row: Any, query: Any, limit: Any) -> Any:
    """Mask uint64 of the rows row..row+63 of a block: bit i is 1 where row + i is less than `limit` from `query`.

    `query` is uint64 [W], `limit` uint64.
    """

    def generate(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        distances = _distances(target, builder, signature.args, args)
        below = builder.icmp_unsigned("<", distances, splat(builder, args[3], LANES))
        return builder.bitcast(below, _I64)

    return types.uint64(block, types.intp, query, types.uint64), generate


def data_of(target: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Pointer to the first element of a numba array."""
    return cgutils.create_struct_proxy(kind)(target, builder, array).data


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """A vector that holds `value` in each lane."""
    unset = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    one = builder.insert_element(unset, value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, unset, ir.Constant(ir.VectorType(_I32, lanes), [0] * lanes))


def _distances(target: Any, builder: Any, kinds: Any, args: Any) -> Any:
    """<64 x i64> Hamming distances; the first word stands before the loop, so 64-bit codes have none."""
    block = cgutils.create_struct_proxy(kinds[0])(target, builder, args[0])
    words, rows = cgutils.unpack_tuple(builder, block.shape)
    query = data_of(target, builder, kinds[2], args[2])
    count = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_WORDS, [_WORDS]), f"llvm.ctpop.v{LANES}i64")

    def of_word(word: Any) -> Any:
        place = builder.gep(block.data, [builder.add(args[1], builder.mul(word, rows))])
        column = builder.load(builder.bitcast(place, _WORDS.as_pointer()), align=8)
        asked = builder.load(builder.gep(query, [word]))
        return builder.call(count, [builder.xor(column, splat(builder, asked, LANES))])

    total = cgutils.alloca_once_value(builder, of_word(ir.Constant(_I64, 0)))
    with cgutils.for_range(builder, words, start=ir.Constant(_I64, 1)) as loop:
        builder.store(builder.add(builder.load(total), of_word(loop.index)), total)
    return builder.load(total)
