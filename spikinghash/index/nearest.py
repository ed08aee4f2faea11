"""What looks like this recording: one query against the newest version of a code database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from spikinghash.codes.encoder import Encoder
from spikinghash.codes.frame_recording import FramedClip, frame_recording
from spikinghash.codes.rows import path_text
from spikinghash.codes.table import CodeDatabase
from spikinghash.errors import ConfigError
from spikinghash.events.source import open_source
from spikinghash.frames.clips import Decode
from spikinghash.index.flat import HammingIndex


@dataclass(frozen=True)
class Neighbour:
    """One clip of the database; `distance` in bits."""

    clip_id: str
    recording: str
    distance: int
    label: str | None
    start_us: int
    end_us: int


@dataclass(frozen=True)
class Answer:
    """The query as it was framed (of a long recording its first clip), the code width, and the nearest clips.

    Results are ordered by (distance, clip id). `label` is the query's own, where the database knows the recording.
    """

    query: FramedClip
    label: str | None
    bits: int
    results: list[Neighbour]


def nearest(
    path: Path, encoder: Encoder, database: CodeDatabase, k: int, *, decode: Decode, format: str | None = None
) -> Answer:
    """Hash the recording at `path` and find its k nearest clips; copies of the recording itself are left out.

    Raises `BadRecording` for the file, `StaleModel` where the database holds no codes of this model.
    """
    if k < 1:
        raise ConfigError(f"k is {k}; it must be at least 1")
    model = encoder.model
    query = frame_recording(path_text(path), open_source(path), model.spec, decode, format=format)[0]
    codes = database.load(model.digest)
    same = database.rows(model.digest).filter(pc.field("recording_sha256") == query.clip.recording_sha256)
    own = set(same.column("clip_id").to_pylist())
    label = next(iter(same.column("label").to_pylist()), None)
    code, _ = encoder.encode(query.frames[None])
    index = HammingIndex.over(codes)
    positions, distances = index.search(code, k + len(own), model=model.digest)
    hits = [
        Neighbour(distance=int(d), **index.clips.slice(int(p), 1).to_pylist()[0])
        for p, d in zip(positions[0], distances[0], strict=True)
    ]
    return Answer(query, label, codes.bits, [hit for hit in hits if hit.clip_id not in own][:k])
