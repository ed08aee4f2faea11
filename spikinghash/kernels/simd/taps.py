"""Sums of the pixels around listed ones, all nine taps of a 3 x 3 kernel at once.

Each place is read from the list once, and nine independent sums hide how long an addition takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spikinghash.kernels.simd.code import Code
from spikinghash.kernels.simd.llvm_values import data_of_arguments

SIDE = 3


def _add_taps(
    typingctx: Any, out: Any, to: Any, apart: Any, image: Any, column: Any, at: Any, lo: Any, hi: Any, row: Any,
    pixel: Any,
) -> Any:  # fmt: skip
    """For tap (dy, dx) one vector out[to + (3 dy + dx) * apart] += the sum over j in [lo, hi) of the one at
    image[at[j] + column + (1 - dy) * row + (1 - dx) * pixel], places in floats of the whole arrays.
    """
    index = types.intp
    signature = types.void(out, index, index, image, index, at, *[index] * 4)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        result, values, places = data_of_arguments(context, builder, sig, args, (0, 3, 5))
        (to, apart), (lo, hi, row, pixel), code = args[1:3], args[6:], Code(builder)
        taps = range(SIDE * SIDE)
        targets = [code.at(to, (apart, apart.type(tap))) for tap in taps]
        steps = [(row.type(1 - tap // SIDE), pixel.type(1 - tap % SIDE)) for tap in taps]
        offsets = [code.at(args[4], (row, down), (pixel, right)) for down, right in steps]
        starts = [builder.gep(values, [offset]) for offset in offsets]
        sums = [cgutils.alloca_once_value(builder, code.load(result, target)) for target in targets]
        with cgutils.for_range_slice(builder, lo, hi, lo.type(1), lo.type) as (j, _):
            place = builder.sext(builder.load(builder.gep(places, [j])), lo.type)
            for total, start in zip(sums, starts, strict=True):
                builder.store(code.add(builder.load(total), code.load(start, place)), total)
        for total, target in zip(sums, targets, strict=True):
            code.store(builder.load(total), result, target)
        return context.get_dummy_value()

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
add_taps: Callable[..., None] = intrinsic(_add_taps)
