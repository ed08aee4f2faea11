"""How many items, and how many relevant ones, lie at every distance. All tie-free metrics follow from this."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.kernels.bitslice_codes import code_planes
from spikinghash.evaluation.kernels.distance_histogram import tally_classes
from spikinghash.evaluation.relevance import SameLabel
from spikinghash.evaluation.retrieval import Retrieval
from spikinghash.index.validate_codes import validate_codes


@dataclass(frozen=True)
class DistanceHistogram:
    """Items and relevant items per query and distance 0..K, both int64 [Q, K+1]."""

    task: Retrieval
    items: NDArray[np.int64]
    relevant: NDArray[np.int64]

    @property
    def all_relevant(self) -> NDArray[np.int64]:
        """R, the number of relevant items in the whole gallery, int64 [Q]."""
        return self.relevant.sum(axis=1)


def distance_histogram(task: Retrieval) -> DistanceHistogram:
    """Count distances, for relevance by equal labels without ever making a [Q, N] matrix.

    Memory is Q (K + 1) counts and two copies of the gallery there, and for other relevance the task's block.
    """
    items = np.zeros((len(task.queries), task.bits + 1), dtype=np.int64)
    relevant = np.zeros_like(items)
    if isinstance(task.relevance, SameLabel):
        _count_classes(task, task.relevance, items, relevant)
    else:
        _count_pairs(task, items, relevant)
    return DistanceHistogram(task, items, relevant)


def _count_pairs(task: Retrieval, items: NDArray[np.int64], relevant: NDArray[np.int64]) -> None:
    levels = items.shape[1]
    for rows, distances, hits in task.blocks():
        # one bincount for the whole block: query q at distance d is cell q * levels + d
        cells = distances + levels * np.arange(len(distances), dtype=np.int64)[:, None]
        size = cells.shape[0] * levels
        items[rows] = np.bincount(cells.ravel(), minlength=size).reshape(-1, levels)
        relevant[rows] = np.bincount(cells[hits], minlength=size).reshape(-1, levels)


def _count_classes(task: Retrieval, labels: SameLabel, items: NDArray[np.int64], relevant: NDArray[np.int64]) -> None:
    queries, gallery = validate_codes(task.queries, task.gallery)
    if (len(labels.queries), len(labels.gallery)) != (len(queries), len(gallery)):
        raise ConfigError(
            f"relevance is {[len(labels.queries), len(labels.gallery)]}; need {[len(queries), len(gallery)]}"
        )
    # counts do not depend on the order of the gallery, and sorted by class what is relevant is one stretch of it
    order = np.argsort(labels.gallery, kind="stable")
    classes = labels.gallery[order]
    first, last = (np.searchsorted(classes, labels.queries, side) for side in ("left", "right"))
    tally_classes(queries, code_planes(gallery[order]), first, last, len(gallery), items, relevant)
