"""The time-order task: is a clip played forward or backward?"""

from __future__ import annotations

import torch
from torch import Tensor

CLASSES = ("backward", "forward")


def forward_and_backward(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Frames [N, T, 2, H, W] -> [2N, T, 2, H, W], each clip as it was and with its steps reversed, and labels [2N].

    Polarity is kept, so that both classes consist of the very same frames and nothing but their order tells them
    apart; a clip and its reverse stay in one split because the split is of recordings.
    """
    labels = torch.tensor([CLASSES.index("forward"), CLASSES.index("backward")])
    return torch.cat([frames, frames.flip(1)]), labels.repeat_interleave(len(frames))
