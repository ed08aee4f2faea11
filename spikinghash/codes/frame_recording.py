"""One recording to its framed clips, made as a model's training clips were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spikinghash.codes.new_rows import Clip
from spikinghash.data.picture import PictureFrame
from spikinghash.datasets.picture_file import ONE_PICTURE
from spikinghash.datasets.recording import Recording
from spikinghash.errors import BadCheckpoint, BadRecording, ConfigError
from spikinghash.events.machine_memory import reading_bytes
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.events.source import Source
from spikinghash.frames.clips import Decode, cut_file, frame_clips
from spikinghash.methods.spec import ModelSpec

#: What a clip takes until it is committed, without its frames, and the share of memory for all of one recording.
_CLIP_BYTES, _CLIPS_SHARE = 2000, 1 / 8


@dataclass(frozen=True)
class FramedClip:
    """A clip and its frames [T, 2, H, W], or a picture's pixels [3, H, W]; `events` of the recording that fell into it,
    0 for a picture.
    """

    clip: Clip
    frames: np.ndarray
    events: int


def frame_recording(
    path: str,
    source: Source,
    spec: ModelSpec,
    decode: Decode,
    *,
    archive: str | None = None,
    format: str | None = None,
    reading: ReadOptions = DEFAULTS,
) -> Iterator[FramedClip]:
    """Decode, cut and frame; clips are named by the recording's contents and their times, at least one.

    Clips are framed one after the other as they are asked for, since all of a long recording may not fit into memory.
    `reading` overrides how the model's own recordings were read.
    For a model of pictures the file is one, PNG or JPEG, and its one clip is named by its contents alone.

    Raises `BadRecording` for anything the readers refuse, for a sensor unlike the model's, for
    too few events and for more clips than this machine's memory allows.
    """
    if spec.input.kind == "image":
        pixels = _picture_frame(spec).pixels(source.data, ONE_PICTURE)
        return iter(
            [FramedClip(Clip(source.sha256, path, source.sha256, 0, 0, archive=archive, modality="image"), pixels, 0)]
        )
    framing, options = spec.input.framing
    whole = Recording(source.sha256, source.path, None, None, options=options.overridden(reading))
    file = cut_file(source, [whole], framing, spec.input.sensor, format, decode=decode)
    for _, error in file.refused:
        raise error
    count = sum(len(cut.kept) for _, cut in file.cuts)
    if not count:
        raise BadRecording("no-events", f"no clip has the {framing.min_events} events that the model's clips need")
    if count * _CLIP_BYTES > reading_bytes() * _CLIPS_SHARE:
        raise BadRecording("memory", f"it would be cut into {count} clips, too many for this machine; cut the file")
    return (
        FramedClip(
            Clip(one.clip_id, path, one.sha256, one.account.start_us, one.account.end_us, archive=archive),
            frames,
            one.account.events_in,
        )
        for one, frames in frame_clips(file, framing)
    )


def _picture_frame(spec: ModelSpec) -> PictureFrame:
    try:
        return PictureFrame.of(spec.input.field)
    except ConfigError as error:
        raise BadCheckpoint(f"model.json: it does not say how samples are made ({error})") from None
