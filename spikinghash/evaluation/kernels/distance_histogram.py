"""Items and relevant items at every distance, straight from codes and classes.

A few queries share each stretch of the gallery. First the planes of their distances to it are made, tile by tile, with
a table of the tile that they share; then eight neighbouring distances at a time are counted in these planes.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from spikinghash.evaluation.kernels.bitslice import PLANE, PLANE_ROWS
from spikinghash.evaluation.kernels.bitslice_add import PICKS, TABLE, add_distances, tabulate
from spikinghash.evaluation.kernels.bitslice_codes import query_picks
from spikinghash.evaluation.kernels.bitslice_count import count_eight
from spikinghash.kernels.jit import kernel

# the planes of 32 queries and 16,384 rows are half a megabyte: a second-level cache
_QUERIES = 32
_TILES = 32


@kernel
def _mark(members: NDArray[np.uint64], start: int, stop: int) -> None:
    """Mask of the rows start <= row < stop, in the words of all tiles that hold any of them."""
    for word in range(start // PLANE_ROWS * PLANE, (stop + PLANE_ROWS - 1) // PLANE_ROWS * PLANE):
        lo, hi = max(start - word * 64, 0), min(stop - word * 64, 64)
        members[word] = 0
        if lo < hi:
            members[word] = (~np.uint64(0) >> np.uint64(64 - (hi - lo))) << np.uint64(lo)


@kernel
def _count(
    planes: NDArray[np.uint64],
    members: NDArray[np.uint64],
    start: int,
    stop: int,
    seen: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """counts[d] = how many rows start <= row < stop are at distance d; int64 [8 * E].

    It looks at eight distances at a time, first where `seen` int64 [E] is not 0, and ends when all rows are found.
    """
    missing = stop - start
    counts[:] = 0
    for known in (True, False):
        for eight in range(seen.size):
            if missing == 0:
                return
            if (seen[eight] > 0) == known:
                here = counts[8 * eight : 8 * eight + 8]
                count_eight(planes, members, start // PLANE_ROWS, (stop + PLANE_ROWS - 1) // PLANE_ROWS, eight, here)
                for count in here:
                    missing -= count


@kernel
def _add(counts: NDArray[np.int64], total: NDArray[np.int64], seen: NDArray[np.int64]) -> None:
    for level in range(total.size):
        total[level] += counts[level]
        seen[level // 8] += counts[level]


@kernel
def _distance_planes(
    gallery: NDArray[np.uint64],
    picks: NDArray[np.int64],
    start: int,
    stop: int,
    table: NDArray[np.uint64],
    planes: NDArray[np.uint64],
) -> None:
    """planes[q] = planes of the distances of the tiles start..stop-1 to query q."""
    words = picks.shape[1] // PICKS
    if words > 1:
        planes[:, 7:] = 0  # what the first word does not set
    for tile in range(start, stop):
        for word in range(words):
            tabulate(gallery, tile * words + word, table)
            for q in range(len(picks)):
                add_distances(table, picks[q], PICKS * word, planes[q], (tile - start) * PLANE)


@kernel
def _tally_group(
    queries: NDArray[np.uint8],
    gallery: NDArray[np.uint64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    rows: int,
    items: NDArray[np.int64],
    relevant: NDArray[np.int64],
) -> None:
    picks, levels = query_picks(queries), items.shape[1]
    bits = 0
    while (picks.shape[1] // PICKS * 64) >> bits:
        bits += 1
    tiles = (rows + PLANE_ROWS - 1) // PLANE_ROWS
    planes = np.empty((len(queries), bits, _TILES * PLANE), np.uint64)
    table = np.empty(TABLE, np.uint64)
    members = np.empty((2, _TILES * PLANE), np.uint64)
    counts = np.empty((levels + 7) // 8 * 8, np.int64)
    seen = np.zeros((len(queries), counts.size // 8), np.int64)
    for tile in range(0, tiles, _TILES):
        start = tile * PLANE_ROWS
        here = min(_TILES * PLANE_ROWS, rows - start)
        _distance_planes(gallery, picks, tile, min(tile + _TILES, tiles), table, planes)
        _mark(members[0], 0, here)
        for q in range(len(queries)):
            _count(planes[q], members[0], 0, here, seen[q], counts)
            _add(counts, items[q], seen[q])
            lo, hi = max(first[q] - start, 0), min(last[q] - start, here)
            if lo < hi:
                _mark(members[1], lo, hi)
                _count(planes[q], members[1], lo, hi, seen[q], counts)
                _add(counts, relevant[q], seen[q])


@kernel(parallel=True)
def tally_classes(
    queries: NDArray[np.uint8],
    gallery: NDArray[np.uint64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    rows: int,
    items: NDArray[np.int64],
    relevant: NDArray[np.int64],
) -> None:
    """Add to `items` and `relevant` int64 [Q, K + 1] what lies at each distance from queries uint8 [Q, K/8].

    `gallery` are the planes (`code_planes`) of `rows` codes in order of their classes, so that the rows relevant to
    query q are first[q] <= row < last[q].
    """
    for part in prange((len(queries) + _QUERIES - 1) // _QUERIES):
        lo = part * _QUERIES
        hi = min(lo + _QUERIES, len(queries))
        _tally_group(queries[lo:hi], gallery, first[lo:hi], last[lo:hi], rows, items[lo:hi], relevant[lo:hi])
