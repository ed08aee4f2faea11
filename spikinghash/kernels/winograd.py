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
#: Tiles, in whole rows of them, whose products are taken together.
_TILES = 48
_TERMS = 16


@kernel(inline="always")
def _row_of_tiles(g, y, n, i, slope, offset, rows, terms, first):  # type: ignore[no-untyped-def]
    """Row i of the tiles of g + (slope * y + offset), image n of g, y[N, H, W, K], into terms[16, tiles * K + pad] from
    tile `first` on, by way of rows[4, W + 2, K], zero on both sides; slope and offset are repeated to [W * K].
    """
    _, H, W, K = g.shape
    apart, wide = terms.shape[1], (W + 2) * K
    for dy in range(4):
        row = 2 * i + dy - 1
        if 0 <= row < H:
            through_norm(g, y, (n * H + row) * W * K, W * K, slope, offset, rows, dy * wide + K)
        else:
            rows[dy] = _ZERO
    for j in range(W // 2):
        into_tile(rows, 2 * j * K, wide, K, terms, (first + j) * K, 4 * apart, apart, K)


@kernel(inline="always")
def _rows_of_pixels(results, first, out, row):  # type: ignore[no-untyped-def]
    """Results[16, tiles * D + pad] from tile `first` on into the pair of rows of out[N, H, W, D], of all images."""
    _, _, W, D = out.shape
    apart, start = results.shape[1], 2 * row * W * D
    for j in range(W // 2):
        out_of_tile(results, (first + j) * D, 4 * apart, apart, out, start + 2 * j * D, W * D, D, D)


@kernel
def convolve(g, y, line, u, out):  # type: ignore[no-untyped-def]
    """g + (line[0] * y + line[1]), g and y[N, H, W, K], line[2, K] -> out[N, H, W, D] with the transformed weights
    u[16, K, D]; H, W even, K, D whole vectors.
    """
    N, H, W, K = g.shape
    D, across, down = out.shape[3], W // 2, H // 2
    together, unit = max(1, _TILES // across), rows_unit(D)
    tiles = together * across + -(together * across) % unit
    slope, offset = tile(line[0], W * K), tile(line[1], W * K)
    rows = np.zeros((4, W + 2, K), np.float32)
    terms = aligned(_TERMS * (tiles * K + LANES)).reshape(_TERMS, tiles * K + LANES)
    results = aligned(_TERMS * (tiles * D + LANES)).reshape(_TERMS, tiles * D + LANES)
    for group in range(0, N * down, together):
        last = min(group + together, N * down)
        for i in range(group, last):
            _row_of_tiles(g, y, i // down, i % down, slope, offset, rows, terms, (i - group) * across)
        for term in range(_TERMS):
            left, found = terms[term, : tiles * K].reshape(tiles, K), results[term, : tiles * D].reshape(tiles, D)
            product(left, u[term], found, tiles)
        for i in range(group, last):
            _rows_of_pixels(results, (i - group) * across, out, i)
