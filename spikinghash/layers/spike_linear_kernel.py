"""Matrix products of rare spikes on CPU: the weight rows of the inputs that fired are added, nothing is multiplied."""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.layers.spike_conv_kernel import add_rows, append_active
from spikinghash.layers.vector_rows import LANES

_ZERO = np.float32(0.0)
#: Rows whose spikes are sorted by input together in `weight_gradient`.
_ROWS = 128


@njit(cache=True, nogil=True)
def product(x, w, out):  # type: ignore[no-untyped-def]
    """out[N, K] = x[N, D] @ w[D, K] with w[D + 1, P]: K padded to P, whole vectors, and a last row of zeros."""
    D, K = x.shape[1], out.shape[1]
    at, total = np.empty(D + LANES, np.int32), np.empty(w.shape[1], np.float32)
    for r in range(x.shape[0]):
        n, to = append_active(x[r], 0, D, at, 0, 0), out[r]
        if n == 0:
            to[:] = _ZERO
            continue
        total[:] = _ZERO
        add_rows(total, w, at, 0, n, 0, D)
        for o in range(K):
            to[o] = total[o]


@njit(cache=True, nogil=True)
def weight_gradient(x, grad, gw):  # type: ignore[no-untyped-def]
    """gw[D, K] += x[N, D]^T @ grad[N, K]; K is a multiple of the vector's length."""
    N, D = x.shape
    at, lists, counts = np.empty(D + LANES, np.int32), np.empty((D, _ROWS + 1), np.int32), np.empty(D, np.int64)
    for first in range(0, N, _ROWS):
        counts[:] = 0
        for r in range(first, min(first + _ROWS, N)):
            for j in range(append_active(x[r], 0, D, at, 0, 0)):
                d = at[j]
                lists[d, counts[d]] = r
                counts[d] += 1
        for d in range(D):
            if counts[d] > 0:
                even = counts[d] // 2 * 2
                add_rows(gw[d], grad, lists[d], 0, even, 0, 0)
                if even < counts[d]:
                    last = grad[lists[d, even]]
                    for o in range(last.size):
                        gw[d, o] += last[o]
