"""The classes of many samples, none, one or several each, in a few bytes a sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class LabelSets:
    """Sample i of N has the classes `numbers[ends[i - 1]:ends[i]]`: int64 `ends` [N], int32 `numbers`."""

    ends: NDArray[np.int64]
    numbers: NDArray[np.int32]
    classes: int

    @classmethod
    def of(cls, sets: Iterable[Sequence[int]], classes: int) -> LabelSets:
        """From the class numbers of each sample."""
        found = [list(some) for some in sets]
        ends = np.cumsum([len(some) for some in found], dtype=np.int64)
        return cls(ends, np.array([number for some in found for number in some], np.int32), classes)

    @classmethod
    def single(cls, numbers: NDArray[np.integer], classes: int) -> LabelSets:
        """One class each, `numbers` [N]."""
        return cls(np.arange(1, len(numbers) + 1), numbers.astype(np.int32), classes)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        """Class numbers of one sample."""
        return self.numbers[self.ends[row - 1] if row else 0 : self.ends[row]]

    def part(self, rows: Sequence[int]) -> LabelSets:
        """Those of some samples."""
        return LabelSets.of((self[row].tolist() for row in rows), self.classes)

    def renumbered(self, new: NDArray[np.integer], classes: int) -> LabelSets:
        """With class i called `new[i]`, of `classes`."""
        return LabelSets(self.ends, new[self.numbers].astype(np.int32), classes)

    def targets(self, rows: Sequence[int] | None = None) -> Tensor:
        """Rows by number, by default all -> float32 [B, classes] of 0 and 1."""
        chosen = np.arange(len(self)) if rows is None else np.asarray(rows, np.int64)
        counts = np.diff(self.ends, prepend=0)[chosen]
        before = np.repeat(self.ends[chosen] - np.cumsum(counts), counts)
        places = np.repeat(np.arange(len(chosen)), counts)
        out = np.zeros((len(chosen), self.classes), np.float32)
        out[places, self.numbers[before + np.arange(len(places))]] = 1
        return torch.from_numpy(out)
