"""Which queries a report shows: the best, the middle and the worst by what their nearest clips are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikinghash.report.documents import QueryResult

Group = Literal["best", "median", "worst", "unranked"]


@dataclass(frozen=True)
class Chosen:
    """A query to show: `hits` of its first `of` labelled neighbours are of its own class."""

    group: Group
    query: QueryResult
    hits: int
    of: int

    @property
    def precision(self) -> float:
        """Share of hits; 0 where no neighbour has a label."""
        return self.hits / self.of if self.of else 0.0


def select_queries(queries: Sequence[QueryResult], count: int, neighbours: int) -> list[Chosen]:
    """At most `count` queries, about a third each of best, median and worst, none twice.

    Ranked by precision among the first `neighbours` results, then by how early the hits come; equal ones give
    classes that are not shown yet a turn, then go by clip id. If no query has a label, the first few stand unranked.
    """
    ranked = sorted((_rank(query, neighbours) for query in queries if query.label is not None), key=_by_id)
    if not ranked:
        return [Chosen("unranked", query, 0, 0) for query in queries[:count]]
    middle = float(np.median([_score(entry) for entry in ranked]))
    orders: dict[Group, Callable[[Chosen], float]] = {
        "best": lambda entry: -_score(entry),
        "worst": _score,
        "median": lambda entry: abs(_score(entry) - middle),
    }
    quota: dict[Group, int] = {"best": -(-count // 3), "worst": (count + 1) // 3, "median": count // 3}
    taken: list[Chosen] = []
    shown: Counter[str | None] = Counter()
    for group, order in orders.items():
        for _ in range(min(quota[group], len(ranked))):
            pick = min(ranked, key=lambda entry: (order(entry), shown[entry.query.label]))
            ranked.remove(pick)
            shown[pick.query.label] += 1
            taken.append(Chosen(group, pick.query, pick.hits, pick.of))
    places = ("best", "median", "worst")
    return sorted(taken, key=lambda entry: (places.index(entry.group), -_score(entry)))


def _by_id(entry: Chosen) -> str:
    return entry.query.clip_id


def _rank(query: QueryResult, neighbours: int) -> Chosen:
    known = [result.label == query.label for result in query.results[:neighbours] if result.label is not None]
    cut = query.model_copy(update={"results": query.results[:neighbours]})
    return Chosen("unranked", cut, sum(known), len(known))


def _score(entry: Chosen) -> float:
    """Precision, and as a small tie-break the mean rank of the hits."""
    hits = [place for place, result in enumerate(entry.query.results) if result.label == entry.query.label]
    if not hits:
        return 0.0
    late = sum(hits) / len(hits) / (len(entry.query.results) + 1)
    return round(entry.precision - late / (2 * len(entry.query.results) + 2), 12)
