"""What a search is given, checked and brought into the form its kernels read."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError, StaleModel
from spikinghash.index.kernels.hamming_mask import ROWS

#: Queries that share a pass over the codes: more save memory traffic, fewer keep their candidates in the cache
GROUP = 64


def validate_codes(queries: NDArray[np.uint8], codes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Queries uint8 [Q, K/8] and codes uint8 [N, K/8], C-contiguous; copied only if they are not.

    `ConfigError` for other types or shapes and for codes without bits, `StaleModel` if the widths differ.
    """
    for name, side in (("queries", queries), ("codes", codes)):
        if side.ndim != 2 or side.dtype != np.uint8 or side.shape[1] == 0:
            raise ConfigError(f"{name} must be uint8 [N, K/8], not {side.dtype} {list(side.shape)}")
    if queries.shape[1] != codes.shape[1]:
        raise StaleModel(f"queries have {queries.shape[1] * 8} bits, the codes {codes.shape[1] * 8}")
    return _as_kernel_input(queries), _as_kernel_input(codes)


def allowed_bits(allowed: NDArray[np.bool_] | None, rows: int) -> tuple[NDArray[np.uint64], int]:
    """A bool mask [N] as bits (row r is bit r % 64 of word r // 64) and how many rows it allows; None allows all.

    `ConfigError` unless the mask is bool [N].
    """
    if allowed is None:
        return np.empty(0, np.uint64), rows
    if allowed.dtype != np.bool_ or allowed.shape != (rows,):
        raise ConfigError(f"a row mask must be bool [{rows}], not {allowed.dtype} {list(allowed.shape)}")
    bits = np.zeros(-(-rows // ROWS) * 8, np.uint8)
    bits[: -(-rows // 8)] = np.packbits(allowed, bitorder="little")
    return bits.view("<u8").astype(np.uint64, copy=False), int(allowed.sum())


def group_size(queries: int, most: int = GROUP) -> int:
    """How many queries one thread takes at a time: equal shares for all threads, at most `most` each."""
    threads = numba.get_num_threads()
    rounds = max(1, -(-queries // (threads * most)))
    return max(1, -(-queries // (threads * rounds)))


def _as_kernel_input(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    codes = np.ascontiguousarray(codes).view()
    # numba compiles apart for arrays that may be written to; one kind is enough, as no kernel writes to its input
    codes.flags.writeable = False
    return codes
