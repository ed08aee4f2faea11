"""Compiled loop over EVT 2.0 words. The types of its arrays stand in the docstrings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.kernels.jit import kernel

#: What `counts` holds after a run.
EVENTS, EXTERNAL, VENDOR, UNTIMED, BAD_WORD = range(5)
#: Numbers that a loop takes over from the words before; all are 0 before the first.
STATE = 8


@kernel
def count_evt2(words: NDArray[np.uint32]) -> int:
    """Number of event words, an upper bound of the events."""
    count = 0
    for i in range(words.size):
        count += (words[i] >> 28) < 2
    return count


@kernel
def decode_evt2(
    words: NDArray[np.uint32], out: Any, stop: int, counts: NDArray[np.int64], state: NDArray[np.int64]
) -> int:
    """Decode words [N] into `out` = t int64, x uint16, y uint16, p uint8, until `stop` events were found.

    Returns the number of words read; `counts` int64 [5] is filled as named above, BAD_WORD with the index of the first
    word of an unknown type or -1. `state` int64 [STATE] goes from one block of words to the next. Times run over after
    2^34 us; a time that falls by half of that means it did.
    """
    t, x, y, p = out
    events, base, high, timed = 0, state[0], state[1], state[2] != 0
    counts[:] = 0
    counts[BAD_WORD] = -1
    for i in range(words.size):
        if events == stop:
            return i
        word = words[i]
        kind = word >> 28
        if kind < 2:
            if not timed:
                counts[UNTIMED] += 1
                continue
            t[events] = base + (np.int64(high) << 6) + np.int64((word >> 22) & 0x3F)
            x[events] = (word >> 11) & 0x7FF
            y[events] = word & 0x7FF
            p[events] = kind
            events += 1
        elif kind == 0x8:
            new: Any = np.int64(word & 0xFFFFFFF)
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
