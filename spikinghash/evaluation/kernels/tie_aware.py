"""Sums of precision over tie groups, in doubled float64.

m - (N + 1) D is a small difference of large numbers, so harmonic numbers and that difference are kept as unevaluated
sums of two float64 (about 106 bits): as exact as long double or better, much faster, and the same on every processor.
Error-free sum and product: Dekker, "A floating-point technique for extending the available precision" (1971). All
that is added after the difference is positive, where plain float64 loses nothing.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from spikinghash.kernels.jit import kernel


@kernel
def _sum(a: float, b: float) -> tuple[float, float]:
    """a + b as (rounded, error), exactly."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@kernel
def _product(a: float, b: float) -> tuple[float, float]:
    """a * b as (rounded, error), exactly; Veltkamp's splitting, so no fused multiply-add is needed."""
    total = a * b
    a_high, b_high = 134217729.0 * a, 134217729.0 * b
    a_high, b_high = a_high - (a_high - a), b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    return total, ((a_high * b_high - total) + a_high * b_low + a_low * b_high) + a_low * b_low


@kernel
def harmonic_numbers(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """H(0)..H(count) as high and low parts, float64 [count + 1] each."""
    high, low = np.zeros(count + 1), np.zeros(count + 1)
    for n in range(1, count + 1):
        inverse = 1.0 / n
        product, error = _product(inverse, np.float64(n))
        total, rest = _sum(high[n - 1], inverse)
        high[n], low[n] = _sum(total, rest + (low[n - 1] + ((1.0 - product) - error) / n))
    return high, low


@kernel
def _inverses(high: NDArray[np.float64], low: NDArray[np.float64], start: int, count: int) -> tuple[float, float]:
    """D = 1 / (start + 1) + ... + 1 / (start + count) as (high, low)."""
    total, rest = _sum(high[start + count], -high[start])
    return _sum(total, rest + (low[start + count] - low[start]))


@kernel
def _less(whole: int, factor: int, high: float, low: float) -> float:
    """whole - factor * (high + low), rounded once."""
    product, error = _product(np.float64(factor), high)
    total, rest = _sum(np.float64(whole), -product)
    return total + (rest - error - factor * low)


@kernel
def _run(high: NDArray[np.float64], low: NDArray[np.float64], before: int, hits: int, most: int, cut: int) -> float:
    """Precision summed over `most` relevant items in a row after `before` others, `hits` of them relevant."""
    taken = min(max(cut - before, 0), most)
    inverse, rest = _inverses(high, low, before, taken)
    return _less(taken, before - hits, inverse, rest)


@kernel(parallel=True)
def precision_sums(
    items: NDArray[np.int64],
    relevant: NDArray[np.int64],
    cut: int,
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """sums float64 [3, Q]: expected, worst and best sum of the precisions at relevant items up to rank `cut`.

    `items` and `relevant` int64 [Q, K + 1] by distance; `high` and `low` are `harmonic_numbers` up to the largest rank.
    """
    for q in prange(items.shape[0]):
        before = hits = 0
        expected = worst = best = 0.0
        for level in range(items.shape[1]):
            n, r = items[q, level], relevant[q, level]
            if r and before < cut:
                taken = min(cut - before, n)
                inverse, rest = _inverses(high, low, before, taken)
                others = (r - 1) / max(1, n - 1)
                expected += r / n * ((hits + 1) * inverse + others * _less(taken, before + 1, inverse, rest))
                worst += _run(high, low, before + n - r, hits, r, cut)
                best += _run(high, low, before, hits, r, cut)
            before += n
            hits += r
        sums[0, q], sums[1, q], sums[2, q] = expected, worst, best
