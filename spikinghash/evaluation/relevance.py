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


def given(matrix: NDArray[np.bool_]) -> Relevance:
    """Relevance that is already a bool matrix [Q, N]."""
    if matrix.ndim != 2 or matrix.dtype != np.bool_:
        raise ConfigError(f"relevance must be bool [Q, N], not {matrix.dtype} {list(matrix.shape)}")
    return lambda start, stop: matrix[start:stop]
