"""Steps of the kernels that carry a few pixels through many layers: u[T, N] with N = pixels * channels, in cache."""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.gather_sum import add_rows
from spikinghash.kernels.jit import kernel
from spikinghash.kernels.simd.code import LANES
from spikinghash.kernels.simd.step import scale_vectors
from spikinghash.kernels.spike_conv import append_active

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)


@kernel(inline="always")
def copy(source, target):  # type: ignore[no-untyped-def]
    """Source[N] into target[N]: an assignment of slices first looks for overlaps, which takes longer."""
    for i in range(source.size):
        target[i] = source[i]


@kernel(inline="always")
def add(source, other, target):  # type: ignore[no-untyped-def]
    """Source[N] + other[N] into target[N]."""
    for i in range(source.size):
        target[i] = source[i] + other[i]


@kernel(error_model="numpy")
def fire(u, v, tau, v_th):  # type: ignore[no-untyped-def]
    """The charges u[T, N] become spikes; v[N] is scratch."""
    v[:] = _ZERO
    for t in range(u.shape[0]):
        ut = u[t]
        for i in range(v.size):
            h = v[i] + (ut[i] - v[i]) / tau
            fired = h - v_th >= _ZERO
            ut[i] = _ONE if fired else _ZERO
            v[i] = _ZERO if fired else h


@kernel
def affine_steps(u, a, b):  # type: ignore[no-untyped-def]
    """u[T, N] := u * a[N] + b[N], each operation rounded."""
    for t in range(u.shape[0]):
        ut = u[t]
        for i in range(ut.size):
            ut[i] = ut[i] * a[i] + b[i]


@kernel
def mix_channels(u, w, bias, norm, out, at, total):  # type: ignore[no-untyped-def]
    """out[T, pixels * K] = (the sum of the weight rows w[D + 1, P] of the spikes u[T, pixels * D], plus bias[K]) *
    norm[0] + norm[1], each operation rounded; norm[2, K].

    `out` may be u where D = K; the last row of w is zero; at[D + LANES] and total[P] are scratch.
    """
    D, P, K = w.shape[0] - 1, w.shape[1], bias.size
    scale, shift, quiet = norm[0], norm[1], np.empty(K, np.float32)
    for o in range(K):
        quiet[o] = bias[o] * scale[o] + shift[o]
    for t in range(u.shape[0]):
        for pixel in range(u.shape[1] // D):
            n = append_active(u[t], pixel * D, (pixel + 1) * D, at, 0, 0, P)
            to = out[t, pixel * K : (pixel + 1) * K]
            if n == 0:
                for o in range(K):
                    to[o] = quiet[o]
                continue
            total[:] = _ZERO
            add_rows(total, 0, P, w, at, 0, n, 0, D * P)
            if K % LANES == 0:
                scale_vectors(total, bias, scale, shift, to, K)
            else:
                for o in range(K):
                    to[o] = (total[o] + bias[o]) * scale[o] + shift[o]
