"""Evaluation results as files: metrics as JSON, curves as CSV, so that pictures can be redrawn from them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from spikinghash.codes.codeset import CodeSet
from spikinghash.evaluation.class_similarity import class_similarity
from spikinghash.evaluation.energy import Energy
from spikinghash.evaluation.evaluate import Evaluation
from spikinghash.evaluation.machine import describe_machine
from spikinghash.files import write_atomically, write_json
from spikinghash.kernels.digest import kernel_digest

HISTORY_COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_map",
    "distinct",
    "dead_bits",
    "lr",
    "grad_norm",
    "clips_per_s",
)
#: Parts of a model's provenance that are no numbers to compare at a glance.
_LONG = ("bit_ones", "firing_rates", "history", "soft_similarity")


def write_evaluation(
    reports: Path,
    found: Evaluation,
    energy: Energy,
    baseline: dict[str, Any],
    task: dict[str, Any],
    training: dict[str, Any],
    gallery: CodeSet,
) -> None:
    """Write `evaluation.json`, `metrics.json` and what belongs to them into `reports`: all a report is made from.

    `evaluation.json` holds every number with its protocol, `metrics.json` a few of them, flat, to compare runs by; both
    say by which kernels they were made.

    `baseline` holds `name` and `map` of what needs no learning; `task` says what was compared with what (splits, seed,
    digests); `training` is the model's provenance with its `history`, one record an epoch;
    `gallery` is what was searched, for the similarity of its classes.
    """
    evaluation = {
        "task": task,
        "kernels": kernel_digest(),
        "metrics": {name: metric.to_dict() for name, metric in found.metrics.items()},
        "bits": found.bits.to_dict(),
        "baseline": baseline,
        "energy_mj": energy.total_pj * 1e-9,
        "training": {k: v for k, v in training.items() if k not in _LONG},
    }
    write_json(reports / "evaluation.json", evaluation)
    write_json(reports / "metrics.json", _few(found, energy, baseline))
    write_json(reports / "machine.json", describe_machine())
    write_json(reports / "energy.json", energy.to_json())
    write_json(reports / "neighbours.json", {"confusion": found.confusion.to_dict(), "queries": found.neighbours})
    write_json(reports / "similarity.json", class_similarity(gallery, training.get("soft_similarity")))
    plots = reports / "plots"
    curve = found.curve
    radius = [] if curve.radius is None else curve.radius.tolist()
    rows = zip(radius, curve.recall.tolist(), curve.precision.tolist(), strict=True)
    _csv(plots / "pr_curve.csv", ("radius", "recall", "precision"), rows)
    history = training.get("history", [])
    _csv(plots / "history.csv", HISTORY_COLUMNS, ([record[c] for c in HISTORY_COLUMNS] for record in history))
    _csv(plots / "bit_balance.csv", ("bit", "ones"), enumerate(found.bits.ones.tolist()))
    _csv(plots / "firing_rates.csv", ("layer", "rate"), sorted(training.get("firing_rates", {}).items()))


def _few(found: Evaluation, energy: Energy, baseline: dict[str, Any]) -> dict[str, float | str]:
    values = found.values()
    kept = ("map", "map_worst", "map_best", "top1", "accuracy", "precision_radius_2")
    return {name: values[name] for name in kept if name in values} | {
        "dead_bits": len(found.bits.dead),
        "distinct_codes": found.bits.distinct,
        "baseline_map": baseline["map"],
        "energy_uj": energy.total_pj * 1e-6,
        "kernels": kernel_digest(),
    }


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())
