"""Sums of the pixels around listed ones, all nine taps of a 3 x 3 kernel at once.

Each place is read from the list once, and nine independent sums hide how long an addition takes.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils

from spikinghash.kernels.simd.code import Code
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic

SIDE = 3


@vector_intrinsic
def add_taps(
    code: Code, out: Any, to: Any, apart: Any, image: Any, column: Any, at: Any, lo: Any, hi: Any, row: Any, pixel: Any
) -> None:
    """For tap (dy, dx) one vector out[to + (3 dy + dx) * apart] += the sum over j in [lo, hi) of the one at
    image[at[j] + column + (1 - dy) * row + (1 - dx) * pixel], places in floats of the whole arrays.
    """
    builder, taps, index = code.builder, range(SIDE * SIDE), lo.type
    targets = [code.at(to, (apart, index(tap))) for tap in taps]
    offsets = [code.at(column, (row, index(1 - tap // SIDE)), (pixel, index(1 - tap % SIDE))) for tap in taps]
    starts = [builder.gep(image, [offset]) for offset in offsets]
    sums = [cgutils.alloca_once_value(builder, code.load(out, target)) for target in targets]
    with cgutils.for_range_slice(builder, lo, hi, index(1), index) as (j, _):
        place = builder.sext(builder.load(builder.gep(at, [j])), index)
        for total, start in zip(sums, starts, strict=True):
            builder.store(code.add(builder.load(total), code.load(start, place)), total)
    for total, target in zip(sums, targets, strict=True):
        code.store(builder.load(total), out, target)
