"""Convolution of event counts, perhaps a max pool, and norm in one pass on CPU: only cells with events are multiplied.

The norm is monotone, each of its two operations too, so it may follow the pool and then has a quarter of the work;
channels in which it falls enter with the opposite sign.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.aligned import aligned
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.lif import tile
from spikinghash.kernels.pool import largest
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.step import add_scaled

_ZERO = np.float32(0.0)


@kernel
def _scatter(x, w, k, wide, K, sums):  # type: ignore[no-untyped-def]
    """sums[H + 2 pad, wide = W + 2 pad, K], flat, += the convolution of x[P, H, W] with w[P, k, k, K], flat."""
    P, H, W = x.shape
    for p in range(P):
        for y in range(H):
            row = x[p, y]
            for c in range(W):
                value = row[c]
                if value != _ZERO:
                    for dy in range(k):
                        start, tap = ((y + dy) * wide + c) * K, (p * k + dy) * k * K
                        for lo in range(0, k * K, LANES):
                            add_scaled(sums, start + lo, w, tap + lo, value)


@kernel
def conv_norm(x, w, k, bias, scale, shift, pooled, out):  # type: ignore[no-untyped-def]
    """x[N, P, H, W] -> out[N, H, W, K], or out[N, H', W', K] if `pooled`; K whole vectors. One thread.

    w[P * k * k * K] with the rows and columns of the kernel reversed, bias, scale and shift [K], no scale negative.
    """
    _, _, H, W = x.shape
    K, pad = out.shape[3], k // 2
    wide = W + 2 * pad
    start, sums = tile(bias, wide * K), aligned((H + 2 * pad) * wide * K)
    a, b = tile(scale, out.shape[2] * K), tile(shift, out.shape[2] * K)
    for n in range(x.shape[0]):
        for lo in range(0, sums.size, start.size):
            row = sums[lo : lo + start.size]
            for i in range(row.size):
                row[i] = start[i]
        _scatter(x[n], w, k, wide, K, sums)
        if pooled:
            largest(sums, H, W, pad, out[n])
        for y in range(out.shape[1]):
            row, lo = out[n, y].reshape(-1), ((y + pad) * wide + pad) * K
            source = row if pooled else sums[lo : lo + row.size]
            for i in range(row.size):
                row[i] = source[i] * a[i] + b[i]
