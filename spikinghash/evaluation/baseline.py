"""What no learning at all achieves: nearest neighbours of plain images, so that a hashing result can be judged."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from spikinghash.data.drawable import drawable
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.store import SampleSource
from spikinghash.evaluation.metric import Empty, settle_empty

#: Longest side of a picture that is compared; blocks of pixels are averaged down to it.
SIDE_PX = 16
_QUERIES_AT_ONCE = 64


def baseline_name(spec: SampleSpec) -> str:
    """What `count_image_map` ranks such clips by."""
    if spec.fields[drawable(spec)].kind == "image":
        return f"correlation of pixels, averaged to at most {SIDE_PX}x{SIDE_PX}, no learning"
    return "cosine similarity of log event-count images, no learning"


def count_image_map(store: SampleSource, query_split: str, database_splits: Iterable[str], empty: Empty) -> float:
    """mAP of ranking the database by cosine similarity of `count_images`.

    Relevance is an equal label and the whole database is ranked; ties, which hardly occur, are in stored order.
    """
    queries, query_labels = count_images(store, [query_split])
    gallery, labels = count_images(store, database_splits)
    values = np.zeros(len(queries))
    for first in range(0, len(queries), _QUERIES_AT_ONCE):
        scores = queries[first : first + _QUERIES_AT_ONCE] @ gallery.T
        for row, score in enumerate(scores, first):
            hits = np.flatnonzero(labels[np.argsort(-score, kind="stable")] == query_labels[row])
            if len(hits):
                values[row] = np.mean(np.arange(1, len(hits) + 1) / (hits + 1))
    has_relevant = np.isin(query_labels, labels)
    return float(np.nanmean(settle_empty(values, has_relevant, empty)))


def count_images(store: SampleSource, splits: Iterable[str]) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Unit vectors float32 [N, D] and labels [N] of the clips in `splits`: log(1 + counts summed over time) of both
    polarities, or pixels less their mean.
    """
    images, labels, name = [], [], drawable(store.spec)
    is_image = store.spec.fields[name].kind == "image"
    for split in splits:
        for counts, rows in store.iter_inputs(name, split, 256):
            image = _pixels(counts) if is_image else np.log1p(counts.sum(axis=1, dtype=np.float32))
            image = image.reshape(len(counts), -1)
            images.append(image / np.maximum(np.linalg.norm(image, axis=1, keepdims=True), 1e-12))
            labels += [str(row.label) for row in rows]
    return np.concatenate(images), np.array(labels)


def _pixels(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures [N, 3, H, W] in square blocks, what does not fill one cut off, less the mean of each."""
    N, C, H, W = pictures.shape
    block = min(-(-max(H, W) // SIDE_PX), H, W)
    whole = pictures[:, :, : H // block * block, : W // block * block]
    small = whole.reshape(N, C, H // block, block, W // block, block).mean(axis=(3, 5), dtype=np.float32)
    return small - small.mean(axis=(1, 2, 3), keepdims=True)
