"""Retrieval between modalities: who asks, what is searched, and what the codes of both were made of.

`single`: a code is made of its own modality alone. `paired`: codes are made of all modalities of their item, so that a
picture asking for texts has seen a text; such figures are never comparable with single ones, and stand apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np

from spikinghash.codes.codeset import CodeSet
from spikinghash.errors import ConfigError
from spikinghash.evaluation.distance_histogram import distance_histogram
from spikinghash.evaluation.graded import graded_ndcg
from spikinghash.evaluation.map_at_k import average_precision_at
from spikinghash.evaluation.metric import Empty, Metric
from spikinghash.evaluation.relevance import shared_label
from spikinghash.evaluation.retrieval import Retrieval, retrieval
from spikinghash.evaluation.tie_aware import tied_average_precision

Seen = Literal["single", "paired"]


@dataclass(frozen=True)
class Direction:
    """One modality asks for another, or for its own."""

    query: str
    database: str
    seen: Seen

    @property
    def name(self) -> str:
        """As tables have it: image-text."""
        return f"{self.query}-{self.database}"


@dataclass(frozen=True)
class Found:
    """Metrics by name of one direction, and the same of random codes."""

    direction: Direction
    metrics: dict[str, Metric]
    chance: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        metrics = {name: metric.to_dict() for name, metric in self.metrics.items()}
        return {
            "direction": self.direction.name,
            "seen": self.direction.seen,
            "metrics": metrics,
            "chance": self.chance,
        }


def directions_of(codes: CodeSet) -> list[Direction]:
    """All directions for which there are codes."""
    names = sorted(set(codes.modalities)) if codes.modalities is not None else []
    both = "+".join(names)
    made = set(codes.seen) if codes.seen is not None else set()
    kinds: list[Seen] = []
    if set(names) <= made:
        kinds.append("single")
    if len(names) > 1 and both in made:
        kinds.append("paired")
    return [Direction(a, b, kind) for kind in kinds for a, b in product(names, repeat=2)]


def evaluate_directions(
    queries: CodeSet, database: CodeSet, directions: Sequence[Direction], k: int = 50, empty: Empty = "zero"
) -> list[Found]:
    """Each direction with mAP over all, mAP@k in two forms and graded NDCG@k; relevant are items that share a label.

    `ConfigError` for items without label or codes that are not there, and for an item that is query and searched.
    """
    everything = "+".join(sorted(set(() if database.modalities is None else database.modalities)))
    out = []
    for one in directions:
        paired = one.seen == "paired"
        asked = queries.where(one.query, everything if paired else one.query)
        there = database.where(one.database, everything if paired else one.database)
        random = _metrics(_task(_random(asked, 1), _random(there, 2)), k, empty)
        chance = {name: metric.value for name, metric in random.items()}
        out.append(Found(one, _metrics(_task(asked, there), k, empty), chance))
    return out


def _metrics(task: Retrieval, k: int, empty: Empty) -> dict[str, Metric]:
    counts = distance_histogram(task)
    return {
        "map": tied_average_precision(counts, empty=empty),
        f"map_at_{k}_c": tied_average_precision(counts, k, empty),
        f"map_at_{k}_a": average_precision_at(task, k, "A", empty),
        f"ndcg_at_{k}": graded_ndcg(task, k),
    }


def _task(queries: CodeSet, gallery: CodeSet) -> Retrieval:
    both = set(queries.item_ids) & set(gallery.item_ids)
    if both:
        raise ConfigError(f"items of {len(both)} queries are also in the gallery, for example {min(both)}")
    rule = shared_label(queries.all_labels(), gallery.all_labels())
    return retrieval(queries.codes, gallery.codes, rule, clip_ids=gallery.clip_ids)


def _random(codes: CodeSet, seed: int) -> CodeSet:
    """Random bits in the place of the codes."""
    return replace(codes, codes=np.random.default_rng(seed).integers(0, 256, codes.codes.shape, np.uint8))
