"""Max pooling 3 x 3, stride 2, padding 1, of channel-last images on CPU."""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.aligned import aligned
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.lif import whole_affine
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.step import keep_larger, keep_winner

_INF = np.float32(np.inf)


@kernel
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


@kernel
def max_pool(x, form, out, tap):  # type: ignore[no-untyped-def]
    """x[N, H, W, C] * form[0] + form[1] -> out[N, H', W', C] and which of the nine inputs won, the first; form[3, C] or
    [3, 0] for x itself.
    """
    N, H, W, C = x.shape
    affine, whole = whole_affine(form, C).reshape(-1), C - C % LANES
    out[:] = -_INF
    # the centre lies inside always; where nothing is larger than -inf, as in NaN, it stays
    tap[:] = 4
    for n in range(N):
        source, best, won = x[n].reshape(-1), out[n].reshape(-1), tap[n].reshape(-1)
        for y in range(out.shape[1]):
            for k in range(9):
                dy, dx = k // 3 - 1, k % 3 - 1
                if not 0 <= 2 * y + dy < H:
                    continue
                # one neighbour at a time for all columns: a maximum would otherwise wait for the one before
                for c in range(1 if dx < 0 else 0, min(out.shape[2], (W - dx + 1) // 2)):
                    at, to = ((2 * y + dy) * W + 2 * c + dx) * C, (y * out.shape[2] + c) * C
                    for lo in range(0, whole, LANES):
                        keep_winner(source, at + lo, affine, C, lo, best, won, to + lo, k)
                    for i in range(whole, C):
                        here = source[at + i] * affine[i] + affine[C + i]
                        if here > best[to + i]:
                            best[to + i], won[to + i] = here, k


@kernel(error_model="numpy")
def max_pool_backward(g, x, tap, form, gx):  # type: ignore[no-untyped-def]
    """Gradient gx[N, H, W, C] of `max_pool`'s x; g, tap [N, H', W', C]. Also the sums [2, C] of g and, where there is a
    form, of g * (the x that won - form[2]).
    """
    N, _, W, C = gx.shape
    scaled = form.shape[1] > 0
    scale = form[0] if scaled else np.ones(C, np.float32)
    sums, part, places = np.zeros((2, C), np.float64), np.zeros((2, C), np.float32), np.empty(9, np.int64)
    for k in range(9):
        places[k] = ((k // 3 - 1) * W + k % 3 - 1) * C
    for n in range(N):
        gx[n] = np.float32(0.0)
        to, source = gx[n].reshape(-1), x[n].reshape(-1)
        for y in range(g.shape[1]):
            for c in range(g.shape[2]):
                given, won, centre = g[n, y, c], tap[n, y, c], (2 * y * W + 2 * c) * C
                for i in range(C):
                    place = np.uint64(centre + places[won[i]] + i)
                    to[place] += given[i] * scale[i]
                    part[0, i] += given[i]
                    if scaled:
                        part[1, i] += given[i] * (source[place] - form[2, i])
            for k in range(2):
                for i in range(C):
                    sums[k, i] += part[k, i]
                    part[k, i] = np.float32(0.0)
    return sums


@kernel
def max_pool_values(x, out):  # type: ignore[no-untyped-def]
    """`max_pool` of x itself, in inference: nobody asks which input won."""
    N, H, W, C = x.shape
    form, tap = np.empty((3, 0), np.float32), np.empty((1, *out.shape[1:]), np.uint8)
    for n in range(N):
        if C % LANES == 0:
            largest(x[n].reshape(-1), H, W, 0, out[n])
        else:
            max_pool(x[n : n + 1], form, out[n : n + 1], tap)
