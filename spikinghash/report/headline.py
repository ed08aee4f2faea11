"""The sentences at the top of the page."""

from __future__ import annotations

from spikinghash.report.documents import MetricsFile
from spikinghash.report.units import score

HEADLINE = "map"


def headline(content: MetricsFile) -> str:
    """The mean average precision and its bounds in one sentence."""
    entry = content.metrics.get(HEADLINE)
    if entry is None:
        return "No mean average precision was computed"
    if entry.worst is None or entry.best is None:
        return f"mAP {score(entry.value)}"
    return f"mAP {score(entry.value)}, from {score(entry.worst)} to {score(entry.best)} depending on the order of ties"


def against_baseline(content: MetricsFile) -> str | None:
    """What changed against the baseline in one sentence, None without one."""
    if not content.baseline:
        return None
    name = str(content.baseline.get("name", "the baseline"))
    entry, theirs = content.metrics.get(HEADLINE), content.baseline.get(HEADLINE)
    value = theirs.get("value") if isinstance(theirs, dict) else theirs
    if entry is None or not isinstance(value, int | float):
        return f"evaluation.json names {name} as baseline, but not both values of mAP, so there is no comparison."
    change = entry.value - value
    how = "the same as" if abs(change) < 0.0005 else f"{abs(change):.3f} {'above' if change > 0 else 'below'} that of"
    return f"The mAP is {how} {name}, {score(value)}."
