"""3 x 3 convolution of dense images by Winograd's F(2 x 2, 3 x 3): 16 products of matrices where the plain sum has 36.

The gradient of the input of a convolution is such a convolution; rounding errors grow two- to threefold, which matters
for gradients as little as the order of a sum.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.aligned import aligned
from spikinghash.kernels.gemm import product, rows_unit
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.lif import tile
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.norm import through_norm
from spikinghash.kernels.simd.winograd import into_tile, out_of_tile

_ZERO = np.float32(0.0)
# a pad of one vector keeps the terms of a tile apart in the first cache, where places 4 KiB apart displace each other
#: Tiles, of small images those of several, whose products are taken together.
_TILES = 48
_TERMS = 16


@kernel(inline="always")
def _tiles_of(g, y, n, slope, offset, padded, terms, first):  # type: ignore[no-untyped-def]
    """g + (slope * y + offset) of image n of g, y[N, H, W, K] into terms[16, tiles * K + pad] from tile `first` on, by
    way of padded[H + 2, W + 2, K], zero around; slope and offset are repeated to [W * K].
    """
    _, H, W, K = g.shape
    apart, row = terms.shape[1], (W + 2) * K
    for i in range(H):
        through_norm(g, y, (n * H + i) * W * K, W * K, slope, offset, padded, (i + 1) * row + K)
    for i in range(H // 2):
        for j in range(W // 2):
            to = (first + i * (W // 2) + j) * K
            into_tile(padded, 2 * i * row + 2 * j * K, row, K, terms, to, 4 * apart, apart, K)


@kernel(inline="always")
def _pixels_of(results, first, out, n):  # type: ignore[no-untyped-def]
    """Results[16, tiles * D + pad] from tile `first` on into the image out[n, H, W, D]."""
    _, H, W, D = out.shape
    apart, start = results.shape[1], n * H * W * D
    for i in range(H // 2):
        for j in range(W // 2):
            at, to = (first + i * (W // 2) + j) * D, start + (2 * i * W + 2 * j) * D
            out_of_tile(results, at, 4 * apart, apart, out, to, W * D, D, D)


@kernel
def convolve(g, y, line, u, out):  # type: ignore[no-untyped-def]
    """g + (line[0] * y + line[1]), g and y[N, H, W, K], line[2, K] -> out[N, H, W, D] with the transformed weights
    u[16, K, D]; H, W even, K, D whole vectors.
    """
    N, H, W, K = g.shape
    slope, offset = tile(line[0], W * K), tile(line[1], W * K)
    D, per = out.shape[3], (H // 2) * (W // 2)
    together, unit = max(1, _TILES // per), rows_unit(D)
    tiles = together * per + -(together * per) % unit
    padded = aligned((H + 2) * (W + 2) * K).reshape(H + 2, W + 2, K)
    terms = aligned(_TERMS * (tiles * K + LANES)).reshape(_TERMS, tiles * K + LANES)
    results = aligned(_TERMS * (tiles * D + LANES)).reshape(_TERMS, tiles * D + LANES)
    padded[:] = _ZERO
    for group in range(0, N, together):
        last = min(group + together, N)
        for n in range(group, last):
            _tiles_of(g, y, n, slope, offset, padded, terms, (n - group) * per)
        for term in range(_TERMS):
            left, found = terms[term, : tiles * K].reshape(tiles, K), results[term, : tiles * D].reshape(tiles, D)
            product(left, u[term], found, tiles)
        for n in range(group, last):
            _pixels_of(results, (n - group) * per, out, n)
