"""What every writer of a frame store checks before it takes a clip."""

from __future__ import annotations

from spikinghash.frames.accumulate import Frames
from spikinghash.frames.schema import ClipRow, FrameMeta


def validate_clip(row: ClipRow, counts: Frames, meta: FrameMeta, known: set[str]) -> None:
    """Enter the clip's id in `known`.

    Raises `ValueError` for frames of another shape or dtype, a broken account, or a clip id that is known already.
    """
    if counts.shape != meta.shape or counts.dtype != meta.dtype:
        raise ValueError(f"clip {row.clip_id!r} has {counts.shape} {counts.dtype}, the store {meta.shape} {meta.dtype}")
    if row.events_in != row.events_framed + sum(row.dropped.values()):
        raise ValueError(f"clip {row.clip_id!r}: events in are not events framed plus dropped")
    if row.clip_id in known:
        raise ValueError(f"clip {row.clip_id!r} was already written")
    known.add(row.clip_id)
