"""Which queries two models answer most differently."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikinghash.evaluation.gate import Evidence


@dataclass(frozen=True)
class ChangedQuery:
    """Expected average precision of the query at place `query` under the first and the second model."""

    query: int
    first: float
    second: float


def changed_queries(
    first: Evidence, second: Evidence, count: int
) -> tuple[tuple[ChangedQuery, ...], tuple[ChangedQuery, ...]]:
    """At most `count` queries that got better and as many that got worse, the largest change first.

    One query a recording: clips of one would tell the same story. Equal changes go in the order of the queries, those
    that did not change or were skipped are in neither.
    """
    gain = np.nan_to_num(second.precision[0] - first.precision[0], nan=0.0)
    return _most(gain, first, second, count), _most(-gain, first, second, count)


def _most(gain: np.ndarray, first: Evidence, second: Evidence, count: int) -> tuple[ChangedQuery, ...]:
    chosen: list[ChangedQuery] = []
    seen: set[int] = set()
    for place in np.argsort(-gain, kind="stable").tolist():
        recording = int(first.recordings[place])
        if gain[place] <= 0 or len(chosen) == count:
            break
        # 0 stands for a recording that nobody knows
        if recording == 0 or recording not in seen:
            seen.add(recording)
            chosen.append(ChangedQuery(place, float(first.precision[0, place]), float(second.precision[0, place])))
    return tuple(chosen)
