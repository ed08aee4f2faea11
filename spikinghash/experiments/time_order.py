"""The time-order task: is a clip played forward or backward?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikinghash.data.samples import Samples
from spikinghash.frames.accumulate import Frames

CLASSES = ("backward", "forward")


@dataclass(frozen=True)
class BothDirections:
    """Of N clips [T, P, H, W] 2N: each as it was, then each with its steps reversed. Fulfils `Samples`.

    Polarity is kept, so that both classes consist of the very same frames and nothing but their order tells them
    apart; a clip and its reverse stay in one split because the split is of recordings.
    """

    clips: Samples

    def __len__(self) -> int:
        return 2 * len(self.clips)

    def read(self, rows: Sequence[int]) -> Frames:
        """As in `Samples`."""
        frames = self.clips.read([row % len(self.clips) for row in rows])
        backward = np.array([row >= len(self.clips) for row in rows], bool)
        frames[backward] = frames[backward, ::-1]
        return frames

    def advise(self, rows: Sequence[int]) -> None:
        """As in `Samples`."""
        self.clips.advise([row % len(self.clips) for row in rows])


def direction_labels(clips: int) -> np.ndarray:
    """Class numbers int64 [2N] of `BothDirections` of N clips."""
    return np.repeat([CLASSES.index("forward"), CLASSES.index("backward")], clips).astype(np.int64)
