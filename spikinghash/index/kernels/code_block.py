"""Codes as blocks of words: the form in which kernels compare them.

A block is a copy of a few thousand rows that stays in the processor's cache while many queries look at it. It is
turned on its side (word by word, not row by row) and padded with zeros to whole words, so every width has one kernel
and the codes themselves are never copied as a whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.index.kernels.hamming_mask import ROWS
from spikinghash.index.kernels.word_bits import load_word
from spikinghash.kernels.jit import kernel

_BLOCK_WORDS = 2048  # 16 KiB: half of a first-level cache


@kernel
def words_of(width: int) -> int:
    """64-bit words of a code of `width` bytes."""
    return (width + 7) // 8


@kernel
def block_rows(width: int) -> int:
    """Rows of a block of codes of `width` bytes, a multiple of 64."""
    return max(ROWS, _BLOCK_WORDS // words_of(width) // ROWS * ROWS)


@kernel
def code_word(codes: NDArray[np.uint8], row: int, word: int) -> np.uint64:
    """Word of a row of codes uint8 [N, K/8], C-contiguous, zeros behind the last byte."""
    width = codes.shape[1]
    if 8 * word + 8 <= width:
        return load_word(codes, row * width + 8 * word)
    value = np.uint64(0)
    for byte in range(width - 1, 8 * word - 1, -1):
        value = (value << np.uint64(8)) | np.uint64(codes[row, byte])
    return value


@kernel
def load_block(codes: NDArray[np.uint8], start: int, rows: int, block: NDArray[np.uint64]) -> None:
    """block[w, r] = word w of row start + r for r < rows; what lies behind keeps its value."""
    for row in range(rows):
        for word in range(block.shape[0]):
            block[word, row] = code_word(codes, start + row, word)


@kernel
def query_words(queries: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Queries uint8 [Q, K/8] as words uint64 [Q, W]."""
    words = np.empty((queries.shape[0], words_of(queries.shape[1])), np.uint64)
    for query in range(words.shape[0]):
        for word in range(words.shape[1]):
            words[query, word] = code_word(queries, query, word)
    return words


@kernel
def allowed_lanes(allowed: NDArray[np.uint64], start: int, rows: int) -> np.uint64:
    """Mask of the 64 rows from `start` (a multiple of 64) that exist and are allowed.

    `rows` is how many rows there are from `start` on; `allowed` holds bit r % 64 of word r // 64 for row r, or is
    empty where all rows are.
    """
    lanes = ~np.uint64(0)
    if rows < ROWS:
        lanes = (np.uint64(1) << np.uint64(rows)) - np.uint64(1)
    if allowed.size:
        lanes &= allowed[start // ROWS]
    return lanes
