"""Average precision and precision at k when distances tie: expected, worst and best, in closed form.

Hamming distances tie massively, and the order inside a tie is an accident. The expected value over all orders
is due to McSherry and Najork, "Computing information retrieval performance measures efficiently in the presence
of tied scores" (ECIR 2008); He, Cakir, Bargal and Sclaroff, "Hashing as tie-aware learning to rank"
(CVPR 2018), use it for Hamming distances. With harmonic numbers H(n) it needs only counts per distance:

A tie group has n items, r of them relevant; before it come N items, S of them relevant. The item at place j of
the group (rank i = N + j) is relevant with probability r/n, and given that, S + 1 + (j-1)(r-1)/(n-1) relevant
items are expected among the first i. Summing (r/n)(S + 1 + (j-1)(r-1)/(n-1)) / (N + j) over j = 1..m, where
m <= n is how much of the group is above the cut k, gives with D = H(N+m) - H(N)

    (r/n) [ (S+1) D + (r-1)/(n-1) (m - (N+1) D) ].

If instead m relevant items in a row follow B items, S of them relevant (all relevant items of a group first:
best, last: worst), they add sum_j (S+j)/(B+j) = m + (S-B) (H(B+m) - H(B)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.distance_histogram import DistanceHistogram
from spikinghash.evaluation.kernels.tie_aware import harmonic_numbers, precision_sums
from spikinghash.evaluation.metric import Empty, Metric, protocol, settle_empty

TIES = "expected over all orders of equal distances (McSherry & Najork 2008); worst and best order beside it"


def tied_average_precision(counts: DistanceHistogram, k: int | None = None, empty: Empty = "zero") -> Metric:
    """Mean average precision over the whole gallery, or cut at rank k with denominator min(R, k) (form C).

    `ConfigError` for k < 1 or if `empty="skip"` skips every query.
    """
    expected, worst, best = tied_bounds(counts, k, empty)
    said = protocol(
        counts.task,
        expected,
        empty,
        k="all" if k is None else k,
        denominator="R, relevant items in the database" if k is None else "min(R, k)",
        ties=TIES,
    )
    name = "expected mAP" if k is None else f"expected mAP@{k}-C"
    value, low, high = (float(np.nanmean(values)) for values in (expected, worst, best))
    return Metric(name, value, said, expected, worst=low, best=high)


def tied_bounds(counts: DistanceHistogram, k: int | None = None, empty: Empty = "zero") -> NDArray[np.float64]:
    """Average precision of each query, expected, in the worst and best order of ties: [3, Q]; errors as above."""
    cut = _cut(counts, k)
    divisor = np.maximum(1, np.minimum(counts.all_relevant, cut))
    has_relevant = counts.all_relevant > 0
    sums = np.empty((3, len(counts.items)))
    precision_sums(counts.items, counts.relevant, cut, *harmonic_numbers(len(counts.task.gallery)), sums)
    return np.stack([settle_empty(part / divisor, has_relevant, empty) for part in sums])


def tied_precision(counts: DistanceHistogram, k: int) -> Metric:
    """Expected precision among the first k: relevant items there over min(k, N), with bounds."""
    cut = _cut(counts, k)
    left = cut - (np.cumsum(counts.items, axis=1) - counts.items)
    taken = np.clip(left, 0, counts.items)
    sums = (
        counts.relevant * taken / np.maximum(1, counts.items),
        taken - np.clip(left, 0, counts.items - counts.relevant),
        np.minimum(taken, counts.relevant),
    )
    expected, worst, best = ((part.sum(axis=1) / cut).astype(np.float64) for part in sums)
    said = protocol(counts.task, expected, "zero", k=k, denominator="min(k, database)", ties=TIES)
    value, low, high = (float(values.mean()) for values in (expected, worst, best))
    return Metric(f"expected precision@{k}", value, said, expected, worst=low, best=high)


def _cut(counts: DistanceHistogram, k: int | None) -> int:
    """The last rank that counts."""
    if k is not None and k < 1:
        raise ConfigError(f"k is {k}; it must be at least 1")
    size = len(counts.task.gallery)
    return size if k is None else min(k, size)
