"""Batch norm and max pool 3 x 3, stride 2, padding 1, as one step in training on CPU.

Only a quarter of the normed values survives the pool, so they are never written: the pool norms what it reads, and the
gradient needs sums over the survivors alone.
"""

from __future__ import annotations

from numba import njit

from spikinghash.layers.lif_kernel import tile
from spikinghash.layers.vector_pool import give_back, largest_normed
from spikinghash.layers.vector_rows import LANES


@njit(inline="always")
def _box(y, c, H, W):  # type: ignore[no-untyped-def]
    """The part of output (y, c)'s window that lies in the image."""
    return max(0, 1 - 2 * y), min(3, H + 1 - 2 * y), max(0, 1 - 2 * c), min(3, W + 1 - 2 * c)


@njit(cache=True, nogil=True)
def norm_pool(x, affine, out, raw, tap):  # type: ignore[no-untyped-def]
    """x[N, H, W, C] * affine[0] + affine[1], pooled to out[N, H', W', C], C whole vectors; raw: the x of each output,
    tap: which of the nine inputs it was, the first of equals.
    """
    N, H, W, C = x.shape
    flat, to_out, to_raw, to_tap = x.reshape(-1), out.reshape(-1), raw.reshape(-1), tap.reshape(-1)
    place = 0
    for n in range(N):
        for y in range(out.shape[1]):
            for c in range(out.shape[2]):
                at, box = ((n * H + 2 * y - 1) * W + 2 * c - 1) * C, _box(y, c, H, W)
                for lane in range(0, C, LANES):
                    largest_normed(flat, at + lane, W * C, C, box, affine, lane, to_out, to_raw, to_tap, place + lane)
                place += C


@njit(cache=True, nogil=True)
def norm_pool_backward(g, x, tap, out, constants):  # type: ignore[no-untyped-def]
    """Gradient out[N, H, W, C] of `norm_pool`'s input from g[N, H', W', C]; constants[3, C] = gain, slope and offset of
    its norm, from the column sums of g and of g times the pool's `raw`.
    """
    row = x.shape[2] * x.shape[3]
    images_backward(g, x, tap, out, constants[0], tile(constants[1], row), tile(constants[2], row))


@njit(cache=True, nogil=True)
def images_backward(g, x, tap, out, gain, slopes, offsets):  # type: ignore[no-untyped-def]
    """`norm_pool_backward` with slope and offset repeated for a row of pixels [W * C]."""
    N, H, W, C = x.shape
    flat, taps, grad = out.reshape(-1), tap.reshape(-1), g.reshape(-1)
    place = 0
    for n in range(N):
        for y in range(H):
            here, to = x[n, y].reshape(-1), out[n, y].reshape(-1)
            for i in range(to.size):
                to[i] = here[i] * slopes[i] + offsets[i]
        for y in range(g.shape[1]):
            for c in range(g.shape[2]):
                at, box = ((n * H + 2 * y - 1) * W + 2 * c - 1) * C, _box(y, c, H, W)
                for lane in range(0, C, LANES):
                    give_back(flat, at + lane, W * C, C, box, gain, lane, grad, taps, place + lane)
                place += C
