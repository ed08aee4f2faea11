"""Inputs to codes, in this process; `codes.ray_encode` does the same on Ray."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from spikinghash.codes.encoder import Encoder
from spikinghash.codes.frame_recording import FramedClip, frame_recording
from spikinghash.codes.inputs import Opened
from spikinghash.codes.new_rows import Clip, Refused
from spikinghash.codes.signals import Stop
from spikinghash.errors import BadRecording, SpikinghashError
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.events.options import DEFAULTS, ReadOptions
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
    inputs: Iterator[Opened],
    encoder: Encoder,
    decode: Decode,
    format: str | None = None,
    stop: Stop | None = None,
    reading: ReadOptions = DEFAULTS,
) -> Iterator[Hashed | Refused]:
    """Decode and frame one input after the other, and encode when a batch for every core is there.

    However many clips a recording has, a bounded number is framed at once. Raises `Stopped` when `stop` is asked; what
    was framed but not encoded is then still to be done.
    """
    batch = _Batch(encoder, stop or Stop())
    for item in inputs:
        recording = _Recording(item)
        try:
            for framed in _clips(item, encoder, decode, format, batch.stop, reading):
                yield from batch.add(recording, framed)
            yield from batch.complete(recording)
        except BadRecording as error:
            # a signal to the whole process group kills the decoder as well: that is no fault of the recording
            batch.stop.check()
            batch.forget(recording)
            yield Refused(item.path, item.source.sha256, error)
    yield from batch.encode()


def _clips(
    item: Opened, encoder: Encoder, decode: Decode, format: str | None, stop: Stop, reading: ReadOptions
) -> Iterator[FramedClip]:
    with stop.interruptible(), _refusing():
        spec = encoder.model.spec
        framed = frame_recording(
            item.path, item.source, spec, decode, archive=item.archive, format=format, reading=reading
        )
    while True:
        with stop.interruptible(), _refusing():
            clip = next(framed, None)
        if clip is None:
            return
        yield clip


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever goes wrong with one input is the refusal of that input, not the end of the night."""
    try:
        yield
    except SpikinghashError:
        raise
    except MemoryError:
        raise BadRecording("memory", "there is no memory to frame it") from None
    except Exception as error:
        said = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise BadRecording("worker-crash", f"framing failed, which is a bug of this program: {said}") from error


@dataclass(eq=False)
class _Recording:
    """An input of which some clips are framed; `codes` and `margins` are those of its first clips."""

    item: Opened
    clips: list[Clip] = field(default_factory=list)
    codes: list[np.ndarray] = field(default_factory=list)
    margins: list[np.ndarray] = field(default_factory=list)
    events: int = 0
    framed: bool = False

    def hashed(self) -> Hashed:
        sha256 = self.clips[0].recording_sha256
        return Hashed(sha256, self.clips, np.concatenate(self.codes), np.concatenate(self.margins), self.events)


class _Batch:
    """Framed clips that wait to be encoded, in the order in which they came."""

    def __init__(self, encoder: Encoder, stop: Stop) -> None:
        self.encoder, self.stop = encoder, stop
        self.enough = encoder.batch * (encoder.workers or os.cpu_count() or 1)
        self.waiting: list[tuple[_Recording, np.ndarray]] = []
        self.open: list[_Recording] = []

    def add(self, recording: _Recording, framed: FramedClip) -> Iterator[Hashed]:
        if not recording.clips:
            self.open.append(recording)
        recording.clips.append(framed.clip)
        recording.events += framed.events
        self.waiting.append((recording, framed.frames))
        # stacking them doubles what they take
        if len(self.waiting) >= self.enough or len(self.waiting) * framed.frames.nbytes > reading_bytes() // 8:
            yield from self.encode()

    def complete(self, recording: _Recording) -> Iterator[Hashed]:
        recording.framed = True
        if len(self.waiting) >= self.enough or not self.waiting:
            yield from self.encode()

    def forget(self, recording: _Recording) -> None:
        self.waiting = [(other, frames) for other, frames in self.waiting if other is not recording]
        self.open = [other for other in self.open if other is not recording]

    def encode(self) -> Iterator[Hashed]:
        """Encode what waits; the recordings of which all clips are encoded then."""
        waiting, self.waiting = self.waiting, []
        if waiting:
            with self.stop.interruptible():
                codes, margins = self.encoder.encode(np.stack([frames for _, frames in waiting]))
            for i, (recording, _) in enumerate(waiting):
                recording.codes.append(codes[i : i + 1])
                recording.margins.append(margins[i : i + 1])
        done = [recording for recording in self.open if recording.framed]
        self.open = [recording for recording in self.open if not recording.framed]
        for recording in done:
            yield recording.hashed()
