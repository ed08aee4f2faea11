"""Recordings, events and frames to codes; what is refused is named and stops nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from spikinghash.api.codes import Codes, RefusedInput
from spikinghash.api.frame import FramedClips, frame_events
from spikinghash.api.model_frames import check_frames
from spikinghash.codes.codeset import recording_key
from spikinghash.codes.discover import discover
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.hash_inputs import Hashed, hash_here
from spikinghash.codes.inputs import Opened, open_inputs
from spikinghash.codes.new_rows import Clip, Refused
from spikinghash.errors import BadRecording, ConfigError
from spikinghash.events.doubts import Doubts
from spikinghash.events.events import Events
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.events.options import DEFAULTS, ReadOptions

_LOG = logging.getLogger(__name__)
#: What was hashed: the clips of one input with codes uint8 [N, K/8], or the refusal of it.
Result = tuple[list[Clip], np.ndarray] | Refused


def encode(inputs: Any, encoder: Encoder, format: str | None = None, reading: ReadOptions = DEFAULTS) -> Codes:
    """The codes of one input or a sequence of them, in their order; see `Hasher.encode`."""
    return collect(results(inputs, encoder, format, reading), encoder)


def results(
    inputs: Any, encoder: Encoder, format: str | None = None, reading: ReadOptions = DEFAULTS
) -> Iterator[Result]:
    """What became of every input, in order; errors as `Hasher.encode`."""
    seen: set[Path] = set()
    for are_paths, some in groupby(enumerate(_items(inputs)), key=lambda one: isinstance(one[1], str | Path)):
        if are_paths:
            # as they were given, files of a folder sorted, each once
            files = [file for _, item in some for file in discover([Path(item)])]
            new = list(dict.fromkeys(file for file in files if file not in seen))
            seen.update(new)
            yield from _of_files(new, encoder, format, reading)
            continue
        for number, item in some:
            if isinstance(item, Events):
                yield _of_events(item, f"events {number}", encoder)
            else:
                yield _of_frames(item, number, encoder)


def collect(found: Iterable[Result], encoder: Encoder) -> Codes:
    """Results as `Codes`."""
    spec, clips, packed, refused = encoder.model.spec, list[Clip](), list[np.ndarray](), list[RefusedInput]()
    for one in found:
        if isinstance(one, Refused):
            refused.append(RefusedInput(one.path, str(one.error)))
        else:
            clips += one[0]
            packed.append(one[1])
    return Codes(
        packed=np.concatenate([np.empty((0, spec.bits // 8), np.uint8), *packed]),
        ids=np.array([_id(clip) for clip in clips], dtype=object),
        names=np.array([clip.recording for clip in clips], dtype=object),
        labels=np.array([clip.label for clip in clips], dtype=object),
        start_us=np.array([clip.start_us for clip in clips], np.int64),
        end_us=np.array([clip.end_us for clip in clips], np.int64),
        recording_keys=np.array([_key(clip) for clip in clips], np.uint64),
        model=encoder.model.digest,
        refused=tuple(refused),
    )


def _items(inputs: Any) -> list[Any]:
    """The inputs one by one; arrays count as one, whether of a clip or of many."""
    if isinstance(inputs, str | Path | Events | FramedClips) or hasattr(inputs, "__array__"):
        return [inputs]
    if not isinstance(inputs, Iterable):
        raise ConfigError(f"cannot encode {type(inputs).__name__}; give paths, Events, or frames [N, T, 2, H, W]")
    return list(inputs)


def _of_files(files: list[Path], encoder: Encoder, format: str | None, reading: ReadOptions) -> Iterator[Result]:
    refused: list[Refused] = []

    def inputs() -> Iterator[Opened]:
        for item in open_inputs(files):
            if isinstance(item.source, BadRecording):
                refused.append(Refused(item.path, None, item.source))
            else:
                yield Opened(item.path, item.archive, item.source)

    doubts = Doubts()
    # one each call: a decoder is not for several threads
    with IsolatedDecoder() as decoder:
        for one in hash_here(inputs(), encoder, doubts.watch(decoder.stream), format, reading=reading):
            yield (one.clips, one.codes) if isinstance(one, Hashed) else one
    yield from refused
    if (line := doubts.line()) is not None:
        _LOG.warning("%s", line)


def _of_events(events: Events, name: str, encoder: Encoder) -> Result:
    spec = encoder.model.spec
    try:
        if spec.input.kind != "events":
            raise ConfigError(
                f"model {encoder.model.digest} hashes {spec.input.kind}, not events; give paths of PNG or JPEG"
            )
        if (events.width, events.height) != spec.input.sensor:
            sizes = f"{events.width}x{events.height}, the model's {spec.input.sensor[0]}x{spec.input.sensor[1]}"
            raise BadRecording("sensor", f"its sensor is {sizes}")
        framing, _ = spec.input.framing
        framed = frame_events(events, framing)
        if not len(framed):
            raise BadRecording("no-events", f"no clip has the {framing.min_events} events that the model's clips need")
    except BadRecording as error:
        return Refused(name, None, error)
    times = zip(framed.start_us.tolist(), framed.end_us.tolist(), strict=True)
    clips = [Clip(f"#{number}", name, "", start, end) for number, (start, end) in enumerate(times)]
    return clips, encoder.encode(framed.frames)[0]


def _of_frames(item: Any, number: int, encoder: Encoder) -> Result:
    frames = check_frames(item, encoder.model.spec)
    # padded with zeros so that the order of names is that of rows
    width = len(str(len(frames)))
    names = [f"frames {number}:{row:0{width}}" for row in range(len(frames))]
    return [Clip("", one, "", 0, 0) for one in names], encoder.encode(frames)[0]


def _id(clip: Clip) -> str:
    """Unique among inputs: a name, and what tells the clips of one recording apart."""
    return clip.recording + clip.clip_id.removeprefix(clip.recording_sha256)


def _key(clip: Clip) -> int:
    return recording_key(clip.recording_sha256) if clip.recording_sha256 else 0
