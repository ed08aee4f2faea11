"""Compiled loops over Event Stream bytes. The types of their arrays stand in the docstrings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.kernels.jit import kernel

#: Bytes of an event: time and polarity, x, y.
EVENT_BYTES = 5


@kernel
def is_clock(byte: int, atis: bool) -> bool:
    """Whether a byte between events is no event: a step of the clock, or a reset."""
    return byte >= 0xFC if atis else byte >= 0xFE


@kernel
def count_es(stream: NDArray[np.uint8], atis: bool) -> tuple[int, int, int]:
    """Polarity events, exposure measurements, and where an incomplete event starts or -1, in bytes uint8 [N]."""
    events, exposures, i = 0, 0, 0
    while i < stream.size:
        if is_clock(stream[i], atis):
            i += 1
            continue
        if i + EVENT_BYTES > stream.size:
            return events, exposures, i
        if atis and stream[i] & 1:
            exposures += 1
        else:
            events += 1
        i += EVENT_BYTES
    return events, exposures, -1


@kernel
def decode_es(stream: NDArray[np.uint8], atis: bool, out: Any, stop: int) -> int:
    """Decode into `out` = t int64, x uint16, y uint16, p uint8 until `stop` events; returns where the last starts.

    DVS: the upper 7 bits of the first byte are the time since the event before, 0xff adds 127 us. ATIS: the upper 6
    bits, and 0xfc to 0xff add 63 us times the lower two bits; bit 1 is the polarity, bit 0 marks an exposure.
    """
    t, x, y, p = out
    events, i, last = 0, 0, 0
    now: Any = np.int64(0)
    while i < stream.size and events < stop:
        byte: Any = np.int64(stream[i])
        if is_clock(byte, atis):
            if atis:
                now += 63 * (byte & 3)
            elif byte == 0xFF:
                now += 127
            i += 1
            continue
        now += byte >> 2 if atis else byte >> 1
        if not (atis and byte & 1):
            t[events] = now
            x[events] = np.uint16(stream[i + 1]) | (np.uint16(stream[i + 2]) << 8)
            y[events] = np.uint16(stream[i + 3]) | (np.uint16(stream[i + 4]) << 8)
            p[events] = (byte >> 1) & 1 if atis else byte & 1
            events += 1
            last = i
        i += EVENT_BYTES
    return last
