"""Metrics as the page shows them: those over the whole database, those at a cut by form, and all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from spikinghash.report.documents import MetricEntry
from spikinghash.report.headline import HEADLINE
from spikinghash.report.metric_text import FORMS, conduct, explain, recorded
from spikinghash.report.units import score


@dataclass(frozen=True)
class MetricRow:
    """One metric with its protocol in plain words."""

    name: str
    value: str
    worst: str | None
    best: str | None
    words: str


@dataclass(frozen=True)
class CutRow:
    """mAP at rank `k`: values by form; a form that was not computed is missing."""

    k: str
    values: dict[str, str]


@dataclass(frozen=True)
class MetricTables:
    """The tables, in natural order of keys; `conduct` says how metrics at a cut treat ties and empty queries."""

    whole: list[MetricRow]
    cuts: list[CutRow]
    conduct: list[str]
    others: list[MetricRow]

    @property
    def forms(self) -> dict[str, str]:
        """Forms that occur and what they mean."""
        return {form: words for form, words in FORMS.items() if any(form in cut.values for cut in self.cuts)}


def metric_tables(metrics: Mapping[str, MetricEntry]) -> MetricTables:
    """Sort the metrics of `evaluation.json` into tables by their names and protocols."""
    whole, others, formed = [], [], []
    for key in sorted(metrics, key=_natural):
        entry = metrics[key]
        if "k" in entry.protocol and entry.protocol.get("form") in FORMS:
            formed.append(entry)
        elif key.split("_")[0] == HEADLINE:
            whole.append(_row(key, entry))
        else:
            others.append(_row(key, entry))
    cuts: dict[str, dict[str, str]] = {}
    for entry in formed:
        cuts.setdefault(str(entry.protocol["k"]), {})[str(entry.protocol["form"])] = score(entry.value)
    rows = [CutRow(k, values) for k, values in cuts.items()]
    return MetricTables(whole, rows, list(dict.fromkeys(map(conduct, formed))), others)


def protocols(metrics: Mapping[str, MetricEntry]) -> list[tuple[str, str]]:
    """Name and recorded protocol of every metric, in natural order."""
    return [(metrics[key].name or key, recorded(metrics[key].protocol)) for key in sorted(metrics, key=_natural)]


def _row(key: str, entry: MetricEntry) -> MetricRow:
    worst, best = (None if bound is None else score(bound) for bound in (entry.worst, entry.best))
    return MetricRow(entry.name or key, score(entry.value), worst, best, explain(entry))


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key in which map_at_50 stands before map_at_100."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
