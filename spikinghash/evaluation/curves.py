"""Precision against recall, by Hamming radius and by recall level. No order of ties is involved anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.distance_histogram import DistanceHistogram
from spikinghash.evaluation.metric import Empty, Metric, protocol, settle_empty


@dataclass(frozen=True)
class Curve:
    """Points of a precision-recall curve, float64 [P]; `radius` int64 [P] where the points are Hamming radii."""

    name: str
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    protocol: Mapping[str, Any]
    radius: NDArray[np.int64] | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        radius = {} if self.radius is None else {"radius": self.radius.tolist()}
        points = {"precision": self.precision.tolist(), "recall": self.recall.tolist()}
        return {"name": self.name, **radius, **points, "protocol": dict(self.protocol)}


def curve_by_radius(counts: DistanceHistogram) -> Curve:
    """Precision and recall of everything within radius 0..K, pooled over all queries (micro-average).

    Radii within which no query finds anything have no precision and are left out. `ConfigError` if no query has
    a relevant item, since recall is then undefined.
    """
    every = int(counts.relevant.sum())
    if every == 0:
        raise ConfigError("no query has a relevant item, so recall is undefined")
    found = np.cumsum(counts.items.sum(axis=0))
    hits = np.cumsum(counts.relevant.sum(axis=0))
    radius = np.flatnonzero(found)
    said = protocol(
        counts.task,
        np.zeros(len(counts.items)),
        "zero",
        averaging="micro: counts are pooled over queries",
        denominator="precision: items within the radius; recall: relevant items in the database",
        ties="none: a radius takes all or nothing of a tie",
    )
    return Curve("precision-recall by radius", hits[radius] / found[radius], hits[radius] / every, said, radius)


def curve_by_recall(counts: DistanceHistogram, levels: int = 11, empty: Empty = "skip") -> Curve:
    """Interpolated precision at `levels` equal recall levels from 0 to 1, averaged over queries.

    The points of a query are its radii; its precision at a level is the largest at that recall or more
    (Manning, Raghavan and Schuetze 2008, section 8.4: eleven-point average).
    """
    if levels < 2:
        raise ConfigError(f"levels is {levels}; a curve needs at least 2")
    every = counts.all_relevant
    hits = np.cumsum(counts.relevant, axis=1)
    precision = hits / np.maximum(1, np.cumsum(counts.items, axis=1))
    # largest precision at this radius or any larger one; recall only grows with the radius
    ceiling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    grid = np.linspace(0, 1, levels)
    points = np.empty((len(every), levels))
    for query, reached in enumerate(hits / np.maximum(1, every)[:, None]):
        # the last radius reaches recall 1; the slack keeps 0.3 from missing 3/10
        place = np.minimum(np.searchsorted(reached, grid - 1e-12), ceiling.shape[1] - 1)
        points[query] = ceiling[query, place]
    has_relevant = every > 0
    mean = np.array([np.nanmean(settle_empty(points[:, level], has_relevant, empty)) for level in range(levels)])
    said = protocol(
        counts.task,
        settle_empty(points[:, 0], has_relevant, empty),
        empty,
        averaging="macro: mean over queries of interpolated precision",
        denominator="recall: relevant items in the database",
        ties="none: the points of a query are its radii",
    )
    return Curve("precision-recall by recall", mean, grid, said)


def precision_within(counts: DistanceHistogram, radius: int = 2) -> Metric:
    """Precision within a Hamming radius, mean over all queries; a query that finds nothing counts 0.

    That zero is the usual rule of the hashing literature; the protocol says how many queries it struck.
    """
    found = _within(counts.items, radius)
    values = _within(counts.relevant, radius) / np.maximum(1, found)
    said = protocol(
        counts.task,
        values,
        "zero",
        radius=radius,
        found_nothing=int((found == 0).sum()),
        denominator="items within the radius",
        ties="none",
    )
    return Metric(f"precision within radius {radius}", float(values.mean()), said, values)


def recall_within(counts: DistanceHistogram, radius: int = 2, empty: Empty = "skip") -> Metric:
    """Recall within a Hamming radius, mean over queries that have a relevant item (`skip`) or all (`zero`)."""
    every = counts.all_relevant
    values = settle_empty(_within(counts.relevant, radius) / np.maximum(1, every), every > 0, empty)
    denominator = "R, relevant items in the database"
    said = protocol(counts.task, values, empty, radius=radius, denominator=denominator, ties="none")
    return Metric(f"recall within radius {radius}", float(np.nanmean(values)), said, values)


def _within(counts: NDArray[np.int64], radius: int) -> NDArray[np.int64]:
    if radius < 0:
        raise ConfigError(f"radius is {radius}; it cannot be negative")
    return counts[:, : radius + 1].sum(axis=1)
