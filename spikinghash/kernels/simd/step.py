"""One vector of a flat float32 array combined with one of another: steps too short for the compiler to vectorise.

It would first have to prove, each time, that the two do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spikinghash.kernels.simd.code import Code
from spikinghash.kernels.simd.llvm_values import data_of
from spikinghash.kernels.simd.rows import LANES, spread

_VECTOR = ir.VectorType(ir.FloatType(), LANES)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, start: Any) -> Any:
    data = data_of(context, builder, kind, array)
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


def _each(builder: Any, array: Any, do: Callable[[Any], None]) -> None:
    """`do` at the start of each vector of a flat array."""
    size = builder.extract_value(array.shape, 0)
    with cgutils.for_range_slice(builder, size.type(0), size, size.type(LANES), size.type) as (place, _):
        do(place)


def _copy_vectors(typingctx: Any, source: Any, target: Any) -> Any:
    """Source[N] into target[N], N whole vectors."""
    signature = types.void(source, target)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        a, b = (context.make_array(t)(context, builder, x) for t, x in zip(sig.args, args, strict=True))
        code = Code(builder)
        _each(builder, a, lambda place: code.store(code.load(a.data, place), b.data, place))
        return context.get_dummy_value()

    return signature, codegen


def _scale_vectors(typingctx: Any, source: Any, bias: Any, scale: Any, shift: Any, target: Any) -> Any:
    """(Source[N] + bias[N]) * scale[N] + shift[N], each operation rounded, into target[N], N whole vectors."""
    signature = types.void(source, bias, scale, shift, target)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        x, first, a, b, to = (context.make_array(t)(context, builder, v) for t, v in zip(sig.args, args, strict=True))
        code = Code(builder)

        def one(place: Any) -> None:
            summed = code.add(code.load(x.data, place), code.load(first.data, place))
            scaled = code.mul(summed, code.load(a.data, place))
            code.store(code.add(scaled, code.load(b.data, place)), to.data, place)

        _each(builder, to, one)
        return context.get_dummy_value()

    return signature, codegen


# numba supplies the typing context, which a checker of calls cannot know
add_scaled: Callable[..., None] = intrinsic(_add_scaled)
keep_larger: Callable[..., None] = intrinsic(_keep_larger)
copy_vectors: Callable[..., None] = intrinsic(_copy_vectors)
scale_vectors: Callable[..., None] = intrinsic(_scale_vectors)
