"""One recording to one framed clip, as a model expects it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from spikinghash.codes.new_rows import Clip
from spikinghash.errors import BadRecording
from spikinghash.events.events import Events
from spikinghash.events.source import Source
from spikinghash.frames.accumulate import accumulate
from spikinghash.methods.spec import ModelSpec


class Decode(Protocol):
    """`events.reader.decode`, or the same in a child process (`events.isolate.IsolatedDecoder.decode`)."""

    def __call__(self, source: Source, *, format: str | None = None, sensor: tuple[int, int] | None = None) -> Events:
        """Events of a file's content; raises `BadRecording`."""
        ...


@dataclass(frozen=True)
class FramedClip:
    """A clip and its counts uint8 [T, 2, H, W]; `events` read from the file."""

    clip: Clip
    counts: np.ndarray
    events: int


def frame_recording(
    path: str, source: Source, spec: ModelSpec, decode: Decode, *, archive: str | None = None, format: str | None = None
) -> FramedClip:
    """Decode and frame over the recording's own span; the clip is named by the file's contents.

    Raises `BadRecording` for anything the readers refuse and for a sensor unlike the model's.
    """
    events = decode(source, format=format, sensor=spec.sensor)
    if (events.width, events.height) != spec.sensor:
        raise BadRecording(
            "sensor",
            f"sensor {events.width}x{events.height}, the model was trained on {spec.sensor[0]}x{spec.sensor[1]}",
        )
    framed = accumulate(events, spec.steps, dtype="uint8", start_us=events.t_first_us, end_us=events.t_last_us)
    clip_id = f"{source.sha256}@{events.t_first_us}-{events.t_last_us}"
    clip = Clip(clip_id, path, source.sha256, events.t_first_us, events.t_last_us, archive=archive)
    return FramedClip(clip, framed.counts, events.count)
