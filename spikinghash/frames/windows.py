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

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.frames.framing import Framing

#: Beyond this a window length is a mistake or a recording is hostile.
MAX_WINDOWS = 1_000_000
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


def cut(events: Events, framing: Framing, start_us: int, end_us: int) -> Cut:
    """Windows over the part start_us..end_us (both inclusive) of a recording, the first one at start_us.

    A window that would end after the part is left out as `partial-window`, unless it is the first: a part shorter than
    a window is one clip, on the time scale of a whole window but without later events. In windowing `count` the same
    holds for a last clip with fewer events than `events_per_clip`. Other windows with fewer than `min_events` are left
    out as `few-events`.
    Raises `BadRecording("time-span")` for over a million windows.
    """
    first, stop = (int(i) for i in np.searchsorted(events.t, [start_us, end_us + 1]))
    if framing.windowing == "count":
        return _by_count(events, framing, first, stop)
    if framing.windowing == "window":
        return _by_time(events, framing, (start_us, end_us), stop)
    whole = Window(start_us, end_us, first, stop)
    if whole.events < framing.min_events:
        return Cut([], {"few-events": np.array([[first, stop]], dtype=np.int64)})
    return Cut([whole], {})


def _by_time(events: Events, framing: Framing, part: tuple[int, int], stop: int) -> Cut:
    length, stride = framing.window_us or 0, framing.stride_us or 0
    count = (part[1] - part[0]) // stride + 1
    _bound(count)
    starts = part[0] + stride * np.arange(count, dtype=np.int64)
    ends = starts + length - 1
    ranges = np.searchsorted(events.t, np.stack([starts, ends + 1], axis=1))
    ranges = np.minimum(ranges, stop).astype(np.int64)
    return _choose(starts, ends, ranges, partial=ends > part[1], least=framing.min_events)


def _by_count(events: Events, framing: Framing, first: int, stop: int) -> Cut:
    size = framing.events_per_clip or 0
    _bound(-(-(stop - first) // size))
    firsts = np.arange(first, stop, size, dtype=np.int64)
    ranges = np.stack([firsts, np.minimum(firsts + size, stop)], axis=1)
    starts, ends = events.t[ranges[:, 0]], events.t[ranges[:, 1] - 1]
    return _choose(starts, ends, ranges, partial=firsts + size > stop, least=framing.min_events)


def _choose(
    starts: NDArray[np.int64], ends: NDArray[np.int64], ranges: Ranges, *, partial: NDArray[np.bool_], least: int
) -> Cut:
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


def _bound(count: int) -> None:
    if count > MAX_WINDOWS:
        raise BadRecording("time-span", f"it would be cut into {count} windows, the limit is {MAX_WINDOWS}")
