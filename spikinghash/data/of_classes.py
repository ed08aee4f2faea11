"""The samples of some classes alone, of a cache or of a store: what a model learns from, and what it has never seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.data.cache_header import CachedSplit
from spikinghash.data.open_cache import SampleCache
from spikinghash.data.sample_spec import SampleSpec
from spikinghash.data.samples import Samples
from spikinghash.data.store import Inputs, SampleSource


@dataclass(frozen=True)
class SomeRows:
    """The samples number `rows` [N] of others. Fulfils `Samples`."""

    samples: Samples
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, rows: Sequence[int]) -> NDArray[Any]:
        """As in `Samples`."""
        return self.samples.read(self.rows[list(rows)].tolist())

    def advise(self, rows: Sequence[int]) -> None:
        """As in `Samples`."""
        self.samples.advise(self.rows[list(rows)].tolist())


def cache_of_classes(cache: SampleCache, names: Collection[str]) -> SampleCache:
    """The samples of which all labels, one at least, are among `names`; numbers of classes stay those of the cache."""
    splits = {split: _part(found, _rows(found, cache.classes, names)) for split, found in cache.splits.items()}
    return replace(cache, splits=splits)


@dataclass(frozen=True)
class StoreOfClasses:
    """The same samples of a store. Fulfils `SampleSource`."""

    store: SampleSource
    names: Collection[str]

    @property
    def spec(self) -> SampleSpec:
        """As in `SampleSource`."""
        return self.store.spec

    def iter_inputs(self, name: str, split: str | None, batch: int) -> Iterator[Inputs]:
        """As in `SampleSource`."""
        for values, rows in self.store.iter_inputs(name, split, batch):
            some = [place for place, row in enumerate(rows) if _only(row.labels, self.names)]
            if some:
                yield values[some], [rows[place] for place in some]


def _only(labels: Sequence[str], names: Collection[str]) -> bool:
    return bool(labels) and set(labels) <= set(names)


def _rows(split: CachedSplit, classes: Sequence[str], names: Collection[str]) -> NDArray[np.int64]:
    labels = ([classes[number] for number in split.labels[row]] for row in range(len(split)))
    return np.array([row for row, some in enumerate(labels) if _only(some, names)], np.int64)


def _part(split: CachedSplit, rows: NDArray[np.int64]) -> CachedSplit:
    return CachedSplit(
        {name: SomeRows(samples, rows) for name, samples in split.inputs.items()},
        {name: mask[rows] for name, mask in split.present.items()},
        split.labels.part(rows.tolist()),
        split.groups[rows],
    )
