"""Fused CPU kernels of batch norm on channel-last rows x[R, C]: statistics, affine step and their gradients.

Deterministic on one thread; the sums run in blocks of rows, in row order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.layers.lif_kernel import block_size, tile

_ZERO = np.float32(0.0)


@njit(cache=True, nogil=True)
def collect(part, out):  # type: ignore[no-untyped-def]
    """out[C] += the sums part[P, C], which start again."""
    for p in range(part.shape[0]):
        row = part[p]
        for c in range(out.size):
            out[c] += row[c]
            row[c] = _ZERO


@njit(cache=True, nogil=True, error_model="numpy")
def channel_sums(x, y, x0, y0):  # type: ignore[no-untyped-def]
    """Per-channel sums of (x - x0) and of (x - x0) * (y - y0) over rows; x, y [R, C], x0, y0 [C] -> float64 [C], [C].

    Pivots near the means keep the products small. A few dozen values are summed in float32 and those sums in float64,
    in row order: fast and reproducible.
    """
    C = x.shape[1]
    block = block_size(C)
    p, q = tile(x0, block), tile(y0, block)
    flat, other = x.reshape(-1), y.reshape(-1)
    total, product = np.zeros(C, np.float64), np.zeros(C, np.float64)
    part, part2 = np.empty(block, np.float32), np.empty(block, np.float32)
    for start in range(0, flat.size, 16 * block):
        part[:] = _ZERO
        part2[:] = _ZERO
        for lo in range(start, min(start + 16 * block, flat.size), block):
            a, b = flat[lo : min(lo + block, flat.size)], other[lo : min(lo + block, flat.size)]
            for i in range(a.size):
                part[i] += a[i] - p[i]
            for i in range(a.size):
                part2[i] += (a[i] - p[i]) * (b[i] - q[i])
        for i in range(0, block, C):
            for c in range(C):
                total[c] += part[i + c]
                product[c] += part2[i + c]
    return total, product


@njit(cache=True, nogil=True, error_model="numpy")
def channel_moments(x, x0):  # type: ignore[no-untyped-def]
    """Per-channel sums of x - x0 and of its square over rows, as in `channel_sums`; x [R, C], x0 [C]."""
    C = x.shape[1]
    block = block_size(C)
    p, flat = tile(x0, block), x.reshape(-1)
    total, square = np.zeros(C, np.float64), np.zeros(C, np.float64)
    part, part2 = np.empty(block, np.float32), np.empty(block, np.float32)
    for start in range(0, flat.size, 16 * block):
        part[:] = _ZERO
        part2[:] = _ZERO
        for lo in range(start, min(start + 16 * block, flat.size), block):
            n = min(block, flat.size - lo)
            a = flat[lo : lo + n]
            for i in range(n):
                d = a[i] - p[i]
                part[i] += d
                part2[i] += d * d
        for i in range(0, block, C):
            for c in range(C):
                total[c] += part[i + c]
                square[c] += part2[i + c]
    return total, square


@njit(cache=True, nogil=True, error_model="numpy")
def from_moments(R, pivot, total, square, weight, bias, eps):  # type: ignore[no-untyped-def]
    """`statistics` of R rows from the sums of x - pivot and of its square."""
    C = pivot.size
    mean, var, rstd = np.empty(C, np.float64), np.empty(C, np.float64), np.empty(C, np.float64)
    scale, shift = np.empty(C, np.float32), np.empty(C, np.float32)
    for c in range(C):
        offset = total[c] / R
        # not `max`: it would hide that a value is not a number
        spread = square[c] / R - offset * offset
        var[c] = 0.0 if spread < 0.0 else spread
        mean[c] = pivot[c] + offset
        rstd[c] = 1.0 / np.sqrt(var[c] + eps)
        gain = weight[c] * rstd[c]
        scale[c], shift[c] = np.float32(gain), np.float32(bias[c] - mean[c] * gain)
    return mean, var, rstd, scale, shift


@njit(cache=True, nogil=True, error_model="numpy")
def statistics(x, weight, bias, eps):  # type: ignore[no-untyped-def]
    """Of the columns of x[R, C] the mean, biased variance and 1 / deviation in float64, scale and shift in float32."""
    pivot = x[0].copy()
    total, square = channel_moments(x, pivot)
    return from_moments(x.shape[0], pivot, total, square, weight, bias, eps)


@njit(cache=True, nogil=True, error_model="numpy")
def tracked(R, sums, weight, bias, added, running_mean, running_var, eps, momentum):  # type: ignore[no-untyped-def]
    """Mean and 1 / deviation of R rows from their `moments`, sums[3, C], and in float32 scale, shift and mean [3, C].

    Keeps running statistics as `nn.BatchNorm2d` does, of x + added[C], if any.
    """
    mean, var, rstd, scale, shift = from_moments(R, sums[0], sums[1], sums[2], weight, bias, eps)
    affine = np.empty((3, mean.size), np.float32)
    affine[0], affine[1] = scale, shift
    share, unbiased = np.float32(momentum), np.float32(R / max(R - 1, 1))
    for c in range(mean.size):
        affine[2, c] = np.float32(mean[c])
        seen = np.float32(mean[c] + added[c]) if added.size else affine[2, c]
        running_mean[c] += share * (seen - running_mean[c])
        running_var[c] += share * (np.float32(var[c]) * unbiased - running_var[c])
    return mean, rstd, affine


@njit(cache=True, nogil=True, error_model="numpy")
def moments(x):  # type: ignore[no-untyped-def]
    """Of the columns of x[R, C]: a pivot, the sums of x - pivot and of its square, float64 [3, C]."""
    out, pivot = np.empty((3, x.shape[1]), np.float64), x[0].copy()
    out[0] = pivot
    out[1], out[2] = channel_moments(x, pivot)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def norm_constants(R, total, centred, mean, rstd, weight):  # type: ignore[no-untyped-def]
    """The gradient of a batch norm's input is gain * g + slope * x + offset, [3, C]; also those of weight and bias."""
    C = total.size
    constants = np.empty((3, C), np.float32)
    grad_weight, grad_bias = np.empty(C, np.float32), np.empty(C, np.float32)
    for c in range(C):
        by_weight = (centred[c] - (mean[c] - np.float64(np.float32(mean[c]))) * total[c]) * rstd[c]
        # dx = w * rstd * (g - sum(g) / R - xhat * sum(g * xhat) / R), with xhat = (x - mean) * rstd written out
        a = weight[c] * rstd[c]
        b = -a * rstd[c] * by_weight / R
        constants[0, c], constants[1, c] = np.float32(a), np.float32(b)
        constants[2, c] = np.float32(-a * total[c] / R - b * mean[c])
        grad_weight[c], grad_bias[c] = np.float32(by_weight), np.float32(total[c])
    return constants, grad_weight, grad_bias


@njit(cache=True, nogil=True, error_model="numpy")
def norm_gradients(g, x, out, total, centred, mean, rstd, weight):  # type: ignore[no-untyped-def]
    """Input gradient of a batch norm to out[R, C], which may be g; returns float32 gradients [C] of weight and bias.

    g is the gradient of the output, `total` and `centred` its column sums, plain and times x - float32(mean).
    """
    constants, grad_weight, grad_bias = norm_constants(x.shape[0], total, centred, mean, rstd, weight)
    norm_backward(g, x, constants, out)
    return grad_weight, grad_bias


@njit(cache=True, nogil=True)
def affine(x, scale, shift, out):  # type: ignore[no-untyped-def]
    """out[R, C] = x * scale + shift, one multiplication and one addition, each rounded."""
    C = x.shape[1]
    block = block_size(C)
    a, b = tile(scale, block), tile(shift, block)
    flat, to = x.reshape(-1), out.reshape(-1)
    for lo in range(0, flat.size, block):
        u, v = flat[lo : min(lo + block, flat.size)], to[lo : min(lo + block, flat.size)]
        for i in range(u.size):
            v[i] = u[i] * a[i] + b[i]


@njit(cache=True, nogil=True)
def norm_backward(g, x, constants, out):  # type: ignore[no-untyped-def]
    """out[R, C] = gain * g + slope * x + offset, the batch-norm input gradient with constants[3, C]; out may be g."""
    C = x.shape[1]
    block = block_size(C)
    a, b, d = tile(constants[0], block), tile(constants[1], block), tile(constants[2], block)
    work = np.empty(block, np.float32)
    flat, other, to = g.reshape(-1), x.reshape(-1), out.reshape(-1)
    for lo in range(0, flat.size, block):
        n = min(block, flat.size - lo)
        w, here, there, v = work[:n], other[lo : lo + n], flat[lo : lo + n], to[lo : lo + n]
        for i in range(n):
            w[i] = here[i] * b[i] + d[i]
        for i in range(n):
            w[i] += there[i] * a[i]
        # by way of the scratch: a loop that reads and writes the same array under two names is not vectorised
        for i in range(n):
            v[i] = w[i]
