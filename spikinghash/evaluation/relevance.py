"""Which gallery items are relevant to which queries.

A relevance is a function of a range of queries, so that the [Q, N] matrix never has to exist at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikinghash.errors import ConfigError

#: `relevance(start, stop)` is bool [stop - start, N] for the queries start..stop-1.
Relevance = Callable[[int, int], NDArray[np.bool_]]


@dataclass(frozen=True)
class SameLabel:
    """Relevant if the class numbers int64 [Q] and [N] are equal; a `Relevance` that shows what it compares."""

    queries: NDArray[np.int64]
    gallery: NDArray[np.int64]

    def __call__(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Bool [stop - start, N] for the queries start..stop-1."""
        return self.queries[start:stop, None] == self.gallery[None, :]


def same_label(queries: Sequence[object] | NDArray, gallery: Sequence[object] | NDArray) -> SameLabel:
    """Relevant if the labels are equal; labels are any hashable values. `ConfigError` for a missing label (None)."""
    numbers: dict[object, int] = {}
    sides = []
    for name, labels in (("query", queries), ("gallery", gallery)):
        if any(label is None for label in labels):
            raise ConfigError(f"a {name} clip has no label; ranking metrics need one for every clip")
        sides.append(np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64))
    return SameLabel(*sides)


def given(matrix: NDArray[np.bool_]) -> Relevance:
    """Relevance that is already a bool matrix [Q, N]."""
    if matrix.ndim != 2 or matrix.dtype != np.bool_:
        raise ConfigError(f"relevance must be bool [Q, N], not {matrix.dtype} {list(matrix.shape)}")
    return lambda start, stop: matrix[start:stop]


@dataclass(frozen=True)
class SharedLabel:
    """Relevant if two items have a label in common; labels as 0 and 1, float32 [Q, C] and [N, C]."""

    queries: NDArray[np.float32]
    gallery: NDArray[np.float32]

    def __call__(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Bool [stop - start, N] for the queries start..stop-1."""
        return self.shared(start, stop) > 0

    def shared(self, start: int, stop: int) -> NDArray[np.float32]:
        """How many labels they share, [stop - start, N]."""
        return self.queries[start:stop] @ self.gallery.T


def shared_label(
    queries: Sequence[Collection[str]] | NDArray, gallery: Sequence[Collection[str]] | NDArray
) -> SharedLabel:
    """Relevant if a label is shared; each side's labels by item. `ConfigError` for an item without any."""
    names = sorted({name for labels in (*queries, *gallery) for name in labels})
    number = {name: i for i, name in enumerate(names)}
    sides = []
    for side, many in (("query", queries), ("gallery", gallery)):
        hot = np.zeros((len(many), len(names)), np.float32)
        for i, labels in enumerate(many):
            if not len(labels):
                raise ConfigError(f"a {side} item has no label; ranking metrics need one for every item")
            hot[i, [number[name] for name in labels]] = 1
        sides.append(hot)
    return SharedLabel(*sides)
