"""3 x 3 convolution of spikes and the norm behind it, in integers, by Winograd's F(2 x 2, 3 x 3).

Weights on their grid are integers and spikes 0 or 1, so nothing is ever rounded: the sums are those of any other order.
int16 products in pairs have twice the rate of float32, and there are 16 where the plain sum has 36.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.gemm import product, rows_unit
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.lif import tile
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.winograd import into_tile, out_of_tile

_TERMS = 16
#: How far the upper halves of weights are shifted that do not fit int16.
SHIFT = 8
#: Tiles whose products are taken together.
_TILES = 48


@kernel
def _row_of_tiles(image, i, rows, terms, first):  # type: ignore[no-untyped-def]
    """Row i of the tiles of the spikes image[H, W, D] into terms[16, tiles * D + pad] from tile `first` on, by way of
    rows[4, W' + 2, D], zero on both sides.
    """
    H, W, D = image.shape
    apart, wide = terms.shape[1], rows.shape[1] * D
    for dy in range(4):
        y, to = 2 * i + dy - 1, rows[dy, 1 : W + 1].reshape(W * D)
        if 0 <= y < H:
            source = image[y].reshape(W * D)
            for o in range(to.size):
                to[o] = np.int16(source[o])
        else:
            to[:] = 0
    for j in range((W + 1) // 2):
        into_tile(rows, 2 * j * D, wide, D, terms, (first + j) * D, 4 * apart, apart, D)


@kernel
def _rows_of_pixels(results, first, i, sums, unit, bias, scale, shift, out):  # type: ignore[no-untyped-def]
    """Row i of the tiles, in results[16, tiles * K + pad] from tile `first` on, into the image out[H, W, K]; scratch
    sums[2, W', K], bias, scale and shift repeated to [W * K].
    """
    H, W, K = out.shape
    apart, wide = results.shape[1], sums.shape[1] * K
    for j in range((W + 1) // 2):
        out_of_tile(results, (first + j) * K, 4 * apart, apart, sums, 2 * j * K, wide, K, K)
    for y in range(2 * i, min(2 * i + 2, H)):
        row, to = sums[y - 2 * i, :W].reshape(W * K), out[y].reshape(W * K)
        for o in range(to.size):
            to[o] = (np.float32(row[o]) * unit + bias[o]) * scale[o] + shift[o]


@kernel
def _shifted(terms, D, out):  # type: ignore[no-untyped-def]
    """terms[tiles * D] twice for each tile, first times 2^SHIFT: out[tiles, 2 * D]."""
    for place in range(len(out)):
        row = terms[place * D : place * D + D]
        for i in range(D):
            out[place, i] = row[i] << SHIFT
            out[place, D + i] = row[i]


@kernel
def convolve(x, u, matrices, unit, bias, scale, shift, out):  # type: ignore[no-untyped-def]
    """Spikes x[N, H, W, D] -> out[N, H, W, K] = (sums + bias[K]) * scale[K] + shift[K], each operation rounded.

    u[rows, K] are the transformed weights in pairs of int16: for each of the 16 terms D / 2 rows or, where
    matrices[term] is 2, those to be multiplied by 2^SHIFT before them. D and K whole vectors; `unit` is a fourth of the
    weights' grid. One thread.
    """
    N, H, W, D = x.shape
    K, across, down = out.shape[3], (W + 1) // 2, (H + 1) // 2
    together, multiple = max(1, _TILES // across), rows_unit(K)
    tiles = together * across + -(together * across) % multiple
    rows, both = np.zeros((4, 2 * across + 2, D), np.int16), np.empty((tiles, 2 * D), np.int16)
    terms = np.zeros((_TERMS, tiles * D + 2 * LANES), np.int16)
    results, sums = np.empty((_TERMS, tiles * K + LANES), np.int32), np.empty((2, 2 * across, K), np.int32)
    b, s, h = tile(bias, W * K), tile(scale, W * K), tile(shift, W * K)
    for group in range(0, N * down, together):
        last = min(group + together, N * down)
        for i in range(group, last):
            _row_of_tiles(x[i // down], i % down, rows, terms, (i - group) * across)
        row = 0
        for term in range(_TERMS):
            depth = matrices[term] * D
            if matrices[term] > 1:
                _shifted(terms[term], D, both)
            left = both.reshape(-1) if matrices[term] > 1 else terms[term]
            pairs = left[: tiles * depth].view(np.int32).reshape(tiles, depth // 2)
            product(pairs, u[row : row + depth // 2], results[term, : tiles * K].reshape(tiles, K), tiles)
            row += depth // 2
        for i in range(group, last):
            _rows_of_pixels(results, (i - group) * across, i % down, sums, unit, b, s, h, out[i // down])
