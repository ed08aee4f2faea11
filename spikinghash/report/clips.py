"""Pictures of clips by their ids, out of a sample store."""

from __future__ import annotations

from collections.abc import Iterable

from spikinghash.data.drawable import drawable
from spikinghash.data.store import SampleSource
from spikinghash.frames.accumulate import Counts

_AT_ONCE = 256


def find_clips(store: SampleSource, clip_ids: Iterable[str]) -> dict[str, Counts]:
    """Counts [T, 2, H, W] or pixels [3, H, W] of the samples that the store has; ids it does not know are left out.

    Streams the store and stops when all are found. Raises `BadStore` on damage.
    """
    wanted = set(clip_ids)
    found: dict[str, Counts] = {}
    for counts, rows in store.iter_inputs(drawable(store.spec), None, _AT_ONCE):
        for place, row in enumerate(rows):
            if row.sample_id in wanted:
                found[row.sample_id] = counts[place].copy()
        if len(found) == len(wanted):
            break
    return found
