"""One AdamP step over many parameters laid end to end: a tensor library spends longer on calls than on numbers."""

from __future__ import annotations

import numpy as np
from numba import njit

_ONE = np.float32(1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def moments(g, m, v, update, keep2, new1, new2, gain, eps):  # type: ignore[no-untyped-def]
    """Advance m and v [N] by the gradients g and write the update m / (sqrt(v) + eps) * gain, before projection."""
    for i in range(g.size):
        m[i] += (g[i] - m[i]) * new1
        v[i] = v[i] * keep2 + g[i] * g[i] * new2
    for i in range(g.size):
        update[i] = _ONE / (np.sqrt(v[i]) + eps) * gain * m[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _cosine(dot, pp, gg, eps):  # type: ignore[no-untyped-def]
    return abs(dot) / (max(np.sqrt(pp), eps) * max(np.sqrt(gg), eps))


# one row is short: float32 holds its sums, and added in any order they are added sixteen at a time
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def _products(p, g, u):  # type: ignore[no-untyped-def]
    """p . g, p . p, g . g, p . u of one row [W]."""
    dot, pp, gg, pu = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for i in range(p.size):
        dot += p[i] * g[i]
        pp += p[i] * p[i]
        gg += g[i] * g[i]
        pu += p[i] * u[i]
    return dot, pp, gg, pu


@njit(cache=True, nogil=True, error_model="numpy")
def project(p, g, u, rows, delta, eps):  # type: ignore[no-untyped-def]
    """Take the radial part out of the update u of one parameter p[rows * W]; whether that applied.

    AdamP's rule (Heo et al., 2021, algorithm 2): by channel where the gradient is nearly orthogonal to the weights of
    every channel, else over the whole layer where it is so there.
    """
    W = p.size // rows
    sums, largest = np.zeros((rows + 1, 4)), 0.0
    for r in range(rows):
        lo, hi = r * W, (r + 1) * W
        sums[r, 0], sums[r, 1], sums[r, 2], sums[r, 3] = _products(p[lo:hi], g[lo:hi], u[lo:hi])
        for i in range(4):
            sums[rows, i] += sums[r, i]
        largest = max(largest, _cosine(sums[r, 0], sums[r, 1], sums[r, 2], eps))
    whole = sums[rows]
    if largest < delta / np.sqrt(W):
        for r in range(rows):
            _take_out(p, u, r * W, (r + 1) * W, sums[r, 1], sums[r, 3], eps)
        return True
    if _cosine(whole[0], whole[1], whole[2], eps) < delta / np.sqrt(p.size):
        _take_out(p, u, 0, p.size, whole[1], whole[3], eps)
        return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _take_out(p, u, lo, hi, pp, pu, eps):  # type: ignore[no-untyped-def]
    length = np.sqrt(pp) + eps
    share = np.float32(pu / (length * length))
    for i in range(lo, hi):
        u[i] -= p[i] * share


@njit(cache=True, nogil=True, error_model="numpy")
def adamp(p, g, m, v, update, ends, rows, betas, eps, gain, lr, decay, delta, wd_ratio):  # type: ignore[no-untyped-def]
    """One step on parameters p[N] with gradients g and moments m, v; update[N] is scratch.

    Parameter k ends at ends[k] and has rows[k] output channels, 0 for vectors, which are not projected. `decay` is
    the decoupled weight decay times the learning rate, reduced to its share `wd_ratio` where the update is projected.
    """
    # 1 - beta in double: float32 keeps only five digits of it
    new1, new2 = np.float32(1.0 - betas[0]), np.float32(1.0 - betas[1])
    moments(g, m, v, update, np.float32(betas[1]), new1, new2, np.float32(gain), np.float32(eps))
    lo = 0
    for k in range(ends.size):
        hi = ends[k]
        weights, change = p[lo:hi], update[lo:hi]
        projected = rows[k] > 0 and project(weights, g[lo:hi], change, rows[k], delta, eps)
        keep, rate = np.float32(1.0 - decay * (wd_ratio if projected else 1.0)), np.float32(lr)
        for i in range(weights.size):
            weights[i] = weights[i] * keep - rate * change[i]
        lo = hi
