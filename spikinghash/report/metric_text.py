"""What a metric's protocol means, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spikinghash.report.documents import MetricEntry
from spikinghash.report.units import count

#: The three things that papers call mAP@k.
FORMS = {
    "A": "Only the first k places count, and the sum of precisions is divided by the relevant clips found there: one "
    "hit in first place and nothing else scores 1. The form of DeepHash-pytorch and of most tables in papers.",
    "B": "The average is over the first min(R, k) of a query's R relevant clips, wherever they stand, also beyond "
    "place k. The form of DCMH.",
    "C": "Only the first k places count, and the sum of precisions is divided by min(R, k), R being the number of "
    "relevant clips in the database, so what was missed lowers it. The form of textbooks, and the strictest.",
}
_TIES = {
    "by clip id": "Clips at equal distance stand in the order of their ids.",
    "none": "No order of clips at equal distance is involved.",
}
_BOUNDS = (
    "The value is expected over all orders of clips at equal distance; worst and best are those of the least and the "
    "most favourable order."
)
_EMPTY = {
    "zero": "A query without a relevant clip counts 0.",
    "skip": "Queries without a relevant clip are left out of the mean.",
}


def explain(metric: MetricEntry) -> str:
    """Two or three sentences on how a metric was made."""
    return " ".join(part for part in (_body(metric.protocol), conduct(metric)) if part)


def conduct(metric: MetricEntry) -> str:
    """How a metric treats ties and queries for which nothing is relevant."""
    said = metric.protocol
    parts = [_BOUNDS if metric.worst is not None else _TIES.get(str(said.get("ties")), "")]
    parts.append(_EMPTY.get(str(said.get("empty")), ""))
    averaged, queries = said.get("queries_averaged"), said.get("queries")
    if isinstance(averaged, int) and isinstance(queries, int) and averaged != queries:
        parts.append(f"{count(averaged)} of {count(queries)} queries are averaged.")
    return " ".join(part for part in parts if part)


def recorded(said: Mapping[str, Any]) -> str:
    """The protocol as it stands in the file, on one line."""
    return " · ".join(f"{key}: {value}" for key, value in said.items())


def _body(said: Mapping[str, Any]) -> str:
    k, denominator = said.get("k"), said.get("denominator")
    if said.get("form") in FORMS or denominator == "min(R, k)":
        return FORMS[str(said.get("form", "C"))]
    if k == "all":
        return (
            "For each query, all clips of the database are ranked by Hamming distance; the precisions at its R "
            "relevant clips are summed and divided by R."
        )
    if denominator == "min(k, database)":
        if k == 1:
            return "Share of queries whose nearest clip is relevant."
        return f"Share of relevant clips among the first {k}."
    if "radius" in said:
        nothing = said.get("found_nothing")
        struck = f" {count(nothing)} queries found nothing there and count 0." if isinstance(nothing, int) else ""
        return f"Taken over the clips within Hamming distance {said['radius']} of the query.{struck}"
    return "" if denominator is None else f"Divided by: {denominator}."
