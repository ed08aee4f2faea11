"""Direct encoding: how a picture enters a spiking network. Its pixels are the input current, the same at every step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from spikinghash.errors import ConfigError
from spikinghash.frames.fit import PIXEL_UNIT, PIXEL_ZERO
from spikinghash.layers.conv import ConvNorm, per_step
from spikinghash.layers.program import Step
from spikinghash.layers.tape import Gradients, Layer, Taped
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
    """Scaled frames [T or 1, B, P, H, W] through the first layer and its pool -> [T, B, K, H', W'].

    Neither knows time, so a picture passes them once and what comes out is repeated.
    """
    y = layer(x)
    return repeat(y if pool is None else per_step(pool, y), steps)


def repeat_step(steps: int) -> Step:
    """`repeat` in inference on arrays."""
    return lambda x: np.ascontiguousarray(repeat(torch.from_numpy(x), steps).numpy())


def repeat_layer(steps: int) -> Layer:
    """`repeat` in training on arrays."""
    again = repeat_step(steps)

    def run(x: np.ndarray, _grads: Gradients) -> Taped:
        return again(x), lambda g: g.sum(0, keepdims=True) if len(x) < steps else g

    return run
