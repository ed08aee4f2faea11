"""Codes turned into planes: one bit of 512 rows side by side, as the tally kernel reads them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.evaluation.kernels.bitslice import PLANE, PLANE_ROWS
from spikinghash.evaluation.kernels.bitslice_add import PICKS, TRIPLES
from spikinghash.index.kernels.code_block import code_word, words_of
from spikinghash.kernels.jit import kernel


@kernel
def _transpose(square: NDArray[np.uint64]) -> None:
    """Bit b of word r becomes bit r of word b, in place; uint64 [64]. It swaps halves, then quarters, and so on."""
    width, mask = 32, np.uint64(0x00000000FFFFFFFF)
    while width:
        for row in range(64):
            if row & width == 0:
                high, low = square[row] >> np.uint64(width), square[row + width]
                swap = (high ^ low) & mask
                square[row + width] = low ^ swap
                square[row] ^= swap << np.uint64(width)
        width >>= 1
        mask ^= mask << np.uint64(width)


@kernel
def code_planes(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Codes uint8 [N, K/8] as planes uint64 [T * W, 64, 8] of T tiles of 512 rows and W words.

    Bit i of planes[t * W + w, b, c] is bit b of word w of row 512 t + 64 c + i; rows behind the last are zero.
    """
    words = words_of(codes.shape[1])
    tiles = (len(codes) + PLANE_ROWS - 1) // PLANE_ROWS
    planes = np.zeros((tiles * words, 64, PLANE), np.uint64)
    square = np.empty(64, np.uint64)
    for start in range(0, len(codes), 64):
        tile, column = start // PLANE_ROWS, start % PLANE_ROWS // 64
        for word in range(words):
            square[:] = 0
            for row in range(min(64, len(codes) - start)):
                square[row] = code_word(codes, start + row, word)
            _transpose(square)
            planes[tile * words + word, :, column] = square
    return planes


@kernel
def query_picks(queries: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Which places of a word's table (`tabulate`) a query takes, sum and carry in turn: int64 [Q, PICKS * W]."""
    picks = np.empty((len(queries), words_of(queries.shape[1]) * PICKS), np.int64)
    for query in range(len(queries)):
        for word in range(picks.shape[1] // PICKS):
            bits = np.int64(code_word(queries, query, word))
            for triple in range(TRIPLES):
                three = (bits >> (3 * triple)) & 7
                parity = (three ^ (three >> 1) ^ (three >> 2)) & 1
                picks[query, PICKS * word + 2 * triple] = (10 * triple + parity) * PLANE
                picks[query, PICKS * word + 2 * triple + 1] = (10 * triple + 2 + three) * PLANE
            picks[query, PICKS * word + 2 * TRIPLES] = (10 * TRIPLES + ((bits >> 63) & 1)) * PLANE
    return picks
