"""The k nearest codes by NumPy alone, for searches so small that loading a compiled kernel would take longer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.index.nearest_rows import NearestRows

#: Pairs of a query and a code; a kernel is loaded in half a second, so many pairs take a few milliseconds.
FEW = 1 << 17


def nearest_few(
    queries: NDArray[np.uint8], codes: NDArray[np.uint8], k: int, allowed: NDArray[np.bool_] | None
) -> NearestRows:
    """As `nearest_codes`, of whose arguments k is at most the number of (allowed) rows."""
    rows = np.arange(len(codes)) if allowed is None else np.flatnonzero(allowed)
    differ = queries[:, None] ^ codes[rows][None]
    distances = np.bitwise_count(differ).sum(2, dtype=np.int32)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return NearestRows(rows[order].astype(np.int64), np.take_along_axis(distances, order, 1))
