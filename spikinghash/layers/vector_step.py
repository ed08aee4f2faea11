"""One vector of a flat float32 array combined with one of another: steps too short for the compiler to vectorise.

It would first have to prove, each time, that the two do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from spikinghash.layers.vector_rows import LANES, spread

_VECTOR = ir.VectorType(ir.FloatType(), LANES)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, start: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), _VECTOR.as_pointer())


def _add_scaled(typingctx: Any, target: Any, at: Any, source: Any, start: Any, value: Any) -> Any:
    """target[at : at + LANES] += value * source[start : start + LANES], each operation rounded."""
    signature = types.void(target, types.intp, source, types.intp, types.float32)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        to = _pointer(context, builder, sig.args[0], args[0], args[1])
        other = builder.load(_pointer(context, builder, sig.args[2], args[2], args[3]), align=4)
        scaled = builder.fmul(spread(builder, args[4]), other)
        builder.store(builder.fadd(builder.load(to, align=4), scaled), to, align=4)
        return context.get_dummy_value()

    return signature, codegen


def _keep_larger(typingctx: Any, target: Any, at: Any, source: Any, start: Any) -> Any:
    """target[at : at + LANES] becomes the larger of itself and source[start : start + LANES]."""
    signature = types.void(target, types.intp, source, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        to = _pointer(context, builder, sig.args[0], args[0], args[1])
        other = builder.load(_pointer(context, builder, sig.args[2], args[2], args[3]), align=4)
        kept = builder.load(to, align=4)
        builder.store(builder.select(builder.fcmp_ordered(">", other, kept), other, kept), to, align=4)
        return context.get_dummy_value()

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
add_scaled: Callable[..., None] = intrinsic(_add_scaled)
keep_larger: Callable[..., None] = intrinsic(_keep_larger)
