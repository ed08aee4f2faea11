"""The stage `evaluate`: every number about one model's codes, each with how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spikinghash.codes.codeset import CodeSet
from spikinghash.evaluation.bits import BitHealth, bit_health
from spikinghash.evaluation.curves import Curve, curve_by_radius, precision_within
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.map_at_k import average_precision_at, precision_at
from spikinghash.evaluation.metric import Empty, Metric
from spikinghash.evaluation.ndcg import Pairs, cumulative_gain
from spikinghash.evaluation.neighbours import Confusion, found_for, neighbour_confusion
from spikinghash.evaluation.retrieval import between
from spikinghash.evaluation.tie_aware import tied_average_precision, tied_precision
from spikinghash.index.flat import HammingIndex
from spikinghash.index.nearest_rows import NearestRows


@dataclass(frozen=True)
class Evaluation:
    """Results by name, curves and neighbours of one query set against one database."""

    metrics: dict[str, Metric]
    curve: Curve
    bits: BitHealth
    confusion: Confusion
    neighbours: list[dict[str, Any]]

    def values(self) -> dict[str, float]:
        """Plain numbers by name, for trackers."""
        out = {name: metric.value for name, metric in self.metrics.items()}
        for name, metric in self.metrics.items():
            if metric.worst is not None and metric.best is not None:
                out |= {f"{name}_worst": metric.worst, f"{name}_best": metric.best}
        return out


def evaluate(
    queries: CodeSet,
    index: HammingIndex,
    gallery: CodeSet,
    k: Sequence[int],
    shown: int,
    empty: Empty = "zero",
    similar: Pairs = (),
) -> Evaluation:
    """Rank `gallery` for each query by Hamming distance and judge by equal labels.

    Queries without a relevant clip count as 0 or are left out, by `empty`; precisions have no such choice.
    `k` are the cut-offs of mAP@k and precision@k, `shown` the neighbours kept per query, found with `index`, which
    holds the same clips as `gallery`. `similar` are pairs of classes that gain one half in ACG@k and NDCG@k.
    """
    task = between(queries, gallery)
    counts = distance_histogram(task)
    metrics: dict[str, Metric] = {"map": tied_average_precision(counts, empty=empty)}
    for cut in k:
        metrics[f"precision_at_{cut}"] = tied_precision(counts, cut)
        if cut > 1:
            for form in ("A", "B", "C"):
                metrics[f"map_at_{cut}_{form.lower()}"] = average_precision_at(task, cut, form, empty)
            gain = cumulative_gain(queries, gallery, cut, similar)
            metrics |= {f"acg_at_{cut}": gain.acg, f"ndcg_at_{cut}": gain.ndcg}
    metrics["top1"] = precision_at(task, 1)
    metrics["precision_radius_2"] = precision_within(counts, 2)
    near = index.search(queries.codes, max(shown, 10), model=queries.model)
    confusion = neighbour_confusion(queries.labels, gallery.labels, near.rows)
    few = NearestRows(near.rows[:, :shown], near.distances[:, :shown])
    return Evaluation(
        metrics,
        curve_by_radius(counts),
        bit_health(gallery.codes),
        confusion,
        [found_for(queries, gallery, place, few) for place in range(len(queries))],
    )
