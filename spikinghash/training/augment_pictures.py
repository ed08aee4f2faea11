"""Augmentation of pictures: crop, flip, RandAugment, erasing, on pixels as they are stored.

Mixup and CutMix, which recipes for classification add, are left out: a blend of two classes has no place in the pairs
of the similarity loss.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from spikinghash.frames.crop_or_pad import PIXEL_ZERO
from spikinghash.training.rand_augment import rand_augment

if TYPE_CHECKING:
    from spikinghash.training.augment import Augmentation

#: Share of the picture, and ratio of height to width, of an erased rectangle (Zhong et al. 2017, and timm).
_ERASED, _RATIO = (0.02, 1 / 3), (0.3, 1 / 0.3)


def augment_pictures(pixels: Tensor, a: Augmentation, generator: torch.Generator) -> Tensor:
    """pixels uint8 [B, 3, H, W] -> the same shape; every draw comes from `generator`. Borders are mid grey."""
    if a.crop_px:
        pixels = _crop(pixels, a.crop_px, generator)
    if a.flip:
        mirrored = (torch.rand(len(pixels), generator=generator) < 0.5).to(pixels.device)
        pixels = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels)
    if a.rand_ops:
        pixels = rand_augment(pixels, a.rand_ops, a.rand_magnitude, generator)
    if a.erase:
        pixels = _erase(pixels, a.erase, generator)
    return pixels


def _crop(pixels: Tensor, pad: int, generator: torch.Generator) -> Tensor:
    """A window of the same size, anywhere in the picture padded by `pad` on all sides. [B, 3, H, W]."""
    B, _, H, W = pixels.shape
    padded = F.pad(pixels, (pad,) * 4, value=PIXEL_ZERO)
    top, left = torch.randint(2 * pad + 1, (2, B), generator=generator)
    rows, columns = top[:, None] + torch.arange(H), left[:, None] + torch.arange(W)
    place = torch.arange(B)[:, None, None, None], torch.arange(3)[:, None, None], rows[:, None, :, None]
    return padded[tuple(index.to(pixels.device) for index in (*place, columns[:, None, None, :]))]


def _erase(pixels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Grey rectangles in about `share` of the pictures. [B, 3, H, W]."""
    B, _, H, W = pixels.shape
    chosen, area, ratio, down, right = torch.rand(5, B, generator=generator)
    size = (_ERASED[0] + area * (_ERASED[1] - _ERASED[0])) * H * W
    shape = torch.exp(math.log(_RATIO[0]) + ratio * math.log(_RATIO[1] / _RATIO[0]))
    high, wide = (size * shape).sqrt().round().clamp(1, H), (size / shape).sqrt().round().clamp(1, W)
    top, left = (down * (H - high + 1)).floor(), (right * (W - wide + 1)).floor()
    rows, columns = torch.arange(H)[None], torch.arange(W)[None]
    inside_rows = (rows >= top[:, None]) & (rows < (top + high)[:, None])
    inside_columns = (columns >= left[:, None]) & (columns < (left + wide)[:, None])
    gone = inside_rows[:, :, None] & inside_columns[:, None, :] & (chosen < share)[:, None, None]
    return pixels.masked_fill(gone[:, None].to(pixels.device), PIXEL_ZERO)
