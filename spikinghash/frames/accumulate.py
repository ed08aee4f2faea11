"""Framing that conserves: every event is counted in one frame or counted as dropped, with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikinghash.events.events import Events
from spikinghash.frames.edges import check_span

CountType = Literal["uint8", "uint16"]
COUNT_TYPES: tuple[CountType, ...] = ("uint8", "uint16")
Counts = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Framed:
    """Event counts [T, 2, H, W] (polarity 0 = OFF, 1 = ON) and their account.

    Law: `events_in == framed + sum(dropped.values())` and `framed == counts.sum()`.
    """

    counts: Counts
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
) -> Framed:
    """Count events per time bin, polarity and pixel, in one pass; `events` is not changed.

    The window start_us..end_us includes both ends and defaults to the recording's first and last event; its bins are
    those of `bin_edges`. A count stays at the maximum of `dtype` instead of wrapping: further events of that bin are
    dropped["saturated"], events off the window dropped["outside-window"]. Raises `ValueError` for an empty window.
    """
    start = events.t_first_us if start_us is None else start_us
    end = events.t_last_us if end_us is None else end_us
    span = check_span(start, end, steps)
    counts: Counts = np.zeros((steps, 2, events.height, events.width), dtype=dtype)
    most = int(np.iinfo(counts.dtype).max)
    columns = _frozen(events.t), _frozen(events.x), _frozen(events.y), _frozen(events.p)
    outside, saturated = _count(columns, start, span, most, counts)
    dropped = {"outside-window": outside, "saturated": saturated}
    return Framed(
        counts=counts,
        events_in=events.count,
        framed=events.count - outside - saturated,
        dropped={reason: count for reason, count in dropped.items() if count},
    )


def _frozen(column: NDArray[Any]) -> NDArray[Any]:
    """A read-only view, so that the kernel is compiled once whatever the caller's flags are."""
    view = column.view()
    view.flags.writeable = False
    return view


@njit(cache=True, nogil=True)
def _count(
    columns: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]],
    start: int,
    span: int,
    most: int,
    counts: Counts,
) -> tuple[int, int]:
    t, x, y, p = columns
    outside = 0
    saturated = 0
    steps = counts.shape[0]
    for i in range(t.size):
        since = t[i] - start
        if since < 0 or since >= span:
            outside += 1
            continue
        k = since * steps // span
        if counts[k, p[i], y[i], x[i]] == most:
            saturated += 1
        else:
            counts[k, p[i], y[i], x[i]] += 1
    return outside, saturated
