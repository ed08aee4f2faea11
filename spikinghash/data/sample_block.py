"""Some samples of a store in memory: rows, and an array for each modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikinghash.data.sample_row import SampleRow


@dataclass(frozen=True, eq=False)
class SampleBlock:
    """`values[name]` [N, ...] and `present[name]` [N] bool: zeros stand where a row lacks a modality."""

    rows: list[SampleRow]
    values: Mapping[str, NDArray[Any]]
    present: Mapping[str, NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, first: int, stop: int) -> SampleBlock:
        """Samples `first` to `stop`, without a copy."""
        return SampleBlock(
            self.rows[first:stop],
            {name: some[first:stop] for name, some in self.values.items()},
            {name: some[first:stop] for name, some in self.present.items()},
        )

    def having(self, name: str) -> tuple[NDArray[Any], list[SampleRow]]:
        """Values [<= N, ...] of one modality and the rows that have it."""
        values, rows = self.whole([name])
        return values[name], rows

    def whole(self, names: Sequence[str]) -> tuple[dict[str, NDArray[Any]], list[SampleRow]]:
        """As `having` for several modalities: values by name of the rows that have all of them."""
        mask = np.logical_and.reduce([self.present[name] for name in names])
        if mask.all():
            return {name: self.values[name] for name in names}, self.rows
        rows = [row for row, there in zip(self.rows, mask, strict=True) if there]
        return {name: self.values[name][mask] for name in names}, rows


def joined(blocks: Sequence[SampleBlock]) -> SampleBlock:
    """Blocks of one store, one after the other; at least one."""
    if len(blocks) == 1:
        return blocks[0]
    names = blocks[0].values
    return SampleBlock(
        [row for block in blocks for row in block.rows],
        {name: np.concatenate([block.values[name] for block in blocks]) for name in names},
        {name: np.concatenate([block.present[name] for block in blocks]) for name in names},
    )
