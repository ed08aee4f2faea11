"""One window of events as frames, in the representation asked for."""

from __future__ import annotations

from typing import cast

from spikinghash.events.events import Events
from spikinghash.frames.accumulate import CountType, Framed, accumulate
from spikinghash.frames.framing import Framing
from spikinghash.frames.voxel import voxel_grid


def represent(events: Events, framing: Framing, start_us: int | None = None, end_us: int | None = None) -> Framed:
    """Frames [T, 2, H, W] of the events in start_us..end_us, both inclusive; by default from the first to the last.

    `counts`: events per bin, polarity and cell; beyond the largest number they are dropped["saturated"]. `binary`: 1
    where there was an event; further ones of that bin, polarity and cell are dropped["merged"]. `voxel`: see
    `voxel_grid`.
    """
    span = {"start_us": start_us, "end_us": end_us}
    if framing.representation == "voxel":
        return voxel_grid(events, framing.steps, downsample=framing.downsample, **span)
    dtype = cast(CountType, framing.dtype)
    most, full = (1, "merged") if framing.representation == "binary" else (None, "saturated")
    return accumulate(events, framing.steps, dtype=dtype, most=most, full=full, downsample=framing.downsample, **span)
