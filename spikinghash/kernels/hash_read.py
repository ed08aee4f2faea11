"""The neurons of the hash layer and their reading as bits in one pass: charge[T, B, K] -> bits, rate, membrane, margin.

Arithmetic and order are `neuron.lif_trace`'s, so bits are equal whichever of them computes.
"""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.jit import kernel

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)


@kernel(error_model="numpy")
def read(charge, tau, v_th, majority, bits, rate, membrane, margin):  # type: ignore[no-untyped-def]
    """Fill bits, rate and the mean potential before reset [B, K], and the smallest distance to the threshold [B].

    A bit is the AND of the spikes over time, or with `majority` whether at least half of the steps fired.
    """
    T, B, K = charge.shape
    steps = np.float32(T)
    for b in range(B):
        nearest = np.float32(np.inf)
        for k in range(K):
            v, fired, total = _ZERO, 0, _ZERO
            for t in range(T):
                h = v + (charge[t, b, k] - v) / tau
                distance = h - v_th
                spike = distance >= _ZERO
                fired += spike
                total += h
                # not `min`: it would hide that a value is not a number
                nearest = nearest if nearest <= abs(distance) else abs(distance)
                v = _ZERO if spike else h
            rate[b, k], membrane[b, k] = np.float32(fired) / steps, total / steps
            bits[b, k] = np.float32(rate[b, k] >= _HALF if majority else fired == T)
        margin[b] = nearest


@kernel(error_model="numpy")
def by_spike(charge, tau, v_th, majority, by_bits, by_rate, out):  # type: ignore[no-untyped-def]
    """The gradient of the spikes out[T, B, K] from those of bits and rate [B, K].

    That of an AND is the product of the other steps' spikes; that of the majority is that of the rate.
    """
    T, B, K = charge.shape
    share = _ONE / np.float32(T)
    for b in range(B):
        for k in range(K):
            v, silent, last = _ZERO, 0, 0
            for t in range(T):
                h = v + (charge[t, b, k] - v) / tau
                spike = h - v_th >= _ZERO
                if not spike:
                    silent, last = silent + 1, t
                v = _ZERO if spike else h
            by_all = (by_rate[b, k] + by_bits[b, k]) * share if majority else by_rate[b, k] * share
            for t in range(T):
                others = silent == 0 or (silent == 1 and last == t)
                out[t, b, k] = by_all + by_bits[b, k] if others and not majority else by_all
