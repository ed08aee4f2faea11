"""Everything a reviewer is shown of two models on the same queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.changed_queries import ChangedQuery, changed_queries
from spikinghash.evaluation.code_map import code_map, draw_sample
from spikinghash.evaluation.compare_models import Comparison
from spikinghash.evaluation.measured import Measured
from spikinghash.evaluation.metric import Empty
from spikinghash.evaluation.neighbours import Confusion, found_for, neighbour_confusion
from spikinghash.evaluation.paired_bootstrap import interval
from spikinghash.evaluation.truncate import Truncated, truncate
from spikinghash.index.nearest_codes import nearest_codes

#: Queries that are shown each way, and neighbours of each.
CHANGED, SHOWN = 3, 5


@dataclass(frozen=True, eq=False)
class Seen:
    """One of the two models. `found` are neighbours of the changed queries by their place, as `found_for` gives them;
    `points` [N, 2] are its codes of the clips that are drawn, None for too few; `confusion` is of first neighbours.
    """

    measured: Measured
    found: dict[int, dict[str, Any]]
    truncated: tuple[Truncated, ...]
    confusion: Confusion
    points: NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class Review:
    """`difference` is the interval of the second's expected mAP less the first's, at `confidence`; `drawn` are the
    places of the queries that `points` are of.
    """

    comparison: Comparison
    difference: tuple[float, float]
    confidence: float
    better: tuple[ChangedQuery, ...]
    worse: tuple[ChangedQuery, ...]
    drawn: NDArray[np.int64]
    first: Seen
    second: Seen


def review(first: Measured, second: Measured, comparison: Comparison, confidence: float, empty: Empty) -> Review:
    """Look closer at two models that were measured on the same queries; `ConfigError` where they were not."""
    if first.queries.clip_ids.tolist() != second.queries.clip_ids.tolist():
        raise ConfigError("the two models were measured on different queries; measure both on one store")
    a, b = first.evidence, second.evidence
    gain = b.precision[0] - a.precision[0]
    counted = np.isfinite(gain)
    better, worse = changed_queries(a, b, CHANGED)
    drawn = draw_sample(len(first.queries))
    places = [one.query for one in (*better, *worse)]
    seen = (_look(one, places, drawn, empty) for one in (first, second))
    difference = interval(gain[counted], a.recordings[counted], confidence)
    return Review(comparison, difference, confidence, better, worse, drawn, *seen)


def _look(one: Measured, places: list[int], drawn: NDArray[np.int64], empty: Empty) -> Seen:
    queries, gallery = one.queries, one.gallery
    near = nearest_codes(queries.codes, gallery.codes, SHOWN)
    found = {place: found_for(queries, gallery, place, near) for place in places}
    confusion = neighbour_confusion(queries.labels, gallery.labels, near.rows[:, :1])
    return Seen(one, found, truncate(one, empty), confusion, code_map(queries.codes[drawn]))
