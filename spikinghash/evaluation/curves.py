"""Precision against recall by Hamming radius. No order of ties is involved anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.distance_histogram import DistanceHistogram
from spikinghash.evaluation.metric import Metric, protocol


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


def _within(counts: NDArray[np.int64], radius: int) -> NDArray[np.int64]:
    if radius < 0:
        raise ConfigError(f"radius is {radius}; it cannot be negative")
    return counts[:, : radius + 1].sum(axis=1)
