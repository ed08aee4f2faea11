"""What training needs of one modality of a number of samples, wherever they are: `SampleFile` on disk, `SampleArray`
in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray


class Samples(Protocol):
    """Samples that are read by number."""

    def __len__(self) -> int: ...

    def read(self, rows: Sequence[int]) -> NDArray[Any]:
        """Rows by number -> samples [B, ...], a new array; event clips are [B, T, 2, H, W]."""
        ...

    def advise(self, rows: Sequence[int]) -> None:
        """These rows come next."""
        ...


@dataclass(frozen=True)
class SampleArray:
    """Samples [N, ...] of any type in memory."""

    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.values)

    def read(self, rows: Sequence[int]) -> NDArray[Any]:
        """As in `Samples`."""
        return self.values[list(rows)]

    def advise(self, rows: Sequence[int]) -> None:
        """Nothing to do."""
