"""Sums of selected matrix rows of any width."""

from __future__ import annotations

from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.rows import add_1, add_2, add_3, add_4


@kernel(inline="always")
def add_rows(out, to, width, rows, at, lo, hi, base, silent):  # type: ignore[no-untyped-def]
    """out[to : to + width] += the sum of the rows that begin at rows[at[j] + base], j in [lo, hi); whole vectors.

    Places count floats of the whole arrays. rows[silent : silent + width] are zeros, at[hi] is read.
    """
    column = 0
    while width - column >= 4 * LANES:
        add_4(out, to + column, rows, column, at, lo, hi, base, silent)
        column += 4 * LANES
    left = width - column
    if left == 3 * LANES:
        add_3(out, to + column, rows, column, at, lo, hi, base, silent)
    elif left == 2 * LANES:
        add_2(out, to + column, rows, column, at, lo, hi, base, silent)
    elif left == LANES:
        add_1(out, to + column, rows, column, at, lo, hi, base, silent)
