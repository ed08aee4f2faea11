"""Fused CPU kernel: the whole high-band mixer in inference, a few pixels at a time.

Five neurons, two token products and two channel products run on values that stay in cache. Spikes there are rare, so
the channel products add the weight rows of the channels that fired. Every step is rounded as in `wavemixer.py`.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.aligned import aligned
from spikinghash.kernels.infer.blockwise import affine_steps, copy, fire, mix_channels
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.code import LANES

#: Pixels in a block.
_PIXELS = 16


@kernel
def _layers(u, v, spread, a, b, weights, bias, norms, at, total, neurons):  # type: ignore[no-untyped-def]
    """The spikes u[T, N] of the entry neuron through two token and two channel layers, in place."""
    for k in range(2):
        for t in range(u.shape[0]):
            ut, wt = u[t], spread[k, t]
            for i in range(ut.size):
                ut[i] *= wt[i]
        affine_steps(u, a[k], b[k])
        fire(u, v, neurons[1 + k, 0], neurons[1 + k, 1])
    for k in range(2):
        mix_channels(u, weights[k], bias[k], norms[k], u, at, total)
        fire(u, v, neurons[3 + k, 0], neurons[3 + k, 1])


@kernel
def _any(u):  # type: ignore[no-untyped-def]
    """Whether there may be a spike in u[T, N]."""
    if u.size % 2:
        return True
    pairs, found = u.reshape(-1).view(np.int64), np.int64(0)
    for i in range(pairs.size):
        found |= pairs[i]
    return found != 0


@kernel
def _mix_block(  # type: ignore[no-untyped-def]
    x, out, s, first, last, token, weights, bias, scale, shift, neurons
):
    T, _, B, _, C = x.shape
    n = (last - first) * C
    u, v = np.empty((T, n), np.float32), np.empty(n, np.float32)
    spread = np.empty((2, T, n), np.float32)
    a, b, norms = np.empty((2, n), np.float32), np.empty((2, n), np.float32), np.empty((2, 2, C), np.float32)
    at, total = np.empty(C + LANES, np.int32), aligned(weights.shape[2])
    for k in range(2):
        norms[k, 0], norms[k, 1] = scale[2 + k], shift[2 + k]
    for i in range(n):
        for k in range(2):
            a[k, i], b[k, i] = scale[k, i % C], shift[k, i % C]
            for t in range(T):
                spread[k, t, i] = token[k, s, t % token.shape[2], first + i // C]
    # most blocks are silent, and silence gives the same at all places
    quiet = np.zeros((T, n), np.float32)
    _layers(quiet, v, spread, a, b, weights, bias, norms, at, total, neurons)
    for sample in range(B):
        for t in range(T):
            copy(x[t, s, sample, first:last].reshape(n), u[t])
        fire(u, v, neurons[0, 0], neurons[0, 1])
        result = quiet
        if _any(u):
            result = u
            _layers(u, v, spread, a, b, weights, bias, norms, at, total, neurons)
        for t in range(T):
            copy(result[t], out[t, s, sample, first:last].reshape(n))


@kernel
def mix_high(x, out, token, weights, bias, scale, shift, neurons):  # type: ignore[no-untyped-def]
    """Coefficients x[T, S, B, P, C] -> spikes out, P pixels. One thread.

    token[2, S, T or 1, P], weights[2, C + 1, C padded] with a last row of zeros, bias[2, C], scale and shift
    of the four norms [4, C], tau and v_th of the five neurons [5, 2].
    """
    for s in range(x.shape[1]):
        for first in range(0, x.shape[3], _PIXELS):
            last = min(first + _PIXELS, x.shape[3])
            _mix_block(x, out, s, first, last, token, weights, bias, scale, shift, neurons)
