"""A checksum over the bits of weights, at the speed of memory."""

from __future__ import annotations

import numpy as np

from spikinghash.kernels.jit import kernel

_WORD = 8


@kernel
def checksum(data):  # type: ignore[no-untyped-def]
    """Of data[N] uint8 the sum of its words modulo 2^64, and that of each word times an odd number of its own: values
    that change places show.
    """
    whole = data.size // _WORD
    words, plain, weighted = data[: whole * _WORD].view(np.int64), np.int64(0), np.int64(0)
    for i in range(whole):
        plain += words[i]
        weighted += words[i] * np.int64(2 * i + 1)
    for i in range(whole * _WORD, data.size):
        plain += np.int64(data[i]) << np.int64(i % _WORD * 8)
    return plain, weighted
