"""What no learning at all achieves: nearest neighbours of count images, so that a hashing result can be judged."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from spikinghash.evaluation.metric import Empty, settle_empty
from spikinghash.frames.rows import FrameSource

NAME = "cosine similarity of log event-count images, no learning"


def count_image_map(store: FrameSource, query_split: str, database_splits: Iterable[str], empty: Empty) -> float:
    """mAP of ranking the database by cosine similarity of log(1 + counts summed over time), two polarities.

    Relevance is an equal label and the whole database is ranked; ties, which hardly occur, are in stored order.
    """
    queries, query_labels = count_images(store, [query_split])
    gallery, labels = count_images(store, database_splits)
    values = np.zeros(len(queries))
    for row, image in enumerate(queries):
        relevant = labels[np.argsort(-(gallery @ image), kind="stable")] == query_labels[row]
        hits = np.flatnonzero(relevant)
        if len(hits):
            values[row] = np.mean(np.arange(1, len(hits) + 1) / (hits + 1))
    has_relevant = np.isin(query_labels, labels)
    return float(np.nanmean(settle_empty(values, has_relevant, empty)))


def count_images(store: FrameSource, splits: Iterable[str]) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Unit vectors float32 [N, 2 * H * W] and labels [N] of the clips in `splits`."""
    images, labels = [], []
    for split in splits:
        for counts, rows in store.iter_batches(split, 256):
            image = np.log1p(counts.sum(axis=1, dtype=np.float32)).reshape(len(counts), -1)
            images.append(image / np.maximum(np.linalg.norm(image, axis=1, keepdims=True), 1e-12))
            labels += [str(row.label) for row in rows]
    return np.concatenate(images), np.array(labels)
