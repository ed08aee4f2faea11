"""Queries that two models answer differently, as parts of a page: the query, and what each model finds for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spikinghash.evaluation.changed_queries import ChangedQuery
from spikinghash.evaluation.review import Review
from spikinghash.frames.accumulate import Counts
from spikinghash.report.documents import QueryResult
from spikinghash.report.gallery_cells import Cell, gallery_rows
from spikinghash.report.select_queries import Chosen


@dataclass(frozen=True)
class ChangedRow:
    """A query, its average precision under both models, and their neighbours, nearest first."""

    change: ChangedQuery
    query: Cell
    first: list[Cell]
    second: list[Cell]


def shown_clips(review: Review) -> set[str]:
    """Ids of all clips that rows show."""
    found = [one for side in (review.first, review.second) for one in side.found.values()]
    return {one["clip_id"] for one in found} | {hit["clip_id"] for one in found for hit in one["results"]}


def changed_rows(review: Review, changes: Sequence[ChangedQuery], counts: Mapping[str, Counts]) -> list[ChangedRow]:
    """Rows in the order of `changes`, with pictures of the clips in `counts`."""
    sides = []
    for side in (review.first, review.second):
        results = [QueryResult.model_validate(side.found[one.query]) for one in changes]
        needed = {one.clip_id for one in results} | {hit.clip_id for one in results for hit in one.results}
        some = {clip_id: counts[clip_id] for clip_id in needed & set(counts)}
        sides.append(gallery_rows([Chosen("unranked", one, 0, 0) for one in results], some))
    return [
        ChangedRow(change, mine.query, mine.results, theirs.results)
        for change, mine, theirs in zip(changes, *sides, strict=True)
    ]
