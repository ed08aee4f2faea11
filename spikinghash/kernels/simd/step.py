"""One vector of a flat array combined with one of another: steps too short for the compiler to vectorise.

It would first have to prove, each time, that the two do not overlap.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from spikinghash.kernels.simd.code import Code, Integers
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic


@vector_intrinsic
def add_scaled(code: Code, target: Any, at: Any, source: Any, start: Any, value: Any) -> None:
    """target[at : at + LANES] += value * source[start : start + LANES], each operation rounded."""
    scaled = code.mul(code.spread(value), code.load(source, start))
    code.store(code.add(code.load(target, at), scaled), target, at)


@vector_intrinsic
def keep_larger(code: Code, target: Any, at: Any, source: Any, start: Any) -> None:
    """target[at : at + LANES] becomes the larger of itself and source[start : start + LANES]."""
    other, kept = code.load(source, start), code.load(target, at)
    code.store(code.choose(code.builder.fcmp_ordered(">", other, kept), other, kept), target, at)


@vector_intrinsic
def keep_winner(
    code: Code, x: Any, start: Any, form: Any, C: Any, c: Any, best: Any, won: Any, at: Any, number: Any
) -> None:
    """Where x[start + i] * form[c + i] + form[C + c + i] is larger than best[at + i], it goes there and `number` into
    the bytes won[at + i], i below `LANES`.
    """
    found = code.add(code.mul(code.load(x, start), code.load(form, c)), code.load(form, code.at(C, c)))
    kept, numbers = code.load(best, at), Integers(code.builder, 8)
    larger = code.builder.fcmp_ordered(">", found, kept)
    code.store(code.choose(larger, found, kept), best, at)
    here = numbers.spread(code.builder.trunc(number, ir.IntType(8)))
    numbers.store(code.choose(larger, here, numbers.load(won, at)), won, at)


@vector_intrinsic
def copy_vectors(code: Code, source: Any, start: Any, target: Any, at: Any, n: Any) -> None:
    """source[start : start + n] into target[at : at + n], n whole vectors."""
    with code.vectors(n) as i:
        code.store(code.load(source, code.at(start, i)), target, code.at(at, i))


@vector_intrinsic
def scale_vectors(code: Code, source: Any, bias: Any, scale: Any, shift: Any, target: Any, n: Any) -> None:
    """(Source[n] + bias[n]) * scale[n] + shift[n], each operation rounded, into target[n], n whole vectors."""
    with code.vectors(n) as i:
        scaled = code.mul(code.add(code.load(source, i), code.load(bias, i)), code.load(scale, i))
        code.store(code.add(scaled, code.load(shift, i)), target, i)
