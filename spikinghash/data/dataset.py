"""A map-style data set over clips: bytes until the batch, and what the network takes on its device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from spikinghash.data.clips import Clips
from spikinghash.frames.accumulate import Frames


class ClipDataset(Dataset[tuple[Tensor, Tensor]]):
    """Clips with the numbers of their classes, `labels` int64 [N].

    `fit` brings clips [B, T, P, H, W] to the network's height and width, still in a small type; `cast` to the type that
    augmentation and network take, and is left to whoever has them on the right device. By default clips are both.
    """

    def __init__(
        self,
        clips: Clips,
        labels: NDArray[np.int64],
        fit: Callable[[Frames], Frames] | None = None,
        cast: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        if len(clips) != len(labels):
            raise ValueError(f"{len(clips)} clips have {len(labels)} labels")
        self.clips, self._fit, self._cast = clips, fit, cast
        self.labels = torch.from_numpy(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        """One clip [T, P, H, W] and its label []."""
        frames, labels = self.__getitems__([row])
        return frames[0], labels[0]

    def __getitems__(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Clips [B, T, P, H, W] and labels [B], a batch at once: torch's `DataLoader` asks for this where it is."""
        frames = self.clips.read(rows)
        return torch.from_numpy(frames if self._fit is None else self._fit(frames)), self.labels[list(rows)]

    def for_network(self, frames: Tensor, device: torch.device) -> Tensor:
        """A batch [B, T, P, H, W] as it was read -> [T, B, P, H, W] on `device`, in the network's type."""
        moved = frames.transpose(0, 1).to(device, non_blocking=True)
        return moved if self._cast is None else self._cast(moved)
