"""Hamming distances by counting the bits of XORed 64-bit words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError, StaleModel


def hamming_distances(queries: NDArray[np.uint8], gallery: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Distances uint16 [Q, N] between codes uint8 [Q, K/8] and [N, K/8].

    Raises `StaleModel` if the widths differ, `ConfigError` for other types or shapes.
    """
    for name, codes in (("queries", queries), ("gallery", gallery)):
        if codes.ndim != 2 or codes.dtype != np.uint8:
            raise ConfigError(f"{name} must be uint8 [N, K/8], not {codes.dtype} {list(codes.shape)}")
    if queries.shape[1] != gallery.shape[1]:
        raise StaleModel(f"queries have {queries.shape[1] * 8} bits, the gallery {gallery.shape[1] * 8}")
    left, right = _words(queries), _words(gallery)
    distances = np.zeros((len(queries), len(gallery)), dtype=np.uint16)
    # one word at a time: XORing [Q, N, words] at once would need words times the memory
    for word in range(left.shape[1]):
        distances += np.bitwise_count(left[:, word, None] ^ right[None, :, word])
    return distances


def _words(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Codes as uint64 [N, ceil(K/64)]; the padding is zero in both operands and so adds no distance."""
    padding = -codes.shape[1] % 8
    return np.ascontiguousarray(np.pad(codes, ((0, 0), (0, padding)))).view(np.uint64)
