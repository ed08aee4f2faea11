"""An input of any kind as one vector a sample, without learning: what methods in closed form start from."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from spikinghash.errors import ConfigError

#: Longest side of a picture or count image; blocks are averaged down to it.
SIDE_PX = 32


def input_vectors(x: Tensor) -> Tensor:
    """One input of a `Batch` -> [B, D] float32.

    Events [T, B, 2, H, W]: log(1 + counts summed over time), averaged over blocks, of unit length. Pictures
    [B, 3, H, W]: means over blocks, less the mean of each picture. Features [B, D] as they are.
    """
    if x.dim() == 2:
        return x.float()
    if x.dim() == 5:
        image = _averaged(x.sum(0, dtype=torch.float32).log1p()).flatten(1)
        return F.normalize(image)
    if x.dim() == 4:
        picture = _averaged(x.float()).flatten(1)
        return picture - picture.mean(1, keepdim=True)
    raise ConfigError(f"a method in closed form takes events, pictures or features, not an input {list(x.shape)}")


def vector_width(shape: tuple[int, ...]) -> int:
    """Length of `input_vectors` of samples of the shape that a store gives: [T, 2, H, W], [3, H, W] or [D]."""
    return math.prod((shape[-3], min(shape[-2], SIDE_PX), min(shape[-1], SIDE_PX))) if len(shape) > 1 else shape[0]


def _averaged(image: Tensor) -> Tensor:
    """[B, C, H, W] -> the same with sides of at most `SIDE_PX`."""
    return F.adaptive_avg_pool2d(image, (min(image.shape[-2], SIDE_PX), min(image.shape[-1], SIDE_PX)))
