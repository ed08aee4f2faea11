"""Events of one recording to frames, every event accounted for: what `spikinghash.frame` does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.events.events import Events
from spikinghash.frames.accumulate import Framed, Frames, FrameType
from spikinghash.frames.coverage import cover
from spikinghash.frames.cut import cut
from spikinghash.frames.framing import Framing, Representation, Windowing
from spikinghash.frames.represent import represent
from spikinghash.frames.windows import Window


@dataclass(frozen=True, eq=False)
class FramedClips:
    """N clips of one recording: `frames` [N, T, 2, H, W] (0 = OFF, 1 = ON) and the time each covers, both inclusive.

    Law: `events_in + repeated == framed + sum(dropped.values())`; `repeated` counts events again that lie in several
    clips. Takes part in numpy as its frames. `framing` made them from a `sensor` of (width, height) pixels.
    """

    frames: Frames
    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    events_in: int
    repeated: int
    framed: int
    dropped: dict[str, int]
    framing: Framing
    sensor: tuple[int, int]

    def __len__(self) -> int:
        return len(self.frames)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.frames, dtype=dtype, copy=copy)


def frame(
    events: Events,
    *,
    steps: int = 4,
    window_us: int | None = None,
    stride_us: int | None = None,
    events_per_clip: int | None = None,
    min_events: int = 1,
    representation: Representation = "counts",
    dtype: FrameType | None = None,
    downsample: int = 1,
) -> FramedClips:
    """Cut a recording into clips and count the events of each in `steps` time bins, by polarity and pixel.

    Without more it is one clip from its first to its last event. `window_us` cuts clips of that many microseconds,
    one every `stride_us` (default: no overlap); `events_per_clip` cuts one every so many events. Clips with fewer than
    `min_events` are left out. `representation`: "counts" (uint8, or uint16 by `dtype`), "binary", or "voxel" (float32,
    bilinear in time). `downsample` x `downsample` pixels make one cell.

    Raises `ConfigError` for arguments that do not fit together, `BadRecording` for more than a million windows.
    """
    windowing: Windowing = (
        "window" if window_us is not None else "count" if events_per_clip is not None else "recording"
    )
    chosen: FrameType = dtype or ("float32" if representation == "voxel" else "uint8")
    framing = Framing(
        steps, chosen, representation, windowing, window_us, stride_us, events_per_clip, min_events, downsample
    )  # fmt: skip
    return frame_events(events, framing)


def frame_events(events: Events, framing: Framing) -> FramedClips:
    """As `frame`, with the framing as one value."""
    windows = cut(events, framing, events.t_first_us, events.t_last_us)
    clips = [_represent(events, window, framing) for window in windows.kept]
    coverage = cover(events.count, [windows])
    dropped = Counter(coverage.dropped)
    for clip in clips:
        dropped.update(clip.dropped)
    sensor = events.width, events.height
    meta = framing.meta(sensor)
    frames = np.stack([c.counts for c in clips]) if clips else np.zeros((0, *meta.shape), meta.dtype)
    return FramedClips(
        frames=frames,
        start_us=np.array([window.start_us for window in windows.kept], np.int64),
        end_us=np.array([window.end_us for window in windows.kept], np.int64),
        events_in=events.count,
        repeated=coverage.repeated,
        framed=sum(clip.framed for clip in clips),
        dropped=dict(dropped),
        framing=framing,
        sensor=sensor,
    )


def _represent(events: Events, window: Window, framing: Framing) -> Framed:
    inside = slice(window.first, window.stop)
    part = replace(events, t=events.t[inside], x=events.x[inside], y=events.y[inside], p=events.p[inside])
    return represent(part, framing, window.start_us, window.end_us)
