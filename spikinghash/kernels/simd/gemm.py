"""Products of small dense matrices in vector registers, for kernels whose rows are still in the first cache.

A library's product starts from and ends in memory; between two steps of one kernel that would be most of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite.binding import get_host_cpu_features
from numba.core import config

from spikinghash.kernels.simd.code import LANES, Code
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic

_CHOSEN = config.CPU_FEATURES  # type: ignore[attr-defined]
#: Whether there are 32 registers of a whole vector; otherwise there are 16 of half a one, or 32 of a quarter.
WIDE = "+avx512f" in (get_host_cpu_features().flatten() if _CHOSEN is None else _CHOSEN)
#: Rows of sums that registers hold at once, by their vectors: up to 24 of 32, the others are for what is added. With
#: more rows of one or two vectors the places of the rows no longer fit in registers. Tiles of one serve without `WIDE`.
SINGLE = 8 if WIDE else 6
_TILES = {1: SINGLE, 2: 8, 3: 8, 4: 6}
#: What the number of rows must be a multiple of.
ROWS = 24


def _make(vectors: int) -> Callable[..., None]:
    rows = _TILES[vectors]

    def tile(code: Code, a: Any, b: Any, out: Any, row: Any, column: Any, K: Any, D: Any) -> None:
        """out[row : row + rows, column : column + LANES * vectors] = a[R, K] @ b[K, D]."""
        builder, index = code.builder, row.type
        sums = [code.variables(vectors) for _ in range(rows)]
        starts = [code.at((builder.add(row, index(m)), K)) for m in range(rows)]
        with code.steps(K) as k:
            right = [code.load(b, code.at((k, D), column, index(LANES * v))) for v in range(vectors)]
            for m in range(rows):
                left = code.spread(builder.load(builder.gep(a, [code.at(starts[m], k)])))
                for v in range(vectors):
                    builder.store(code.fma(left, right[v], builder.load(sums[m][v])), sums[m][v])
        for m in range(rows):
            for v in range(vectors):
                place = code.at((builder.add(row, index(m)), D), column, index(LANES * v))
                code.store(builder.load(sums[m][v]), out, place)

    return vector_intrinsic(tile)


tile_1, tile_2, tile_3, tile_4 = (_make(n) for n in range(1, 5))
