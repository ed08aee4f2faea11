"""The sentences at the top of the page, and the tables of metrics below them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spikinghash.report.documents import MetricEntry, MetricsFile
from spikinghash.report.units import count, score
from spikinghash.report.words import explain, recorded

HEADLINE = "map"


@dataclass(frozen=True)
class MetricRow:
    """One metric as the page shows it."""

    name: str
    value: str
    worst: str
    best: str
    words: str
    recorded: str


def headline(content: MetricsFile) -> str:
    """The mean average precision and its bounds in one sentence."""
    task = content.task
    scene = f"{count(task.queries)} queries against {count(task.database)} clips, {task.bits}-bit codes"
    entry = content.metrics.get(HEADLINE)
    if entry is None:
        return f"No mAP was computed for {scene}."
    if entry.worst is None or entry.best is None:
        return f"mAP {score(entry.value)}: {scene}."
    bounds = f"between {score(entry.worst)} and {score(entry.best)} depending on how equal distances are ordered"
    return f"mAP {score(entry.value)} ({bounds}): {scene}."


def against_baseline(content: MetricsFile) -> str | None:
    """What changed against the baseline in one sentence, None without one."""
    if not content.baseline:
        return None
    name = str(content.baseline.get("name", "the baseline"))
    entry, theirs = content.metrics.get(HEADLINE), content.baseline.get(HEADLINE)
    value = theirs.get("value") if isinstance(theirs, dict) else theirs
    if entry is None or not isinstance(value, int | float):
        return f"The file names {name} as baseline, but not both values of mAP, so there is no comparison."
    change = entry.value - value
    how = "the same as" if abs(change) < 0.0005 else f"{abs(change):.3f} {'above' if change > 0 else 'below'}"
    return f"That is {how} {name}, which has mAP {score(value)}."


def metric_rows(content: MetricsFile) -> tuple[list[MetricRow], list[MetricRow]]:
    """Rows of mean average precision in its forms, and rows of all other metrics, each in natural order."""
    names = sorted(content.metrics, key=_natural)
    maps = [name for name in names if name == HEADLINE or name.startswith(f"{HEADLINE}_")]
    return [_row(name, content) for name in maps], [_row(name, content) for name in names if name not in maps]


def _row(key: str, content: MetricsFile) -> MetricRow:
    entry: MetricEntry = content.metrics[key]
    return MetricRow(
        name=entry.name or key,
        value=score(entry.value),
        worst=score(entry.worst),
        best=score(entry.best),
        words=explain(entry),
        recorded=recorded(entry.protocol),
    )


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key in which map_at_50 stands before map_at_100."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
