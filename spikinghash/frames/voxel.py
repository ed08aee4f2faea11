"""Voxel grids: events shared between the two nearest time steps, bilinear in time.

After Zhu, Yuan, Chaney and Daniilidis, "Unsupervised Event-based Learning of Optical Flow, Depth, and Egomotion", CVPR
2019, eqs. 1-2: t* = (B - 1)(t - t_0) / (t_N - t_0), weight max(0, 1 - |b - t*|). Pixels are whole here, so nothing is
shared in x and y. Polarities stay apart, which conserves events; the paper's signed grid is `[:, 1] - [:, 0]`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.events import Events
from spikinghash.frames.accumulate import Framed, account, cells, frozen_columns, span_of
from spikinghash.frames.edges import check_span
from spikinghash.kernels.jit import kernel


def voxel_grid(
    events: Events,
    steps: int,
    *,
    start_us: int | None = None,
    end_us: int | None = None,
    downsample: int = 1,
) -> Framed:
    """Weights float32 [T, 2, H, W], at least 0, of the events in start_us..end_us (both inclusive, default: all).

    Step 0 stands at start_us, step T - 1 at end_us; with one step, or a window of 1 us, everything is in step 0.
    Every event has the weight 1 in all, summed in float64 and rounded once. Events off the window are
    dropped["outside-window"]. `downsample` and errors as in `accumulate`.
    """
    sharing = Sharing((events.width, events.height), steps, span_of(events, start_us, end_us), downsample)
    sharing.add(events)
    return sharing.framed()


class Sharing:
    """The voxel grid of one window while its events come in blocks; arguments as of `accumulate.Counting`."""

    def __init__(self, sensor: tuple[int, int], steps: int, span: tuple[int, int], downsample: int = 1) -> None:
        self.start, self.length = span[0], check_span(*span, steps)
        self.downsample = downsample
        self.weights = np.zeros((steps, 2, *cells(sensor, downsample)), dtype=np.float64)
        self.events_in = self.outside = 0

    def add(self, events: Events) -> None:
        """Share the next events of the window, or of around it."""
        self.outside += _share(frozen_columns(events), self.start, self.length, self.downsample, self.weights)
        self.events_in += events.count

    def framed(self) -> Framed:
        """The grid and its account."""
        return account(self.weights.astype(np.float32), self.events_in, {"outside-window": self.outside})


@kernel
def _share(
    columns: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]],
    start: int,
    span: int,
    cell: int,
    weights: NDArray[np.float64],
) -> int:
    t, x, y, p = columns
    outside = 0
    gaps = weights.shape[0] - 1
    length = max(span - 1, 1)
    for i in range(t.size):
        since = t[i] - start
        if since < 0 or since >= span:
            outside += 1
            continue
        row, column = y[i] // cell, x[i] // cell
        k = since * gaps // length
        later = (since * gaps - k * length) / length
        weights[k, p[i], row, column] += 1.0 - later
        if later > 0.0:
            weights[k + 1, p[i], row, column] += later
    return outside
