"""Exact k nearest codes in Hamming distance, ties by row."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.index.kernels.top_k import nearest_group, nearest_threads
from spikinghash.index.nearest_few import FEW, nearest_few
from spikinghash.index.nearest_rows import NearestRows
from spikinghash.index.validate_codes import GROUP, allowed_bits, group_size, validate_codes

# room for candidates on each thread, in bytes; large k then means fewer queries at a time, not more memory
_CANDIDATE_BYTES = 4 << 20
_BYTES_PER_CANDIDATE = 12


def nearest_codes(
    queries: NDArray[np.uint8], codes: NDArray[np.uint8], k: int, allowed: NDArray[np.bool_] | None = None
) -> NearestRows:
    """The k nearest codes of each query.

    Queries uint8 [Q, K/8], codes uint8 [N, K/8]; with `allowed` bool [N] only rows where it is True. k is clipped to
    the number of (allowed) rows. Threads are numba's; results do not depend on their number. `ConfigError` for k < 1
    and for anything that is not such arrays, `StaleModel` if the widths differ.
    """
    if k < 1:
        raise ConfigError(f"k is {k}; it must be at least 1")
    queries, codes = validate_codes(queries, codes)
    bits, rows = allowed_bits(allowed, len(codes))
    k = min(k, rows)
    if len(queries) * len(codes) <= FEW:
        return nearest_few(queries, codes, k, allowed)
    found = NearestRows(np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.int32))
    if k == 0 or len(queries) == 0:
        return found
    capacity = min(2 * k + 64, rows + 1)
    group = group_size(len(queries), min(GROUP, max(1, _CANDIDATE_BYTES // (capacity * _BYTES_PER_CANDIDATE))))
    if numba.get_num_threads() > 1 and len(queries) > group:
        nearest_threads(queries, codes, bits, capacity, group, found.distances, found.rows)
        return found
    for lo in range(0, len(queries), group):  # no parallel region: safe before a fork
        part = slice(lo, lo + group)
        nearest_group(queries[part], codes, bits, capacity, found.distances[part], found.rows[part])
    return found
