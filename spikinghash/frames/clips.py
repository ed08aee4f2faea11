"""All clips of one file: decoded once, cut, framed one after the other, every event accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from spikinghash.datasets.recording import Recording
from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.reader import decode as decode_here
from spikinghash.events.source import Source
from spikinghash.frames.accumulate import Frames
from spikinghash.frames.coverage import Coverage, cover
from spikinghash.frames.framing import Framing
from spikinghash.frames.represent import represent
from spikinghash.frames.schema import ClipRow
from spikinghash.frames.windows import Cut, Window, cut


@dataclass(frozen=True)
class FileClips:
    """One decoded file, the cut of each of its recordings, the recordings that were refused.

    `whole`: its one clip is all of the file, so that the clip's row also counts what the reader left out.
    """

    events: Events
    sha256: str
    cuts: list[tuple[Recording, Cut]]
    refused: list[tuple[Recording, BadRecording]]
    whole: bool

    def coverage(self) -> Coverage:
        """Events of the file that no clip's row accounts for, by reason, and those in several clips."""
        found = cover(self.events.count, [one for _, one in self.cuts])
        return found if self.whole else replace(found, dropped=dict(self.events.dropped) | found.dropped)


class Decode(Protocol):
    """`events.reader.decode`, or the same in a child process (`events.isolate.IsolatedDecoder.decode`)."""

    def __call__(
        self,
        source: Source,
        *,
        format: str | None = None,
        sensor: tuple[int, int] | None = None,
        options: ReadOptions = DEFAULTS,
    ) -> Events:
        """Events of a file's content; raises `BadRecording`."""
        ...


def cut_file(
    source: Source,
    recordings: Sequence[Recording],
    framing: Framing,
    sensor: tuple[int, int],
    format: str | None,
    *,
    decode: Decode = decode_here,
) -> FileClips:
    """Decode a file and cut each of the recordings that lie in it.

    Raises `BadRecording` if the file cannot be used at all; a recording whose interval is empty is in `refused`.
    """
    events = decode(source, format=format, sensor=sensor, options=recordings[0].options)
    if (events.width, events.height) != sensor:
        sizes = f"{events.width}x{events.height}, the data set's {sensor[0]}x{sensor[1]}"
        raise BadRecording("sensor", f"its sensor is {sizes}")
    cuts, refused = [], []
    for recording in recordings:
        try:
            cuts.append((recording, _cut(recording, events, framing)))
        except BadRecording as error:
            refused.append((recording, error))
    whole = framing.windowing == "recording" and any(not r.is_interval and one.kept for r, one in cuts)
    return FileClips(events, source.sha256, cuts, refused, whole)


def frame_clips(file: FileClips, framing: Framing, splits: Mapping[str, str]) -> Iterator[tuple[ClipRow, Frames]]:
    """Yield the clips of a file, frames [T, 2, H, W], in the order of its recordings and then of time."""
    for recording, one in file.cuts:
        for window in one.kept:
            yield _frame(recording, window, file, framing, splits[recording.recording_id])


def _cut(recording: Recording, events: Events, framing: Framing) -> Cut:
    start = events.t_first_us if recording.start_us is None else recording.start_us
    end = events.t_last_us if recording.end_us is None else recording.end_us
    if end < start:
        raise BadRecording("no-events", f"the interval {start}..{end} us is empty")
    first, stop = events.t.searchsorted([start, end + 1])
    if first == stop:
        raise BadRecording("no-events", f"no event lies in the interval {start}..{end} us")
    return cut(events, framing, start, end)


def _frame(
    recording: Recording, window: Window, file: FileClips, framing: Framing, split: str
) -> tuple[ClipRow, Frames]:
    inside, events = slice(window.first, window.stop), file.events
    part = replace(events, t=events.t[inside], x=events.x[inside], y=events.y[inside], p=events.p[inside])
    framed = represent(part, framing, window.start_us, window.end_us)
    left_by_reader = dict(events.dropped) if file.whole else {}
    row = ClipRow(
        clip_id=_clip_id(recording, window, framing),
        recording_id=recording.recording_id,
        label=recording.label,
        split=split,
        start_us=window.start_us,
        end_us=window.end_us,
        events_in=framed.events_in + sum(left_by_reader.values()),
        events_framed=framed.framed,
        dropped=left_by_reader | framed.dropped,
        sha256=file.sha256,
    )
    return row, framed.counts


def _clip_id(recording: Recording, window: Window, framing: Framing) -> str:
    """Recording and times; clips cut by count may share both, so these add the number of their first event."""
    times = f"@{window.start_us}-{window.end_us}"
    if framing.windowing == "count":
        return f"{recording.recording_id}{times}#{window.first}"
    if recording.is_interval and recording.recording_id.endswith(times):
        return recording.recording_id
    return recording.recording_id + times
