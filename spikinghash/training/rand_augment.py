"""RandAugment for pictures: the fifteen operations of timm's `rand-m9-mstd0.4-inc1`, the recipe that the paper cites.

Cubuk et al., "RandAugment" (2020). Each operation takes (picture, share of its range 0..1, sign -1 or 1).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from spikinghash.frames.crop_or_pad import PIXEL_ZERO

#: Deviation of the magnitude, its largest value, and how often a drawn operation is carried out.
DEVIATION, MOST, PROBABILITY = 0.4, 10.0, 0.5
_FILL = (PIXEL_ZERO,) * 3

Operation = Callable[[Image.Image, float, float], Image.Image]


def _affine(picture: Image.Image, *matrix: float) -> Image.Image:
    return picture.transform(
        picture.size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR, fillcolor=_FILL
    )


def _rotate(picture: Image.Image, share: float, sign: float) -> Image.Image:
    return picture.rotate(sign * share * 30, resample=Image.Resampling.BILINEAR, fillcolor=_FILL)


def _solarize_add(picture: Image.Image, share: float, sign: float) -> Image.Image:
    dark = [min(255, i + int(share * 110)) if i < PIXEL_ZERO else i for i in range(256)]
    return picture.point(dark * 3)


def _enhance(kind: Callable[[Image.Image], ImageEnhance._Enhance]) -> Operation:
    return lambda picture, share, sign: kind(picture).enhance(max(0.1, 1 + sign * share * 0.9))


OPERATIONS: dict[str, Operation] = {
    "auto-contrast": lambda p, share, sign: ImageOps.autocontrast(p),
    "equalize": lambda p, share, sign: ImageOps.equalize(p),
    "invert": lambda p, share, sign: ImageOps.invert(p),
    "rotate": _rotate,
    "posterize": lambda p, share, sign: ImageOps.posterize(p, max(1, 4 - int(share * 4))),
    "solarize": lambda p, share, sign: ImageOps.solarize(p, 256 - int(share * 256)),
    "solarize-add": _solarize_add,
    "colour": _enhance(ImageEnhance.Color),
    "contrast": _enhance(ImageEnhance.Contrast),
    "brightness": _enhance(ImageEnhance.Brightness),
    "sharpness": _enhance(ImageEnhance.Sharpness),
    "shear-x": lambda p, share, sign: _affine(p, 1, sign * share * 0.3, 0, 0, 1, 0),
    "shear-y": lambda p, share, sign: _affine(p, 1, 0, 0, sign * share * 0.3, 1, 0),
    "translate-x": lambda p, share, sign: _affine(p, 1, 0, sign * share * 0.45 * p.width, 0, 1, 0),
    "translate-y": lambda p, share, sign: _affine(p, 1, 0, 0, 0, 1, sign * share * 0.45 * p.height),
}
_TABLE = list(OPERATIONS.values())


def rand_augment(pixels: Tensor, operations: int, magnitude: float, generator: torch.Generator) -> Tensor:
    """pixels uint8 [B, 3, H, W] -> the same shape; each picture meets `operations` drawn ones, each with even odds."""
    B = len(pixels)
    which = torch.randint(len(_TABLE), (B, operations), generator=generator).tolist()
    happens = (torch.rand(B, operations, generator=generator) < PROBABILITY).tolist()
    signs = (torch.randint(2, (B, operations), generator=generator) * 2 - 1).tolist()
    spread = magnitude + DEVIATION * torch.randn(B, operations, generator=generator)
    shares = (spread.clamp(0, MOST) / MOST).tolist()
    out = pixels.clone()
    for i in range(B):
        if not any(happens[i]):
            continue
        picture = Image.fromarray(pixels[i].permute(1, 2, 0).contiguous().cpu().numpy())
        for j in range(operations):
            if happens[i][j]:
                picture = _TABLE[which[i][j]](picture, shares[i][j], signs[i][j])
        out[i] = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    return out
