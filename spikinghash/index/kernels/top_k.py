"""The k nearest rows by counting: a running cut throws most rows away with one comparison in 64 lanes.

Distances are whole numbers 0..K, so no heap is needed. Each query keeps a buffer of candidates in row order, a
histogram of their distances and its cut: the smallest distance D within which k rows were seen already. Rows arrive in
order and ties go to the smaller row, so a later row at distance D or more can never be among the k nearest. A full
buffer is thinned to k candidates; at the end a counting sort by distance, stable in the row, gives the answer.

At most k (K + 1) rows of a query ever pass the cut, whatever their order.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from spikinghash.index.kernels.code_block import allowed_lanes, block_rows, load_block, query_words
from spikinghash.index.kernels.hamming_mask import ROWS, rows_below
from spikinghash.index.kernels.word_bits import lowest_one, popcount
from spikinghash.kernels.jit import kernel

# what is known about one query: columns of `state`
_COUNT, _CUT, _INSIDE = 0, 1, 2


@kernel
def _thin(rows: NDArray[np.int64], distances: NDArray[np.int32], state: NDArray[np.int64], k: int) -> None:
    """Drop candidates beyond the cut, and at the cut all but the first that still fit into k."""
    kept, spare = 0, k - state[_INSIDE]
    for at in range(state[_COUNT]):
        if distances[at] > state[_CUT] or (distances[at] == state[_CUT] and spare == 0):
            continue
        spare -= distances[at] == state[_CUT]
        rows[kept], distances[kept] = rows[at], distances[at]
        kept += 1
    state[_COUNT] = kept


@kernel
def _offer(
    lanes: np.uint64,
    start: int,
    block: NDArray[np.uint64],
    row: int,
    query: NDArray[np.uint64],
    rows: NDArray[np.int64],
    distances: NDArray[np.int32],
    seen: NDArray[np.int64],
    state: NDArray[np.int64],
    k: int,
) -> None:
    """Take the rows of a mask, from row `row` of the block that begins at `start`, into the candidates."""
    while lanes != 0:
        lane = row + lowest_one(lanes)
        lanes &= lanes - np.uint64(1)
        distance = 0
        for word in range(block.shape[0]):
            distance += popcount(block[word, lane] ^ query[word])
        if distance >= state[_CUT]:  # the cut may have fallen since the mask was made
            continue
        if state[_COUNT] == rows.size:
            _thin(rows, distances, state, k)
        rows[state[_COUNT]], distances[state[_COUNT]] = start + lane, distance
        state[_COUNT] += 1
        seen[distance] += 1
        state[_INSIDE] += 1
        while state[_INSIDE] >= k:
            state[_CUT] -= 1
            state[_INSIDE] -= seen[state[_CUT]]


@kernel
def _sort(
    rows: NDArray[np.int64],
    distances: NDArray[np.int32],
    count: int,
    place: NDArray[np.int64],
    out_distances: NDArray[np.int32],
    out_rows: NDArray[np.int64],
) -> None:
    """Counting sort of candidates by distance; equal distances keep their order, which is by row."""
    place[:] = 0
    for at in range(count):
        place[distances[at] + 1] += 1
    for distance in range(1, place.size):
        place[distance] += place[distance - 1]
    for at in range(count):
        distance = distances[at]
        out_distances[place[distance]], out_rows[place[distance]] = distance, rows[at]
        place[distance] += 1


@kernel
def nearest_group(
    queries: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    allowed: NDArray[np.uint64],
    capacity: int,
    out_distances: NDArray[np.int32],
    out_rows: NDArray[np.int64],
) -> None:
    """The k nearest rows of a few queries uint8 [G, K/8] among codes uint8 [N, K/8], into int32 and int64 [G, k].

    `capacity` > k candidates are buffered per query; at least k rows must be allowed. Single thread.
    """
    width, k = codes.shape[1], out_rows.shape[1]
    asked, levels = query_words(queries), width * 8 + 2
    rows = np.empty((len(asked), capacity), np.int64)
    distances = np.empty((len(asked), capacity), np.int32)
    seen = np.zeros((len(asked), levels), np.int64)
    state = np.zeros((len(asked), 3), np.int64)
    state[:, _CUT] = width * 8 + 1
    block = np.zeros((asked.shape[1], block_rows(width)), np.uint64)
    for start in range(0, len(codes), block.shape[1]):
        count = min(block.shape[1], len(codes) - start)
        load_block(codes, start, count, block)
        for q in range(len(asked)):
            for row in range(0, count, ROWS):
                lanes = rows_below(block, row, asked[q], np.uint64(state[q, _CUT]))
                if lanes != 0:
                    lanes &= allowed_lanes(allowed, start + row, count - row)
                    _offer(lanes, start, block, row, asked[q], rows[q], distances[q], seen[q], state[q], k)
    place = np.empty(levels, np.int64)
    for q in range(len(asked)):
        _thin(rows[q], distances[q], state[q], k)
        _sort(rows[q], distances[q], state[q, _COUNT], place, out_distances[q], out_rows[q])


@kernel(parallel=True)
def nearest_threads(
    queries: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    allowed: NDArray[np.uint64],
    capacity: int,
    group: int,
    out_distances: NDArray[np.int32],
    out_rows: NDArray[np.int64],
) -> None:
    """As `nearest_group` for any number of queries, `group` at a time, spread over threads; same results."""
    for part in prange((len(queries) + group - 1) // group):
        lo = part * group
        hi = min(lo + group, len(queries))
        nearest_group(queries[lo:hi], codes, allowed, capacity, out_distances[lo:hi], out_rows[lo:hi])
