"""Tie-aware mAP against a plain loop over queries, measured side by side: `python bench/evaluation.py [--json]`.

10,000 queries against 50,000 random 64-bit codes in 10 classes. The loop XORs, counts bits, sorts by distance (stable),
and averages precision over the relevant ranks; it runs for a part of the queries and its time is scaled up to all.
Rounds alternate and the best of each side counts.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numba
import numpy as np
from framing import best_seconds
from numpy.typing import NDArray

from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.relevance import same_label
from spikinghash.evaluation.retrieval import Retrieval, retrieval
from spikinghash.evaluation.tie_aware import tied_average_precision

BITS, CLASSES = 64, 10
TARGET = 50.0


def plain_loop(
    queries: NDArray[np.uint8], gallery: NDArray[np.uint8], query_labels: NDArray, labels: NDArray
) -> list[float]:
    """Average precision per query, ties in the order of the rows; numpy at its best: words, and bytes to sort by."""
    words, ranks, values = gallery.view(np.uint64)[:, 0], np.arange(1, len(gallery) + 1), []
    for code, label in zip(queries.view(np.uint64)[:, 0], query_labels, strict=True):
        distances = np.bitwise_count(words ^ code)
        relevant = labels[np.argsort(distances, kind="stable")] == label
        precision = np.cumsum(relevant) / ranks
        values.append(float(precision[relevant].mean()) if relevant.any() else 0.0)
    return values


def agree(task: Retrieval, values: list[float]) -> bool:
    """Whether the loop's mAP, one order of the ties, lies between the worst and the best order."""
    found = tied_average_precision(distance_histogram(task))
    assert found.worst is not None
    assert found.best is not None
    return found.worst - 1e-12 <= float(np.mean(values)) <= found.best + 1e-12


def measure(queries: int, count: int, looped: int, rounds: int) -> dict[str, Any]:
    """Seconds of each side for all queries, and the ratio."""
    rng = np.random.default_rng(0)
    asked, gallery = (rng.integers(0, 256, (n, BITS // 8), dtype=np.uint8) for n in (queries, count))
    asked_labels, labels = (rng.integers(0, CLASSES, n) for n in (queries, count))
    task = retrieval(asked, gallery, same_label(asked_labels, labels))
    part = (asked[:looped], gallery, asked_labels[:looped], labels)
    jobs = {"spikinghash": lambda: tied_average_precision(distance_histogram(task)), "loop": lambda: plain_loop(*part)}
    seconds = best_seconds(jobs, rounds)
    seconds["loop"] *= queries / looped
    same = agree(retrieval(*part[:2], same_label(*part[2:])), plain_loop(*part))
    ratio = seconds["loop"] / seconds["spikinghash"]
    return {
        "queries": queries, "database": count, "bits": BITS, "classes": CLASSES, "rounds": rounds,
        "threads": numba.get_num_threads(), "queries_looped": looped,
        "loop_scaled": f"the loop ran {looped} queries; its time is multiplied by {queries / looped:g}",
        "seconds": {name: round(value, 4) for name, value in seconds.items()}, "loop_within_bounds": same,
        "ratio": round(ratio, 1), "target": TARGET, "ok": same and ratio >= TARGET,
    }  # fmt: skip


def main() -> None:
    """Print one line a side, or one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description="tie-aware mAP against a plain loop over queries")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--database", type=int, default=50_000)
    parser.add_argument("--looped", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    found = measure(asked.queries, asked.database, min(asked.looped, asked.queries), asked.rounds)
    if asked.json:
        print(json.dumps(found))
        return
    for name, value in found["seconds"].items():
        print(f"{name:12} {value:8.3f} s for {found['queries']} queries against {found['database']} codes")
    print(found["loop_scaled"])
    print(
        f"loop / spikinghash = {found['ratio']} (target {TARGET:.0f}), "
        f"loop between worst and best order: {found['loop_within_bounds']}"
    )


if __name__ == "__main__":
    main()
