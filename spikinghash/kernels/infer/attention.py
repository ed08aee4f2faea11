"""Fused CPU kernel: the whole spiking self-attention in inference, one clip at a time.

All factors are spikes, so k^T v is a sum of the rows of v at which a channel of k fired, and q (k^T v) a sum of rows of
that: both exact integers.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.aligned import aligned
from spikinghash.kernels.gather_sum import add_rows
from spikinghash.kernels.infer.blockwise import copy, fire, mix_channels
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.spike_conv import append_active

_ZERO = np.float32(0.0)


@kernel
def _pairs(k, v, width, lists, counts, at, kv):  # type: ignore[no-untyped-def]
    """kv[C, C] = k^T v of spikes k, v[P, C], zero between channels of different heads of `width` channels."""
    P, C = k.shape
    counts[:] = 0
    for p in range(P):
        for j in range(append_active(k[p], 0, C, at, 0, 0, 1)):
            channel = at[j]
            lists[channel, counts[channel]] = p * C
            counts[channel] += 1
    for channel in range(C):
        row, first = kv[channel], channel // width * width
        even, lo = counts[channel] // 2 * 2, channel * lists.shape[1]
        row[:] = _ZERO
        add_rows(kv, channel * C, C, v, lists, lo, lo + even, 0, 0)
        if even < counts[channel]:
            last = v[lists[channel, even] // C]
            for i in range(C):
                row[i] += last[i]
        row[:first] = _ZERO
        row[first + width :] = _ZERO


@kernel
def attend(x, out, w, bias, norms, width, share, neurons):  # type: ignore[no-untyped-def]
    """Real-valued x[T, B, P, C] -> out likewise, C whole vectors. One thread.

    w[4, C + 1, C] with a last row of zeros, bias[4, C], norms[4, 2, C] (scale and shift) of q, k, v and the projection;
    `share` scales the products; neurons[5, 2] are tau and v_th of those before, of q, k, v, and behind the products.
    """
    T, _, P, C = x.shape
    u, potential = aligned(T * P * C).reshape(T, P * C), np.empty(P * C, np.float32)
    qkv = aligned(3 * T * P * C).reshape(3, T, P * C)
    kv, total = aligned((C + 1) * C).reshape(C + 1, C), aligned(C)
    kv[C] = _ZERO
    lists, counts, at = np.empty((C, P + 1), np.int32), np.empty(C, np.int64), np.empty(C + LANES, np.int32)
    none, shared = np.zeros(C, np.float32), np.zeros((2, C), np.float32)
    shared[0] = share
    for n in range(x.shape[1]):
        for t in range(T):
            copy(x[t, n].reshape(-1), u[t])
        fire(u, potential, neurons[0, 0], neurons[0, 1])
        for i in range(3):
            mix_channels(u, w[i], bias[i], norms[i], qkv[i], at, total)
            fire(qkv[i], potential, neurons[1 + i, 0], neurons[1 + i, 1])
        for t in range(T):
            _pairs(qkv[1, t].reshape(P, C), qkv[2, t].reshape(P, C), width, lists, counts, at, kv)
            mix_channels(qkv[0, t : t + 1], kv, none, shared, u[t : t + 1], at, total)
        fire(u, potential, neurons[4, 0], neurons[4, 1])
        mix_channels(u, w[3], bias[3], norms[3], qkv[0], at, total)
        for t in range(T):
            copy(qkv[0, t], out[t, n].reshape(-1))
