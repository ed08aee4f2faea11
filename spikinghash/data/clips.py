"""What training needs of a number of clips, wherever they are: `ClipFile` on disk, `ClipArray` in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spikinghash.frames.accumulate import Frames


class Clips(Protocol):
    """Clips that are read by number."""

    def __len__(self) -> int: ...

    def read(self, rows: Sequence[int]) -> Frames:
        """Rows by number -> clips [B, T, P, H, W], a new array."""
        ...

    def advise(self, rows: Sequence[int]) -> None:
        """These rows come next."""
        ...


@dataclass(frozen=True)
class ClipArray:
    """Clips [N, T, P, H, W] of any type in memory."""

    frames: Frames

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, rows: Sequence[int]) -> Frames:
        """As in `Clips`."""
        return self.frames[list(rows)]

    def advise(self, rows: Sequence[int]) -> None:
        """Nothing to do."""
