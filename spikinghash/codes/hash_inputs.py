"""Inputs to codes, in this process; `codes.ray_encode` does the same on Ray."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from spikinghash.codes.encoder import Encoder
from spikinghash.codes.frame_recording import FramedClip, frame_recording
from spikinghash.codes.inputs import Opened
from spikinghash.codes.new_rows import Clip, Refused
from spikinghash.codes.stop import Stop
from spikinghash.errors import BadRecording
from spikinghash.frames.clips import Decode


@dataclass(frozen=True)
class Hashed:
    """One recording: its N clips, at least one, their codes uint8 [N, K/8] and smallest margins float32 [N]."""

    sha256: str
    clips: list[Clip]
    codes: np.ndarray
    margins: np.ndarray
    events: int


#: Turns inputs into what became of them, in any order, each once; holds a bounded number of them.
Hasher = Callable[[Iterator[Opened]], Iterator[Hashed | Refused]]


def hash_here(
    inputs: Iterator[Opened], encoder: Encoder, decode: Decode, format: str | None = None, stop: Stop | None = None
) -> Iterator[Hashed | Refused]:
    """Decode and frame one input after the other, and encode when a batch for every core is there.

    Raises `Stopped` when `stop` is asked; what was framed but not encoded is then still to be done.
    """
    stop = stop or Stop()
    enough = encoder.batch * (encoder.workers or os.cpu_count() or 1)
    framed: list[list[FramedClip]] = []
    for item in inputs:
        done = _frame(item, encoder, decode, format, stop)
        if isinstance(done, Refused):
            yield done
            continue
        framed.append(done)
        if sum(map(len, framed)) >= enough:
            yield from _encode(framed, encoder, stop)
            framed = []
    yield from _encode(framed, encoder, stop)


def _frame(
    item: Opened, encoder: Encoder, decode: Decode, format: str | None, stop: Stop
) -> list[FramedClip] | Refused:
    try:
        with stop.interruptible():
            return frame_recording(
                item.path, item.source, encoder.model.spec, decode, archive=item.archive, format=format
            )
    except BadRecording as error:
        # a signal to the whole process group kills the decoder as well: that is no fault of the recording
        stop.check()
        return Refused(item.path, item.source.sha256, error)


def _encode(framed: list[list[FramedClip]], encoder: Encoder, stop: Stop) -> Iterator[Hashed]:
    if not framed:
        return
    with stop.interruptible():
        codes, margins = encoder.encode(np.stack([clip.frames for clips in framed for clip in clips]))
    at = 0
    for clips in framed:
        part = slice(at, at + len(clips))
        at = part.stop
        yield Hashed(
            clips[0].clip.recording_sha256,
            [clip.clip for clip in clips],
            codes[part],
            margins[part],
            sum(clip.events for clip in clips),
        )
