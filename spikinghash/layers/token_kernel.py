"""The token mixer's product and the gradient of the batch norm behind it, one pass over memory each."""

from __future__ import annotations

import numpy as np
from numba import njit

_ZERO = np.float32(0.0)


@njit(cache=True, nogil=True)
def token_norm_backward(g, x, w, gain, slope, offset, gx, gw):  # type: ignore[no-untyped-def]
    """Gradients of p = x * w, with x[T, S, B, P, C] and w[S, T or 1, P], to gx and, added, to gw.

    That of p is gain * g + slope * p + offset, all [C], the gradient of a batch norm.
    """
    T, S, B, P, C = x.shape
    terms = np.empty(C, np.float32)
    for t in range(T):
        for s in range(S):
            tokens, sums = w[s, t % w.shape[1]], gw[s, t % w.shape[1]]
            for b in range(B):
                for p in range(P):
                    here, back, to, token = x[t, s, b, p], g[t, s, b, p], gx[t, s, b, p], tokens[p]
                    for i in range(C):
                        terms[i] = gain[i] * back[i]
                    for i in range(C):
                        terms[i] += slope[i] * (here[i] * token) + offset[i]
                    for i in range(C):
                        to[i] = terms[i] * token
                    total = _ZERO
                    for i in range(C):
                        total += terms[i] * here[i]
                    sums[p] += total
