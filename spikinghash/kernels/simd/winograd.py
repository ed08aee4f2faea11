"""The transforms of Winograd's F(2 x 2, 3 x 3) in vector registers (Lavin and Gray, 2016, section 4.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spikinghash.kernels.simd.code import Code, Integers
from spikinghash.kernels.simd.vector_intrinsic import vector_intrinsic

#: From three weights to four of their transform.
G = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]], np.float32)


def _into(code: Code, d: list[Any]) -> list[Any]:
    """B^T d of four values; of integers the first and the last twice, for a G of integers."""
    first, last = code.sub(d[0], d[2]), code.sub(d[1], d[3])
    if isinstance(code, Integers):
        first, last = code.add(first, first), code.add(last, last)
    return [first, code.add(d[1], d[2]), code.sub(d[2], d[1]), last]


def _out_of(code: Code, m: list[Any]) -> list[Any]:
    """A^T m of four values."""
    return [code.add(code.add(m[0], m[1]), m[2]), code.sub(code.sub(m[1], m[2]), m[3])]


def _both_ways(code: Code, step: Callable[[Code, list[Any]], list[Any]], square: list[list[Any]]) -> list[list[Any]]:
    """`step` down the columns, then along the rows of a 4 x 4 square."""
    columns = [step(code, [square[a][b] for a in range(4)]) for b in range(4)]
    return [step(code, [column[a] for column in columns]) for a in range(len(columns[0]))]


def _make(size: int, step: Callable[[Code, list[Any]], list[Any]]) -> Callable[..., None]:
    """An intrinsic from a 4 x 4 square to one of `size` x `size`."""

    def transform(
        code: Code, x: Any, at: Any, down: Any, right: Any, out: Any, to: Any, lower: Any, beside: Any, n: Any
    ) -> None:
        def place(start: Any, row: Any, column: Any, a: int, b: int, v: Any) -> Any:
            return code.at(start, (row, row.type(a)), (column, column.type(b)), v)

        with code.vectors(n) as v:
            square = [[code.load(x, place(at, down, right, a, b, v)) for b in range(4)] for a in range(4)]
            for a, row in enumerate(_both_ways(code, step, square)):
                for b, value in enumerate(row):
                    code.store(value, out, place(to, lower, beside, a, b, v))

    return vector_intrinsic(transform)


#: From n channels of the 4 x 4 pixels at x[at + a * down + b * right] to out[to + a * lower + b * beside]; n whole
#: vectors, places in floats of the whole arrays. `into_tile` gives 4 x 4 terms, `out_of_tile` 2 x 2 pixels.
into_tile, out_of_tile = _make(4, _into), _make(2, _out_of)
