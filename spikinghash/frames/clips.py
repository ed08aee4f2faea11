"""All clips of one file: cut, framed one after the other, every event accounted for.

The file is read twice, for cuts and for frames, unless its events may lie in memory meanwhile; see `held.hold`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from spikinghash.datasets.recording import Recording
from spikinghash.errors import BadRecording
from spikinghash.events.events import EventStream, Facts
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.reader import stream as stream_here
from spikinghash.events.source import Source
from spikinghash.frames.account import EventAccount
from spikinghash.frames.accumulate import Framed, Frames
from spikinghash.frames.coverage import Coverage, cover
from spikinghash.frames.cut import Cutter
from spikinghash.frames.frame_windows import frame_windows
from spikinghash.frames.framing import Framing
from spikinghash.frames.held import hold
from spikinghash.frames.windows import Cut, Window


@dataclass(frozen=True)
class FileClips:
    """One file that was read once, the cut of each of its recordings, the recordings that were refused.

    `whole`: its one clip is all of the file, so that the clip's row also counts what the reader left out.
    """

    events: EventStream
    facts: Facts
    sha256: str
    cuts: list[tuple[Recording, Cut]]
    refused: list[tuple[Recording, BadRecording]]
    whole: bool

    def coverage(self) -> Coverage:
        """Events of the file that no clip's row accounts for, by reason, and those in several clips."""
        found = cover(self.facts.count, [one for _, one in self.cuts])
        return found if self.whole else replace(found, dropped=dict(self.facts.dropped) | found.dropped)


@dataclass(frozen=True)
class EventClip:
    """One clip without its frames; `sha256` is the digest of the recording's file."""

    clip_id: str
    recording: Recording
    sha256: str
    account: EventAccount


class Decode(Protocol):
    """`events.reader.stream`, or the same in a child process (`events.isolate.IsolatedDecoder.stream`)."""

    def __call__(
        self,
        source: Source,
        *,
        format: str | None = None,
        sensor: tuple[int, int] | None = None,
        options: ReadOptions = DEFAULTS,
    ) -> EventStream:
        """Events of a file's content; raises `BadRecording`, here or in a pass."""
        ...


def cut_file(
    source: Source,
    recordings: Sequence[Recording],
    framing: Framing,
    sensor: tuple[int, int],
    format: str | None,
    *,
    decode: Decode = stream_here,
) -> FileClips:
    """Read a file once and cut each of the recordings that lie in it.

    Raises `BadRecording` if the file cannot be used at all; a recording whose interval is empty is in `refused`.
    """
    stream = decode(source, format=format, sensor=sensor, options=recordings[0].options)
    cutters = [Cutter(framing, recording.start_us, recording.end_us) for recording in recordings]
    events, facts = hold(stream, [cutter.add for cutter in cutters])
    if (facts.width, facts.height) != sensor:
        sizes = f"{facts.width}x{facts.height}, the data set's {sensor[0]}x{sensor[1]}"
        raise BadRecording("sensor", f"its sensor is {sizes}")
    cuts, refused = [], []
    for recording, cutter in zip(recordings, cutters, strict=True):
        try:
            cutter.refuse_empty()
            cuts.append((recording, cutter.finish()))
        except BadRecording as error:
            refused.append((recording, error))
    whole = framing.windowing == "recording" and any(not r.is_interval and one.kept for r, one in cuts)
    return FileClips(events, facts, source.sha256, cuts, refused, whole)


def frame_clips(file: FileClips, framing: Framing) -> Iterator[tuple[EventClip, Frames]]:
    """Yield the clips of a file, frames [T, 2, H, W], in the order of its recordings and then of time.

    Raises `BadRecording` where the file has become another one since it was cut.
    """
    windows = [(recording, window) for recording, one in file.cuts for window in one.kept]
    framed = frame_windows(file.events, file.facts, [window for _, window in windows], framing)
    for (recording, window), frames in zip(windows, framed, strict=True):
        yield _clip(recording, window, frames, file, framing), frames.counts


def _clip(recording: Recording, window: Window, framed: Framed, file: FileClips, framing: Framing) -> EventClip:
    left_by_reader = dict(file.facts.dropped) if file.whole else {}
    account = EventAccount(
        start_us=window.start_us,
        end_us=window.end_us,
        events_in=framed.events_in + sum(left_by_reader.values()),
        events_framed=framed.framed,
        dropped=left_by_reader | framed.dropped,
    )
    return EventClip(_clip_id(recording, window, framing), recording, file.sha256, account)


def _clip_id(recording: Recording, window: Window, framing: Framing) -> str:
    """Recording and times; clips cut by count may share both, so these add the number of their first event."""
    times = f"@{window.start_us}-{window.end_us}"
    if framing.windowing == "count":
        return f"{recording.recording_id}{times}#{window.first}"
    if recording.is_interval and recording.recording_id.endswith(times):
        return recording.recording_id
    return recording.recording_id + times
