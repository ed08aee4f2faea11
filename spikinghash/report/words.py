"""What a metric's protocol means, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spikinghash.report.documents import MetricEntry
from spikinghash.report.units import count

_FORMS = {
    "A": "Only the first {k} places count, and the sum of precisions is divided by the relevant clips found there: "
    "one hit in first place and nothing else scores 1. The form of DeepHash-pytorch and of most tables in papers.",
    "B": "Averages over the first min({k}, R) of a query's R relevant clips, wherever they stand, also beyond place "
    "{k}. The form of DCMH.",
    "C": "Only the first {k} places count, and the sum of precisions is divided by min(R, {k}), R being the number of "
    "relevant clips in the database: what was missed lowers it. The form of textbooks, and the strictest.",
}
_TIES = "The value is expected over all orders of clips at equal distance; worst and best are the least and the most "
_EMPTY = {
    "zero": "A query without a relevant clip counts 0.",
    "skip": "Queries without a relevant clip are left out of the mean.",
}


def explain(metric: MetricEntry) -> str:
    """Two or three sentences on how a metric was made."""
    said = metric.protocol
    parts = [_body(said)]
    if metric.worst is not None:
        parts.append(_TIES + "favourable order.")
    elif said.get("ties") == "by clip id":
        parts.append("Clips at equal distance stand in the order of their ids.")
    parts.append(_EMPTY.get(str(said.get("empty")), ""))
    averaged, queries = said.get("queries_averaged"), said.get("queries")
    if averaged is not None and averaged != queries:
        parts.append(f"{count(averaged)} of {count(queries)} queries are averaged.")
    return " ".join(part for part in parts if part)


def _body(said: Mapping[str, Any]) -> str:
    k, form = said.get("k"), said.get("form")
    if form in _FORMS:
        return _FORMS[str(form)].format(k=k)
    if k == "all":
        return (
            f"For each query, all {count(said.get('database'))} clips of the database are ranked by Hamming distance; "
            "the precisions at its R relevant clips are summed and divided by R."
        )
    if "radius" in said:
        nothing = said.get("found_nothing")
        struck = "" if nothing is None else f" {count(nothing)} queries found nothing there and count 0."
        return f"Among the clips within Hamming distance {said['radius']} of the query.{struck}"
    denominator = said.get("denominator")
    return "" if denominator is None else f"Divided by: {denominator}."


def recorded(said: Mapping[str, Any]) -> str:
    """The protocol as it stands in the file, on one line."""
    return " · ".join(f"{key}: {value}" for key, value in said.items())
