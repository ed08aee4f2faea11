"""Convolution of spikes on CPU: only the weights of inputs that fired are added, nothing is multiplied.

Arrays are channel last: x[N, H, W, D] in {0, 1}, out[N, H, W, K]. The K outputs, zero-padded to whole vectors, are
computed in chunks of P: weights are w[chunks, k * k * D + 1, P], the last row of each chunk zero. Kernel taps are the
outer loop, so that the rows of one of them stay in the first cache while a few images pass. Where the rows of all taps
of one kernel row fit there, they are taken together: an image row is read as one list of active positions `column * D +
channel`, so that the columns under one row of the kernel are one contiguous piece of that list.

The order of addition depends on one pixel's own inputs alone, never on the batch.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.aligned import aligned
from spikinghash.kernels.gather_sum import add_rows
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.norm import through_norm
from spikinghash.kernels.simd.rows import list_spikes
from spikinghash.kernels.simd.step import copy_vectors, scale_vectors
from spikinghash.kernels.simd.taps import SIDE, add_taps

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_BLOCK = 1024
#: Pixels of the images that are worked on together.
_PIXELS = 400
#: Pixels whose sums stay in the first cache, and floats that fit there beside them.
_TILE = 64
_FIRST_CACHE = 1 << 14


@kernel
def is_binary(x):  # type: ignore[no-untyped-def]
    """Whether all values of the flat x are 0 or 1."""
    other = np.zeros(_BLOCK, np.float32)
    for lo in range(0, x.size, _BLOCK):
        here = x[lo : min(lo + _BLOCK, x.size)]
        for i in range(here.size):
            other[i] += abs(here[i] * (here[i] - _ONE))
    return not other.any()


@kernel(inline="always")
def append_active(x, lo, hi, at, n, first, by):  # type: ignore[no-untyped-def]
    """Append `first`, `first` + `by`, ... of the values x[lo:hi] that are not zero to at[n:]; the new n."""
    whole = lo + (hi - lo) // LANES * LANES
    n = list_spikes(x, lo, whole, at, n, first, by)
    for j in range(whole, hi):
        at[n] = first + (j - lo) * by
        n += np.int64(x[j] != _ZERO)
    return n


@kernel
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


@kernel
def convolve(x, w, k, bias, scale, shift, out):  # type: ignore[no-untyped-def]
    """out[N, H, W, K] = (k x k convolution of x with w + bias[chunks * P]) * scale[K] + shift[K]; one thread."""
    N, H, W, D = x.shape
    chunks, _, P = w.shape
    together, rows = max(1, _PIXELS // (H * W)), max(1, _TILE // W)
    at, starts = np.empty((together, H * W * D + LANES), np.int32), np.empty((together, H, W + 1), np.int64)
    sums = aligned(rows * W * P).reshape(rows * W, P)
    for first in range(0, N, together):
        images = min(together, N - first)
        for i in range(images):
            list_active(x[first + i].reshape(H, W * D), at[i], starts[i], P)
        for chunk in range(chunks):
            lo, hi = chunk * P, min(chunk * P + P, out.shape[3])
            start, a, b = bias[lo : lo + P], scale[lo:hi], shift[lo:hi]
            for top in range(0, images * H, rows):
                here = min(rows, images * H - top)
                for pixel in range(here * W):
                    copy_vectors(start, 0, sums, pixel * P, P)
                _add_taps(sums, top, here, w[chunk], k, at, starts)
                for row in range(here):
                    image, y = first + (top + row) // H, (top + row) % H
                    _store(sums[row * W : (row + 1) * W], a, b, out[image, y], lo, hi)


@kernel
def _add_taps(sums, first, rows, w, k, at, starts):  # type: ignore[no-untyped-def]
    """sums[rows * W, P], of the image rows from `first` on, += the rows w[k * k * D + 1, P] of what fired under each
    pixel.
    """
    _, H, columns = starts.shape
    W, P, pad, D = columns - 1, sums.shape[1], k // 2, (len(w) - 1) // (k * k)
    wide, silent = k if k * D * P <= _FIRST_CACHE else 1, k * k * D * P
    for dy in range(k):
        for dx in range(0, k, wide):
            for row in range(rows):
                i, y = (first + row) // H, (first + row) % H + dy - pad
                if 0 <= y < H:
                    where, listed = starts[i, y], at[i]
                    for c in range(max(0, pad - dx - wide + 1), min(W, W + pad - dx)):
                        column = c + dx - pad
                        lo, hi = where[max(column, 0)], where[min(column + wide, W)]
                        base = ((dy * k + dx) * D - column * D) * P
                        add_rows(sums, (row * W + c) * P, P, w, listed, lo, hi, base, silent)


@kernel
def _store(sums, scale, shift, out, lo, hi):  # type: ignore[no-untyped-def]
    """out[W, lo:hi] = sums[W, P] * scale + shift."""
    nothing = np.zeros(hi - lo, np.float32)
    for c in range(len(sums)):
        total, to = sums[c], out[c, lo:hi]
        if to.size % LANES == 0:
            scale_vectors(total, nothing, scale, shift, to, to.size)
        else:
            for o in range(to.size):
                to[o] = total[o] * scale[o] + shift[o]


@kernel
def _list_by_channel(at, starts, D, pad, first, lists, counts):  # type: ignore[no-untyped-def]
    """From `list_active`: append to lists[c, counts[c]:] the pixels where channel c fired, as places in a padded image
    of `LANES` floats a pixel that begins at `first`.
    """
    H, columns = starts.shape
    W = columns - 1
    for y in range(H):
        for c in range(W):
            pixel = first + ((y + pad) * (W + 2 * pad) + c + pad) * LANES
            for j in range(starts[y, c], starts[y, c + 1]):
                channel = np.uint32(at[j] - c * D)
                lists[channel, counts[channel]] = pixel
                counts[channel] += 1


@kernel(inline="always")
def _lay_out(g, y, line, first, pad, to):  # type: ignore[no-untyped-def]
    """g + (line[0] * y + line[1]), g and y[H, W, K], into to[slices, pixels, LANES], padded, from pixel `first` on."""
    H, W, K = g.shape
    for row in range(H):
        for c in range(W):
            pixel = first + (row + pad) * (W + 2 * pad) + c + pad
            for part in range(K // LANES):
                at, target = (row * W + c) * K + part * LANES, to[part, pixel]
                through_norm(g, y, at, LANES, line[0, part * LANES :], line[1, part * LANES :], target, 0)
            for o in range(K // LANES * LANES, K):
                to[K // LANES, pixel, o % LANES] = g[row, c, o] + (line[0, o] * y[row, c, o] + line[1, o])


@kernel
def weight_gradient(x, g, y, line, k, gw):  # type: ignore[no-untyped-def]
    """gw[k * k * D, P] += gradient of the weights of `convolve`, if that of its result is g + (line[0] * y + line[1]);
    x[N, H, W, D], g and y[N, H, W, K], line[2, K]. One thread.

    A vector's width of a few images is summed at a time: that much of them stays in the first cache.
    """
    N, H, W, D = x.shape
    pad, slices = k // 2, gw.shape[1] // LANES
    wide = W + 2 * pad
    size = (H + 2 * pad) * wide
    together = max(1, _PIXELS // size)
    at = np.empty(H * W * D + LANES, np.int32)
    starts = np.empty((H, W + 1), np.int64)
    lists, counts = np.empty((D, together * H * W + 1), np.int32), np.empty(D, np.int64)
    padded = aligned(slices * together * size * LANES).reshape(slices, together * size, LANES)
    padded[:] = _ZERO
    for group in range(0, N, together):
        counts[:] = 0
        for n in range(group, min(group + together, N)):
            first = (n - group) * size
            list_active(x[n].reshape(H, W * D), at, starts, 1)
            _list_by_channel(at, starts, D, pad, first * LANES, lists, counts)
            _lay_out(g[n], y[n], line, first, pad, padded)
        for part in range(slices):
            _add_pixels(lists, counts, padded, part, k, wide * LANES, gw)


@kernel(inline="always")
def _add_pixels(lists, counts, padded, part, k, row, gw):  # type: ignore[no-untyped-def]
    """Add to one vector of the rows gw[k * k * D, P] the padded pixels that each tap sees from the listed ones."""
    D, P, pad = counts.size, gw.shape[1], k // 2
    start = part * padded.shape[1] * LANES
    for c in range(D):
        lo, to = c * lists.shape[1], c * P + part * LANES
        hi = lo + counts[c]
        if k == SIDE:
            add_taps(gw, to, D * P, padded, start, lists, lo, hi, row, LANES)
            continue
        for tap in range(k * k):
            base = start - (tap // k - pad) * row - (tap % k - pad) * LANES
            # the first pixel is padding, hence zero
            add_rows(gw, to + tap * D * P, LANES, padded, lists, lo, hi, base, start)
