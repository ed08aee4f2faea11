"""Framing that conserves: every event is counted in one frame or counted as dropped, with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.events import Events
from spikinghash.frames.edges import bin_edges
from spikinghash.kernels.jit import kernel

CountType = Literal["uint8", "uint16"]
COUNT_TYPES: tuple[CountType, ...] = ("uint8", "uint16")
Counts = NDArray[np.uint8] | NDArray[np.uint16]
#: Frames of clips, of the type that `FrameMeta.dtype` names: integers, or float32 weights of voxel grids.
Frames = NDArray[Any]
FrameType = Literal["uint8", "uint16", "float32"]
FRAME_TYPES: tuple[FrameType, ...] = ("uint8", "uint16", "float32")


@dataclass(frozen=True, eq=False)
class Framed:
    """Frames [T, 2, H, W] (polarity 0 = OFF, 1 = ON) and their account.

    Law: `events_in == framed + sum(dropped.values())` and `framed == counts.sum()`; exactly for integers, to 1e-6 of
    it for the float32 weights of a voxel grid.
    """

    counts: Frames
    events_in: int
    framed: int
    dropped: dict[str, int]


def accumulate(
    events: Events,
    steps: int,
    *,
    dtype: CountType = "uint8",
    start_us: int | None = None,
    end_us: int | None = None,
    most: int | None = None,
    full: str = "saturated",
    downsample: int = 1,
) -> Framed:
    """Count events per time bin, polarity and cell, in one pass; `events` is not changed.

    The window start_us..end_us includes both ends and defaults to the recording's first and last event; its bins are
    those of `bin_edges`. A cell is `downsample` x `downsample` pixels, fewer at the right and lower border. A count
    stays at `most` (default and limit: the maximum of `dtype`) instead of wrapping: further events of that bin are
    dropped[full], events off the window dropped["outside-window"]. Raises `ValueError` for an empty window or a cell
    or count below 1.
    """
    span = span_of(events, start_us, end_us)
    counting = Counting((events.width, events.height), steps, span, dtype, most=most, full=full, downsample=downsample)
    counting.add(events)
    return counting.framed()


class Counting:
    """The frames of one window, which a sensor (width, height) has, while its events come in blocks; see `accumulate`.

    `span` is the first and the last time of the window.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        steps: int,
        span: tuple[int, int],
        dtype: CountType = "uint8",
        *,
        most: int | None = None,
        full: str = "saturated",
        downsample: int = 1,
    ) -> None:
        self.edges = bin_edges(*span, steps)
        self.counts: Counts = np.zeros((steps, 2, *cells(sensor, downsample)), dtype=dtype)
        self.most = int(np.iinfo(dtype).max) if most is None else most
        self.full, self.downsample = full, downsample
        if not 1 <= self.most <= np.iinfo(dtype).max:
            raise ValueError(f"{dtype} cannot count to {self.most}")
        self.events_in = self.outside = self.surplus = 0

    def add(self, events: Events) -> None:
        """Count the next events of the window, or of around it."""
        # events are sorted, so a bin is a range of them
        ranges = np.searchsorted(events.t, self.edges)
        self.surplus += _count(frozen_columns(events), ranges, self.most, self.downsample, self.counts)
        self.events_in += events.count
        self.outside += events.count - int(ranges[-1] - ranges[0])

    def framed(self) -> Framed:
        """The frames and their account."""
        return account(self.counts, self.events_in, {"outside-window": self.outside, self.full: self.surplus})


def span_of(events: Events, start_us: int | None, end_us: int | None) -> tuple[int, int]:
    """The given times, else those of the first and the last event."""
    return (
        events.t_first_us if start_us is None else start_us,
        events.t_last_us if end_us is None else end_us,
    )


def cells(sensor: tuple[int, int], downsample: int) -> tuple[int, int]:
    """(height, width) of the frames of a sensor (width, height) in cells of `downsample` pixels a side.

    Raises `ValueError` below 1.
    """
    if downsample < 1:
        raise ValueError(f"a cell has at least 1 pixel a side, not {downsample}")
    return -(-sensor[1] // downsample), -(-sensor[0] // downsample)


def account(counts: Frames, events_in: int, dropped: dict[str, int]) -> Framed:
    """`Framed` of frames that hold all events but the dropped ones; reasons without events are left out."""
    return Framed(
        counts=counts,
        events_in=events_in,
        framed=events_in - sum(dropped.values()),
        dropped={reason: count for reason, count in dropped.items() if count},
    )


def frozen_columns(events: Events) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Read-only views of t, x, y, p, so that a kernel is compiled once whatever the caller's flags are."""
    return _frozen(events.t), _frozen(events.x), _frozen(events.y), _frozen(events.p)


def _frozen(column: NDArray[Any]) -> NDArray[Any]:
    view = column.view()
    view.flags.writeable = False
    return view


@kernel
def _count(
    columns: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]],
    ranges: NDArray[np.int64],
    most: int,
    cell: int,
    counts: Counts,
) -> int:
    _, x, y, p = columns
    steps, _, height, width = counts.shape
    # unsigned indices spare the test for negative ones
    H, W, side = np.uint64(height), np.uint64(width), np.uint64(cell)
    surplus = 0
    for k in range(steps):
        frame = counts[k].reshape(-1)
        for i in range(ranges[k], ranges[k + 1]):
            row, column = np.uint64(y[i]), np.uint64(x[i])
            if cell > 1:
                row, column = row // side, column // side
            place = (np.uint64(p[i]) * H + row) * W + column
            room = frame[place] < most
            frame[place] += room
            surplus += not room
    return surplus
