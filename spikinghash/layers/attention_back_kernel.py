"""Fused CPU kernels: the products of spiking self-attention in training, forward and backward, one image at a time.

q, k and v are neighbours in spikes[N, P, 3 C] and binary, so a product with one of them is a sum of selected rows. A
matrix [C + 1, C] between channels is zero where they belong to different heads, and in its last row.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.layers.aligned_kernel import aligned
from spikinghash.layers.product_kernel import product, rows_unit
from spikinghash.layers.rows_kernel import sum_rows
from spikinghash.layers.vector_rows import LANES, list_spikes

_ZERO = np.float32(0.0)


@njit(cache=True, nogil=True)
def _between(spikes, n, first, rows, base, step, width, out, lists, counts, at):  # type: ignore[no-untyped-def]
    """out[C + 1, C] = s^T r by head: s[P, C] the channels from `first` on of spikes[n], r[P, C] rows that begin at
    rows[base] and are `step` apart.
    """
    _, P, wide = spikes.shape
    C = wide // 3
    counts[:] = 0
    for p in range(P):
        start = (n * P + p) * wide + first
        for j in range(list_spikes(spikes, start, start + C, at, 0, 0, 1)):
            channel = np.uint32(at[j])
            lists[channel, counts[channel]] = p * step
            counts[channel] += 1
    for c in range(C):
        # only the vectors in which the head lies
        head = c // width * width
        low, high = head // LANES * LANES, head + width + -(head + width) % LANES
        even, lo, row = counts[c] // 2 * 2, c * lists.shape[1], out[c]
        sum_rows(out, c * C + low, high - low, rows, lists, lo, lo + even, base + low, 0)
        if even < counts[c]:
            last = base + lists[c, even]
            for i in range(head, head + width):
                row[i] += rows[last + i]
        for i in range(low, head):
            row[i] = _ZERO
        for i in range(head + width, high):
            row[i] = _ZERO


@njit(cache=True, nogil=True)
def _selected(spikes, n, first, matrix, out, place, step, at):  # type: ignore[no-untyped-def]
    """s[P, C] @ matrix[C + 1, C], s the channels from `first` on of spikes[n], into rows `step` apart from out[place]
    on.
    """
    _, P, wide = spikes.shape
    C = wide // 3
    for p in range(P):
        start = (n * P + p) * wide + first
        active = list_spikes(spikes, start, start + C, at, 0, 0, C)
        sum_rows(out, place + p * step, C, matrix, at, 0, active, 0, C * C)


@njit(cache=True, nogil=True)
def _turn(matrix, width, out):  # type: ignore[no-untyped-def]
    """The transposed heads of matrix[C + 1, C]; the rest of `out` is zero already."""
    C = matrix.shape[1]
    for head in range(0, C, width):
        for i in range(head, head + width):
            for j in range(head, head + width):
                out[j, i] = matrix[i, j]


@njit(cache=True, nogil=True)
def attended(spikes, width, scale, out):  # type: ignore[no-untyped-def]
    """out[N, P, C] = q (k^T v) * scale per head of `width` channels (eq. 14). C whole vectors. One thread."""
    N, P, wide = spikes.shape
    C = wide // 3
    kv, flat, to = np.zeros((C + 1, C), np.float32), spikes.reshape(-1), out.reshape(-1)
    lists, counts, at = np.empty((C, P + 1), np.int32), np.empty(C, np.int64), np.empty(C + LANES, np.int32)
    for n in range(N):
        _between(spikes, n, C, flat, n * P * wide + 2 * C, wide, width, kv, lists, counts, at)
        _selected(spikes, n, 0, kv, out, n * P * C, C, at)
    for i in range(to.size):
        to[i] *= scale


@njit(cache=True, nogil=True)
def attended_back(spikes, width, scale, g, out):  # type: ignore[no-untyped-def]
    """Gradient out[N, P, 3 C] of q, k and v from that of the result, g[N, P, C]."""
    N, P, wide = spikes.shape
    C = wide // 3
    rows = P + -P % rows_unit(C)
    # row C of each is the zero one
    kv, vk = np.zeros((C + 1, C), np.float32), np.zeros((C + 1, C), np.float32)
    inner, turned = np.zeros((C + 1, C), np.float32), np.zeros((C + 1, C), np.float32)
    given, by_q = aligned(rows * C).reshape(rows, C), aligned(rows * C).reshape(rows, C)
    given[:] = _ZERO
    lists, counts, at = np.empty((C, P + 1), np.int32), np.empty(C, np.int64), np.empty(C + LANES, np.int32)
    flat, scaled = spikes.reshape(-1), given.reshape(-1)
    for n in range(N):
        start = n * P * wide
        for p in range(P):
            here, source = given[p], g[n, p]
            for i in range(C):
                here[i] = source[i] * scale
        _between(spikes, n, C, flat, start + 2 * C, wide, width, kv, lists, counts, at)
        _between(spikes, n, 0, scaled, 0, C, width, inner, lists, counts, at)
        _turn(kv, width, vk)
        _turn(inner, width, turned)
        product(given, vk[:C], by_q, rows)
        for p in range(P):
            to, source = out[n, p], by_q[p]
            for i in range(C):
                to[i] = source[i]
        _selected(spikes, n, 2 * C, turned, out, start + C, wide, at)
        _selected(spikes, n, C, inner, out, start + 2 * C, wide, at)
