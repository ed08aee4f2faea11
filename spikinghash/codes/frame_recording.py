"""One recording file to one framed clip, as a model expects it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikinghash.codes.new_rows import Clip
from spikinghash.codes.rows import path_text
from spikinghash.errors import BadRecording
from spikinghash.events.reader import decode
from spikinghash.events.source import Source
from spikinghash.frames.accumulate import accumulate
from spikinghash.methods.spec import ModelSpec


@dataclass(frozen=True)
class FramedClip:
    """A clip and its counts uint8 [T, 2, H, W]; `events` read from the file."""

    clip: Clip
    counts: np.ndarray
    events: int


def frame_recording(path: Path, source: Source, spec: ModelSpec, format: str | None = None) -> FramedClip:
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
    clip = Clip(clip_id, path_text(path), source.sha256, events.t_first_us, events.t_last_us)
    return FramedClip(clip, framed.counts, events.count)
