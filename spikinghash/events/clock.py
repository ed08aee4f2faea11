"""32-bit clocks: formats that store one and do not define what happens when it runs over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording

HALF_RANGE = 2**31


class Clock:
    """Unsigned 32-bit times of a recording; `offset_of` gives the byte where event number i stands in the file."""

    def __init__(self, offset_of: Callable[[int], int]) -> None:
        self.offset_of = offset_of
        self.seen, self.last = 0, 0

    def add(self, t: NDArray[Any]) -> None:
        """Take the next times [N]; raises `BadRecording("time-wrap")` where they jump back by half their range."""
        if not t.size:
            return
        wrapped = t[1:].astype(np.int64) - t[:-1] < -HALF_RANGE
        if self.seen and int(t[0]) - self.last < -HALF_RANGE:
            raise self._refusal(self.seen)
        if wrapped.any():
            raise self._refusal(self.seen + int(np.argmax(wrapped)) + 1)
        self.seen, self.last = self.seen + t.size, int(t[-1])

    def _refusal(self, event: int) -> BadRecording:
        message = f"the 32-bit clock runs over at event {event}, which this format does not define; cut the file there"
        return BadRecording("time-wrap", message, self.offset_of(event))


def refuse_wrap(t: NDArray[Any], offset_of: Callable[[int], int]) -> None:
    """Raise as `Clock` for all times [N] of a recording."""
    Clock(offset_of).add(t)
