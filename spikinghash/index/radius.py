"""Exact search within a Hamming radius."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.index.kernels.radius import within_group, within_threads
from spikinghash.index.validate_codes import allowed_bits, group_size, validate_codes


@dataclass(frozen=True)
class Within:
    """What lies within the radius: query q has the places offsets[q] to offsets[q + 1] - 1 of the other two.

    `offsets` int64 [Q + 1], `rows` int64 [M] and `distances` int32 [M]; each query's are in order of (distance, row).
    """

    offsets: NDArray[np.int64]
    rows: NDArray[np.int64]
    distances: NDArray[np.int32]

    def of(self, query: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Rows and distances of one query."""
        part = slice(self.offsets[query], self.offsets[query + 1])
        return self.rows[part], self.distances[part]


def codes_within(
    queries: NDArray[np.uint8], codes: NDArray[np.uint8], radius: int, allowed: NDArray[np.bool_] | None = None
) -> Within:
    """All codes at most `radius` bits from each query; with `allowed` bool [N] only rows where it is True.

    Queries uint8 [Q, K/8], codes uint8 [N, K/8]. Memory is what the result needs and Q (radius + 1) counts. Threads
    are numba's; results do not depend on their number. `ConfigError` for a negative radius and for anything that is
    not such arrays, `StaleModel` if the widths differ.
    """
    if radius < 0:
        raise ConfigError(f"radius is {radius}; it cannot be negative")
    queries, codes = validate_codes(queries, codes)
    bits, _ = allowed_bits(allowed, len(codes))
    counts = np.zeros((len(queries), min(radius, codes.shape[1] * 8) + 1), np.int64)
    _pass(queries, codes, bits, counts, np.empty(0, np.int32), np.empty(0, np.int64))
    offsets = np.concatenate(([0], np.cumsum(counts.sum(axis=1))))
    distances, rows = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.int64)
    if len(rows):
        place = np.cumsum(counts, axis=1) - counts + offsets[:-1, None]
        _pass(queries, codes, bits, place, distances, rows)
    return Within(offsets, rows, distances)


def _pass(
    queries: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    bits: NDArray[np.uint64],
    place: NDArray[np.int64],
    distances: NDArray[np.int32],
    rows: NDArray[np.int64],
) -> None:
    group = group_size(len(queries))
    if numba.get_num_threads() > 1 and len(queries) > group:
        within_threads(queries, codes, bits, group, place, distances, rows)
        return
    for lo in range(0, len(queries), group):  # no parallel region: safe before a fork
        part = slice(lo, lo + group)
        within_group(queries[part], codes, bits, place[part], distances, rows)
