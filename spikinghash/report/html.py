"""The report: one HTML page that needs no other file, no network and no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spikinghash.data.described import digest_of
from spikinghash.data.drawable import drawable
from spikinghash.report.bars import bit_balance, energy_bars, firing_rates
from spikinghash.report.clips import find_clips
from spikinghash.report.curves import precision_recall, training_curves
from spikinghash.report.gallery_cells import Row, clip_ids, gallery_rows
from spikinghash.report.headline import against_baseline, headline
from spikinghash.report.heatmap import confusion_chart, most_mixed_up
from spikinghash.report.load_files import Inputs, load_files
from spikinghash.report.metric_tables import metric_tables, protocols
from spikinghash.report.page import render_page, write_page
from spikinghash.report.select_queries import select_queries
from spikinghash.report.similarity import similarity_charts
from spikinghash.version import package_version

TEMPLATE = "report.html.j2"
REFUSED_SHOWN = 20


def build_report(reports: Path, frames: Path, out: Path, *, queries: int = 8, neighbours: int = 8) -> Path:
    """Write the page `out` from the files below `reports` and the sample store in `frames`; returns `out`.

    The gallery has `queries` rows of `neighbours` clips. The same files give the same bytes. A missing optional file
    becomes a sentence on the page. Raises `BadStore`, naming the stage to run, if `evaluation.json` or the sample store
    is missing or any file is damaged, and `Temporary` when the disk is full.
    """
    write_page(out, render(load_files(reports, frames), queries=queries, neighbours=neighbours))
    return out


def render(inputs: Inputs, *, queries: int = 8, neighbours: int = 8) -> str:
    """The page as text; errors of damaged files as in `build_report`."""
    context: dict[str, Any] = {
        "inputs": inputs,
        "task": inputs.metrics.task,
        "headline": headline(inputs.metrics),
        "against_baseline": against_baseline(inputs.metrics),
        "tables": metric_tables(inputs.metrics.metrics),
        "protocols": protocols(inputs.metrics.metrics),
        "rows": _gallery(inputs, queries, neighbours),
        "stale": _stale(inputs),
        "refused_shown": REFUSED_SHOWN,
        "version": package_version(),
        **_charts(inputs),
    }
    return render_page(TEMPLATE, context)


def _charts(inputs: Inputs) -> dict[str, Any]:
    """Charts by the name the template uses; None (or an empty list) where the file is missing."""
    confusion = inputs.neighbours and inputs.neighbours.confusion
    best_epoch = (inputs.metrics.training or {}).get("best_epoch")
    epoch = best_epoch if isinstance(best_epoch, int) else None
    return {
        "pr_chart": inputs.pr_curve and precision_recall(inputs.pr_curve),
        "confusion_chart": confusion and confusion_chart(confusion),
        "similarity_charts": similarity_charts(inputs.similarity) if inputs.similarity else [],
        "mixed_up": most_mixed_up(confusion) if confusion else [],
        "confusion": confusion,
        "bit_chart": inputs.bit_balance and bit_balance(inputs.bit_balance),
        "energy_chart": energy_bars(inputs.energy.layers) if inputs.energy and inputs.energy.layers else None,
        "history_charts": training_curves(inputs.history, epoch) if inputs.history else [],
        "rates_chart": inputs.firing_rates and firing_rates(inputs.firing_rates),
    }


def _gallery(inputs: Inputs, queries: int, neighbours: int) -> list[Row]:
    if inputs.neighbours is None:
        return []
    chosen = select_queries(inputs.neighbours.queries, queries, neighbours)
    return gallery_rows(chosen, find_clips(inputs.frames, clip_ids(chosen)))


def _stale(inputs: Inputs) -> bool:
    """Whether the store is another one than the metrics were computed on, as far as they say."""
    said = {inputs.metrics.task.data_digest, inputs.metrics.task.frames_digest} - {None}
    return bool(said) and not said & {
        inputs.frames.digest,
        digest_of(inputs.frames.spec.fields[drawable(inputs.frames.spec)]),
    }
