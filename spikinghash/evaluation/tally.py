"""How many items, and how many relevant ones, lie at every distance. All tie-free metrics follow from this."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikinghash.evaluation.retrieval import Retrieval


@dataclass(frozen=True)
class Tally:
    """Items and relevant items per query and distance 0..K, both int64 [Q, K+1]."""

    task: Retrieval
    items: NDArray[np.int64]
    relevant: NDArray[np.int64]

    @property
    def all_relevant(self) -> NDArray[np.int64]:
        """R, the number of relevant items in the whole gallery, int64 [Q]."""
        return self.relevant.sum(axis=1)


def tally(task: Retrieval) -> Tally:
    """Count distances block by block; memory is bounded by the task's block and Q (K+1) counts."""
    levels = task.bits + 1
    items = np.zeros((len(task.queries), levels), dtype=np.int64)
    relevant = np.zeros_like(items)
    for rows, distances, hits in task.blocks():
        # one bincount for the whole block: query q at distance d is cell q * levels + d
        cells = distances + levels * np.arange(len(distances), dtype=np.int64)[:, None]
        size = cells.shape[0] * levels
        items[rows] = np.bincount(cells.ravel(), minlength=size).reshape(-1, levels)
        relevant[rows] = np.bincount(cells[hits], minlength=size).reshape(-1, levels)
    return Tally(task, items, relevant)
