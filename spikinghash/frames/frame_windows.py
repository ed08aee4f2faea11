"""Windows of a recording as frames, while its events come in blocks: only windows that are open take memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from spikinghash.errors import BadRecording
from spikinghash.events.collect import Pass
from spikinghash.events.content import changed
from spikinghash.events.events import Events, EventStream, Facts
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.frames.accumulate import Counting, Framed
from spikinghash.frames.framing import Framing
from spikinghash.frames.represent import begin_frames
from spikinghash.frames.voxel import Sharing
from spikinghash.frames.windows import Window

#: Of the memory for one recording, for windows that overlap.
_OPEN_SHARE = 1 / 4


def frame_windows(events: EventStream, facts: Facts, windows: Sequence[Window], framing: Framing) -> Iterator[Framed]:
    """Yield the frames of each window, in their order.

    One pass serves windows that begin and end in the order in which they stand; where one goes back, as those of
    another interval of the file may, another pass begins. Raises `BadRecording`: changed (a pass ends with other
    `facts`), memory (too many windows overlap).
    """
    lo = 0
    while lo < len(windows):
        hi = lo + 1
        while hi < len(windows) and _follows(windows[hi], windows[hi - 1]):
            hi += 1
        yield from _one_pass(events, facts, windows[lo:hi], framing)
        lo = hi


def _follows(window: Window, before: Window) -> bool:
    return window.first >= before.first and window.stop >= before.stop


def _one_pass(events: EventStream, facts: Facts, windows: Sequence[Window], framing: Framing) -> Iterator[Framed]:
    waiting, opened = deque(windows), deque[tuple[Window, Counting | Sharing]]()
    sensor, clip_bytes = (facts.width, facts.height), framing.meta((facts.width, facts.height)).clip_bytes
    most = reading_bytes() * _OPEN_SHARE
    seen, blocks = 0, Pass(events.blocks())
    for block in blocks:
        end = seen + block.count
        for window, frames in opened:
            frames.add(_inside(window, block, seen))
        while opened and opened[0][0].stop <= end:
            yield opened.popleft()[1].framed()
        while waiting and waiting[0].first < end:
            window = waiting.popleft()
            frames = begin_frames(sensor, framing, (window.start_us, window.end_us))
            frames.add(_inside(window, block, seen))
            # where an earlier one is still open, this one does not end in this block either
            if window.stop <= end:
                yield frames.framed()
                continue
            opened.append((window, frames))
            if len(opened) > 1 and len(opened) * clip_bytes > most:
                raise BadRecording("memory", f"{len(opened)} windows overlap, too many for this machine's memory")
        seen = end
    if blocks.facts != facts or opened or waiting:
        raise changed()


def _inside(window: Window, block: Events, seen: int) -> Events:
    """The events of a block that lie in a window, when `seen` came before the block."""
    part = slice(max(window.first - seen, 0), max(window.stop - seen, 0))
    return replace(block, t=block.t[part], x=block.x[part], y=block.y[part], p=block.p[part])
