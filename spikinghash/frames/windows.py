"""Where one recording becomes several clips, and what happens at its end."""

# recording  |=============================|      one clip
# window     |=====|=====|=====|=====|=====|..    stride = window: the rest, shorter than a window, is left out
# window     |=====|                              stride < window: clips overlap
#               |=====|
# window     |===|   |===|   |===|   |===|        stride > window: events between clips are left out
# count      |==|=======|=|===|=|====|===|.       as many events in each clip

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ranges = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """Times of one clip, both inclusive, and its events as the range first..stop - 1 of the recording's."""

    start_us: int
    end_us: int
    first: int
    stop: int

    @property
    def events(self) -> int:
        """Number of events in the window."""
        return self.stop - self.first


@dataclass(frozen=True)
class Cut:
    """Windows that become clips, in time order, and by reason the event ranges [n, 2] of those that do not."""

    kept: list[Window]
    left_out: dict[str, Ranges]


def choose(
    starts: NDArray[np.int64], ends: NDArray[np.int64], ranges: Ranges, *, partial: NDArray[np.bool_], least: int
) -> Cut:
    """The windows of a cut: but for the first no `partial` one, and none with fewer than `least` events."""
    partial[:1] = False
    few = ~partial & (ranges[:, 1] - ranges[:, 0] < least)
    kept = _windows(starts, ends, ranges, ~(partial | few))
    left_out = {"partial-window": ranges[partial], "few-events": ranges[few]}
    return Cut(kept, {reason: some for reason, some in left_out.items() if len(some)})


def _windows(
    starts: NDArray[np.int64], ends: NDArray[np.int64], ranges: Ranges, keep: NDArray[np.bool_]
) -> list[Window]:
    columns = (starts[keep].tolist(), ends[keep].tolist(), ranges[keep, 0].tolist(), ranges[keep, 1].tolist())
    return [Window(*values) for values in zip(*columns, strict=True)]
