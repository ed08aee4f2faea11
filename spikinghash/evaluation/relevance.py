"""Which gallery items are relevant to which queries.

A relevance is a function of a range of queries, so that the [Q, N] matrix never has to exist at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def shared_label(queries: NDArray, gallery: NDArray) -> Relevance:
    """Relevant if at least one label is shared: the rule of DCMH and its followers for multi-label sets.

    Label vectors [Q, C] and [N, C], non-zero where the item has the label. `ConfigError` if C differs.
    """
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise ConfigError(f"label vectors are {list(queries.shape)} and {list(gallery.shape)}; need [Q, C] and [N, C]")
    # float32 products run in BLAS; counts up to 2^24 shared labels are exact
    left, right = (queries != 0).astype(np.float32), (gallery != 0).astype(np.float32).T
    return lambda start, stop: (left[start:stop] @ right) > 0


def given(matrix: NDArray[np.bool_]) -> Relevance:
    """Relevance that is already a bool matrix [Q, N]."""
    if matrix.ndim != 2 or matrix.dtype != np.bool_:
        raise ConfigError(f"relevance must be bool [Q, N], not {matrix.dtype} {list(matrix.shape)}")
    return lambda start, stop: matrix[start:stop]
