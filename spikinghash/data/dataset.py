"""A map-style data set over samples: bytes until the batch, and what the method takes on its device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from spikinghash.data.batch import Batch, time_first
from spikinghash.data.label_sets import LabelSets
from spikinghash.data.samples import SampleArray, Samples


@dataclass(frozen=True)
class Prepare:
    """What becomes of the samples of one modality on their way into a batch.

    `fit` brings them, [B, ...] as they are stored, to the network's size, still in a small type; `cast` to the type
    that augmentation and network take, and is left to whoever has them on the right device. By default they stay.
    """

    fit: Callable[[NDArray[Any]], NDArray[Any]] | None = None
    cast: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Field:
    """One modality of N samples, and how it is prepared; `present` [N] bool is None where all of them have it."""

    samples: Samples
    prepare: Prepare = field(default_factory=Prepare)
    present: NDArray[np.bool_] | None = None


class SampleDataset(Dataset[Batch]):
    """Samples by modality name, with the classes of each and, int64 [N], the number of its group (its own place by
    default). Where it `hides_labels`, batches have no targets.
    """

    hides_labels = False

    def __init__(self, fields: Mapping[str, Field], labels: LabelSets, groups: NDArray[np.int64] | None = None) -> None:
        self.fields, self.labels = dict(fields), labels
        self.groups = np.arange(len(labels)) if groups is None else groups
        for name, one in self.fields.items():
            if len(one.samples) != len(labels):
                raise ValueError(f"{len(one.samples)} samples of {name} have {len(labels)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> Batch:
        """A batch of one sample."""
        return self.__getitems__([row])

    def __getitems__(self, rows: Sequence[int]) -> Batch:
        """A batch at once, inputs as `Prepare.fit` leaves them: torch's `DataLoader` asks for this where it is."""
        numbers = np.asarray(rows, np.int64)
        present = {
            n: torch.from_numpy(one.present[numbers]) for n, one in self.fields.items() if one.present is not None
        }
        return Batch(
            {name: time_first(torch.from_numpy(_read(one, rows))) for name, one in self.fields.items()},
            None if self.hides_labels else self.labels.targets(rows),
            torch.from_numpy(self.groups[numbers]),
            torch.from_numpy(numbers),
            present,
        )

    def first(self, count: int) -> SampleDataset:
        """So many of the samples."""
        rows = range(min(count, len(self)))
        fields = {
            name: Field(
                SampleArray(one.samples.read(rows)),
                one.prepare,
                one.present if one.present is None else one.present[: len(rows)],
            )
            for name, one in self.fields.items()
        }
        found = SampleDataset(fields, self.labels.part(rows), self.groups[: len(rows)])
        found.hides_labels = self.hides_labels
        return found

    def advise(self, rows: Sequence[int]) -> None:
        """These rows come next."""
        for one in self.fields.values():
            one.samples.advise(rows)

    def for_method(self, batch: Batch, device: torch.device) -> Batch:
        """A batch as it was read, on `device` and in the types that the method takes."""
        moved = batch.to(device)
        casts = {name: one.prepare.cast for name, one in self.fields.items()}
        inputs = {name: x if (cast := casts[name]) is None else cast(x) for name, x in moved.inputs.items()}
        return replace(moved, inputs=inputs)


def _read(one: Field, rows: Sequence[int]) -> NDArray[Any]:
    found = one.samples.read(rows)
    return found if one.prepare.fit is None else one.prepare.fit(found)
