"""What looks like these recordings: queries against the newest codes of a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from spikinghash.codes.codeset import recording_key
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.frame_recording import FramedClip, frame_recording
from spikinghash.codes.rows import path_text
from spikinghash.errors import ConfigError
from spikinghash.events.source import open_source
from spikinghash.frames.clips import Decode
from spikinghash.index.choice import Choice
from spikinghash.index.searchable import Searchable


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

    path: Path
    query: FramedClip
    label: str | None
    bits: int
    results: list[Neighbour]


def nearest(
    paths: list[Path],
    encoder: Encoder,
    codes: Searchable,
    k: int | None,
    *,
    decode: Decode,
    radius: int | None = None,
    choice: Choice | None = None,
    format: str | None = None,
) -> list[Answer]:
    """Hash the recordings at `paths` and find their k nearest clips, or all within `radius` bits for k None.

    Copies of a recording itself are left out of its answer. Raises `BadRecording` for a file, `ConfigError` for k < 1,
    a negative radius, or neither of them.
    """
    if k is not None and k < 1:
        raise ConfigError(f"k is {k}; it must be at least 1")
    if radius is not None and radius < 0:
        raise ConfigError(f"radius is {radius}; it cannot be negative")
    if k is None and radius is None:
        raise ConfigError("a search needs k or a radius")
    spec = encoder.model.spec
    queries = [frame_recording(path_text(p), open_source(p), spec, decode, format=format)[0] for p in paths]
    own = [codes.own(recording_key(query.clip.recording_sha256)) for query in queries]
    hashed, _ = encoder.encode(np.stack([query.frames for query in queries]))
    most = None if k is None else k + max(len(clips) for clips in own)
    found = codes.find(hashed, most, radius, choice)
    return [
        Answer(path, query, _label(clips), codes.bits, _others(hits, clips)[:k])
        for path, query, clips, hits in zip(paths, queries, own, found, strict=True)
    ]


def _label(clips: pa.Table) -> str | None:
    return next((label for label in clips.column("label").to_pylist() if label is not None), None)


def _others(hits: pa.Table, own: pa.Table) -> list[Neighbour]:
    names = set(own.column("clip_id").to_pylist())
    columns = ["clip_id", "recording", "distance", "label", "start_us", "end_us"]
    return [Neighbour(**hit) for hit in hits.select(columns).to_pylist() if hit["clip_id"] not in names]
