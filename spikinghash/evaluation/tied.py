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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.metric import Empty, Metric, protocol, settle_empty
from spikinghash.evaluation.tally import Tally

TIES = "expected over all orders of equal distances (McSherry & Najork 2008); worst and best order beside it"


def tied_average_precision(counts: Tally, k: int | None = None, empty: Empty = "zero") -> Metric:
    """Mean average precision over the whole gallery, or cut at rank k with denominator min(R, k) (form C).

    `ConfigError` for k < 1 or if `empty="skip"` skips every query.
    """
    groups = _groups(counts, k)
    divisor = np.maximum(1, np.minimum(counts.all_relevant, groups.cut))
    has_relevant = counts.all_relevant > 0
    expected, worst, best = (
        settle_empty((sums.sum(axis=1) / divisor).astype(np.float64), has_relevant, empty)
        for sums in (_expected(groups), _worst(groups), _best(groups))
    )
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


def tied_precision(counts: Tally, k: int) -> Metric:
    """Expected precision among the first k: relevant items there over min(k, N), with bounds."""
    groups = _groups(counts, k)
    taken = np.clip(groups.cut - groups.before, 0, groups.items)
    missed = np.clip(groups.cut - groups.before, 0, groups.items - groups.relevant)
    sums = (
        groups.relevant * taken / np.maximum(1, groups.items),
        taken - missed,
        np.minimum(taken, groups.relevant),
    )
    divisor = min(k, len(counts.task.gallery))
    expected, worst, best = ((part.sum(axis=1) / divisor).astype(np.float64) for part in sums)
    said = protocol(counts.task, expected, "zero", k=k, denominator="min(k, database)", ties=TIES)
    value, low, high = (float(values.mean()) for values in (expected, worst, best))
    return Metric(f"expected precision@{k}", value, said, expected, worst=low, best=high)


@dataclass(frozen=True)
class _Groups:
    """Tie groups by distance, all [Q, K+1]: n, r, N and S of the text above; `cut` is the last rank that counts."""

    items: NDArray[np.int64]
    relevant: NDArray[np.int64]
    before: NDArray[np.int64]
    relevant_before: NDArray[np.int64]
    harmonic: NDArray[np.longdouble]
    cut: int


def _groups(counts: Tally, k: int | None) -> _Groups:
    if k is not None and k < 1:
        raise ConfigError(f"k is {k}; it must be at least 1")
    size = len(counts.task.gallery)
    # long double: m - (N+1) D is a small difference of large numbers
    harmonic = np.concatenate(([0], np.cumsum(1 / np.arange(1, size + 1, dtype=np.longdouble))))
    return _Groups(
        items=counts.items,
        relevant=counts.relevant,
        before=np.cumsum(counts.items, axis=1) - counts.items,
        relevant_before=np.cumsum(counts.relevant, axis=1) - counts.relevant,
        harmonic=harmonic,
        cut=size if k is None else min(k, size),
    )


def _expected(groups: _Groups) -> NDArray[np.longdouble]:
    taken = np.clip(groups.cut - groups.before, 0, groups.items)
    inverse = groups.harmonic[groups.before + taken] - groups.harmonic[groups.before]
    one = np.longdouble(1)
    share = one * groups.relevant / np.maximum(1, groups.items)
    others = one * (groups.relevant - 1) / np.maximum(1, groups.items - 1)
    return share * ((groups.relevant_before + 1) * inverse + others * (taken - (groups.before + 1) * inverse))


def _best(groups: _Groups) -> NDArray[np.longdouble]:
    return _run(groups, groups.before)


def _worst(groups: _Groups) -> NDArray[np.longdouble]:
    return _run(groups, groups.before + groups.items - groups.relevant)


def _run(groups: _Groups, start: NDArray[np.int64]) -> NDArray[np.longdouble]:
    """Precision summed over the relevant items of each group when they stand in a row after rank `start`."""
    taken = np.clip(groups.cut - start, 0, groups.relevant)
    return taken + (groups.relevant_before - start) * (groups.harmonic[start + taken] - groups.harmonic[start])
