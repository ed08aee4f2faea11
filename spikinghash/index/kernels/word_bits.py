"""Bits of a 64-bit word, in instructions that numba has no words for."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from spikinghash.kernels.simd.llvm_values import data_of, intrinsic


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
    """The uint64 in bytes at..at+7 of uint8 `codes`, C-contiguous and of any alignment; nothing checks bounds."""

    def generate(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.gep(data_of(target, builder, signature.args[0], args[0]), [args[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(codes, types.intp), generate
