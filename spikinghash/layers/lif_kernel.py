"""Fused CPU kernels: batch-norm affine + LIF over the whole time loop, forward and backward.

One pass over memory replaces the field's loop of a dozen element-wise calls per time step. Arithmetic follows
SpikingJelly's order of operations exactly, without fused multiply-add, so spikes are equal bit for bit and do not
depend on where in a batch or on which thread a neuron is computed.

Arrays are dense and flat: x[T, N] with N = (batch, space, channel) and the channel innermost, so that the channel of
neuron n is n % C.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

_BLOCK = 2048

SIGMOID = 0
ATAN = 1

_HALF_PI = np.float32(np.pi / 2)
_ONE = np.float32(1.0)


@njit(inline="always")
def _exp(x):  # type: ignore[no-untyped-def]
    """Vectorisable float32 exp (Cephes polynomial), relative error below 1e-7; input clamped to +-80."""
    x = min(max(x, np.float32(-80.0)), np.float32(80.0))
    k = np.float32(np.floor(x * np.float32(1.44269504) + np.float32(0.5)))
    r = x - k * np.float32(0.693359375)
    r = r + k * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    y = p * r * r + r + _ONE
    bits = (np.int32(k) + np.int32(127)) << np.int32(23)
    return y * np.int32(bits).view(np.float32)


@njit(cache=True, error_model="numpy")
def _slopes(h, out, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """Derivative of the surrogate spike function at u = H - v_th; the branch stays outside the vector loops."""
    if surrogate == SIGMOID:
        for i in range(h.size):
            s = _ONE / (_ONE + _exp(-alpha * (h[i] - v_th)))
            out[i] = (_ONE - s) * s * alpha
    else:
        for i in range(h.size):
            w = _HALF_PI * alpha * (h[i] - v_th)
            out[i] = alpha / np.float32(2.0) / (_ONE + w * w)


@njit(cache=True, error_model="numpy")
def _forward_block(x, scale, shift, s, lo, hi, C, tau, v_th, v_reset, decay_input):  # type: ignore[no-untyped-def]
    v = np.empty(hi - lo, np.float32)
    v[:] = v_reset
    a = np.empty(hi - lo, np.float32)
    b = np.empty(hi - lo, np.float32)
    affine = C > 0
    if affine:
        for i in range(hi - lo):
            a[i] = scale[(lo + i) % C]
            b[i] = shift[(lo + i) % C]
    for t in range(x.shape[0]):
        xt, st = x[t, lo:hi], s[t, lo:hi]
        for i in range(hi - lo):
            u = xt[i]
            if affine:
                u = u * a[i] + b[i]
            if decay_input:
                h = v[i] + (u - (v[i] - v_reset)) / tau
            else:
                h = v[i] - (v[i] - v_reset) / tau + u
            fired = h - v_th >= np.float32(0.0)
            st[i] = _ONE if fired else np.float32(0.0)
            v[i] = v_reset if fired else h


@njit(cache=True, error_model="numpy")
def _backward_block(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, lo, hi, C, tau, v_th, v_reset, decay_input, detach_reset, alpha, surrogate
):
    T, n = x.shape[0], hi - lo
    h = np.empty((T, n), np.float32)
    v = np.empty(n, np.float32)
    v[:] = v_reset
    a = np.empty(n, np.float32)
    b = np.empty(n, np.float32)
    affine = C > 0
    if affine:
        for i in range(n):
            a[i] = scale[(lo + i) % C]
            b[i] = shift[(lo + i) % C]
    for t in range(T):
        xt, ht = x[t, lo:hi], h[t]
        for i in range(n):
            u = xt[i]
            if affine:
                u = u * a[i] + b[i]
            if decay_input:
                ht[i] = v[i] + (u - (v[i] - v_reset)) / tau
            else:
                ht[i] = v[i] - (v[i] - v_reset) / tau + u
            v[i] = v_reset if ht[i] - v_th >= np.float32(0.0) else ht[i]
    gv = v
    gv[:] = np.float32(0.0)
    keep = _ONE - _ONE / tau
    gain = _ONE / tau if decay_input else _ONE
    slope = np.empty(n, np.float32)
    for t in range(T - 1, -1, -1):
        gt, ht, ot = gs[t, lo:hi], h[t], gx[t, lo:hi]
        _slopes(ht, slope, v_th, alpha, surrogate)
        for i in range(n):
            grad_spike = gt[i]
            if not detach_reset:
                grad_spike += gv[i] * (v_reset - ht[i])
            carried = np.float32(0.0) if ht[i] - v_th >= np.float32(0.0) else gv[i]
            grad_h = grad_spike * slope[i] + carried
            ot[i] = grad_h * gain
            gv[i] = grad_h * keep


@njit(cache=True, nogil=True)
def lif_forward(x, scale, shift, s, C, tau, v_th, v_reset, decay_input):  # type: ignore[no-untyped-def]
    """Spikes s[T, N] of LIF(x * scale + shift); C = 0 means no affine step. Single thread."""
    for lo in range(0, x.shape[1], _BLOCK):
        hi = min(lo + _BLOCK, x.shape[1])
        _forward_block(x, scale, shift, s, lo, hi, C, tau, v_th, v_reset, decay_input)


@njit(cache=True, parallel=True)
def lif_forward_threads(x, scale, shift, s, C, tau, v_th, v_reset, decay_input):  # type: ignore[no-untyped-def]
    """As `lif_forward`, blocks spread over threads; same bits."""
    blocks = (x.shape[1] + _BLOCK - 1) // _BLOCK
    for k in prange(blocks):
        lo = k * _BLOCK
        hi = min(lo + _BLOCK, x.shape[1])
        _forward_block(x, scale, shift, s, lo, hi, C, tau, v_th, v_reset, decay_input)


@njit(cache=True, nogil=True)
def lif_backward(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, C, tau, v_th, v_reset, decay_input, detach_reset, alpha, surrogate
):
    """Gradient gx[T, N] with respect to the charged input u = x * scale + shift; H is recomputed, not stored."""
    for lo in range(0, x.shape[1], _BLOCK):
        hi = min(lo + _BLOCK, x.shape[1])
        _backward_block(
            x, scale, shift, gs, gx, lo, hi, C, tau, v_th, v_reset, decay_input, detach_reset, alpha, surrogate
        )


@njit(cache=True, parallel=True)
def lif_backward_threads(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, C, tau, v_th, v_reset, decay_input, detach_reset, alpha, surrogate
):
    """As `lif_backward`, blocks spread over threads; same bits."""
    blocks = (x.shape[1] + _BLOCK - 1) // _BLOCK
    for k in prange(blocks):
        lo = k * _BLOCK
        hi = min(lo + _BLOCK, x.shape[1])
        _backward_block(
            x, scale, shift, gs, gx, lo, hi, C, tau, v_th, v_reset, decay_input, detach_reset, alpha, surrogate
        )


@njit(cache=True)
def channel_sums(x, y, x0, y0):  # type: ignore[no-untyped-def]
    """Per-channel sums of (x - x0) and of (x - x0) * (y - y0) over rows; x, y [R, C], x0, y0 [C] -> float64 [C], [C].

    Pivots near the means keep the products small. Blocks of rows are summed in float32 and the blocks in float64, in
    row order: fast and reproducible.
    """
    R, C = x.shape
    total = np.zeros(C, np.float64)
    product = np.zeros(C, np.float64)
    part = np.empty(C, np.float32)
    part2 = np.empty(C, np.float32)
    for lo in range(0, R, 64):
        part[:] = np.float32(0.0)
        part2[:] = np.float32(0.0)
        for r in range(lo, min(lo + 64, R)):
            for c in range(C):
                part[c] += x[r, c] - x0[c]
                part2[c] += (x[r, c] - x0[c]) * (y[r, c] - y0[c])
        for c in range(C):
            total[c] += part[c]
            product[c] += part2[c]
    return total, product


@njit(cache=True)
def norm_backward(gu, x, gain, slope, offset):  # type: ignore[no-untyped-def]
    """In place gu[R, C] := gain * gu + slope * x + offset, the batch-norm input gradient with folded constants."""
    R, C = x.shape
    for r in range(R):
        for c in range(C):
            gu[r, c] = gu[r, c] * gain[c] + x[r, c] * slope[c] + offset[c]
