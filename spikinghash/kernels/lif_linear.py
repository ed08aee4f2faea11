"""Neurons and the matrix product behind them as one pass over memory, for training: forward and backward.

A few pixels of all steps go through both while they are in the first cache, and spikes never reach memory: the way
back charges the neurons again. The product adds the weight rows of the neurons that fired; only the gradient of the
spikes is dense.

x[T, R, D] are R pixels of T steps, D channels in, K out, both whole vectors.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.aligned import aligned
from spikinghash.kernels.gather_sum import add_rows
from spikinghash.kernels.gemm import product
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.lif import affine_tiles, neurons_back, tile, times_scale, whole_affine
from spikinghash.kernels.norm import collect, mean_and_variance
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.gemm import ROWS
from spikinghash.kernels.simd.lif import forward
from spikinghash.kernels.simd.norm import add_moments, through_norm
from spikinghash.kernels.simd.rows import list_spikes

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
#: Rows of a block over all steps.
_BLOCK = 2 * ROWS
#: Blocks whose sums are added in float32 before they go on in float64, and whose part in the matrix gradient is found
#: together: the longer the lists, the less their ends matter.
_GROUP = 8


@kernel
def _pixels(T):  # type: ignore[no-untyped-def]
    return max(1, _BLOCK // T)


@kernel
def lif_linear(x, form, w, y, tau, v_th):  # type: ignore[no-untyped-def]
    """y[T, R, K] = LIF(x * form[0] + form[1]) @ w[D + 1, K], whose last row is zero: what a silent neuron adds.

    Form[3, D], or [3, 0] without that step. Returns mean and biased variance [2, K] of y.
    """
    T, R, D = x.shape
    K, P = y.shape[2], _pixels(T)
    affine, spikes, at = affine_tiles(form, P * D), aligned(T * P * D), np.empty(D + LANES, np.int32)
    flat, out, moments = x.reshape(-1), y.reshape(-1), np.zeros((3, K), np.float64)
    part, square, pivot = np.zeros((P, K), np.float32), np.zeros((P, K), np.float32), np.empty(0, np.float32)
    for block, lo in enumerate(range(0, R, P)):
        n = min(P, R - lo)
        forward(flat, spikes, lo * D, n * D, R * D, T, affine, affine.shape[1], tau, v_th, 0, P * D)
        for t in range(T):
            y[t, lo : lo + n] = _ZERO
            for p in range(n):
                first = (t * P + p) * D
                active = list_spikes(spikes, first, first + D, at, 0, 0, K)
                add_rows(out, (t * R + lo + p) * K, K, w, at, 0, active, 0, D * K)
        if block == 0:
            moments[0] = y[0, 0]
            pivot = tile(y[0, 0], P * K)
        for t in range(T):
            add_moments(out, (t * R + lo) * K, n * K, pivot, part, square)
        if block % _GROUP == _GROUP - 1:
            collect(part, moments[1])
            collect(square, moments[2])
    collect(part, moments[1])
    collect(square, moments[2])
    return mean_and_variance(T * R, moments[0], moments[1], moments[2])


@kernel
def _add_products(spikes, rows, g, gw, at, lists, counts):  # type: ignore[no-untyped-def]
    """gw[D, K] += spikes[rows * D]^T @ g[rows * K], with a row of zeros at its end; the others are scratch."""
    D, K = gw.shape
    counts[:] = 0
    for r in range(rows):
        for j in range(list_spikes(spikes, r * D, (r + 1) * D, at, 0, 0, 1)):
            channel = np.uint32(at[j])
            lists[channel, counts[channel]] = r * K
            counts[channel] += 1
    for d in range(D):
        if counts[d] > 0:
            lo = d * lists.shape[1]
            add_rows(gw, d * K, K, g, lists, lo, lo + counts[d], 0, g.size - K)


@kernel(error_model="numpy")
def lif_linear_backward(  # type: ignore[no-untyped-def]
    x, form, weight, y, g, by_moments, gx, gw, tau, v_th, alpha, surrogate
):
    """Gradients of `lif_linear`: gx[T, R, D], and, added, gw[D, K].

    That of y is g[T, R, K] + slope * y + offset, by_moments[2, K], the share of its moments. Returns the sums [2, D]
    over rows of gu and of gu * (x - form[2]), gu being the gradient of x * form[0] + form[1]; form[3, D] or [3, 0].
    """
    T, R, D = x.shape
    K, P = y.shape[2], _pixels(T)
    rows = T * P
    slope, offset = tile(by_moments[0], P * K), tile(by_moments[1], P * K)
    scaled, affine = form.shape[1] > 0, whole_affine(form, P * D)
    sums, totals = np.zeros((2, P, D), np.float32), np.zeros((2, D))
    whole = rows + -rows % ROWS
    # the row behind the last is the one `_add_products` needs
    gy, gs = aligned((_GROUP * whole + 1) * K), aligned(whole * D).reshape(whole, D)
    h, at = aligned(_GROUP * whole * D), np.empty(D + LANES, np.int32)
    lists, counts = np.empty((D, _GROUP * whole + 1), np.int32), np.empty(D, np.int64)
    flat, out, gs_flat, given, result = x.reshape(-1), gx.reshape(-1), gs.reshape(-1), g.reshape(-1), y.reshape(-1)
    gy[:] = _ZERO
    h[:] = _ZERO
    for first in range(0, R, _GROUP * P):
        blocks = min(_GROUP, (R - first + P - 1) // P)
        for block in range(blocks):
            lo = first + block * P
            n, at_y, at_h = min(P, R - lo), block * whole * K, block * whole * D
            if n < P:
                gy[at_y : at_y + whole * K] = _ZERO
                h[at_h : at_h + whole * D] = _ZERO
            for t in range(T):
                through_norm(given, result, (t * R + lo) * K, n * K, slope, offset, gy, at_y + t * P * K)
            product(gy[at_y : at_y + whole * K].reshape(whole, K), weight, gs, whole)
            neurons_back(
                flat, gs_flat, out, lo * D, n * D, R * D, T, affine, sums, h[at_h : at_h + rows * D], tau, v_th, alpha,
                surrogate, 0, P * D, P * D,
            )  # fmt: skip
            if scaled:
                times_scale(out, lo * D, n * D, R * D, T, affine[0])
        for i in range(h.size):
            h[i] = _ONE if h[i] - v_th >= _ZERO else _ZERO
        _add_products(h, blocks * whole, gy, gw, at, lists, counts)
        collect(sums[0], totals[0])
        collect(sums[1], totals[1])
    return totals
