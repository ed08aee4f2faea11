"""Rows of the code database made from hashed clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from spikinghash.codes.refusals import absolute
from spikinghash.codes.schema import CODE_ROWS, QUARANTINE_ROWS
from spikinghash.errors import BadRecording


@dataclass(frozen=True, slots=True)
class Clip:
    """What is known of a clip besides its code; it is an item of its own unless `item` says otherwise.

    `labels` are all of its labels, of which `label` is the first; `seen` are the modalities that the code was made of,
    by default its own.
    """

    clip_id: str
    recording: str
    recording_sha256: str
    start_us: int
    end_us: int
    label: str | None = None
    split: str | None = None
    archive: str | None = None
    labels: tuple[str, ...] | None = None
    modality: str = "events"
    item: str | None = None
    seen: str | None = None


def code_rows(clips: Sequence[Clip], codes: np.ndarray, margins: np.ndarray, model: str, frames: str) -> pa.Table:
    """Clips with codes uint8 [N, K/8] and margins [N] of one model -> rows of `CODE_ROWS`."""
    # column by column: a dictionary for every clip of a recording of hours would take more than their codes
    columns: dict[str, Any] = {name: [getattr(clip, name) for clip in clips] for name in Clip.__slots__}
    columns["labels"] = [_labels(clip) for clip in clips]
    columns["item"] = [clip.item or clip.clip_id for clip in clips]
    columns["seen"] = [clip.seen or clip.modality for clip in clips]
    columns |= {"code": [code.tobytes() for code in codes], "min_margin": [float(margin) for margin in margins]}
    every = {"model": model, "frames": frames, "encoded_at": datetime.now(UTC)}
    columns |= {name: [value] * len(clips) for name, value in every.items()}
    if not len(clips) == len(codes) == len(margins):
        raise ValueError(f"{len(clips)} clips, {len(codes)} codes and {len(margins)} margins")
    return pa.table({name: columns.get(name, [None] * len(clips)) for name in CODE_ROWS.names}, schema=CODE_ROWS)


def _labels(clip: Clip) -> list[str]:
    if clip.labels is not None:
        return list(clip.labels)
    return [] if clip.label is None else [clip.label]


@dataclass(frozen=True)
class Refused:
    """A recording that was refused, by path and contents."""

    path: str
    sha256: str | None
    error: BadRecording


def quarantine_rows(refused: Sequence[Refused], model: str) -> pa.Table:
    """Refused recordings -> rows of `QUARANTINE_ROWS`."""
    now = datetime.now(UTC)
    rows = [
        {
            # what has no contents is known by its path, whatever folder a command is run in
            "path": r.path if r.sha256 is not None else absolute(r.path),
            "sha256": r.sha256,
            "reason": r.error.reason,
            "offset": r.error.offset,
            "message": r.error.message,
            "reader": None,
            "model": model,
            "seen_at": now,
        }
        for r in refused
    ]
    return pa.Table.from_pylist(rows, schema=QUARANTINE_ROWS)
