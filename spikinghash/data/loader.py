"""Batches one after the other, the next one on its way while the current one is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from spikinghash.data.batch import Batch
from spikinghash.data.dataset import SampleDataset
from spikinghash.data.order import EpochBatches


class Loader:
    """Iterating gives batches, as they were read, for the steps of `batches`.

    With `workers` 0 this process reads, and the system fetches the next batch from the disk meanwhile: for training
    that needs all the cores. Otherwise so many processes of torch's `DataLoader` read and crop, for a GPU that
    one process cannot feed; they are started once and live as long as the loader.
    """

    def __init__(self, dataset: SampleDataset, batches: EpochBatches, workers: int = 0) -> None:
        self.dataset, self.batches = dataset, batches
        self._loader = _processes(dataset, batches, workers) if workers else None

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._loader) if self._loader is not None else _read_ahead(self.dataset, self.batches)


def in_order(dataset: SampleDataset, batch: int) -> Iterator[Batch]:
    """All samples in their order, `batch` at a time, read by this process; errors as in `SampleFile.read`."""
    return _read_ahead(dataset, (range(i, min(i + batch, len(dataset))) for i in range(0, len(dataset), batch)))


def _read_ahead(dataset: SampleDataset, batches: Iterable[list[int] | range]) -> Iterator[Batch]:
    waiting: list[int] | range | None = None
    for rows in batches:
        dataset.advise(rows)
        if waiting is not None:
            yield dataset.__getitems__(waiting)
        waiting = rows
    if waiting is not None:
        yield dataset.__getitems__(waiting)


def _processes(dataset: SampleDataset, batches: EpochBatches, workers: int) -> DataLoader[Batch]:
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=_as_it_is,
        # one of its own: it would draw from the generator that dropout uses
        generator=torch.Generator(),
        pin_memory=torch.cuda.is_available(),
        # a fork would copy the threads' locks of gloo, Ray and OpenMP without the threads
        multiprocessing_context="spawn",
        persistent_workers=True,
    )


def _as_it_is(batch: Any) -> Any:
    """`__getitems__` has made a batch already."""
    return batch
