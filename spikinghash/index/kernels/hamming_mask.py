"""64 rows at a time: which of them lie nearer to a query than a limit, as one 64-bit mask, written as LLVM vectors.

LLVM turns the population count of a vector into AVX-512 VPOPCNT, AVX2 table look-ups or scalar code, whatever the
machine has. Numba alone vectorises a count but not the step from 64 comparisons to one 64-bit mask, which is what
lets a search skip 64 rows with one test.

A block is uint64 [W, B], W the words of a code and B a multiple of 64 rows: word w of row r is block[w, r], so that
one load fetches the same word of neighbouring rows. Nothing here checks bounds.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from spikinghash.kernels.simd.llvm_values import broadcast, data_of, intrinsic

#: Rows that are looked at together; the bits of one mask.
ROWS = 64

_I64 = ir.IntType(64)
_WORDS = ir.VectorType(_I64, ROWS)


@intrinsic
def rows_below(context: Any, block: Any, row: Any, query: Any, limit: Any) -> Any:
    """Mask uint64 of the rows row..row+63 of a block: bit i is 1 where row + i is less than `limit` from `query`.

    `query` is uint64 [W], `limit` uint64.
    """

    def generate(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        distances = _distances(target, builder, signature.args, args)
        below = builder.icmp_unsigned("<", distances, broadcast(builder, args[3], ROWS))
        return builder.bitcast(below, _I64)

    return types.uint64(block, types.intp, query, types.uint64), generate


def _distances(target: Any, builder: Any, kinds: Any, args: Any) -> Any:
    """<64 x i64> Hamming distances; the first word stands before the loop, so 64-bit codes have none."""
    block = target.make_array(kinds[0])(target, builder, args[0])
    words, rows = cgutils.unpack_tuple(builder, block.shape)
    query = data_of(target, builder, kinds[2], args[2])
    count = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_WORDS, [_WORDS]), f"llvm.ctpop.v{ROWS}i64")

    def of_word(word: Any) -> Any:
        place = builder.gep(block.data, [builder.add(args[1], builder.mul(word, rows))])
        column = builder.load(builder.bitcast(place, _WORDS.as_pointer()), align=8)
        asked = builder.load(builder.gep(query, [word]))
        return builder.call(count, [builder.xor(column, broadcast(builder, asked, ROWS))])

    total = cgutils.alloca_once_value(builder, of_word(ir.Constant(_I64, 0)))
    with cgutils.for_range(builder, words, start=ir.Constant(_I64, 1)) as loop:
        builder.store(builder.add(builder.load(total), of_word(loop.index)), total)
    return builder.load(total)
