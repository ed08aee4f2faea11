"""One page for whoever decides whether a model takes the place of another; it needs no other file and no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikinghash.data.store import SampleStore
from spikinghash.evaluation.bits import BitHealth
from spikinghash.evaluation.measured import Measured
from spikinghash.evaluation.review import Review, Seen
from spikinghash.frames.accumulate import Counts
from spikinghash.kernels.digest import kernel_digest
from spikinghash.report.bars import bit_balance
from spikinghash.report.chart import Chart
from spikinghash.report.clips import find_clips
from spikinghash.report.documents import ConfusionTable
from spikinghash.report.heatmap import confusion_chart, most_mixed_up
from spikinghash.report.page import render_page, write_page
from spikinghash.report.review_classes import MOST_CLASSES, class_chart
from spikinghash.report.review_differences import differences
from spikinghash.report.review_lengths import lengths_chart
from spikinghash.report.review_map import map_chart
from spikinghash.report.review_queries import changed_rows, shown_clips
from spikinghash.report.review_text import both_rows, capital, gate_line, interval_line, verdict_line
from spikinghash.report.series import Series
from spikinghash.version import package_version

TEMPLATE = "review.html.j2"
#: Kinds of samples that a person can look at.
_DRAWN = ("events", "image")


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two models: `name` as sentences have it, such as "version 6", what was measured, and `model.json`."""

    name: str
    measured: Measured
    card: Mapping[str, Any]


def write_review(out: Path, review: Review, sides: tuple[Side, Side], store: SampleStore, again: str) -> Path:
    """Write the page `out` on the second model against the first, with pictures from `store`; returns `out`.

    `again` is the command that makes it once more. Raises `BadStore` for a damaged store, `Temporary` when the disk is
    full.
    """
    write_page(out, render_page(TEMPLATE, _context(review, sides, store, again)))
    return out


def _context(review: Review, sides: tuple[Side, Side], store: SampleStore, again: str) -> dict[str, Any]:
    first, second = sides
    names = capital(first.name), capital(second.name)
    verdict, evidence = review.comparison.verdict, first.measured.evidence
    counts = _pictures(review, store)
    return {
        "names": names,
        "headline": verdict_line(first.name, second.name, verdict),
        "gate_line": gate_line(verdict),
        "verdict": verdict,
        "refused": [finding for finding in verdict.findings if not finding.passed],
        "both": both_rows(first.measured, second.measured),
        "interval": interval_line(review.difference, review.confidence, len(np.unique(evidence.recordings))),
        "queries": len(first.measured.queries),
        "searched": len(first.measured.gallery),
        "classes": review.comparison.classes,
        "most_classes": MOST_CLASSES,
        "class_chart": class_chart(review.comparison.classes, names) if review.comparison.classes else None,
        "better": changed_rows(review, review.better, counts),
        "worse": changed_rows(review, review.worse, counts),
        "lengths_chart": lengths_chart(review.first.truncated, review.second.truncated, names),
        "models": [_model(*one) for one in zip(names, sides, (review.first, review.second), strict=True)],
        "drawn": len(review.drawn),
        "map_charts": _maps(review, names),
        "differences": differences(first.card, second.card),
        "data_digest": store.digest,
        "kernels": kernel_digest(),
        "version": package_version(),
        "again": again,
    }


def _pictures(review: Review, store: SampleStore) -> dict[str, Counts]:
    """Pictures of the shown clips; none where samples are nothing to look at."""
    if not any(field.kind in _DRAWN for field in store.spec.fields.values()):
        return {}
    return find_clips(store, shown_clips(review))


def _model(name: str, side: Side, seen: Seen) -> dict[str, Any]:
    """What the page says of one model alone."""
    table = ConfusionTable.model_validate(seen.confusion.to_dict())
    return {
        "name": name,
        "said": side.name,
        "kernels": str(side.card.get("kernels", "not said")),
        "parameters": _number(side.card, "parameters"),
        "seconds": _number(side.card, "seconds"),
        "measured": side.measured,
        "truncated": seen.truncated,
        "bit_chart": _bit_chart(side.measured.health),
        "confusion_chart": confusion_chart(table) if table.labels else None,
        "mixed_up": most_mixed_up(table) if table.labels else [],
    }


def _number(card: Mapping[str, Any], key: str) -> float | None:
    """A number of the part `training` of a description, None where it does not say."""
    training = card.get("training")
    value = training.get(key) if isinstance(training, Mapping) else None
    return value if isinstance(value, int | float) else None


def _bit_chart(health: BitHealth) -> Chart:
    columns = {"bit": [str(bit) for bit in range(len(health.ones))], "ones": [repr(float(one)) for one in health.ones]}
    return bit_balance(Series(Path("bits"), columns, "evaluate"))


def _maps(review: Review, names: tuple[str, str]) -> list[Chart]:
    sides = (review.first, review.second)
    labels = [side.measured.queries.labels[review.drawn].tolist() for side in sides]
    return [
        map_chart(side.points, some, name)
        for side, some, name in zip(sides, labels, names, strict=True)
        if side.points is not None
    ]
