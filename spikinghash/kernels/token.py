"""The gradient of the token mixer's product and of its moments in one pass over memory (paper eq. 10)."""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.jit import kernel

_ZERO = np.float32(0.0)


@kernel
def token_backward(g, x, w, by_moments, gx, gw):  # type: ignore[no-untyped-def]
    """Gradients of p = x * w, with x[T, S, B, P, C] and w[S, T or 1, P], to gx and, added, to gw.

    That of p is g + slope * p + offset, by_moments[2, C], the share of its moments.
    """
    T, S, B, P, C = x.shape
    terms, slope, offset = np.empty(C, np.float32), by_moments[0], by_moments[1]
    for t in range(T):
        for s in range(S):
            tokens, sums = w[s, t % w.shape[1]], gw[s, t % w.shape[1]]
            for b in range(B):
                for p in range(P):
                    here, back, to, token = x[t, s, b, p], g[t, s, b, p], gx[t, s, b, p], tokens[p]
                    for i in range(C):
                        terms[i] = back[i] + (slope[i] * (here[i] * token) + offset[i])
                    for i in range(C):
                        to[i] = terms[i] * token
                    total = _ZERO
                    for i in range(C):
                        total += terms[i] * here[i]
                    sums[p] += total
