"""Fused CPU kernels: one level of the Haar transform with the neurons between its axes, both directions.

Work is done one row pair at a time: [T, 2, W, C] of the input stay in cache through all three axes and both neurons,
where separate passes go through memory five times. The gradient recomputes what the forward pass did not keep.
Every sum has two terms and every operation is rounded on its own, as in `haar.py`, so both give the same bits.

Arrays: x[T, B, H, W * C]; low[T/2, B, H/2, W/2 * C]; high[T/2, 7, B, H/2, W/2 * C], bands in the order of `haar.BANDS`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.layers.lif_kernel import backstep, slopes

_R = np.float32(1.0 / np.sqrt(2.0))
_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)


@njit(inline="always")
def _butterfly(a, b, low, high):  # type: ignore[no-untyped-def]
    """low, high = (a + b) / sqrt 2, (a - b) / sqrt 2; its own inverse."""
    for i in range(a.size):
        low[i] = (a[i] + b[i]) * _R
        high[i] = (a[i] - b[i]) * _R


@njit(inline="always")
def _band(low, high, k, t, b, i):  # type: ignore[no-untyped-def]
    """Row i of band k."""
    return low[t, b, i] if k == 0 else high[t, k - 1, b, i]


@njit(cache=True, nogil=True)
def _split_columns(row, low, high, C):  # type: ignore[no-untyped-def]
    for j in range(low.size // C):
        a, b = row[2 * j * C : (2 * j + 1) * C], row[(2 * j + 1) * C : (2 * j + 2) * C]
        _butterfly(a, b, low[j * C : (j + 1) * C], high[j * C : (j + 1) * C])


@njit(cache=True, nogil=True)
def _join_columns(low, high, row, C):  # type: ignore[no-untyped-def]
    for j in range(low.size // C):
        a, b = row[2 * j * C : (2 * j + 1) * C], row[(2 * j + 1) * C : (2 * j + 2) * C]
        _butterfly(low[j * C : (j + 1) * C], high[j * C : (j + 1) * C], a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def _fire(u, s, v, tau, v_th):  # type: ignore[no-untyped-def]
    """u[4, T, N] becomes H, s its spikes."""
    for k in range(4):
        v[:] = _ZERO
        for t in range(u.shape[1]):
            ut, st = u[k, t], s[k, t]
            for i in range(v.size):
                h = v[i] + (ut[i] - v[i]) / tau
                fired = h - v_th >= _ZERO
                ut[i] = h
                st[i] = _ONE if fired else _ZERO
                v[i] = _ZERO if fired else h


@njit(cache=True, nogil=True, error_model="numpy")
def _unfire(h, g, work, backwards, tau, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """g[4, T, N], the gradient of the spikes, becomes that of the neuron's input; h is its membrane."""
    v, slope, out = work[0], work[1], work[2]
    for k in range(4):
        v[:] = _ZERO
        for t in backwards:
            slopes(h[k, t], slope, v_th, alpha, surrogate)
            backstep(g[k, t], h[k, t], slope, v, out, tau, v_th)
            g[k, t] = out


@njit(cache=True, nogil=True)
def _steps_then_rows(x, b, i, u1, s1, u2, s2, v, tau, v_th):  # type: ignore[no-untyped-def]
    """Axis T of a row pair (u1: low, high of row 0, then of row 1), neuron, axis H (u2: t * 2 + h), neuron."""
    for t in range(u1.shape[1]):
        for r in range(2):
            _butterfly(x[2 * t, b, 2 * i + r], x[2 * t + 1, b, 2 * i + r], u1[2 * r, t], u1[2 * r + 1, t])
    _fire(u1, s1, v, tau, v_th)
    for t in range(u1.shape[1]):
        for k in range(2):
            _butterfly(s1[k, t], s1[2 + k, t], u2[2 * k, t], u2[2 * k + 1, t])
    _fire(u2, s2, v, tau, v_th)


@njit(cache=True, nogil=True)
def _columns_then_rows(low, high, b, i, C, u1, s1, u2, s2, v, tau, v_th):  # type: ignore[no-untyped-def]
    """Axis W (u1: t * 2 + h), neuron, axis H (u2: low, high in time of row 0, then of row 1), neuron."""
    for t in range(u1.shape[1]):
        for k in range(4):
            _join_columns(_band(low, high, 2 * k, t, b, i), _band(low, high, 2 * k + 1, t, b, i), u1[k, t], C)
    _fire(u1, s1, v, tau, v_th)
    for t in range(u1.shape[1]):
        for k in range(2):
            _butterfly(s1[2 * k, t], s1[2 * k + 1, t], u2[k, t], u2[2 + k, t])
    _fire(u2, s2, v, tau, v_th)


@njit(cache=True, nogil=True)
def dwt(x, low, high, C, tau, v_th):  # type: ignore[no-untyped-def]
    """Split x into low and high."""
    T2, B, H2, _ = low.shape
    work = np.empty((4, 4, T2, x.shape[3]), np.float32)
    v = np.empty(x.shape[3], np.float32)
    for unit in range(B * H2):
        b, i = unit // H2, unit % H2
        _steps_then_rows(x, b, i, work[0], work[1], work[2], work[3], v, tau, v_th)
        for t in range(T2):
            for k in range(4):
                pair = _band(low, high, 2 * k, t, b, i), _band(low, high, 2 * k + 1, t, b, i)
                _split_columns(work[3, k, t], pair[0], pair[1], C)


@njit(cache=True, nogil=True)
def dwt_backward(x, glow, ghigh, gx, C, tau, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """Gradient gx of `dwt`'s input."""
    T2, B, H2, _ = glow.shape
    work = np.empty((4, 4, T2, x.shape[3]), np.float32)
    u1, g1, u2, g2 = work[0], work[1], work[2], work[3]
    rows = np.empty((3, x.shape[3]), np.float32)
    backwards = np.arange(T2)[::-1].copy()
    for unit in range(B * H2):
        b, i = unit // H2, unit % H2
        _steps_then_rows(x, b, i, u1, g1, u2, g2, rows[0], tau, v_th)
        for t in range(T2):
            for k in range(4):
                _join_columns(_band(glow, ghigh, 2 * k, t, b, i), _band(glow, ghigh, 2 * k + 1, t, b, i), g2[k, t], C)
        _unfire(u2, g2, rows, backwards, tau, v_th, alpha, surrogate)
        for t in range(T2):
            for k in range(2):
                _butterfly(g2[2 * k, t], g2[2 * k + 1, t], g1[k, t], g1[2 + k, t])
        _unfire(u1, g1, rows, backwards, tau, v_th, alpha, surrogate)
        for t in range(T2):
            for r in range(2):
                _butterfly(g1[2 * r, t], g1[2 * r + 1, t], gx[2 * t, b, 2 * i + r], gx[2 * t + 1, b, 2 * i + r])


@njit(cache=True, nogil=True)
def idwt(low, high, x, C, tau, v_th):  # type: ignore[no-untyped-def]
    """Join low and high into x."""
    T2, B, H2, _ = low.shape
    work = np.empty((4, 4, T2, x.shape[3]), np.float32)
    v = np.empty(x.shape[3], np.float32)
    for unit in range(B * H2):
        b, i = unit // H2, unit % H2
        _columns_then_rows(low, high, b, i, C, work[0], work[1], work[2], work[3], v, tau, v_th)
        for t in range(T2):
            for r in range(2):
                to = x[2 * t, b, 2 * i + r], x[2 * t + 1, b, 2 * i + r]
                _butterfly(work[3, 2 * r, t], work[3, 2 * r + 1, t], to[0], to[1])


@njit(cache=True, nogil=True)
def idwt_backward(low, high, gx, glow, ghigh, C, tau, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """Gradients glow, ghigh of `idwt`'s inputs."""
    T2, B, H2, _ = low.shape
    work = np.empty((4, 4, T2, gx.shape[3]), np.float32)
    u1, g1, u2, g2 = work[0], work[1], work[2], work[3]
    rows = np.empty((3, gx.shape[3]), np.float32)
    backwards = np.arange(T2)[::-1].copy()
    for unit in range(B * H2):
        b, i = unit // H2, unit % H2
        _columns_then_rows(low, high, b, i, C, u1, g1, u2, g2, rows[0], tau, v_th)
        for t in range(T2):
            for r in range(2):
                _butterfly(gx[2 * t, b, 2 * i + r], gx[2 * t + 1, b, 2 * i + r], g2[2 * r, t], g2[2 * r + 1, t])
        _unfire(u2, g2, rows, backwards, tau, v_th, alpha, surrogate)
        for t in range(T2):
            for k in range(2):
                _butterfly(g2[k, t], g2[2 + k, t], g1[2 * k, t], g1[2 * k + 1, t])
        _unfire(u1, g1, rows, backwards, tau, v_th, alpha, surrogate)
        for t in range(T2):
            for k in range(4):
                pair = _band(glow, ghigh, 2 * k, t, b, i), _band(glow, ghigh, 2 * k + 1, t, b, i)
                _split_columns(g1[k, t], pair[0], pair[1], C)
