"""The numbers of a night report, by the names that MLflow shows them under."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def night_numbers(report: dict[str, Any]) -> dict[str, float]:
    """Counts and rates, drift, growth, recall of the pinned queries, overlap with a shadow, and `act`: for how much a
    person must act. What a report does not say, as those of older programs do not, is left out.
    """
    return {name: float(value) for name, value in _named(report) if isinstance(value, int | float)}


def _named(report: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    pinned, shadow, grown = (report.get(part) or {} for part in ("pinned", "shadow", "growth"))
    yield from report["encode"].items()
    if "act" in report:
        yield "act", len(report["act"] or ())
    for name in ("recordings_per_s", "drift", "drift_training"):
        yield name, report.get(name)
    yield "recall", pinned.get("mean")
    yield "recall_lowest", pinned.get("lowest")
    yield "shadow_overlap", shadow.get("overlap")
    for name in ("codes", "bytes") if grown else ():
        yield f"table_{name}", grown["after"][name]
        yield f"new_{name}", grown["after"][name] - grown["before"][name]
