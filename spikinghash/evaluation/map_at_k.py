"""Average precision at k in the three forms of the hashing literature, ties broken by clip id.

The forms differ in the denominator and disagree widely at small k, so a result always names its form:

- A divides by the relevant items found in the top k (DeepHash-pytorch `CalcTopMap`, DJSRH, UCMFH, Spikinghash);
  one hit at rank 1 and nothing else scores 1.
- B averages over the first min(k, R) relevant items wherever they are, beyond rank k too (DCMH `calc_map_k`).
- C divides by min(R, k): the textbook.

With k covering the whole database the three agree.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError
from spikinghash.evaluation.metric import Empty, Metric, protocol, settle_empty
from spikinghash.evaluation.retrieval import Retrieval

Form = Literal["A", "B", "C"]

DENOMINATORS = {
    "A": "relevant items within the top k",
    "B": "first min(R, k) relevant items, beyond rank k too",
    "C": "min(R, k)",
}


def average_precision_at(task: Retrieval, k: int, form: Form, empty: Empty = "zero") -> Metric:
    """Mean average precision at k in one form, ties in the order of the clip ids.

    A query is empty in form A if nothing relevant is in its top k (as UCCH skips it), in B and C if nothing
    relevant is in the database. `ConfigError` for k < 1, another form, or if every query is skipped.
    """
    _check(k)
    if form not in get_args(Form):
        raise ConfigError(f"form is {form!r}; it must be one of {', '.join(get_args(Form))}")
    values = np.zeros(len(task.queries))
    counted = np.zeros(len(task.queries), dtype=np.bool_)
    for rows, distances, relevant in task.blocks():
        values[rows], divisor = _precision_sums(_ranked(distances, relevant), k, form)
        values[rows] /= np.maximum(1, divisor)
        counted[rows] = divisor > 0
    values = settle_empty(values, counted, empty)
    said = protocol(task, values, empty, k=k, form=form, denominator=DENOMINATORS[form], ties="by clip id")
    return Metric(f"mAP@{k}-{form}", float(np.nanmean(values)), said, values)


def precision_at(task: Retrieval, k: int) -> Metric:
    """Relevant items among the first k over min(k, N), ties in the order of the clip ids."""
    _check(k)
    cut = min(k, len(task.gallery))
    values = np.zeros(len(task.queries))
    for rows, distances, relevant in task.blocks():
        values[rows] = _ranked(distances, relevant)[:, :cut].sum(axis=1) / cut
    said = protocol(task, values, "zero", k=k, denominator="min(k, database)", ties="by clip id")
    return Metric(f"precision@{k}", float(values.mean()), said, values)


def _check(k: int) -> None:
    if k < 1:
        raise ConfigError(f"k is {k}; it must be at least 1")


def _ranked(distances: NDArray[np.uint16], relevant: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Relevance [q, N] in order of (distance, clip id); a stable sort of 16-bit keys is a radix sort in numpy."""
    return np.take_along_axis(relevant, np.argsort(distances, axis=1, kind="stable"), axis=1)


def _precision_sums(ranked: NDArray[np.bool_], k: int, form: Form) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sum of the precisions that count and their denominator, both [q]."""
    found = np.cumsum(ranked, axis=1)
    every = found[:, -1]
    if form == "B":
        counts = ranked & (found <= k)
    else:
        counts = ranked.copy()
        counts[:, k:] = False
    precision = found / np.arange(1, ranked.shape[1] + 1)
    sums = np.where(counts, precision, 0.0).sum(axis=1)
    return sums, counts.sum(axis=1) if form == "A" else np.minimum(every, k)
