"""Cumulative gain with graded relevance: ACG@n and NDCG@n (paper eqs. 27-29)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import ConfigError
from spikinghash.evaluation.metric import Metric, protocol
from spikinghash.evaluation.retrieval import between

#: r of clips of one class, of similar classes, of other classes (text after eq. 29).
SAME, SIMILAR, OTHER = 1.0, 0.5, 0.0

#: Pairs of different classes that count as similar.
Pairs = Collection[frozenset[str]]


@dataclass(frozen=True)
class CumulativeGain:
    """`acg` and `ndcg` over the same queries."""

    acg: Metric
    ndcg: Metric


def cumulative_gain(queries: CodeSet, gallery: CodeSet, n: int, similar: Pairs = ()) -> CumulativeGain:
    """ACG@n (eq. 27) and NDCG@n (eqs. 28-29), n at most the gallery, ties in the order of the clip ids.

    The first item is not discounted and item i from 2 on by log2(i), so items 1 and 2 weigh the same, as in eq. 28.
    A query for which even the ideal order gains nothing counts 0. `ConfigError` for n < 1.
    """
    if n < 1:
        raise ConfigError(f"n is {n}; it must be at least 1")
    task = between(queries, gallery)
    cut = min(n, len(gallery))
    names = sorted({str(x) for x in (*queries.labels, *gallery.labels)})
    gains = gain_table(names, similar)
    number = {name: i for i, name in enumerate(names)}
    asked = np.array([number[str(x)] for x in queries.labels])
    there = np.array([number[str(x)] for x in gallery.labels])[task.order]
    discount = 1 / np.log2(np.maximum(2, np.arange(1, cut + 1)))
    ideal = _ideal(gains, np.bincount(there, minlength=len(names)), cut) @ discount
    acg, ndcg = np.zeros(len(queries)), np.zeros(len(queries))
    for rows, distances, _ in task.blocks():
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :cut]
        found = gains[asked[rows][:, None], there[nearest]]
        acg[rows] = found.mean(axis=1)
        best = ideal[asked[rows]]
        ndcg[rows] = np.where(best > 0, found @ discount / np.where(best > 0, best, 1), 0.0)
    said = {"n": n, "ties": "by clip id", "gains": [SAME, SIMILAR, OTHER], "similar_pairs": len(set(similar))}
    return CumulativeGain(
        Metric(f"ACG@{n}", float(acg.mean()), protocol(task, acg, "zero", denominator="min(n, database)", **said), acg),
        Metric(f"NDCG@{n}", float(ndcg.mean()), protocol(task, ndcg, "zero", denominator="IDCG@n", **said), ndcg),
    )


def gain_table(names: list[str], similar: Pairs) -> NDArray[np.float64]:
    """r of every pair of classes [C, C] in the order of `names`."""
    table = np.full((len(names), len(names)), OTHER)
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            if a == b:
                table[i, j] = SAME
            elif frozenset((a, b)) in similar:
                table[i, j] = SIMILAR
    return table


def _ideal(gains: NDArray[np.float64], sizes: NDArray[np.int64], cut: int) -> NDArray[np.float64]:
    """The gains of the first `cut` items in the best order, [C, cut], for a query of each class."""
    best = np.zeros((len(gains), cut))
    for query, row in enumerate(gains):
        order = np.argsort(-row, kind="stable")
        best[query] = np.repeat(row[order], sizes[order])[:cut]
    return best
