"""NDCG of items with several labels: the more labels two of them share, the more relevant they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.metric import Metric, protocol
from spikinghash.evaluation.relevance import SharedLabel
from spikinghash.evaluation.retrieval import Retrieval


def graded_ndcg(task: Retrieval, n: int) -> Metric:
    """NDCG@n with gain 2^s - 1 for s shared labels and discount 1 / log2(1 + rank) (Burges et al., ICML 2005), ties in
    the order of the clip ids.

    A query that shares no label with anything counts 0. `ConfigError` for n < 1 or another relevance than
    `SharedLabel`.
    """
    relevance = task.relevance
    if n < 1 or not isinstance(relevance, SharedLabel):
        raise ConfigError(f"n is {n}; it must be at least 1, and relevance by shared labels")
    cut = min(n, len(task.gallery))
    discount = 1 / np.log2(1 + np.arange(1, cut + 1))
    values = np.zeros(len(task.queries))
    for rows, distances, _ in task.blocks():
        gains = 2.0 ** relevance.shared(rows.start, rows.stop)[:, task.order] - 1
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :cut]
        best = _largest(gains, cut) @ discount
        found = np.take_along_axis(gains, nearest, axis=1) @ discount
        values[rows] = np.where(best > 0, found / np.where(best > 0, best, 1), 0.0)
    said = protocol(task, values, "zero", n=n, ties="by clip id", gain="2^(shared labels) - 1", denominator="IDCG@n")
    return Metric(f"graded NDCG@{n}", float(values.mean()), said, values)


def _largest(gains: NDArray[np.floating], cut: int) -> NDArray[np.floating]:
    """The `cut` largest of each row, largest first."""
    return -np.sort(-gains, axis=1)[:, :cut]
