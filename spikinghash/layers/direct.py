"""Direct encoding: how a picture enters a spiking network. Its pixels are the input current, the same at every step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.frames.fit import PIXEL_UNIT, PIXEL_ZERO
from spikinghash.layers.conv import ConvNorm, per_step
from spikinghash.layers.event_conv import stem
from spikinghash.schema import PIXEL_CHANNELS


def scale(x: Tensor) -> Tensor:
    """[T, B, P, H, W] -> float32: pixels 0..255 of three channels become (p - 128) / 64, event counts stay.

    Multiples of 1/64 up to 2: the exact sums of `layers/exact.py` see 128 levels.
    """
    if x.shape[2] != PIXEL_CHANNELS:
        return x
    return (x.to(torch.float32) - PIXEL_ZERO) / PIXEL_UNIT


def repeat(x: Tensor, steps: int) -> Tensor:
    """[T or 1, B, ...] -> [T, B, ...]: a clip of one step is shown at every step, without a copy."""
    if len(x) not in (1, steps):
        raise ConfigError(f"clips of {len(x)} steps for a network of {steps}; train it on these frames")
    return x.expand(steps, *x.shape[1:])


def entry(layer: ConvNorm, pool: nn.Module | None, x: Tensor, steps: int) -> Tensor:
    """Frames [T or 1, B, P, H, W] through the first layer and its pool -> [T, B, K, H', W'].

    Neither knows time, so a picture passes them once and what comes out is repeated. Its convolution is dense: the
    kernel for events skips empty cells, and pictures have none.
    """
    if pool is None:
        y = layer(scale(x))
    elif x.shape[2] == PIXEL_CHANNELS:
        y = per_step(pool, layer(scale(x)))
    else:
        y = stem(layer, pool, x)
    return repeat(y, steps)
