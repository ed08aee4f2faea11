"""Fused CPU kernel: the whole spiking MLP in inference, a few pixels at a time."""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.aligned import aligned
from spikinghash.kernels.infer.blockwise import add, copy, fire, mix_channels
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.code import LANES

#: Pixels in a block.
_PIXELS = 16


@kernel
def mlp(x, out, w1, w2, bias1, bias2, scale1, scale2, neurons, residual):  # type: ignore[no-untyped-def]
    """Real-valued x[T, P, C] -> out likewise, plus x where `residual`. One thread.

    w1[C + 1, hidden padded] and w2[hidden + 1, C padded] with a last row of zeros, biases [hidden], [C]; scale1[2,
    hidden], scale2[2, C]: scale and shift of the norms; neurons[2, 2]: tau and v_th of both.
    """
    T, C, hidden = x.shape[0], bias2.size, bias1.size
    # whole blocks: slices of these would not be contiguous; pixels beyond the end stay silent
    u, h = np.zeros((T, _PIXELS * C), np.float32), np.empty((T, _PIXELS * hidden), np.float32)
    v, w = np.empty(_PIXELS * C, np.float32), np.empty(_PIXELS * hidden, np.float32)
    at = np.empty(max(C, hidden) + LANES, np.int32)
    total1, total2 = aligned(w1.shape[1]), aligned(w2.shape[1])
    for first in range(0, x.shape[1], _PIXELS):
        last = min(first + _PIXELS, x.shape[1])
        n = (last - first) * C
        for t in range(T):
            copy(x[t, first:last].reshape(n), u[t])
        fire(u, v, neurons[0, 0], neurons[0, 1])
        mix_channels(u, w1, bias1, scale1, h, at, total1)
        fire(h, w, neurons[1, 0], neurons[1, 1])
        mix_channels(h, w2, bias2, scale2, u, at, total2)
        for t in range(T):
            here, to = u[t, :n], out[t, first:last].reshape(n)
            if residual:
                add(x[t, first:last].reshape(n), here, to)
            else:
                copy(here, to)
