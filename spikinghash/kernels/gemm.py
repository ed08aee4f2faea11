"""Product of two dense matrices that are in cache."""

from __future__ import annotations

from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.gemm import ROWS, SINGLE, WIDE, tile_1, tile_2, tile_3, tile_4


@kernel
def rows_unit(D):  # type: ignore[no-untyped-def]
    """What the number of rows must be a multiple of where there are D columns: `ROWS`, or less."""
    left = D // LANES
    return 8 if WIDE and (left < 4 or 5 <= left <= 6) else ROWS


@kernel
def product(a, b, out, R):  # type: ignore[no-untyped-def]
    """out[R, D] = a[R, K] @ b[K, D]; R a multiple of `rows_unit(D)`, D of `LANES`.

    In arrays of int32, a and b hold pairs of int16.
    """
    K, D = b.shape
    left = D // LANES
    while left > 0:
        # 5 = 3 + 2 and 6 = 3 + 3: a tile of one vector would load as much for a third of the sums
        width = 1 if not WIDE else 3 if 5 <= left <= 6 else min(left, 4)
        column = D - left * LANES
        if width == 4:
            for r in range(0, R, 6):
                tile_4(a, b, out, r, column, K, D)
        elif width == 3:
            for r in range(0, R, 8):
                tile_3(a, b, out, r, column, K, D)
        elif width == 2:
            for r in range(0, R, 8):
                tile_2(a, b, out, r, column, K, D)
        else:
            for r in range(0, R, SINGLE):
                tile_1(a, b, out, r, column, K, D)
        left -= width
