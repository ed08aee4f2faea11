"""Do two models find the same? The overlap of the nearest clips under each, over clips that both have hashed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.codes.database import CodeDatabase
from spikinghash.index.flat import HammingIndex
from spikinghash.index.nearest import other_recordings
from spikinghash.index.searcher import Searcher

#: Neighbours that are compared, and clips with the least overlap that are named.
K, _LEAST = 10, 5
#: Clips that are asked at most, spread evenly over those of the night.
_MOST = 1000


def shadow_overlap(database: CodeDatabase, codes: CodeSet, shadow: str, start: datetime) -> dict[str, Any]:
    """JSON for the night report: `both` clips have a code of the model of `codes` and of `shadow`, by its digest;
    `asked` are those of them that got one of the two at `start` or later.

    `overlap` is the mean share of a clip's `K` nearest under one model that are among those under the other, clips of
    its own recording left out; None where nothing can be compared. `least` are the clips with the least of it. Clips
    are the same by id, so that models which cut recordings in another way have few in common, or none.
    """
    nothing: dict[str, Any] = {"k": K, "both": 0, "asked": 0, "overlap": None, "least": []}
    if shadow not in database.models():
        return nothing
    others = database.load(shadow)
    ids, ours, theirs = np.intersect1d(codes.clip_ids, others.clip_ids, assume_unique=True, return_indices=True)
    nothing["both"] = len(ids)
    fresh = np.zeros(len(ids), np.bool_)
    for model in (codes.model, shadow):
        fresh |= database.committed_since(model, start, ids)
    asked = np.flatnonzero(fresh)
    if len(asked) > _MOST:
        asked = asked[np.linspace(0, len(asked) - 1, _MOST).astype(np.int64)]
    first, second = (_neighbours(one.at(rows), asked) for one, rows in ((codes, ours), (others, theirs)))
    shares = {i: _share(a, b) for i, a, b in zip(asked.tolist(), first, second, strict=True) if len(a)}
    if not shares:
        return nothing
    least = sorted(shares, key=lambda i: (shares[i], str(ids[i])))[:_LEAST]
    names = codes.recordings[ours]
    return nothing | {
        "asked": len(shares), "overlap": float(np.mean(list(shares.values()))),
        "least": [{"id": str(ids[i]), "recording": str(names[i]), "overlap": shares[i]} for i in least],
    }  # fmt: skip


def _neighbours(codes: CodeSet, asked: NDArray[np.int64]) -> list[set[str]]:
    """Ids of the nearest clips of each of `asked`, rows of `codes`."""
    if not len(asked):
        return []
    keys = [None] * len(asked) if codes.recording_keys is None else codes.recording_keys[asked].tolist()
    found = other_recordings(Searcher([HammingIndex.over(codes)]), codes.codes[asked], keys, K, None, None)
    return [_ids(hits) for hits in found]


def _ids(hits: pa.Table) -> set[str]:
    return set(hits.column("clip_id").to_pylist())


def _share(ours: set[str], theirs: set[str]) -> float:
    return len(ours & theirs) / len(ours)
