"""A checksum over the bits of weights, near the speed of memory."""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.jit import kernel

_WORD, _HALF = 8, np.uint64(33)
#: A word's place goes in by the golden ratio; the others are those of MurmurHash3's last step (Appleby, 2011).
_PLACE, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


@kernel(inline="always")
def _mixed(word, place):  # type: ignore[no-untyped-def]
    word = word + place * _PLACE
    word = (word ^ (word >> _HALF)) * _FIRST
    word = (word ^ (word >> _HALF)) * _SECOND
    return word ^ (word >> _HALF)


@kernel
def checksum(data):  # type: ignore[no-untyped-def]
    """Of data[N] uint8: the sum modulo 2^64 of its words, each mixed with its place: changes cancel by chance alone."""
    whole, total = np.uint64(data.size // _WORD), np.uint64(data.size)
    words = data[: data.size // _WORD * _WORD].view(np.uint64)
    for i in range(whole):
        total += _mixed(words[i], np.uint64(i))
    for i in range(whole * np.uint64(_WORD), np.uint64(data.size)):
        total += _mixed(np.uint64(data[i]), np.uint64(i) + whole)
    return total
