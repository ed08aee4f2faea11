"""Neurons, token product (eq. 10) and the sums of the norm behind it as one pass over memory, for training.

Arrays are [T, S, B, P, C] with P pixels and C whole vectors of channels, token weights w[S, T or 1, P]. There are two
layers: the first is charged by coefficients x and leaves its spikes as bits int16 [T, S, B, P, C / 16], the second is
charged by those times their weights, normed, and leaves its products.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.layers.aligned_kernel import aligned
from spikinghash.layers.lif_kernel import SIGMOID
from spikinghash.layers.norm_kernel import collect
from spikinghash.layers.vector_rows import LANES
from spikinghash.layers.vector_token import (
    first_back_atan,
    first_back_sigmoid,
    first_tokens,
    next_back_atan,
    next_back_sigmoid,
    next_tokens,
)

_ZERO = np.float32(0.0)


@njit(cache=True, nogil=True)
def first(x, after, bits, tau, v_th):  # type: ignore[no-untyped-def]
    """Bits of LIF(x), and the moments [3, C] (`norm_kernel.moments`) of their products with the weights `after`."""
    T, S, B, P, C = x.shape
    moments, sums, squares, none = (
        np.zeros((3, C)),
        aligned(C).reshape(1, C),
        aligned(C).reshape(1, C),
        np.empty(0, np.float32),
    )
    sums[:] = _ZERO
    squares[:] = _ZERO
    N, step = S * B * P * C, (after.shape[1] > 1) * P
    for s in range(S):
        for b in range(B):
            for p in range(P):
                at, token = ((s * B + b) * P + p) * C, s * after.shape[1] * P + p
                for c in range(0, C, LANES):
                    first_tokens(
                        x, none, none, none, after, bits, sums, squares, at + c, N, T, token, step, c, tau, v_th
                    )  # fmt: skip
            collect(sums, moments[1])
            collect(squares, moments[2])
    return moments


@njit(cache=True, nogil=True)
def second(bits, before, scale, shift, after, out, tau, v_th):  # type: ignore[no-untyped-def]
    """Products out of LIF(`bits` times their weights `before`, times scale[C] plus shift) with the weights `after`, and
    their moments.
    """
    T, S, B, P, C = out.shape
    moments, sums, squares = np.zeros((3, C)), aligned(C).reshape(1, C), aligned(C).reshape(1, C)
    sums[:] = _ZERO
    squares[:] = _ZERO
    N, step = S * B * P * C, (after.shape[1] > 1) * P
    for s in range(S):
        for b in range(B):
            for p in range(P):
                at, token = ((s * B + b) * P + p) * C, s * after.shape[1] * P + p
                for c in range(0, C, LANES):
                    next_tokens(
                        bits, before, scale, shift, after, out, sums, squares, at + c, N, T, token, step, c, tau, v_th
                    )  # fmt: skip
            collect(sums, moments[1])
            collect(squares, moments[2])
    return moments


@njit(cache=True, nogil=True)
def first_back(x, after, g, constants, out, by_token, tau, v_th, alpha, surrogate):  # type: ignore[no-untyped-def]
    """Gradient out of x, and, added lane by lane, by_token[weights, 16], from g, that of the norm's output.

    constants[3, C] = gain, slope and offset make g that of the products.
    """
    T, S, B, P, C = x.shape
    h, none, N, step = aligned(T * LANES), np.empty(0, np.float32), S * B * P * C, (after.shape[1] > 1) * P
    gain, slope, offset = constants[0], constants[1], constants[2]
    for s in range(S):
        for b in range(B):
            for p in range(P):
                at, token = ((s * B + b) * P + p) * C, s * after.shape[1] * P + p
                for c in range(0, C, LANES):
                    if surrogate == SIGMOID:
                        first_back_sigmoid(
                            x, none, none, none, after, g, gain, slope, offset, out, by_token, none, none, h,
                            at + c, N, T, token, step, c, tau, v_th, alpha,
                        )  # fmt: skip
                    else:
                        first_back_atan(
                            x, none, none, none, after, g, gain, slope, offset, out, by_token, none, none, h,
                            at + c, N, T, token, step, c, tau, v_th, alpha,
                        )  # fmt: skip


@njit(cache=True, nogil=True)
def second_back(  # type: ignore[no-untyped-def]
    bits, before, scale, shift, after, g, constants, out, by_token, tau, v_th, alpha, surrogate
):
    """As `first_back`; returns the sums [2, C] of out, plain and times the products of `bits`."""
    T, S, B, P, C = g.shape
    h, N, step = aligned(T * LANES), S * B * P * C, (after.shape[1] > 1) * P
    gain, slope, offset = constants[0], constants[1], constants[2]
    totals, sums, products = np.zeros((2, C)), aligned(C).reshape(1, C), aligned(C).reshape(1, C)
    sums[:] = _ZERO
    products[:] = _ZERO
    for s in range(S):
        for b in range(B):
            for p in range(P):
                at, token = ((s * B + b) * P + p) * C, s * after.shape[1] * P + p
                for c in range(0, C, LANES):
                    if surrogate == SIGMOID:
                        next_back_sigmoid(
                            bits, before, scale, shift, after, g, gain, slope, offset, out, by_token, sums, products, h,
                            at + c, N, T, token, step, c, tau, v_th, alpha,
                        )  # fmt: skip
                    else:
                        next_back_atan(
                            bits, before, scale, shift, after, g, gain, slope, offset, out, by_token, sums, products, h,
                            at + c, N, T, token, step, c, tau, v_th, alpha,
                        )  # fmt: skip
            collect(sums, totals[0])
            collect(products, totals[1])
    return totals
