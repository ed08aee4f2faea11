"""What looks like these recordings: queries against the newest codes of a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spikinghash.codes.codeset import recording_key
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.frame_recording import FramedClip, frame_recording
from spikinghash.codes.open_named import open_named
from spikinghash.codes.schema import path_text
from spikinghash.events.options import DEFAULTS, ReadOptions
from spikinghash.frames.clips import Decode
from spikinghash.index.filters import Filters
from spikinghash.index.searcher import Searcher, check_reach

#: Clips of its own recording that a query is likely to meet.
_SPARE = 16
_COLUMNS = ["clip_id", "recording", "distance", "label", "start_us", "end_us"]


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

    Results are ordered by (distance, clip id). `label` is the query's own, where it was asked for and the database
    knows the recording.
    """

    path: Path
    query: FramedClip
    label: str | None
    bits: int
    results: list[Neighbour]


def nearest(
    paths: list[Path],
    encoder: Encoder,
    codes: Searcher,
    k: int | None,
    *,
    decode: Decode,
    radius: int | None = None,
    filters: Filters | None = None,
    format: str | None = None,
    reading: ReadOptions = DEFAULTS,
    labelled: bool = False,
) -> list[Answer]:
    """Hash the recordings at `paths` and find their k nearest clips, or all within `radius` bits for k None.

    Copies of a recording itself are left out of its answer. `labelled` finds the labels of the queries too, for which
    all clips are looked through. Raises `BadRecording` for a file, `ConfigError` for k < 1,
    a negative radius, or neither of them.
    """
    check_reach(k, radius)  # before the recordings are read
    k = None if k is None else min(k, max(1, len(codes)))
    spec = encoder.model.spec
    queries = [
        next(frame_recording(path_text(p), open_named(p), spec, decode, format=format, reading=reading)) for p in paths
    ]
    keys = [recording_key(query.clip.recording_sha256) for query in queries]
    hashed, _ = encoder.encode(np.stack([query.frames for query in queries]))
    found = other_recordings(codes, hashed, keys, k, radius, filters)
    labels = [_label(codes.own(key)) if labelled else None for key in keys]
    return [
        Answer(path, query, label, codes.bits, [Neighbour(**hit) for hit in hits.select(_COLUMNS).to_pylist()])
        for path, query, label, hits in zip(paths, queries, labels, found, strict=True)
    ]


def other_recordings(
    codes: Searcher,
    hashed: np.ndarray,
    keys: Sequence[int | None],
    k: int | None,
    radius: int | None,
    filters: Filters | None,
) -> list[pa.Table]:
    """As `Searcher.find`, without the clips of each query's own recording; a key is None where it is not known."""
    # how many are its own is not known: ask for more until enough others are there
    most = None if k is None else k + _SPARE
    while True:
        hits = codes.find(hashed, most, radius, filters)
        others = [_without(one, key) for one, key in zip(hits, keys, strict=True)]
        if k is None or most is None:
            return others
        if not any(len(one) < k and len(all_of_them) == most for one, all_of_them in zip(others, hits, strict=True)):
            return [one.slice(0, k) for one in others]
        most *= 4


def _without(hits: pa.Table, key: int | None) -> pa.Table:
    other = pc.not_equal(hits.column("recording_key"), pa.scalar(key, pa.uint64()))
    return hits.filter(pc.fill_null(other, True))


def _label(clips: pa.Table) -> str | None:
    return next((label for label in clips.column("label").to_pylist() if label is not None), None)
