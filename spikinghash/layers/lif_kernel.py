"""Fused CPU kernels: batch-norm affine + LIF over the whole time loop, forward and backward.

One pass over memory replaces the field's loop of a dozen element-wise calls per time step. Arithmetic follows
SpikingJelly's order of operations exactly, without fused multiply-add, so spikes are equal bit for bit and do not
depend on where in a batch or on which thread a neuron is computed.

Arrays are dense and flat: x[T, N] with N = (batch, space, channel) and the channel innermost, so that the channel of
neuron n is n % C. Work is done in blocks that stay in the first cache; a block is a multiple of C, so that one tile of
scales serves all. Inner loops touch few arrays each: beyond that the compiler gives up proving that they do not
overlap, and does not vectorise. For the same reason the backward loop reads its steps from an array: a descending
loop variable makes the overlap check fail.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from spikinghash.layers.vector_lif import backward_atan, backward_sigmoid
from spikinghash.layers.vector_rows import LANES

_BLOCK = 512
#: Shares of the work that threads take; more than there are cores.
_PARTS = 16
#: Blocks whose sums are added in float32 before they go on in float64.
_GROUP = 8

SIGMOID = 0
ATAN = 1

_HALF_PI = np.float32(np.pi / 2)
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)


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


@njit(cache=True, nogil=True, error_model="numpy")
def slopes(h, out, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """Derivative of the surrogate spike function at u = H - v_th; the branch stays outside the vector loops."""
    if surrogate == SIGMOID:
        for i in range(h.size):
            s = _ONE / (_ONE + _exp(-alpha * (h[i] - v_th)))
            out[i] = (_ONE - s) * s * alpha
    else:
        for i in range(h.size):
            w = _HALF_PI * alpha * (h[i] - v_th)
            out[i] = alpha / np.float32(2.0) / (_ONE + w * w)


@njit(cache=True, nogil=True)
def block_size(C):  # type: ignore[no-untyped-def]
    """Whole vectors and a multiple of C, near `_BLOCK`; C = 0 stands for no channels."""
    unit = max(C, 1)
    while unit % LANES:
        unit += max(C, 1)
    return unit * max(1, _BLOCK // unit)


@njit(cache=True, nogil=True)
def tile(values, block):  # type: ignore[no-untyped-def]
    """values[C] repeated to [block]; nothing where C = 0."""
    out = np.empty(block if values.size else 0, np.float32)
    for i in range(out.size):
        out[i] = values[i % values.size]
    return out


@njit(inline="always")
def charge(x, a, b, u):  # type: ignore[no-untyped-def]
    """u = x * a + b on a block, or x where there is no affine step."""
    if a.size:
        for i in range(u.size):
            u[i] = x[i] * a[i] + b[i]
    else:
        for i in range(u.size):
            u[i] = x[i]


@njit(inline="always")
def step(u, v, tau, v_th):  # type: ignore[no-untyped-def]
    """One time step of eqs. 1-3 on a block: u becomes H, v the potential after the reset."""
    for i in range(u.size):
        h = v[i] + (u[i] - v[i]) / tau
        u[i] = h
        v[i] = _ZERO if h - v_th >= _ZERO else h


@njit(inline="always")
def backstep(g, h, slope, gv, out, tau, v_th):  # type: ignore[no-untyped-def]
    """One step back: out = gradient of the input, gv = gradient of the potential before; the reset is detached."""
    keep, gain = _ONE - _ONE / tau, _ONE / tau
    for i in range(h.size):
        carried = gv[i]
        carried = _ZERO if h[i] - v_th >= _ZERO else carried
        grad_h = g[i] * slope[i] + carried
        out[i] = grad_h * gain
        gv[i] = grad_h * keep


@njit(inline="always")
def _add_sums(g, x, mean, sums, products):  # type: ignore[no-untyped-def]
    for i in range(g.size):
        sums[i] += g[i]
    for i in range(g.size):
        products[i] += g[i] * (x[i] - mean[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _forward_blocks(x, scale, shift, s, first, last, tau, v_th):  # type: ignore[no-untyped-def]
    N, block = x.shape[1], block_size(scale.size)
    a, b = tile(scale, block), tile(shift, block)
    potential, charged = np.empty(block, np.float32), np.empty(block, np.float32)
    for k in range(first, last):
        lo, hi = k * block, min((k + 1) * block, N)
        v, u = potential[: hi - lo], charged[: hi - lo]
        v[:] = _ZERO
        for t in range(x.shape[0]):
            st = s[t, lo:hi]
            charge(x[t, lo:hi], a, b, u)
            for i in range(u.size):
                h = v[i] + (u[i] - v[i]) / tau
                fired = h - v_th >= _ZERO
                st[i] = _ONE if fired else _ZERO
                v[i] = _ZERO if fired else h


@njit(cache=True, nogil=True, error_model="numpy")
def _backward_blocks(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, mean, total, product, first, last, tau, v_th, alpha, surrogate
):
    T, N = x.shape
    C = scale.size
    block = block_size(C)
    affine, sums, h = (
        np.zeros((3, block), np.float32),
        np.zeros((2, block), np.float32),
        np.empty(T * LANES, np.float32),
    )
    affine[0] = _ONE
    for i in range(block if C > 0 else 0):
        affine[0, i], affine[1, i], affine[2, i] = scale[i % C], shift[i % C], mean[i % C]
    flat, grad, out = x.reshape(-1), gs.reshape(-1), gx.reshape(-1)
    for group in range(first, last):
        sums[:] = _ZERO
        for lo in range(group * _GROUP * block, min((group + 1) * _GROUP * block, N), block):
            n = min(block, N - lo)
            if surrogate == SIGMOID:
                backward_sigmoid(flat, grad, out, lo, n, N, T, affine, sums, h, tau, v_th, alpha)
            else:
                backward_atan(flat, grad, out, lo, n, N, T, affine, sums, h, tau, v_th, alpha)
        for i in range(block if C > 0 else 0):
            total[group, i % C] += sums[0, i]
            product[group, i % C] += sums[1, i]


@njit(cache=True, nogil=True)
def _block_count(N, C):  # type: ignore[no-untyped-def]
    return (N + block_size(C) - 1) // block_size(C)


@njit(cache=True, nogil=True)
def group_count(N, C):  # type: ignore[no-untyped-def]
    """How many groups of blocks N neurons make."""
    return (_block_count(N, C) + _GROUP - 1) // _GROUP


@njit(cache=True, nogil=True)
def lif_forward(x, scale, shift, s, tau, v_th):  # type: ignore[no-untyped-def]
    """Spikes s[T, N] of LIF(x * scale + shift), scale and shift [C] or empty. Single thread."""
    _forward_blocks(x, scale, shift, s, 0, _block_count(x.shape[1], scale.size), tau, v_th)


@njit(cache=True, parallel=True)
def lif_forward_threads(x, scale, shift, s, tau, v_th):  # type: ignore[no-untyped-def]
    """As `lif_forward`, blocks spread over threads; same bits."""
    blocks = _block_count(x.shape[1], scale.size)
    for p in prange(_PARTS):
        _forward_blocks(x, scale, shift, s, blocks * p // _PARTS, blocks * (p + 1) // _PARTS, tau, v_th)


@njit(cache=True, nogil=True)
def lif_backward(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, mean, total, product, tau, v_th, alpha, surrogate
):
    """Gradient gx[T, N] with respect to the charged input u = x * scale + shift; H is recomputed, not stored.

    With an affine step also, for each group k of blocks, total[k, C] = sum of gx and product[k, C] = sum of
    gx * (x - mean).
    """
    if x.shape[1] % LANES:
        wide = x.shape[1] + -x.shape[1] % LANES
        arrays = np.zeros((3, x.shape[0], wide), np.float32)
        arrays[0, :, : x.shape[1]], arrays[1, :, : x.shape[1]] = x, gs
        x_, gs_, gx_ = arrays[0], arrays[1], arrays[2]
        groups = group_count(wide, scale.size)
        _backward_blocks(x_, scale, shift, gs_, gx_, mean, total, product, 0, groups, tau, v_th, alpha, surrogate)
        gx[:] = gx_[:, : x.shape[1]]
        return
    groups = group_count(x.shape[1], scale.size)
    _backward_blocks(x, scale, shift, gs, gx, mean, total, product, 0, groups, tau, v_th, alpha, surrogate)


@njit(cache=True, parallel=True)
def lif_backward_threads(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, mean, total, product, tau, v_th, alpha, surrogate
):
    """As `lif_backward`, blocks spread over threads; same bits."""
    groups = group_count(x.shape[1], scale.size)
    for p in prange(_PARTS):
        lo, hi = groups * p // _PARTS, groups * (p + 1) // _PARTS
        _backward_blocks(x, scale, shift, gs, gx, mean, total, product, lo, hi, tau, v_th, alpha, surrogate)
