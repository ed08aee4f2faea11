"""Compiled loops over EVT 3.0 words. The types of their arrays stand in the docstrings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.evt2_kernel import BAD_WORD, EVENTS, EXTERNAL, UNTIMED, VENDOR
from spikinghash.events.rules import MAX_LATE_US
from spikinghash.kernels.jit import kernel

ADDR_Y, ADDR_X, BASE_X, VECT_12, VECT_8, TIME_LOW, CONTINUED_4, TIME_HIGH = 0, 2, 3, 4, 5, 6, 7, 8
TRIGGER, OTHERS, CONTINUED_12 = 0xA, 0xE, 0xF
#: No base goes beyond this, far outside of any sensor, however many vectors follow it.
MAX_BASE = 60_000


@kernel
def count_evt3(words: NDArray[np.uint16]) -> int:
    """Number of events in the words, an upper bound of those that have a time."""
    count = 0
    for i in range(words.size):
        kind = words[i] >> 12
        if kind == ADDR_X:
            count += 1
        elif kind in (VECT_12, VECT_8):
            mask = words[i] & (0xFFF if kind == VECT_12 else 0xFF)
            while mask:
                mask &= mask - 1
                count += 1
    return count


@kernel
def later(now: Any, new: Any) -> Any:
    """The next time: cameras send low parts out of turn, which must not turn the clock back by a few microseconds."""
    return now if 0 < now - new <= MAX_LATE_US else new


@kernel
def decode_evt3(  # noqa: PLR0912 one state machine, one branch a word
    words: NDArray[np.uint16], out: Any, stop: int, counts: NDArray[np.int64], state: NDArray[np.int64]
) -> int:
    """Decode words [N] into `out` = t int64, x uint16, y uint16, p uint8, until `stop` events were found.

    Returns the number of words read; `counts` and `state` as in `decode_evt2`. Times run over after 2^24 us; a high
    part that falls by half of its range means they did. A new high part starts at its first microsecond. Within 1 ms a
    lower time than before keeps the time reached, as faery reads such files.
    """
    t, x, y, p = out
    events, loops, high, low, timed = 0, state[0], state[1], state[2], state[3] != 0
    row, base, polarity, now = state[4], state[5], state[6], state[7]
    counts[:] = 0
    counts[BAD_WORD] = -1
    for i in range(words.size):
        if events >= stop:
            return i
        word: Any = np.int64(words[i])
        kind = word >> 12
        if kind == ADDR_X:
            if timed:
                t[events], x[events], y[events], p[events] = now, word & 0x7FF, row, (word >> 11) & 1
                events += 1
            else:
                counts[UNTIMED] += 1
        elif kind in (VECT_12, VECT_8):
            size = 12 if kind == VECT_12 else 8
            mask = word & ((1 << size) - 1)
            for bit in range(size):
                if (mask >> bit) & 1:
                    if timed:
                        t[events], x[events], y[events], p[events] = now, base + bit, row, polarity
                        events += 1
                    else:
                        counts[UNTIMED] += 1
            base = min(base + size, MAX_BASE)
        elif kind == ADDR_Y:
            row = word & 0x7FF
        elif kind == BASE_X:
            base, polarity = word & 0x7FF, (word >> 11) & 1
        elif kind == TIME_LOW:
            low = word & 0xFFF
            now = later(now, (np.int64(loops) << 24) | (high << 12) | low)
        elif kind == TIME_HIGH:
            new = word & 0xFFF
            if timed and high - new >= 2**11:
                loops += 1
            if new != high or not timed:
                low = 0
            high, timed = new, True
            now = later(now, (np.int64(loops) << 24) | (high << 12) | low)
        elif kind == TRIGGER:
            counts[EXTERNAL] += 1
        elif kind in (CONTINUED_4, OTHERS, CONTINUED_12):
            counts[VENDOR] += 1
        else:
            counts[BAD_WORD] = i
            break
    state[0], state[1], state[2], state[3] = loops, high, low, timed
    state[4], state[5], state[6], state[7] = row, base, polarity, now
    counts[EVENTS] = events
    return words.size
