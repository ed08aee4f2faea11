"""Events that come a little late, in the order of their times: what a later one may still precede waits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.rules import MAX_LATE_US

Columns = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
#: No sensor gives so many events within the ms that one may be late.
MOST_WAITING = 16_000_000
_TYPES = (np.int64, np.uint16, np.uint16, np.uint8)


class InOrder:
    """Sorts columns t, x, y, p stably by time over all blocks, as one sort of the whole recording would.

    No event comes more than `late_us` after one of a greater time.
    """

    def __init__(self, late_us: int = MAX_LATE_US) -> None:
        self.late_us = late_us
        self.waiting = self.nothing()

    @staticmethod
    def nothing() -> Columns:
        """No events."""
        t, x, y, p = (np.empty(0, kind) for kind in _TYPES)
        return t, x, y, p

    def add(self, columns: Columns, *, sorted_here: bool, until: int | None) -> Columns:
        """The events that none can precede any more after a greatest time of `until`; None: all that there are.

        `sorted_here`: no event of the block is earlier than one before it, in this block or an earlier one. Raises
        `BadRecording("memory")` when too many would have to wait.
        """
        if self.waiting[0].size:
            t, x, y, p = (np.concatenate(both) for both in zip(self.waiting, columns, strict=True))
        else:
            t, x, y, p = columns
        if not sorted_here:
            order = np.argsort(t, kind="stable")
            t, x, y, p = t[order], x[order], y[order], p[order]
        if until is None:
            self.waiting = self.nothing()
            return t, x, y, p
        ready = int(np.searchsorted(t, until - self.late_us, side="right"))
        if t.size - ready > MOST_WAITING:
            raise BadRecording("memory", f"more than {MOST_WAITING} events within {self.late_us} us cannot be ordered")
        # a copy, so that what waits does not hold the block
        self.waiting = t[ready:].copy(), x[ready:].copy(), y[ready:].copy(), p[ready:].copy()
        return t[:ready], x[:ready], y[:ready], p[:ready]
