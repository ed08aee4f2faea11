"""Which classes are found for which: confusion between a query's class and its neighbours' classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import ConfigError
from spikinghash.index.nearest_rows import NearestRows


@dataclass(frozen=True)
class Confusion:
    """`counts` int64 [C, C]: row = class of the query, column = class of a neighbour, both in order of `labels`.

    `unlabelled` counts pairs left out because a side has no label; `k` is how many neighbours were looked at.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64]
    k: int
    queries: int
    unlabelled: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "labels": list(self.labels),
            "counts": self.counts.tolist(),
            "protocol": {
                "k": self.k,
                "queries": self.queries,
                "unlabelled_pairs": self.unlabelled,
                "row": "class of the query",
                "column": "class of the neighbour",
                "ties": "by clip id",
            },
        }


def neighbour_confusion(
    query_labels: Sequence[str | None] | NDArray,
    gallery_labels: Sequence[str | None] | NDArray,
    positions: NDArray[np.int64],
) -> Confusion:
    """Confusion over neighbours `positions` int64 [Q, k], as `HammingIndex.search` returns them.

    Classes are sorted by name. `ConfigError` if the shapes do not match or a position is outside the gallery.
    """
    if positions.ndim != 2 or len(positions) != len(query_labels):
        raise ConfigError(f"positions are {list(positions.shape)} for {len(query_labels)} queries; need [Q, k]")
    if positions.size and (positions.min() < 0 or positions.max() >= len(gallery_labels)):
        raise ConfigError(f"a neighbour lies outside the gallery of {len(gallery_labels)} clips")
    labels = sorted({str(label) for label in (*query_labels, *gallery_labels) if label is not None})
    number = {label: index for index, label in enumerate(labels)}
    asked = np.array([-1 if label is None else number[str(label)] for label in query_labels], dtype=np.int64)
    known = np.array([-1 if label is None else number[str(label)] for label in gallery_labels], dtype=np.int64)
    rows, columns = np.broadcast_arrays(asked[:, None], known[positions])
    both = (rows >= 0) & (columns >= 0)
    cells = np.bincount(rows[both] * len(labels) + columns[both], minlength=len(labels) ** 2)
    return Confusion(
        labels=tuple(labels),
        counts=cells.reshape(len(labels), len(labels)),
        k=positions.shape[1],
        queries=len(positions),
        unlabelled=int((~both).sum()),
    )


def found_for(queries: CodeSet, gallery: CodeSet, place: int, near: NearestRows) -> dict[str, Any]:
    """The query at `place` with what was found for it, nearest first, as plain values for `neighbours.json`."""
    rows, distances = near.rows[place], near.distances[place]
    return {
        "clip_id": queries.clip_ids[place],
        "label": queries.labels[place],
        "results": [
            {"clip_id": gallery.clip_ids[row], "label": gallery.labels[row], "distance": int(distance)}
            for row, distance in zip(rows, distances, strict=True)
        ],
    }
