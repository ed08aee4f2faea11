"""Where workers on one machine meet: each counts its steps in memory they share."""

from __future__ import annotations

import numpy as np
from numba import njit

from spikinghash.training.atomic import load, store

#: Counts are so many places apart, so that each has a cache line.
APART = 8


@njit(cache=True, nogil=True)
def arrive(counts, rank, step):  # type: ignore[no-untyped-def]
    """Tell the others that what `rank` has for `step` is there."""
    store(counts, rank * APART, step)


@njit(cache=True, nogil=True)
def all_arrived(counts, step, looks):  # type: ignore[no-untyped-def]
    """Whether everybody has come as far as `step`, after so many looks at the most."""
    rank, world = 0, counts.size // APART
    for _ in range(looks):
        while rank < world and load(counts, rank * APART) >= step:
            rank += 1
        if rank == world:
            return True
    return False


@njit(cache=True, nogil=True)
def mean(parts, out):  # type: ignore[no-untyped-def]
    """out[N] is the mean of parts[W, N], added in order of rank, so that all workers get the same bits."""
    share = np.float32(1.0 / parts.shape[0])
    first, second = parts[0], parts[min(1, parts.shape[0] - 1)]
    if parts.shape[0] == 2:
        for i in range(out.size):
            out[i] = (first[i] + second[i]) * share
        return
    out[:] = first
    for part in parts[1:]:
        for i in range(out.size):
            out[i] += part[i]
    for i in range(out.size):
        out[i] *= share
