"""Two models side by side on the same queries: as wholes, and class by class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spikinghash.evaluation.gate import Evidence, Verdict


@dataclass(frozen=True)
class ClassRow:
    """mAP of two models over the queries of one class."""

    label: str
    queries: int
    first: float
    second: float


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
            a, b = (float(one.precision[0][mine].mean()) for one in (first, second))
            rows.append(ClassRow(str(label), int(mine.sum()), a, b))
    return Comparison(first, second, tuple(sorted(rows, key=lambda row: row.second - row.first)), verdict)


def _numbers(one: Evidence) -> dict[str, Any]:
    worst, best = (float(np.nanmean(one.precision[i])) for i in (1, 2))
    return {
        "model": one.model, "map": one.map, "map_worst": worst, "map_best": best, "energy_uj": one.energy_pj * 1e-6,
        "dead_bits": one.dead_bits, "drift": one.drift,
    }  # fmt: skip
