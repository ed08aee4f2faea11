"""Matrix products of rare spikes on CPU: the weight rows of the inputs that fired are added, nothing is multiplied."""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.layers.rows_kernel import add_rows, sum_rows
from spikinghash.layers.spike_conv_kernel import append_active
from spikinghash.layers.vector_rows import LANES

#: Rows whose spikes are sorted by input together in `weight_gradient`.
_ROWS = 128


@njit(cache=True, nogil=True)
def product(x, w, out):  # type: ignore[no-untyped-def]
    """out[N, K] = x[N, D] @ w[D, K] with w[D + 1, P]: K padded to P, whole vectors, and a last row of zeros."""
    (N, D), K, P = x.shape, out.shape[1], w.shape[1]
    at, total, flat = np.empty(D + LANES, np.int32), np.empty(P, np.float32), x.reshape(-1)
    for r in range(N):
        n = append_active(flat, r * D, (r + 1) * D, at, 0, 0, P)
        if K == P:
            sum_rows(out, r * K, K, w, at, 0, n, 0, D * P)
            continue
        sum_rows(total, 0, P, w, at, 0, n, 0, D * P)
        for o in range(K):
            out[r, o] = total[o]


@njit(cache=True, nogil=True)
def weight_gradient(x, grad, gw):  # type: ignore[no-untyped-def]
    """gw[D, K] += x[N, D]^T @ grad[N, K]; K is a multiple of the vector's length."""
    (N, D), K = x.shape, gw.shape[1]
    at, lists, counts = np.empty(D + LANES, np.int32), np.empty((D, _ROWS + 1), np.int32), np.empty(D, np.int64)
    flat = x.reshape(-1)
    for first in range(0, N, _ROWS):
        counts[:] = 0
        for r in range(first, min(first + _ROWS, N)):
            for j in range(append_active(flat, r * D, (r + 1) * D, at, 0, 0, 1)):
                channel = np.uint32(at[j])
                lists[channel, counts[channel]] = (r - first) * K
                counts[channel] += 1
        for d in range(D):
            if counts[d] > 0:
                even, lo = counts[d] // 2 * 2, d * lists.shape[1]
                add_rows(gw, d * K, K, grad, lists, lo, lo + even, first * K, 0)
                if even < counts[d]:
                    last = grad[first + lists[d, even] // K]
                    for o in range(K):
                        gw[d, o] += last[o]
