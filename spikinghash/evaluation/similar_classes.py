"""Which classes look alike, for graded relevance where a data set does not say (the paper clusters video features)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from spikinghash.data.store import SampleSource
from spikinghash.evaluation.baseline import count_images

RULE = "classes that are each other's nearest by cosine similarity of the means of their images (`count_images`)"


def similar_classes(store: SampleSource, splits: Iterable[str]) -> set[frozenset[str]]:
    """Pairs of classes that are mutual nearest neighbours among the class means of the clips in `splits`.

    Measured on what queries are compared with, never on queries. Empty with fewer than three classes.
    """
    images, labels = count_images(store, splits)
    names = sorted(set(labels.tolist()))
    if len(names) < 3:
        return set()
    means = np.stack([images[labels == name].mean(axis=0) for name in names])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    alike = means @ means.T
    np.fill_diagonal(alike, -np.inf)
    nearest = alike.argmax(axis=1)
    return {frozenset((names[i], names[j])) for i, j in enumerate(nearest) if nearest[j] == i}
