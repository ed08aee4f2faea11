"""Max pooling 3 x 3, stride 2, padding 1, of channel-last images on CPU."""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.layers.aligned_kernel import aligned
from spikinghash.layers.vector_rows import LANES
from spikinghash.layers.vector_step import keep_larger

_INF = np.float32(np.inf)


@njit(cache=True, nogil=True)
def largest(x, H, W, pad, out):  # type: ignore[no-untyped-def]
    """Max pool out[H', W', K] of one image x[H + 2 pad, W + 2 pad, K], flat, without its border; K whole vectors."""
    K = out.shape[2]
    wide, tall = W + 2 * pad, aligned(W * K)
    for y in range(out.shape[0]):
        row = out[y].reshape(-1)
        tall[:] = -_INF
        for dy in range(max(0, 2 * y - 1), min(H, 2 * y + 2)):
            for at in range(0, W * K, LANES):
                keep_larger(tall, at, x, ((dy + pad) * wide + pad) * K + at)
        row[:] = -_INF
        # one neighbour at a time for all columns: a maximum would otherwise wait for the one before
        for dx in range(-1, 2):
            for c in range(1 if dx < 0 else 0, min(out.shape[1], (W - dx + 1) // 2)):
                for lo in range(0, K, LANES):
                    keep_larger(row, c * K + lo, tall, (2 * c + dx) * K + lo)


@njit(cache=True, nogil=True)
def max_pool(x, out, tap):  # type: ignore[no-untyped-def]
    """x[N, H, W, C] -> out[N, H', W', C] and, where `tap` is not empty, which of the nine inputs won, the first."""
    N, H, W, C = x.shape
    keep = tap.size > 0
    for n in range(N):
        if not keep and C % LANES == 0:
            largest(x[n].reshape(-1), H, W, 0, out[n])
            continue
        for y in range(out.shape[1]):
            for c in range(out.shape[2]):
                best = out[n, y, c]
                best[:] = -_INF
                for dy in range(max(0, 1 - 2 * y), min(3, H + 1 - 2 * y)):
                    for dx in range(max(0, 1 - 2 * c), min(3, W + 1 - 2 * c)):
                        here = x[n, 2 * y + dy - 1, 2 * c + dx - 1]
                        if keep:
                            won = tap[n, y, c]
                            number = np.uint8(3 * dy + dx)
                            for i in range(C):
                                won[i] = number if here[i] > best[i] else won[i]
                        for i in range(C):
                            best[i] = here[i] if here[i] > best[i] else best[i]


@njit(cache=True, nogil=True)
def max_pool_backward(grad, tap, out):  # type: ignore[no-untyped-def]
    """Gradient out[N, H, W, C] of `max_pool`'s input; grad, tap [N, H', W', C]."""
    N, H, W, C = out.shape
    for n in range(N):
        out[n] = np.float32(0.0)
        for y in range(grad.shape[1]):
            for c in range(grad.shape[2]):
                g, won = grad[n, y, c], tap[n, y, c]
                for dy in range(max(0, 1 - 2 * y), min(3, H + 1 - 2 * y)):
                    for dx in range(max(0, 1 - 2 * c), min(3, W + 1 - 2 * c)):
                        number = np.uint8(3 * dy + dx)
                        to = out[n, 2 * y + dy - 1, 2 * c + dx - 1]
                        for i in range(C):
                            to[i] += g[i] if won[i] == number else np.float32(0.0)
