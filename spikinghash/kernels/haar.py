"""Fused CPU kernels: one level of the Haar transform with the neurons between its axes, both directions.

Eight neighbours of 16 channels go through all three axes and both neurons in registers, where separate passes go
through memory five times. The gradient computes again what the forward pass did not keep. Every sum has two terms and
every operation is rounded on its own, as in `haar.py`, so both give the same bits.

Arrays: x[T, B, H, W * C]; low[T/2, B, H/2, W/2 * C]; high[T/2, 7, B, H/2, W/2 * C], bands in the order of `haar.BANDS`,
C whole vectors.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.jit import kernel
from spikinghash.kernels.lif import SIGMOID
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.haar import (
    PLACES,
    join_back_atan,
    join_back_sigmoid,
    join_rows,
    split_back_atan,
    split_back_sigmoid,
    split_rows,
)

_PLACES = len(PLACES)


@kernel
def _places(x, low, C, unit, to):  # type: ignore[no-untyped-def]
    """Where row pair `unit` = b * H/2 + i lies, as in `simd/haar.PLACES`."""
    T2, B, H2, W2C = low.shape
    b, i = unit // H2, unit % H2
    row = x.shape[3]
    to[0] = (b * x.shape[2] + 2 * i) * row
    to[1] = to[2] = unit * W2C
    to[3], to[4], to[5], to[6] = B * x.shape[2] * row, row, B * H2 * W2C, B * H2 * W2C
    to[7], to[8], to[9] = C, W2C // C, T2


@kernel
def dwt(x, low, high, C, tau, v_th):  # type: ignore[no-untyped-def]
    """Split x into low and high."""
    at, arrays = np.empty(_PLACES, np.int64), (x.reshape(-1), low.reshape(-1), high.reshape(-1))
    for unit in range(low.shape[1] * low.shape[2]):
        _places(x, low, C, unit, at)
        split_rows(arrays[0], arrays[1], arrays[2], at, tau, v_th)


@kernel
def idwt(low, high, x, C, tau, v_th):  # type: ignore[no-untyped-def]
    """Join low and high into x."""
    at, arrays = np.empty(_PLACES, np.int64), (x.reshape(-1), low.reshape(-1), high.reshape(-1))
    for unit in range(low.shape[1] * low.shape[2]):
        _places(x, low, C, unit, at)
        join_rows(arrays[0], arrays[1], arrays[2], at, tau, v_th)


@kernel
def dwt_backward(x, glow, ghigh, gx, C, tau, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """Gradient gx of `dwt`'s input."""
    at, h = np.empty(_PLACES, np.int64), np.empty(glow.shape[0] * 16 * LANES, np.float32)
    g, low, high, samples = gx.reshape(-1), glow.reshape(-1), ghigh.reshape(-1), x.reshape(-1)
    for unit in range(glow.shape[1] * glow.shape[2]):
        _places(gx, glow, C, unit, at)
        if surrogate == SIGMOID:
            split_back_sigmoid(samples, low, high, g, low, high, at, h, tau, v_th, alpha)
        else:
            split_back_atan(samples, low, high, g, low, high, at, h, tau, v_th, alpha)


@kernel
def idwt_backward(low, high, gx, glow, ghigh, C, tau, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """Gradients glow, ghigh of `idwt`'s inputs."""
    at, h = np.empty(_PLACES, np.int64), np.empty(low.shape[0] * 16 * LANES, np.float32)
    g, low_, high_ = gx.reshape(-1), low.reshape(-1), high.reshape(-1)
    to_low, to_high = glow.reshape(-1), ghigh.reshape(-1)
    for unit in range(low.shape[1] * low.shape[2]):
        _places(gx, low, C, unit, at)
        if surrogate == SIGMOID:
            join_back_sigmoid(g, low_, high_, g, to_low, to_high, at, h, tau, v_th, alpha)
        else:
            join_back_atan(g, low_, high_, g, to_low, to_high, at, h, tau, v_th, alpha)
