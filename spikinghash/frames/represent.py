"""One window of events as frames, in the representation asked for."""

from __future__ import annotations

from typing import cast

from spikinghash.events.events import Events
from spikinghash.frames.accumulate import Counting, CountType, Framed, span_of
from spikinghash.frames.framing import Framing
from spikinghash.frames.voxel import Sharing


def represent(events: Events, framing: Framing, start_us: int | None = None, end_us: int | None = None) -> Framed:
    """Frames [T, 2, H, W] of the events in start_us..end_us, both inclusive; by default from the first to the last.

    `counts`: events per bin, polarity and cell; beyond the largest number they are dropped["saturated"]. `binary`: 1
    where there was an event; further ones of that bin, polarity and cell are dropped["merged"]. `voxel`: see
    `voxel_grid`.
    """
    frames = begin_frames((events.width, events.height), framing, span_of(events, start_us, end_us))
    frames.add(events)
    return frames.framed()


def begin_frames(sensor: tuple[int, int], framing: Framing, span: tuple[int, int]) -> Counting | Sharing:
    """The same for events that come in blocks, over a window of known first and last time."""
    if framing.representation == "voxel":
        return Sharing(sensor, framing.steps, span, framing.downsample)
    dtype = cast(CountType, framing.dtype)
    most, full = (1, "merged") if framing.representation == "binary" else (None, "saturated")
    return Counting(sensor, framing.steps, span, dtype, most=most, full=full, downsample=framing.downsample)
