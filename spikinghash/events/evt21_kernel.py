"""Compiled loop over EVT 2.1 words. The types of its arrays stand in the docstrings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.evt2_kernel import BAD_WORD, EVENTS, EXTERNAL, UNTIMED, VENDOR
from spikinghash.kernels.jit import kernel


@kernel
def count_evt21(words: NDArray[np.uint64]) -> int:
    """Number of events in the words, an upper bound of those that have a time."""
    count = 0
    for i in range(words.size):
        word = np.int64(words[i])
        if (word >> 60) in (0, 1):
            mask = word & 0xFFFFFFFF
            while mask:
                mask &= mask - 1
                count += 1
    return count


@kernel
def decode_evt21(
    words: NDArray[np.uint64], out: Any, stop: int, counts: NDArray[np.int64], state: NDArray[np.int64]
) -> int:
    """Decode words [N] into `out` = t int64, x uint16, y uint16, p uint8, until `stop` events were found.

    Returns the number of words read; `counts` and `state` as in `decode_evt2`, and times run over as there.
    """
    t, x, y, p = out
    events, base, high, timed = 0, state[0], state[1], state[2] != 0
    counts[:] = 0
    counts[BAD_WORD] = -1
    for i in range(words.size):
        if events >= stop:
            return i
        word: Any = np.int64(words[i])
        kind = (word >> 60) & 0xF
        if kind < 2:
            now = base + (np.int64(high) << 6) + ((word >> 54) & 0x3F)
            for bit in range(32):
                if (word >> bit) & 1:
                    if timed:
                        t[events], p[events] = now, kind
                        x[events], y[events] = ((word >> 43) & 0x7FF) + bit, (word >> 32) & 0x7FF
                        events += 1
                    else:
                        counts[UNTIMED] += 1
        elif kind == 0x8:
            new = (word >> 32) & 0xFFFFFFF
            if timed and high - new >= 2**27:
                base += 2**34
            high, timed = new, True
        elif kind == 0xA:
            counts[EXTERNAL] += 1
        elif kind >= 0xE:
            counts[VENDOR] += 1
        else:
            counts[BAD_WORD] = i
            break
    state[0], state[1], state[2] = base, high, timed
    counts[EVENTS] = events
    return words.size
