"""Convolution of spikes on CPU: only the weights of inputs that fired are added, nothing is multiplied.

Arrays are channel last: x[N, H, W, D] in {0, 1}, weights as rows w[k * k * D + 1, P] with their K outputs padded to
whole vectors and the last row zero, out[N, H, W, K]. An image row is read as one list of active positions `column * D +
channel`, so that the columns under one row of the kernel are one contiguous piece of that list, and position minus
`first column * D` is the row of the weights.

The order of addition depends on one pixel's own inputs alone, never on the batch.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from spikinghash.layers.vector_rows import LANES, add_rows, list_spikes
from spikinghash.layers.vector_step import copy_vectors, scale_vectors

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_PARTS = 16
_BLOCK = 1024


@njit(cache=True, nogil=True)
def count_spikes(x):  # type: ignore[no-untyped-def]
    """How many values of the flat x are 1; -1 where one is neither 0 nor 1."""
    ones, other = np.zeros(_BLOCK, np.float32), np.zeros(_BLOCK, np.float32)
    for lo in range(0, x.size, _BLOCK):
        n = min(_BLOCK, x.size - lo)
        here = x[lo : lo + n]
        for i in range(n):
            ones[i] += here[i]
            other[i] += abs(here[i] * (here[i] - _ONE))
    total = 0.0
    for i in range(_BLOCK):
        if other[i] != _ZERO:
            return -1
        total += ones[i]
    return int(total)


@njit(inline="always")
def append_active(x, lo, hi, at, n, first, by):  # type: ignore[no-untyped-def]
    """Append `first`, `first` + `by`, ... of the values x[lo:hi] that are not zero to at[n:]; the new n."""
    whole = lo + (hi - lo) // LANES * LANES
    n = list_spikes(x, lo, whole, at, n, first, by)
    for j in range(whole, hi):
        at[n] = first + (j - lo) * by
        n += np.int64(x[j] != _ZERO)
    return n


@njit(cache=True, nogil=True)
def list_active(x, at, starts, by):  # type: ignore[no-untyped-def]
    """Active positions of one image x[H, W * D], times `by`; those of pixel p begin at starts[p], the last entry is
    their end.
    """
    H, columns = starts.shape
    width = x.shape[1] // (columns - 1)
    n = 0
    for y in range(H):
        row = x[y]
        for c in range(columns - 1):
            starts[y, c] = n
            n = append_active(row, c * width, (c + 1) * width, at, n, c * width * by, by)
        starts[y, columns - 1] = n


@njit(cache=True, nogil=True)
def _convolve_images(x, w, k, bias, scale, shift, out, begin, end):  # type: ignore[no-untyped-def]
    _, H, W, D = x.shape
    K, pad = out.shape[3], k // 2
    at = np.empty(H * W * D + LANES, np.int32)
    starts = np.empty((H, W + 1), np.int64)
    P = w.shape[1]
    sums, nothing = np.empty((W, P), np.float32), np.zeros(K, np.float32)
    for n in range(begin, end):
        list_active(x[n].reshape(H, W * D), at, starts, P)
        for y in range(H):
            for c in range(W):
                copy_vectors(bias, sums[c])
            for dy in range(max(0, pad - y), min(k, H + pad - y)):
                where = starts[y + dy - pad]
                for c in range(W):
                    lo, hi = where[max(c - pad, 0)], where[min(c + pad + 1, W)]
                    base = (dy * k * D - (c - pad) * D) * P
                    add_rows(sums, c * P, P, w, at, lo, hi, base, k * k * D * P)
            for c in range(W):
                to, total = out[n, y, c], sums[c]
                if not scale.size:
                    for o in range(K):
                        to[o] = total[o]
                elif K % LANES:
                    for o in range(K):
                        to[o] = total[o] * scale[o] + shift[o]
                else:
                    scale_vectors(total, nothing, scale, shift, to)


@njit(cache=True, nogil=True)
def convolve(x, w, k, bias, scale, shift, out):  # type: ignore[no-untyped-def]
    """out[N, H, W, K] = (k x k convolution of x with w + bias[P]) * scale + shift, or without; one thread."""
    _convolve_images(x, w, k, bias, scale, shift, out, 0, x.shape[0])


@njit(cache=True, parallel=True)
def convolve_threads(x, w, k, bias, scale, shift, out):  # type: ignore[no-untyped-def]
    """As `convolve`, images spread over threads; same bits."""
    N = x.shape[0]
    for p in prange(_PARTS):
        _convolve_images(x, w, k, bias, scale, shift, out, N * p // _PARTS, N * (p + 1) // _PARTS)


@njit(cache=True, nogil=True)
def _list_by_channel(at, starts, D, k, P, lists, counts):  # type: ignore[no-untyped-def]
    """From `list_active`: lists[c, :counts[c]] are the pixels where channel c fired, counted in the padded image of P
    floats a pixel.
    """
    H, columns = starts.shape
    pad, W = k // 2, columns - 1
    counts[:] = 0
    for y in range(H):
        for c in range(W):
            pixel = ((y + pad) * (W + 2 * pad) + c + pad) * P
            for j in range(starts[y, c], starts[y, c + 1]):
                channel = np.uint32(at[j] - c * D)
                lists[channel, counts[channel]] = pixel
                counts[channel] += 1


@njit(cache=True, nogil=True)
def weight_gradient(x, grad, k, gw):  # type: ignore[no-untyped-def]
    """gw[k * k * D, P] += gradient of the weights of `convolve`; x[N, H, W, D], grad[N, H, W, K]. One thread."""
    N, H, W, D = x.shape
    K, pad, P = grad.shape[3], k // 2, gw.shape[1]
    wide = W + 2 * pad
    at = np.empty(H * W * D + LANES, np.int32)
    starts = np.empty((H, W + 1), np.int64)
    lists = np.empty((D, H * W + 1), np.int32)
    counts = np.empty(D, np.int64)
    padded = np.zeros(((H + 2 * pad) * wide, P), np.float32)
    for n in range(N):
        list_active(x[n].reshape(H, W * D), at, starts, 1)
        _list_by_channel(at, starts, D, k, P, lists, counts)
        for y in range(H):
            for c in range(W):
                padded[(y + pad) * wide + c + pad, :K] = grad[n, y, c]
        for tap in range(k * k):
            base = -((tap // k - pad) * wide + tap % k - pad) * P
            for c in range(D):
                lo = c * lists.shape[1]
                add_rows(gw, (tap * D + c) * P, P, padded, lists, lo, lo + counts[c], base, 0)
