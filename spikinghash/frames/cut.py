"""Cutting a recording into clips while its events come in blocks; only their times are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.frames.framing import Framing
from spikinghash.frames.windows import Cut, Window, choose

#: Beyond this a window length is a mistake or a recording is hostile.
MAX_WINDOWS = 1_000_000


def cut(events: Events, framing: Framing, start_us: int, end_us: int) -> Cut:
    """As `Cutter`, over the part start_us..end_us of events that are all there."""
    cutter = Cutter(framing, start_us, end_us)
    cutter.add(events.t)
    return cutter.finish()


class Cutter:
    """Windows over the part start_us..end_us (both inclusive) of a recording, the first one at start_us.

    None means the recording's first and last event. A window that would end after the part is left out as
    `partial-window`, unless it is the first: a part shorter than a window is one clip, on the time scale of a whole
    window but without later events. In windowing `count` the same holds for a last clip with fewer events than
    `events_per_clip`. Other windows with fewer than `min_events` are left out as `few-events`.
    """

    def __init__(self, framing: Framing, start_us: int | None, end_us: int | None) -> None:
        self.framing = framing
        self.start_us, self.end_us = start_us, end_us
        #: Events so far, those of them before the part, and those before its end.
        self.seen = self.first = self.stop = 0
        self.last_us = self.last_in_part_us = 0
        # where windows begin, and where they end
        self._firsts, self._stops = _Marks(), _Marks()

    def add(self, t: NDArray[np.int64]) -> None:
        """Take the times [N] of the next events, which are sorted."""
        if not t.size:
            return
        if self.start_us is None:
            self.start_us = int(t[0])
        self.last_us = int(t[-1])
        stop = t.size if self.end_us is None else int(np.searchsorted(t, self.end_us, side="right"))
        self.first += int(np.searchsorted(t, self.start_us))
        self.stop += stop
        if stop:
            self.last_in_part_us = int(t[stop - 1])
        if self.framing.windowing == "window":
            self._mark_times(t, self.start_us)
        elif self.framing.windowing == "count":
            self._mark_events(t)
        self.seen += t.size

    @property
    def part(self) -> tuple[int, int]:
        """First and last time of the part, when all events were seen."""
        start = 0 if self.start_us is None else self.start_us
        return start, self.last_us if self.end_us is None else self.end_us

    def refuse_empty(self) -> None:
        """Raise `BadRecording("no-events")` where no event lies in the part."""
        start, end = self.part
        if end < start:
            raise BadRecording("no-events", f"the interval {start}..{end} us is empty")
        if self.first == self.stop:
            raise BadRecording("no-events", f"no event lies in the interval {start}..{end} us")

    def finish(self) -> Cut:
        """The windows, when all events were seen; raises `BadRecording("time-span")` for over a million of them."""
        start, end = self.part
        if self.framing.windowing == "count":
            return self._by_count()
        if self.framing.windowing == "window":
            return self._by_time(start, end)
        whole = Window(start, end, self.first, self.stop)
        if whole.events < self.framing.min_events:
            return Cut([], {"few-events": np.array([[self.first, self.stop]], dtype=np.int64)})
        return Cut([whole], {})

    def _mark_times(self, t: NDArray[np.int64], start: int) -> None:
        """Which event is the first at or after each time where a window begins, or the next one to a window's end."""
        length, stride = self.framing.window_us or 0, self.framing.stride_us or 0
        for marks, origin in ((self._firsts, start), (self._stops, start + length)):
            numbers = marks.new((self.last_us - origin) // stride + 1)
            marks.add(self.seen + np.searchsorted(t, origin + stride * numbers))

    def _mark_events(self, t: NDArray[np.int64]) -> None:
        """The times of the first and last event of each window."""
        size = self.framing.events_per_clip or 0
        for marks, origin in ((self._firsts, self.first), (self._stops, self.first + size - 1)):
            numbers = marks.new(-(-(self.stop - origin) // size))
            marks.add(t[origin + size * numbers - self.seen])

    def _by_time(self, start: int, end: int) -> Cut:
        length, stride = self.framing.window_us or 0, self.framing.stride_us or 0
        count = (end - start) // stride + 1
        _bound(count)
        starts = start + stride * np.arange(count, dtype=np.int64)
        ends = starts + length - 1
        ranges = np.stack([self._firsts.upto(count, self.seen), self._stops.upto(count, self.seen)], axis=1)
        ranges = np.minimum(ranges, self.stop)
        return choose(starts, ends, ranges, partial=ends > end, least=self.framing.min_events)

    def _by_count(self) -> Cut:
        size = self.framing.events_per_clip or 0
        count = -(-(self.stop - self.first) // size)
        _bound(count)
        firsts = self.first + size * np.arange(count, dtype=np.int64)
        ranges = np.stack([firsts, np.minimum(firsts + size, self.stop)], axis=1)
        starts, ends = self._firsts.upto(count, 0), self._stops.upto(count, self.last_in_part_us)
        return choose(starts, ends, ranges, partial=firsts + size > self.stop, least=self.framing.min_events)


class _Marks:
    """One number a window, window after window."""

    def __init__(self) -> None:
        self.count = 0
        self.parts: list[NDArray[np.int64]] = []

    def new(self, count: int) -> NDArray[np.int64]:
        """The windows before number `count` that have no number yet; none beyond what will be refused."""
        return np.arange(self.count, max(self.count, min(count, MAX_WINDOWS + 1)), dtype=np.int64)

    def add(self, values: NDArray[np.int64]) -> None:
        """The numbers of those windows."""
        if values.size:
            self.parts.append(values)
            self.count += values.size

    def upto(self, count: int, rest: int) -> NDArray[np.int64]:
        """Numbers [count]; `rest` for the windows that have none."""
        known = np.concatenate([np.empty(0, np.int64), *self.parts])[:count]
        return np.concatenate([known, np.full(count - known.size, rest, dtype=np.int64)])


def _bound(count: int) -> None:
    if count > MAX_WINDOWS:
        raise BadRecording("time-span", f"it would be cut into {count} windows, the limit is {MAX_WINDOWS}")
