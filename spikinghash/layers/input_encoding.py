"""Direct encoding: how a picture enters a spiking network. Its pixels are the input current, the same at every step."""

from __future__ import annotations

import torch
from torch import Tensor

from spikinghash.errors import ConfigError
from spikinghash.frames.crop_or_pad import PIXEL_UNIT, PIXEL_ZERO
from spikinghash.schema import PIXEL_CHANNELS


def scale(x: Tensor) -> Tensor:
    """[T, B, P, H, W] -> float32: pixels 0..255 of three channels become (p - 128) / 64, event counts stay.

    Multiples of 1/64 up to 2: the exact sums of `layers/exact_weights.py` see 128 levels.
    """
    if x.shape[2] != PIXEL_CHANNELS:
        return x
    return (x.to(torch.float32) - PIXEL_ZERO) / PIXEL_UNIT


def repeat(x: Tensor, steps: int) -> Tensor:
    """[T or 1, B, ...] -> [T, B, ...]: a clip of one step is shown at every step, without a copy."""
    if len(x) not in (1, steps):
        raise ConfigError(f"clips of {len(x)} steps for a network of {steps}; train it on these frames")
    return x.expand(steps, *x.shape[1:])
