"""Fused CPU kernels: batch-norm affine + LIF over the whole time loop, forward and backward.

One pass over memory replaces the field's loop of a dozen element-wise calls per time step. Arithmetic follows
SpikingJelly's order of operations exactly, each rounded on its own, so spikes are equal bit for bit and do not depend
on where in a batch or on which thread a neuron is computed.

Arrays are dense and flat: x[T, N] with N = (batch, space, channel) and the channel innermost, so that the channel of
neuron n is n % C. Work is done in blocks that stay in the first cache; a block is a multiple of C, so that one tile of
scales serves all, and of whole vectors, each of which goes through all steps in registers (`simd/lif.py`).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.lif import backward_atan, backward_sigmoid, forward
from spikinghash.kernels.simd.rows import LANES

_BLOCK = 512
#: Shares of the work that threads take; more than there are cores.
_PARTS = 16
#: Blocks whose sums are added in float32 before they go on in float64.
_GROUP = 8

SIGMOID = 0
ATAN = 1

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)


@kernel
def block_size(C):  # type: ignore[no-untyped-def]
    """Whole vectors and a multiple of C, near `_BLOCK`; C = 0 stands for no channels."""
    unit = max(C, 1)
    while unit % LANES:
        unit += max(C, 1)
    return unit * max(1, _BLOCK // unit)


@kernel
def tile(values, block):  # type: ignore[no-untyped-def]
    """values[C] repeated to [block]; nothing where C = 0."""
    out = np.empty(block if values.size else 0, np.float32)
    for i in range(out.size):
        out[i] = values[i % values.size]
    return out


@kernel
def affine_tiles(scale, shift, mean, block):  # type: ignore[no-untyped-def]
    """Scale, shift and mean [C] repeated to [3, block]; [3, 0] where C = 0."""
    out = np.empty((3, block if scale.size else 0), np.float32)
    for i in range(out.shape[1]):
        c = i % scale.size
        out[0, i], out[1, i], out[2, i] = scale[c], shift[c], mean[c]
    return out


@kernel
def whole_affine(scale, shift, mean, block):  # type: ignore[no-untyped-def]
    """As `affine_tiles`; where C = 0 one that changes nothing."""
    if scale.size > 0:
        return affine_tiles(scale, shift, mean, block)
    out = np.zeros((3, block), np.float32)
    out[0] = _ONE
    return out


@kernel(inline="always")
def neurons_back(  # type: ignore[no-untyped-def]
    x, gs, gx, lo, n, N, T, affine, sums, h, tau, v_th, alpha, surrogate, given, M, kept
):
    """`simd/lif.backward` of one surrogate or the other."""
    if surrogate == SIGMOID:
        backward_sigmoid(x, gs, gx, lo, n, N, T, affine, sums, h, tau, v_th, alpha, given, M, kept)
    else:
        backward_atan(x, gs, gx, lo, n, N, T, affine, sums, h, tau, v_th, alpha, given, M, kept)


@kernel
def times_scale(gx, lo, n, N, T, scale):  # type: ignore[no-untyped-def]
    """gx[T * N], flat: the neurons lo to lo + n of every step times scale[n], from the charge's gradient to x's."""
    for t in range(T):
        row = gx[t * N + lo : t * N + lo + n]
        for i in range(n):
            row[i] *= scale[i]


@kernel
def _whole(x):  # type: ignore[no-untyped-def]
    """x[T, N] with silent neurons up to whole vectors."""
    out = np.zeros((x.shape[0], x.shape[1] + -x.shape[1] % LANES), np.float32)
    out[:, : x.shape[1]] = x
    return out


@kernel
def _forward_blocks(x, scale, shift, s, first, last, tau, v_th):  # type: ignore[no-untyped-def]
    T, N = x.shape
    block = block_size(scale.size)
    affine, flat, spikes = affine_tiles(scale, shift, shift, block), x.reshape(-1), s.reshape(-1)
    for lo in range(first * block, min(last * block, N), block):
        forward(flat, spikes, lo, min(block, N - lo), N, T, affine, tau, v_th, lo, N)


@kernel(error_model="numpy")
def _backward_blocks(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, mean, total, product, first, last, tau, v_th, alpha, surrogate
):
    T, N = x.shape
    C = scale.size
    block = block_size(C)
    sums, h = np.zeros((2, block), np.float32), np.empty(T * block, np.float32)
    affine = whole_affine(scale, shift, mean, block)
    flat, grad, out = x.reshape(-1), gs.reshape(-1), gx.reshape(-1)
    for group in range(first, last):
        sums[:] = _ZERO
        for lo in range(group * _GROUP * block, min((group + 1) * _GROUP * block, N), block):
            n = min(block, N - lo)
            neurons_back(
                flat, grad, out, lo, n, N, T, affine, sums, h, tau, v_th, alpha, surrogate, lo, N, block
            )  # fmt: skip
            if C > 0:
                times_scale(out, lo, n, N, T, affine[0])
        for i in range(block if C > 0 else 0):
            total[group, i % C] += sums[0, i]
            product[group, i % C] += sums[1, i]


@kernel
def _block_count(N, C):  # type: ignore[no-untyped-def]
    return (N + block_size(C) - 1) // block_size(C)


@kernel
def group_count(N, C):  # type: ignore[no-untyped-def]
    """How many groups of blocks N neurons make."""
    return (_block_count(N, C) + _GROUP - 1) // _GROUP


@kernel
def lif_forward(x, scale, shift, s, tau, v_th):  # type: ignore[no-untyped-def]
    """Spikes s[T, N] of LIF(x * scale + shift), scale and shift [C] or empty. Single thread."""
    if x.shape[1] % LANES:
        inputs, spikes = _whole(x), _whole(s)
        _forward_blocks(inputs, scale, shift, spikes, 0, _block_count(inputs.shape[1], scale.size), tau, v_th)
        s[:] = spikes[:, : x.shape[1]]
        return
    _forward_blocks(x, scale, shift, s, 0, _block_count(x.shape[1], scale.size), tau, v_th)


@kernel(parallel=True)
def lif_forward_threads(x, scale, shift, s, tau, v_th):  # type: ignore[no-untyped-def]
    """As `lif_forward`, blocks spread over threads; same bits."""
    if x.shape[1] % LANES:
        lif_forward(x, scale, shift, s, tau, v_th)
        return
    blocks = _block_count(x.shape[1], scale.size)
    for p in prange(_PARTS):
        _forward_blocks(x, scale, shift, s, blocks * p // _PARTS, blocks * (p + 1) // _PARTS, tau, v_th)


@kernel
def lif_backward(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, mean, total, product, tau, v_th, alpha, surrogate
):
    """Gradient gx[T, N] of x in spikes of u = x * scale + shift; H is recomputed, not stored.

    With an affine step also, for each group k of blocks, total[k, C] = sum of gu and product[k, C] = sum of
    gu * (x - mean), gu being the gradient of u.
    """
    if x.shape[1] % LANES:
        inputs, given, out = _whole(x), _whole(gs), _whole(gx)
        groups = group_count(inputs.shape[1], scale.size)
        _backward_blocks(inputs, scale, shift, given, out, mean, total, product, 0, groups, tau, v_th, alpha, surrogate)
        gx[:] = out[:, : x.shape[1]]
        return
    groups = group_count(x.shape[1], scale.size)
    _backward_blocks(x, scale, shift, gs, gx, mean, total, product, 0, groups, tau, v_th, alpha, surrogate)


@kernel(parallel=True)
def lif_backward_threads(  # type: ignore[no-untyped-def]
    x, scale, shift, gs, gx, mean, total, product, tau, v_th, alpha, surrogate
):
    """As `lif_backward`, blocks spread over threads; same bits."""
    if x.shape[1] % LANES:
        lif_backward(x, scale, shift, gs, gx, mean, total, product, tau, v_th, alpha, surrogate)
        return
    groups = group_count(x.shape[1], scale.size)
    for p in prange(_PARTS):
        lo, hi = groups * p // _PARTS, groups * (p + 1) // _PARTS
        _backward_blocks(x, scale, shift, gs, gx, mean, total, product, lo, hi, tau, v_th, alpha, surrogate)
