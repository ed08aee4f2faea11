"""Fused CPU kernels of batch norm on channel-last rows x[R, C]: statistics, affine step and their gradients.

Deterministic on one thread; the sums run in blocks of rows, in row order.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.jit import kernel
from spikinghash.kernels.lif import block_size, tile

_ZERO = np.float32(0.0)


@kernel
def collect(part, out):  # type: ignore[no-untyped-def]
    """out[C] += the sums part[P, C], which start again."""
    for p in range(part.shape[0]):
        row = part[p]
        for c in range(out.size):
            out[c] += row[c]
            row[c] = _ZERO


@kernel(error_model="numpy")
def mean_and_variance(R, pivot, total, square):  # type: ignore[no-untyped-def]
    """Of R rows the mean and the biased variance, float64 [2, C], from the sums of x - pivot and of its square."""
    out = np.empty((2, pivot.size), np.float64)
    for c in range(pivot.size):
        offset = total[c] / R
        # not `max`: it would hide that a value is not a number
        spread = square[c] / R - offset * offset
        out[0, c], out[1, c] = pivot[c] + offset, 0.0 if spread < 0.0 else spread
    return out


@kernel(error_model="numpy")
def moments(x):  # type: ignore[no-untyped-def]
    """Mean and biased variance of the columns of x[R, C], float64 [2, C]; sums as in `affine_backward`."""
    C = x.shape[1]
    pivot = x[0].copy() if x.shape[0] > 0 else np.zeros(C, np.float32)
    block = block_size(C)
    p, flat = tile(pivot, block), x.reshape(-1)
    total, square = np.zeros(C, np.float64), np.zeros(C, np.float64)
    part, part2 = np.zeros(block, np.float32), np.zeros(block, np.float32)
    for start in range(0, flat.size, 16 * block):
        for lo in range(start, min(start + 16 * block, flat.size), block):
            n = min(block, flat.size - lo)
            a = flat[lo : lo + n]
            for i in range(n):
                d = a[i] - p[i]
                part[i] += d
                part2[i] += d * d
        collect(part.reshape(-1, C), total)
        collect(part2.reshape(-1, C), square)
    return mean_and_variance(x.shape[0], pivot, total, square)


@kernel(error_model="numpy")
def affine_form(found, weight, bias, eps):  # type: ignore[no-untyped-def]
    """Scale, shift and mean, float32 [3, C], of a norm by the moments found[2, C]: float64, rounded once."""
    out = np.empty((3, weight.size), np.float32)
    for c in range(weight.size):
        scale = weight[c] / np.sqrt(found[1, c] + eps)
        out[0, c], out[1, c], out[2, c] = scale, bias[c] - found[0, c] * scale, found[0, c]
    return out


@kernel(error_model="numpy")
def affine_form_backward(found, weight, eps, pivot, sums):  # type: ignore[no-untyped-def]
    """Gradients of the moments [2, C], weight and bias [C] of a norm, from the sums[2, C] over rows of g and of
    g * (x - pivot).
    """
    by_moments, by_weight, by_bias = np.empty((2, weight.size)), np.empty_like(weight), np.empty_like(weight)
    for c in range(weight.size):
        deviation = np.sqrt(found[1, c] + eps)
        scale = weight[c] / deviation
        product = (sums[1, c] + (pivot[c] - found[0, c]) * sums[0, c]) / deviation
        by_moments[0, c], by_moments[1, c] = -scale * sums[0, c], -0.5 * product * scale / deviation
        by_weight[c], by_bias[c] = product, sums[0, c]
    return by_moments, by_weight, by_bias


@kernel(error_model="numpy")
def moments_backward(g, found, rows):  # type: ignore[no-untyped-def]
    """Slope and offset, float32 [2, C]: the gradient g[2, C] of the moments `found` of x[rows, C] gives each x the
    gradient slope * x + offset.
    """
    out = np.empty(g.shape, np.float32)
    for c in range(g.shape[1]):
        slope = g[1, c] * (2.0 / rows)
        out[0, c], out[1, c] = slope, g[0, c] / rows - slope * found[0, c]
    return out


@kernel
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


@kernel
def add_line(g, x, line, out):  # type: ignore[no-untyped-def]
    """out[R, C] = g + (line[0] * x + line[1]), line[2, C]."""
    block = block_size(x.shape[1])
    a, b = tile(line[0], block), tile(line[1], block)
    given, flat, to = g.reshape(-1), x.reshape(-1), out.reshape(-1)
    for lo in range(0, flat.size, block):
        n = min(block, flat.size - lo)
        u, v, w = flat[lo : lo + n], given[lo : lo + n], to[lo : lo + n]
        for i in range(n):
            w[i] = v[i] + (u[i] * a[i] + b[i])


@kernel(error_model="numpy")
def affine_backward(g, x, form, out):  # type: ignore[no-untyped-def]
    """The gradient out[R, C] = g * form[0] of `affine`'s x; also the sums float64 [2, C] of g, g * (x - form[2]).

    A few dozen values are summed in float32 and those sums in float64, in row order: fast and reproducible.
    """
    C = x.shape[1]
    block = block_size(C)
    p, a = tile(form[2], block), tile(form[0], block)
    given, flat, to = g.reshape(-1), x.reshape(-1), out.reshape(-1)
    total = np.zeros((2, C), np.float64)
    part, part2 = np.zeros((1, block), np.float32), np.zeros((1, block), np.float32)
    for start in range(0, flat.size, 16 * block):
        for lo in range(start, min(start + 16 * block, flat.size), block):
            n = min(block, flat.size - lo)
            u, v, w = flat[lo : lo + n], given[lo : lo + n], to[lo : lo + n]
            sums, products = part[0], part2[0]
            for i in range(n):
                sums[i] += v[i]
            for i in range(n):
                products[i] += v[i] * (u[i] - p[i])
            for i in range(n):
                w[i] = v[i] * a[i]
        collect(part.reshape(-1, C), total[0])
        collect(part2.reshape(-1, C), total[1])
    return total
