"""Two models side by side on the same queries: as wholes, and class by class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spikinghash.evaluation.gate import Evidence, Verdict


@dataclass(frozen=True)
class ClassRow:
    """mAP of two models over the queries of one class; `*_ties` is that in the worst and in the best order of ties."""

    label: str
    queries: int
    first: float
    second: float
    first_ties: tuple[float, float]
    second_ties: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """Evidence on two models; `verdict` is the gate's on the second one with the first as champion."""

    first: Evidence
    second: Evidence
    classes: tuple[ClassRow, ...]
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "first": _numbers(self.first), "second": _numbers(self.second),
            "classes": [asdict(row) for row in self.classes], "gate": self.verdict.to_dict(),
        }  # fmt: skip


def compare_models(first: Evidence, second: Evidence, verdict: Verdict) -> Comparison:
    """Classes with the largest loss first; both saw the same queries in the same order."""
    rows = []
    for label in sorted(set(first.labels.tolist()), key=str):
        mine = (first.labels == label) & np.isfinite(first.precision[0]) & np.isfinite(second.precision[0])
        if mine.any():
            (a, *low_high), (b, *theirs) = (one.precision[:, mine].mean(axis=1).tolist() for one in (first, second))
            ties = (low_high[0], low_high[1]), (theirs[0], theirs[1])
            rows.append(ClassRow(str(label), int(mine.sum()), a, b, *ties))
    return Comparison(first, second, tuple(sorted(rows, key=lambda row: row.second - row.first)), verdict)


def _numbers(one: Evidence) -> dict[str, Any]:
    worst, best = tied_map(one)
    return {
        "model": one.model, "map": one.map, "map_worst": worst, "map_best": best, "energy_uj": one.energy_pj * 1e-6,
        "dead_bits": one.dead_bits, "drift": one.drift,
    }  # fmt: skip


def tied_map(one: Evidence) -> tuple[float, float]:
    """mAP in the worst and in the best order of ties."""
    worst, best = (float(np.nanmean(one.precision[i])) for i in (1, 2))
    return worst, best
