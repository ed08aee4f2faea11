"""Neurons, the 3 x 3 convolution behind them and the sums of its norm, a few clips at a time, for training.

What lies between two steps of a few clips stays in the second cache: spikes, the gradients of the convolution's result
and of the spikes never reach memory. The way back charges the neurons again.

x[T, B, H, W, D] charges the neurons, y[T, B, H, W, K] is the convolution of their spikes; D, K whole vectors.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.layers.aligned_kernel import aligned
from spikinghash.layers.lif_kernel import affine_tiles, block_size, neurons_back, tile, whole_affine
from spikinghash.layers.norm_kernel import collect
from spikinghash.layers.pool_norm_kernel import images_backward
from spikinghash.layers.spike_conv_kernel import convolve_images, weight_gradient
from spikinghash.layers.vector_lif import forward
from spikinghash.layers.vector_norm import add_moments, through_norm
from spikinghash.layers.winograd_kernel import convolve as winograd

_ZERO = np.float32(0.0)
_SIDE = 3
#: Floats between two steps; with what comes and goes they fit in the second cache.
_FLOATS = 1 << 17


@njit(cache=True, nogil=True)
def _together(floats, B):  # type: ignore[no-untyped-def]
    """How many of B clips of so many floats go through at a time."""
    return min(B, max(1, _FLOATS // floats))


@njit(cache=True, nogil=True)
def convolve(x, w, y, tau, v_th):  # type: ignore[no-untyped-def]
    """y = the convolution of the spikes with w[9 * D + 1, K], whose last row is zero; its moments as
    `norm_kernel.moments` gives them.
    """
    T, B, H, W, D = x.shape
    K, size = y.shape[4], H * W
    clips = _together(T * size * D, B)
    empty, bias = np.empty(0, np.float32), np.zeros(w.shape[1], np.float32)
    affine, spikes = affine_tiles(empty, empty, empty, 0), aligned(T * clips * size * D)
    flat, out, moments, block = x.reshape(-1), y.reshape(-1), np.zeros((3, K), np.float64), block_size(K)
    part, square, pivot = np.zeros((block // K, K), np.float32), np.zeros((block // K, K), np.float32), empty
    for b in range(0, B, clips):
        n = min(clips, B - b)
        length = n * size * D
        forward(flat, spikes, b * size * D, length, B * size * D, T, affine, tau, v_th, 0, length)
        for t in range(T):
            fired = spikes[t * length : (t + 1) * length].reshape(n, H, W, D)
            start, stop = (t * B + b) * size * K, (t * B + b + n) * size * K
            convolve_images(fired, w, _SIDE, bias, empty, empty, out[start:stop].reshape(n, H, W, K), 0, n)
            if pivot.size == 0:
                moments[0] = out[start : start + K]
                pivot = tile(out[start : start + K], block)
            for lo in range(start, stop, block):
                add_moments(out, lo, min(block, stop - lo), pivot, part, square)
        collect(part, moments[1])
        collect(square, moments[2])
    return moments


@njit(inline="always")
def _through_norm(g, y, taps, clips, constants, tiles, gy, shape):  # type: ignore[no-untyped-def]
    """gy[T * n, H, W, K] of the clips [b, b + n) from the gradient g behind the norm, and the pool if there are taps;
    all flat.
    """
    T, B, H, W, K = shape
    b, n = clips
    size, pooled = H * W * K, (H + 1) // 2 * ((W + 1) // 2) * K
    for t in range(T):
        first, to = t * B + b, t * n * size
        if taps.size > 0:
            given = g[first * pooled : (first + n) * pooled].reshape(n, (H + 1) // 2, (W + 1) // 2, K)
            tap = taps[first * pooled : (first + n) * pooled].reshape(given.shape)
            images = y[first * size : (first + n) * size].reshape(n, H, W, K)
            out = gy[to : to + n * size].reshape(n, H, W, K)
            images_backward(given, images, tap, out, constants[0], tiles[1], tiles[2])
        else:
            row = W * K
            for lo in range(0, n * size, row):
                through_norm(g, y, first * size + lo, row, tiles[0], tiles[1], tiles[2], gy, to + lo)


@njit(cache=True, nogil=True, error_model="numpy")
def convolve_back(  # type: ignore[no-untyped-def]
    x, y, g, taps, constants, u, gx, gw, tau, v_th, alpha, surrogate
):
    """Gradients of `convolve` followed by a norm and perhaps a pool: gx, and, added, gw[9 * D, K].

    g[T, B, H', W', K] is the gradient of what comes last; constants[3, K] = gain, slope and offset make that of the
    norm's output that of y; `taps` are the pool's, empty without one. u[16, K, D] are the weights as
    `spike_conv.transformed` gives them.
    """
    T, B, H, W, D = x.shape
    K, size = y.shape[4], H * W
    clips, block = _together(T * size * (2 * D + K), B), block_size(0)
    tiles = np.empty((3, W * K), np.float32)
    for i in range(3):
        tiles[i] = tile(constants[i], W * K)
    spikes, gs, gy = aligned(T * clips * size * D), aligned(T * clips * size * D), aligned(T * clips * size * K)
    empty = np.empty(0, np.float32)
    none, affine = affine_tiles(empty, empty, empty, 0), whole_affine(empty, empty, empty, block)
    sums, h = np.zeros((2, block), np.float32), aligned(T * block)
    flat, out, given, result = x.reshape(-1), gx.reshape(-1), g.reshape(-1), y.reshape(-1)
    for b in range(0, B, clips):
        n = min(clips, B - b)
        length, start, N = n * size * D, b * size * D, B * size * D
        _through_norm(given, result, taps, (b, n), constants, tiles, gy, y.shape)
        by_y = gy[: T * n * size * K].reshape(T * n, H, W, K)
        forward(flat, spikes, start, length, N, T, none, tau, v_th, 0, length)
        weight_gradient(spikes[: T * length].reshape(T * n, H, W, D), by_y, _SIDE, gw)
        winograd(by_y, u, gs[: T * length].reshape(T * n, H, W, D))
        for lo in range(0, length, block):
            neurons_back(
                flat, gs, out, start + lo, min(block, length - lo), N, T, affine, sums, h, tau, v_th, alpha, surrogate,
                lo, length, block,
            )  # fmt: skip
