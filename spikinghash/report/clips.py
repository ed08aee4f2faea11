"""Pictures of clips by their ids, out of a frame store."""

from __future__ import annotations

from collections.abc import Iterable

from spikinghash.frames.accumulate import Counts
from spikinghash.frames.schema import FrameSource

_AT_ONCE = 256


def find_clips(frames: FrameSource, clip_ids: Iterable[str]) -> dict[str, Counts]:
    """Counts [T, 2, H, W] of the clips that the store has; ids it does not know are left out.

    Streams the store and stops when all are found. Raises `BadStore` on damage.
    """
    wanted = set(clip_ids)
    found: dict[str, Counts] = {}
    for counts, rows in frames.iter_batches(None, _AT_ONCE):
        for place, row in enumerate(rows):
            if row.clip_id in wanted:
                found[row.clip_id] = counts[place].copy()
        if len(found) == len(wanted):
            break
    return found
