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

from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.lif import backward_atan, backward_sigmoid, forward

_BLOCK = 512
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
def affine_tiles(form, block):  # type: ignore[no-untyped-def]
    """The rows of form[3, C] repeated to [3, block]; [3, 0] where C = 0."""
    C = form.shape[1]
    out = np.empty((3, block if C > 0 else 0), np.float32)
    for i in range(out.shape[1]):
        c = i % C
        out[0, i], out[1, i], out[2, i] = form[0, c], form[1, c], form[2, c]
    return out


@kernel
def whole_affine(form, block):  # type: ignore[no-untyped-def]
    """As `affine_tiles`; where C = 0 one that changes nothing."""
    if form.shape[1] > 0:
        return affine_tiles(form, block)
    out = np.zeros((3, block), np.float32)
    out[0] = _ONE
    return out


@kernel(inline="always")
def neurons_back(  # type: ignore[no-untyped-def]
    x, gs, gx, lo, n, N, T, affine, sums, h, tau, v_th, alpha, surrogate, given, M, kept
):
    """`simd/lif.backward` of one surrogate or the other."""
    if surrogate == SIGMOID:
        backward_sigmoid(x, gs, gx, lo, n, N, T, affine, affine.shape[1], sums, h, tau, v_th, alpha, given, M, kept)
    else:
        backward_atan(x, gs, gx, lo, n, N, T, affine, affine.shape[1], sums, h, tau, v_th, alpha, given, M, kept)


@kernel
def times_scale(gx, lo, n, N, T, scale):  # type: ignore[no-untyped-def]
    """gx[T * N], flat: the neurons lo to lo + n of every step times scale[n], from the charge's gradient to x's."""
    for t in range(T):
        row = gx[t * N + lo : t * N + lo + n]
        for i in range(n):
            row[i] *= scale[i]


@kernel
def _whole(x):  # type: ignore[no-untyped-def]
    """x[T, N], with silent neurons up to whole vectors where it has none."""
    if x.shape[1] % LANES == 0:
        return x
    out = np.zeros((x.shape[0], x.shape[1] + -x.shape[1] % LANES), np.float32)
    out[:, : x.shape[1]] = x
    return out


@kernel
def lif_forward(x, form, s, tau, v_th):  # type: ignore[no-untyped-def]
    """Spikes s[T, N] of LIF(x * form[0] + form[1]); form[3, C], or [3, 0] without that step."""
    whole, spikes, block = _whole(x), _whole(s), block_size(form.shape[1])
    T, N = whole.shape
    affine, flat, out = affine_tiles(form, block), whole.reshape(-1), spikes.reshape(-1)
    for lo in range(0, N, block):
        forward(flat, out, lo, min(block, N - lo), N, T, affine, affine.shape[1], tau, v_th, lo, N)
    if s.shape[1] < N:
        s[:] = spikes[:, : s.shape[1]]


@kernel(error_model="numpy")
def lif_backward(x, form, gs, gx, tau, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """Gradient gx[T, N] of x in spikes of u = x * form[0] + form[1]; H is recomputed, not stored.

    Returns the sums float64 [2, C] of gu and of gu * (x - form[2]), gu being the gradient of u.
    """
    whole, given, result = _whole(x), _whole(gs), _whole(gx)
    T, N = whole.shape
    C, block = form.shape[1], block_size(form.shape[1])
    part, total, h = np.zeros((2, block), np.float32), np.zeros((2, C)), np.empty(T * block, np.float32)
    affine = whole_affine(form, block)
    flat, grad, out = whole.reshape(-1), given.reshape(-1), result.reshape(-1)
    for group in range(0, N, _GROUP * block):
        part[:] = _ZERO
        for lo in range(group, min(group + _GROUP * block, N), block):
            n = min(block, N - lo)
            neurons_back(flat, grad, out, lo, n, N, T, affine, part, h, tau, v_th, alpha, surrogate, lo, N, block)
            if C > 0:
                times_scale(out, lo, n, N, T, affine[0])
        _add_columns(part, total)
    if gx.shape[1] < N:
        gx[:] = result[:, : gx.shape[1]]
    return total


@kernel
def _add_columns(part, total):  # type: ignore[no-untyped-def]
    """total[2, C] += the sums part[2, block] of all neurons of a channel."""
    C, sums = total.shape[1], np.zeros_like(total)
    for i in range(part.shape[1] if C > 0 else 0):
        sums[0, i % C] += part[0, i]
        sums[1, i % C] += part[1, i]
    total += sums
