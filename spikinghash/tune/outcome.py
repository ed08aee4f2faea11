"""What a search found, and the files that tell it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from spikinghash.files import write_atomically, write_json
from spikinghash.tune.draw import Point, changes


@dataclass
class Outcome:
    """Of the trial `number` at `point`: its `epochs` as told, of `asked`, and `failed` with the reason, if it did."""

    number: int
    point: Point
    asked: int
    epochs: list[dict[str, Any]] = field(default_factory=list)
    failed: str | None = None

    @property
    def best(self) -> float:
        """The highest validation mAP of any epoch; -1 for none."""
        return max((float(epoch["val_map"]) for epoch in self.epochs), default=-1.0)

    @property
    def status(self) -> str:
        """One of finished, stopped (by ASHA, or for want of time), collapsed, failed, not started."""
        if self.failed is not None:
            return "failed"
        if not self.epochs:
            return "not started"
        if "collapsed" in self.epochs[-1]:
            return "collapsed"
        return "finished" if self.epochs[-1]["epoch"] >= self.asked else "stopped"


def best_of(outcomes: Sequence[Outcome]) -> Outcome:
    """The one with the highest validation mAP, the first of equals."""
    return max(outcomes, key=lambda outcome: (outcome.best, -outcome.number))


def write_outcomes(folder: Path, outcomes: Sequence[Outcome], seconds: float) -> Outcome:
    """Write `results.json` (metrics), `trials.csv` and `history.csv` (plots) and `best.yaml`, to be laid over
    `params.yaml`; return the best.
    """
    best = best_of(outcomes)
    counts = {
        status: sum(outcome.status == status for outcome in outcomes)
        for status in ("finished", "stopped", "collapsed", "failed", "not started")
    }
    found = {"trial": best.number, "val_map": best.best, "point": best.point}
    trained = sum(len(outcome.epochs) for outcome in outcomes)
    facts = {"best": found, "trials": counts, "epochs": trained, "seconds": round(seconds, 1)}
    write_json(folder / "results.json", facts)
    rows = [
        {"trial": o.number, "status": o.status, "epochs": len(o.epochs), "val_map": o.best, **o.point} for o in outcomes
    ]
    write_atomically(folder / "trials.csv", _csv(rows))
    history = [
        {"trial": o.number} | {key: epoch[key] for key in ("epoch", "val_map", "loss")}
        for o in outcomes
        for epoch in o.epochs
    ]
    write_atomically(folder / "history.csv", _csv(history))
    head = f"# Best of {len(outcomes)} trials: validation mAP {best.best:.4f} in trial {best.number}.\n"
    write_atomically(folder / "best.yaml", (head + yaml.safe_dump(changes(best.point))).encode())
    return best


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    table = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue().encode()
