"""All rows within a radius, in two passes: the first counts by distance, the second knows every place."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from spikinghash.index.kernels.code_block import allowed_lanes, block_rows, load_block, query_words
from spikinghash.index.kernels.hamming_mask import ROWS, rows_below
from spikinghash.index.kernels.word_bits import lowest_one, popcount
from spikinghash.kernels.jit import kernel


@kernel
def _take(
    lanes: np.uint64,
    start: int,
    block: NDArray[np.uint64],
    row: int,
    query: NDArray[np.uint64],
    place: NDArray[np.int64],
    distances: NDArray[np.int32],
    rows: NDArray[np.int64],
) -> None:
    """Move place[d] on by one for each row of a mask; write the row there too where `rows` has room for it."""
    while lanes != 0:
        lane = row + lowest_one(lanes)
        lanes &= lanes - np.uint64(1)
        distance = 0
        for word in range(block.shape[0]):
            distance += popcount(block[word, lane] ^ query[word])
        if rows.size:
            distances[place[distance]], rows[place[distance]] = distance, start + lane
        place[distance] += 1


@kernel
def within_group(
    queries: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    allowed: NDArray[np.uint64],
    place: NDArray[np.int64],
    distances: NDArray[np.int32],
    rows: NDArray[np.int64],
) -> None:
    """One pass of a few queries uint8 [G, K/8] over codes uint8 [N, K/8]; the radius is place.shape[1] - 1.

    First pass: `place` int64 [G, radius + 1] is zero, `rows` empty; the counts by distance are left in `place`.
    Second pass: `place` says where the first row of each distance goes in `rows` and `distances`. Single thread.
    """
    asked, limit = query_words(queries), np.uint64(place.shape[1])
    block = np.zeros((asked.shape[1], block_rows(codes.shape[1])), np.uint64)
    for start in range(0, len(codes), block.shape[1]):
        count = min(block.shape[1], len(codes) - start)
        load_block(codes, start, count, block)
        for q in range(len(asked)):
            for row in range(0, count, ROWS):
                lanes = rows_below(block, row, asked[q], limit)
                if lanes != 0:
                    lanes &= allowed_lanes(allowed, start + row, count - row)
                    _take(lanes, start, block, row, asked[q], place[q], distances, rows)


@kernel(parallel=True)
def within_threads(
    queries: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    allowed: NDArray[np.uint64],
    group: int,
    place: NDArray[np.int64],
    distances: NDArray[np.int32],
    rows: NDArray[np.int64],
) -> None:
    """As `within_group` for any number of queries, `group` at a time, spread over threads; same results."""
    for part in prange((len(queries) + group - 1) // group):
        lo = part * group
        hi = min(lo + group, len(queries))
        within_group(queries[lo:hi], codes, allowed, place[lo:hi], distances, rows)
