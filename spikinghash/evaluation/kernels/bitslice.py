"""Planes as LLVM vectors: one bit of 512 numbers, eight 64-bit words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llvmlite import ir

#: 64-bit words of a plane, and the rows it covers.
PLANE = 8
PLANE_ROWS = 64 * PLANE

#: Planes of a sum of 64 bits, which is at most 64: what the distances of codes of any width have.
SUM_PLANES = 7

_I64 = ir.IntType(64)
VECTOR = ir.VectorType(_I64, PLANE)


def load(builder: Any, base: Any, at: Any) -> Any:
    """The plane at word `at` behind `base`."""
    return builder.load(builder.bitcast(builder.gep(base, [at]), VECTOR.as_pointer()), align=8)


def store(builder: Any, bits: Any, base: Any, at: Any) -> None:
    """Put a plane at word `at` behind `base`."""
    builder.store(bits, builder.bitcast(builder.gep(base, [at]), VECTOR.as_pointer()), align=8)


def shuffle(builder: Any, left: Any, right: Any, lanes: Iterable[int]) -> Any:
    """Lanes picked from two vectors, numbered through."""
    return builder.shuffle_vector(left, right, ir.Constant(ir.VectorType(ir.IntType(32), PLANE), list(lanes)))


def number(value: int) -> Any:
    """A constant of 64 bits."""
    return ir.Constant(_I64, value)


def times(builder: Any, value: Any, factor: int) -> Any:
    """A number of 64 bits times a constant."""
    return builder.mul(value, number(factor))
